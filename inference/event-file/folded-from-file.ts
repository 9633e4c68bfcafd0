/** An event file folded to its windows, through the same window fold as the service uses. */
import { type FoldedBatch, gatheringWindows } from '../evaluate/folded-batch.ts'
import type { SimulatedTruth } from '../evaluate/simulated-events.ts'
import { EventFileError } from './event-file-error.ts'
import { openEventFile } from './read-event-file.ts'
import { readTruth } from './truth-file.ts'

export type FoldedFile = Omit<FoldedBatch, 'truth'> & {
  /** Undefined for a batch that was not simulated for training: offline OD600 has to label it. */
  readonly truth: SimulatedTruth | undefined
}

/**
 * `truth` in place of what stands beside the file. Rejects with `EventFileError` when the file is not what it says, or holds no
 * inoculation: windows without T = 0 have no place in a table of forecasts.
 */
export async function foldedFromFile(path: string, truth?: SimulatedTruth): Promise<FoldedFile> {
  const file = await openEventFile(path)
  const { batchId, vessel } = file.header
  const gathering = gatheringWindows(vessel)
  let startMs: number | undefined
  await file.forEach((event) => {
    if (event.type === 'BatchInoculated') startMs = Date.parse(event.occurredAt)
    gathering.apply(event)
  })
  if (startMs === undefined)
    throw new EventFileError({ code: 'metadata', file: path, rule: 'holds no BatchInoculated (T = 0)' })
  return { batchId, startMs, ...gathering.result(), truth: truth ?? readTruth(path, file.header) }
}
