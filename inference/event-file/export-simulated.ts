/** A simulated batch as an event file, as the product would export it, with the truth beside it. */
import type { PlannedBatch } from '../../domain/campaign.ts'
import type { BatchRun } from '../../domain/process-model/batch-run.ts'
import { simulatedEvents } from '../evaluate/simulated-events.ts'
import type { EventFileHeader } from './event-columns.ts'
import { type FoldedFile, foldedFromFile } from './folded-from-file.ts'
import { writeTruth } from './truth-file.ts'
import { eventFileWriter } from './write-event-file.ts'

/**
 * Writes `path` and `<path without .parquet>.truth.json`, in place of what stood there. The events come last: where they
 * stand, the truth stands too.
 */
export function exportSimulated(run: BatchRun, planned: PlannedBatch, path: string): EventFileHeader {
  const events = simulatedEvents(run, planned)
  const writer = eventFileWriter(path, events)
  try {
    const truth = events.play(writer.add)
    return writer.finish((header) => writeTruth(path, header, truth))
  } finally {
    writer.discard()
  }
}

/** Simulation, event file, windows: what training makes its table of. The file stays at `path`. */
export function foldedThroughFile(run: BatchRun, planned: PlannedBatch, path: string): Promise<FoldedFile> {
  exportSimulated(run, planned, path)
  return foldedFromFile(path)
}
