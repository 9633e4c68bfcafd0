/** SHA-256 over time, tag and value of every reading, in order: the name of a batch's readings in a model's lineage. */
import { createHash } from 'node:crypto'
import type { RecordedEvent } from '../../schemas/event.ts'

export type ReadingsDigest = {
  /** Events that are no readings change nothing. */
  readonly add: (event: RecordedEvent) => void
  readonly readings: () => number
  /** Lower-case hex; ends the digest. */
  readonly sha256: () => string
}

const chunkLength = 65_536

export function readingsDigest(): ReadingsDigest {
  const digest = createHash('sha256')
  let readings = 0
  let text = ''
  return {
    add: (event) => {
      if (event.type !== 'SensorReadingRecorded') return
      readings++
      text += `${event.occurredAt} ${event.data.tag} ${event.data.value}\n`
      if (text.length <= chunkLength) return
      digest.update(text)
      text = ''
    },
    readings: () => readings,
    sha256: () => {
      digest.update(text)
      return digest.digest('hex')
    },
  }
}
