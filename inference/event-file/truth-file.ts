/**
 * What really was in a simulated batch, beside its event file as `<name>.truth.json`: events hold only what sensors and
 * people saw. A batch of a real vessel has no such file.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { SimulatedTruth } from '../evaluate/simulated-events.ts'
import type { EventFileHeader } from './event-columns.ts'
import { EventFileError } from './event-file-error.ts'

const content = z.strictObject({
  batchId: z.string(),
  /** Of the event file that this belongs to. */
  contentSha256: z.string(),
  odEvery30s: z.array(z.number()),
  /** Null when the glycerol was never used up. */
  depletionHours: z.number().nullable(),
})

export const truthPathOf = (path: string): string => `${path.replace(/\.parquet$/, '')}.truth.json`

export function writeTruth(path: string, header: EventFileHeader, truth: SimulatedTruth): void {
  const { batchId, contentSha256 } = header
  const text = JSON.stringify(
    content.parse({ batchId, contentSha256, ...truth, depletionHours: truth.depletionHours ?? null }),
  )
  const beside = truthPathOf(path)
  writeFileSync(`${beside}.part`, `${text}\n`, { flush: true })
  renameSync(`${beside}.part`, beside)
}

/** Undefined where there is none. Throws `EventFileError` for the truth of another file. */
export function readTruth(path: string, header: EventFileHeader): SimulatedTruth | undefined {
  const beside = truthPathOf(path)
  let text: string
  try {
    text = readFileSync(beside, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const parsed = content.safeParse(parsedJson(text))
  if (!parsed.success)
    throw new EventFileError({ code: 'truth', file: beside, rule: 'is no truth of a simulated batch' })
  for (const field of ['batchId', 'contentSha256'] as const)
    if (parsed.data[field] !== header[field])
      throw new EventFileError({
        code: 'truth',
        file: beside,
        field,
        value: parsed.data[field],
        rule: `expected ${header[field]}, that of ${path}`,
      })
  const { odEvery30s, depletionHours } = parsed.data
  return { odEvery30s, depletionHours: depletionHours ?? undefined }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
