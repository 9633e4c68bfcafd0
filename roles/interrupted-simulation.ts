/** What a start remembers of the simulated batch it began (`simulation/run.json`), so that the next one goes on with it. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { BatchApi } from '../simulation/api-client.ts'
import type { BegunRun, SimulateOptions } from '../simulation/simulator.ts'

type Wanted = Pick<SimulateOptions, 'preset' | 'seed' | 'noise' | 'volumeEffects'>

const remembered = z.object({
  preset: z.string(),
  seed: z.int(),
  noise: z.string().optional(),
  volumeEffects: z.string().optional(),
  batchId: z.string(),
  vessel: z.string(),
  startMs: z.int(),
  firstSequence: z.int(),
})

const fileIn = (folder: string) => join(folder, 'simulation', 'run.json')

export async function rememberRun(folder: string, wanted: Wanted, begun: BegunRun): Promise<void> {
  const file = fileIn(folder)
  await mkdir(join(folder, 'simulation'), { recursive: true })
  await writeFile(`${file}.new`, `${JSON.stringify({ ...wanted, ...begun })}\n`)
  await rename(`${file}.new`, file)
}

/** The run to go on with: the same process with the same seed, its batch still open. */
export async function interruptedRun(
  folder: string,
  wanted: Wanted,
  api: BatchApi,
): Promise<SimulateOptions['resume'] | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const run = remembered.parse(JSON.parse(text))
  const fields = ['preset', 'seed', 'noise', 'volumeEffects'] as const
  if (fields.some((field) => run[field] !== wanted[field])) return undefined
  const progress = await api.progress(run.batchId)
  if (!progress || (progress.status !== 'running' && progress.status !== 'pending')) return undefined
  const { batchId, vessel, startMs, firstSequence } = run
  const fromSecond =
    progress.newestReadingMs === undefined
      ? 0
      : Math.max(0, Math.floor((progress.newestReadingMs - startMs) / 1000))
  return {
    batchId,
    vessel,
    startMs,
    firstSequence,
    inoculated: progress.inoculated,
    samples: progress.samples,
    fromSecond,
  }
}
