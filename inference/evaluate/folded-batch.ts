/**
 * A simulated batch folded to its windows, with the truth: through the same window fold as the service uses. Folding
 * 1.5 million readings takes seconds, so windows may be kept in a folder, named by what produced them.
 */
import { createHash, hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import type { PlannedBatch } from '../../domain/campaign.ts'
import type { BatchRun } from '../../domain/process-model/batch-run.ts'
import { windowFold } from '../../domain/process-windows/fold-windows.ts'
import type { ProcessWindow } from '../../domain/process-windows/process-window.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { readingsDigest } from '../event-file/readings-digest.ts'
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
  const name = hash('sha256', JSON.stringify([sourcesOfWindows(), run, planned])).slice(0, 32)
  const path = join(keepIn, `${name}.windows`)
  const kept = await readFile(path).catch(() => undefined)
  if (kept) return deserialize(kept) as FoldedBatch
  const folded = foldNow(run, planned)
  await mkdir(keepIn, { recursive: true })
  await writeFile(`${path}.${process.pid}`, serialize(folded))
  await rename(`${path}.${process.pid}`, path)
  return folded
}

/** What makes a window of a simulated batch, apart from its settings: windows kept by other code are not taken for these. */
const sources = [
  'process-model',
  'process-windows',
  'process-maths',
  'signal-cleaning',
  'campaign.ts',
] as const
let sourcesHash: string | undefined

function sourcesOfWindows(): string {
  if (sourcesHash === undefined) {
    const domain = fileURLToPath(new URL('../../domain/', import.meta.url))
    const files = sources
      .flatMap((name) =>
        name.endsWith('.ts') ? [name] : readdirSync(join(domain, name)).map((file) => join(name, file)),
      )
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    const digest = createHash('sha256')
    for (const file of ['../inference/evaluate/simulated-events.ts', ...files.sort()])
      digest.update(`${file}\n`).update(readFileSync(join(domain, file)))
    sourcesHash = digest.digest('hex')
  }
  return sourcesHash
}

function foldNow(run: BatchRun, planned: PlannedBatch): FoldedBatch {
  const events = simulatedEvents(run, planned)
  const gathering = gatheringWindows(events.vessel)
  const truth = events.play(gathering.apply)
  return { batchId: events.batchId, startMs: events.startMs, ...gathering.result(), truth }
}

export type GatheringWindows = {
  readonly apply: (event: RecordedEvent) => void
  /** Ends it. */
  readonly result: () => Pick<FoldedBatch, 'readings' | 'sha256' | 'windows'>
}

/** The closed windows of one vessel's events, and the digest of its readings. */
export function gatheringWindows(vessel: string): GatheringWindows {
  const fold = windowFold({ vessel })
  const windows: ProcessWindow[] = []
  const digest = readingsDigest()
  return {
    apply: (event) => {
      digest.add(event)
      windows.push(...fold.apply(event))
    },
    result: () => ({ readings: digest.readings(), sha256: digest.sha256(), windows }),
  }
}
