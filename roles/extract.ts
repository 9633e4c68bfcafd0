/** `bioledger extract`: the running product writes the extract of a batch, and it is fetched into a file. */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { extractJob, type problem } from '../schemas/http.ts'
import { readEndpoints } from './data-folder.ts'
import { progressBar } from './progress.ts'
import { UserError } from './user-error.ts'

type Options = {
  batch: string
  out: string
  dataDir: string
  asOf?: string
  purpose?: string
  purposeText?: string
  from?: string
  to?: string
  signaturesOnly: boolean
  json: boolean
}
type Job = z.infer<typeof extractJob>

const askAgainMs = 200
const patienceMs = 120_000

export async function extractCommand(given: Options): Promise<void> {
  const { http } = await readEndpoints(given.dataDir)
  const token = await readFile(join(given.dataDir, 'api-token'), 'utf8').catch(() => {
    throw new UserError(`data folder ${given.dataDir}: no api-token there`)
  })
  const call = caller(http, token.trim())
  const bar = progressBar('events written', !given.json)
  try {
    let job = await call('POST', '/api/v1/extracts', bodyOf(given))
    while (job.state === 'waiting' || job.state === 'running') {
      await delay(askAgainMs)
      job = await call('GET', `/api/v1/extracts/${job.id}`)
      if (job.progress.total > 0) bar.update(job.progress.done, job.progress.total)
    }
    if (job.state === 'failed' || job.file === null)
      throw new UserError(job.failure?.message ?? 'the extract could not be written', 2)
    await download(`${http}${job.file}`, token.trim(), given.out)
    bar.stop()
    const { batchId, size, events, manifestSha256, scope, verdict } = job
    process.stdout.write(
      given.json
        ? `${JSON.stringify({ out: given.out, batchId, scope, size, events, manifestSha256, verdict })}\n`
        : `${given.out}: ${events} events of batch ${batchId}; ${verdict}\n`,
    )
  } finally {
    bar.stop()
  }
}

function bodyOf(given: Options): Record<string, unknown> {
  const { asOf, purpose, purposeText, from, to, signaturesOnly } = given
  const times = {
    asOf: instantOf('--as-of', asOf),
    from: instantOf('--from', from),
    to: instantOf('--to', to),
  }
  const wanted = { batchId: given.batch, purpose, purposeText, ...times, signaturesOnly }
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
}

/** UTC with milliseconds, from any time that names its zone. */
function instantOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const ms = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new UserError(`${option} is ${text}, expected a time with its zone, e.g. 2026-11-21T09:30:00Z`)
  return new Date(ms).toISOString()
}

/** A server that is busy (503) is asked again, the POST under the same key. */
function caller(root: string, token: string) {
  const key = randomUUID()
  return async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Job> => {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const response = await fetch(`${root}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }).catch((error: Error) => {
        throw new UserError(`the product at ${root} does not answer: ${error.message}`)
      })
      const answer = (await response.json()) as unknown
      if (response.ok) return extractJob.parse(answer)
      if (response.status !== 503 || performance.now() > deadline)
        throw new UserError(refusalOf(answer as z.infer<typeof problem>))
      await delay(1_000)
    }
  }
}

function refusalOf({ detail, errors }: z.infer<typeof problem>): string {
  const [first] = errors ?? []
  return first ? `${detail}: ${first.pointer} expected ${first.rule}` : detail
}

/** Beside the target first: a broken connection leaves no half an extract under its name. */
async function download(url: string, token: string, out: string): Promise<void> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  if (!response.ok || !response.body)
    throw new UserError(`the extract could not be fetched (${response.status})`)
  const part = `${out}.part`
  try {
    await pipeline(Readable.fromWeb(response.body), createWriteStream(part))
    await rename(part, out)
  } catch (error) {
    await rm(part, { force: true })
    throw new UserError(`${out}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
