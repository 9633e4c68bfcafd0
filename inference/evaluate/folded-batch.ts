/**
 * A simulated batch folded to its windows, with the truth: through the same window fold as the service uses. Folding
 * 1.5 million readings takes seconds, so windows may be kept in a folder, named by what produced them.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { PlannedBatch } from '../../domain/campaign.ts'
import type { BatchRun } from '../../domain/process-model/batch-run.ts'
import { windowFold } from '../../domain/process-windows/fold-windows.ts'
import type { ProcessWindow } from '../../domain/process-windows/process-window.ts'
import { type SimulatedTruth, simulatedEvents } from './simulated-events.ts'

export type FoldedBatch = {
  readonly batchId: string
  readonly startMs: number
  readonly readings: number
  /** SHA-256 over time, tag and value of every reading, in order. */
  readonly sha256: string
  readonly windows: readonly ProcessWindow[]
  readonly truth: SimulatedTruth
}

/** With `keepIn`, a batch that was folded before with the same settings is read from there. */
export async function foldedBatch(
  run: BatchRun,
  planned: PlannedBatch,
  keepIn?: string,
): Promise<FoldedBatch> {
  if (keepIn === undefined) return foldNow(run, planned)
  const name = createHash('sha256')
    .update(JSON.stringify([run, planned]))
    .digest('hex')
    .slice(0, 32)
  const path = join(keepIn, `${name}.windows`)
  const kept = await readFile(path).catch(() => undefined)
  if (kept) return deserialize(kept) as FoldedBatch
  const folded = foldNow(run, planned)
  await mkdir(keepIn, { recursive: true })
  await writeFile(`${path}.${process.pid}`, serialize(folded))
  await rename(`${path}.${process.pid}`, path)
  return folded
}

function foldNow(run: BatchRun, planned: PlannedBatch): FoldedBatch {
  const events = simulatedEvents(run, planned)
  const fold = windowFold({ vessel: events.vessel })
  const windows: ProcessWindow[] = []
  const digest = createHash('sha256')
  let readings = 0
  let text = ''
  const truth = events.play((event) => {
    if (event.type === 'SensorReadingRecorded') {
      readings++
      text += `${event.occurredAt} ${event.data.tag} ${event.data.value}\n`
      if (text.length > 65_536) {
        digest.update(text)
        text = ''
      }
    }
    windows.push(...fold.apply(event))
  })
  digest.update(text)
  return {
    batchId: events.batchId,
    startMs: events.startMs,
    readings,
    sha256: digest.digest('hex'),
    windows,
    truth,
  }
}
