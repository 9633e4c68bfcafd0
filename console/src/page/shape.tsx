/** The small shapes that go with a status word; the word carries the meaning, so they are hidden from readers. */
import type { StatusWord } from '../model/value.ts'

const paths: Record<StatusWord['shape'], string> = {
  circle: 'M6 2.2a3.8 3.8 0 1 0 0 7.6a3.8 3.8 0 1 0 0-7.6z',
  ring: 'M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9zm0 1.8a2.7 2.7 0 1 1 0 5.4a2.7 2.7 0 1 1 0-5.4z',
  diamond: 'M6 .8L11.2 6L6 11.2L.8 6z',
  cross: 'M2.6 1L6 4.4L9.4 1L11 2.6L7.6 6L11 9.4L9.4 11L6 7.6L2.6 11L1 9.4L4.4 6L1 2.6z',
  up: 'M6 1.2L11 10.4H1z',
  down: 'M6 10.8L1 1.6H11z',
}

export function Shape({ shape }: { shape: StatusWord['shape'] }) {
  return (
    <svg className="shape" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      <path d={paths[shape]} />
    </svg>
  )
}

export function Status({ status }: { status: StatusWord }) {
  return (
    <span className={`status tone-${status.tone}`}>
      <Shape shape={status.shape} />
      {status.word}
    </span>
  )
}
