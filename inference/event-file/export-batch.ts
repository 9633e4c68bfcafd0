/** A batch of the store as an event file: everything that is in its own streams when the export begins. */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import { batchCreated } from '../../schemas/events/batch-events.ts'
import { readBatchEvents } from '../read-batch.ts'
import type { EventFileHeader } from './event-columns.ts'
import { eventFileWriter } from './write-event-file.ts'

export type ExportedBatch = EventFileHeader & {
  /** False: the batch runs on, and later events of it are not in the file. */
  readonly ended: boolean
}

const endings: ReadonlySet<string> = new Set(['BatchClosed', 'BatchAborted'])

/**
 * Writes `path`, in place of what stood there. Undefined: there is no such batch, and `path` is as it was. Rejects with
 * `EventFileError` for an event that the file could not give back.
 */
export async function exportBatch(deps: {
  readonly store: Pick<EventStore, 'readStream' | 'head'>
  readonly batchId: string
  readonly path: string
  readonly onProgress?: (events: number) => void
}): Promise<ExportedBatch | undefined> {
  const { store, batchId, path } = deps
  const head = await store.head()
  if (!head) return undefined
  const events = readBatchEvents(store, batchId, head.position)
  const first = await events.next()
  const vessel = first.value?.data.vessel
  if (first.done || first.value.type !== batchCreated.type || typeof vessel !== 'string') {
    await events.return(undefined)
    return undefined
  }
  const writer = eventFileWriter(path, { batchId, vessel })
  try {
    writer.add(first.value)
    let written = 1
    let ended = false
    for await (const event of events) {
      writer.add(event)
      written++
      ended ||= endings.has(event.type)
      if (written % 10_000 === 0) deps.onProgress?.(written)
    }
    return { ...writer.finish(), ended }
  } finally {
    writer.discard()
  }
}
