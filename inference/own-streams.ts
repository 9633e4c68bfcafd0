/** How far a batch's derived and forecast streams have come: what a worker finds there is done. */
import type { EventStore } from '../infra/event-store/event-store.ts'
import { ownStreams } from './events.ts'

export type StreamHead = {
  readonly stream: string
  /** −1: the stream does not exist yet. */
  revision: bigint
  /** End of the last window in it. */
  throughMs: number
  isSealed: boolean
}

export type OwnHeads = { readonly derived: StreamHead; readonly forecast: StreamHead }

export async function readOwnHeads(
  store: Pick<EventStore, 'readStream'>,
  batchId: string,
): Promise<OwnHeads> {
  const names = ownStreams(batchId)
  const [derived, forecast] = await Promise.all([
    readHead(store, names.derived),
    readHead(store, names.forecast),
  ])
  return { derived, forecast }
}

/** Scores stand between the windows, seldom more than a few. */
const lookedAtFirst = 20

async function readHead(store: Pick<EventStore, 'readStream'>, stream: string): Promise<StreamHead> {
  const head: StreamHead = { stream, revision: -1n, throughMs: Number.NEGATIVE_INFINITY, isSealed: false }
  if (!(await found(lookedAtFirst)) && head.revision >= BigInt(lookedAtFirst)) await found(undefined)
  return head

  async function found(maxCount: number | undefined): Promise<boolean> {
    for await (const event of store.readStream(stream, {
      direction: 'backwards',
      ...(maxCount === undefined ? {} : { maxCount }),
    })) {
      if (head.revision < 0n) head.revision = event.revision
      const window = event.data.window as { readonly to?: unknown } | undefined
      if (event.type === 'StreamSealed') head.isSealed = true
      else if (typeof window?.to === 'string') head.throughMs = Date.parse(window.to)
      else continue
      return true
    }
    return false
  }
}
