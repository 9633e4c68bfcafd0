/**
 * Jobs as they outlive a restart: a file `<id>.json` beside each `<id>.zip` in the folder of extracts, written durably at
 * each change of state. A job that a stop or a kill interrupted says so; a file that is not the whole one is not kept.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, writeDurably } from '../storage/durable-file.ts'
import type { ExtractRequest } from './request.ts'
import type { WrittenExtract } from './write-extract.ts'

export type ExtractJob = {
  readonly id: string
  readonly request: ExtractRequest
  readonly requestedAt: string
  state: 'waiting' | 'running' | 'done' | 'failed'
  done: number
  total: number
  result: WrittenExtract | undefined
  /** What the verifier said of it before it was handed out. */
  verdict?: string
  failure: { readonly code: string; readonly message: string } | undefined
}

/** `body`: canonical JSON of what was asked. */
export type KeptJob = ExtractJob & { readonly body: string }

export type KeptJobs = {
  /** Those of earlier runs, oldest first; whatever else lies in the folder is removed. */
  load(): Promise<readonly KeptJob[]>
  keep(job: KeptJob): Promise<void>
  forget(job: Pick<ExtractJob, 'id'>): Promise<void>
  fileOf(job: Pick<ExtractJob, 'id'>): string
}

type Written = Omit<KeptJob, 'result'> & {
  readonly result?: { readonly size: string; readonly events: number; readonly manifestSha256: string }
  /** Of the zip. */
  readonly bytes?: number
}

export const interrupted = {
  code: 'interrupted',
  message: 'the extract was interrupted by a restart; ask again',
} as const

export function keptJobs(folder: string): KeptJobs {
  const fileOf = ({ id }: Pick<ExtractJob, 'id'>) => join(folder, `${id}.zip`)
  const stateOf = ({ id }: Pick<ExtractJob, 'id'>) => join(folder, `${id}.json`)

  async function keep(job: KeptJob): Promise<void> {
    const { result, ...rest } = job
    const written: Written = {
      ...rest,
      ...(result && {
        result: { ...result, size: String(result.size) },
        bytes: (await stat(fileOf(job))).size,
      }),
    }
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeDurably(stateOf(job), `${JSON.stringify(written)}\n`, 0o600)
  }

  /** Undefined for what is no state of a job. */
  async function read(name: string): Promise<KeptJob | undefined> {
    let written: Written
    try {
      written = JSON.parse((await readIfThere(join(folder, name))) ?? '') as Written
    } catch {
      return undefined
    }
    const { result, bytes, ...rest } = written
    if (`${rest.id}.json` !== name) return undefined
    const job = {
      ...rest,
      failure: rest.failure,
      result: result && { ...result, size: BigInt(result.size) },
    }
    const held = await stat(fileOf(job)).catch(() => undefined)
    if (job.state === 'failed' || (job.state === 'done' && held?.size === bytes)) return job
    return { ...job, state: 'failed', result: undefined, failure: interrupted }
  }

  return {
    load: async () => {
      const names = await readdir(folder).catch(() => [])
      const jobs = (await Promise.all(names.filter((name) => name.endsWith('.json')).map(read)))
        .filter((job) => job !== undefined)
        .sort((a, b) => (a.requestedAt < b.requestedAt ? -1 : 1))
      const whole = new Set(
        jobs.flatMap((job) => [`${job.id}.json`, ...(job.state === 'done' ? [`${job.id}.zip`] : [])]),
      )
      for (const name of names)
        if (!whole.has(name)) await rm(join(folder, name), { recursive: true, force: true })
      for (const job of jobs) if (job.failure === interrupted) await keep(job)
      return jobs
    },
    keep,
    forget: async (job) => {
      await rm(stateOf(job), { force: true })
      await rm(fileOf(job), { force: true })
    },
    fileOf,
  }
}
