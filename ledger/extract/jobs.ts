/**
 * Extracts as jobs: one at a time is written into the data folder, and handed out once the ledger itself says so
 * (`ExtractIssued`: who, what for, which manifest). Files are kept for a day, ten at most, over restarts too; the events stay
 * for good. A job that a restart interrupted says so, and begins anew when it is asked for again.
 */
import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, toInstant } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Logger } from '../../infra/log.ts'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { Actor, ClientEvent } from '../../schemas/event.ts'
import { uuidV7 } from '../../schemas/ids.ts'
import { streams } from '../../schemas/streams.ts'
import { keyHistory, readKeyEvents } from '../keys/key-history.ts'
import { chooseCheckpoint } from './checkpoint-choice.ts'
import { ExtractError } from './errors.ts'
import { readExportKey } from './export-key.ts'
import { requireExportKey } from './export-key-proof.ts'
import { type ExtractJob, interrupted, type KeptJob, keptJobs } from './kept-jobs.ts'
import { storePayloads } from './payloads.ts'
import { type ExtractRequest, scopeOf } from './request.ts'
import type { ExtractLog } from './selection.ts'
import { requireVerified } from './self-check.ts'
import type { TokenReader } from './time-stamp-tokens.ts'
import { type WrittenExtract, writeExtract } from './write-extract.ts'

export type ExtractJobs = {
  /** The job of this key, begun now unless it was before. Throws `ExtractError` `unknown-batch`, and `key-reused`. */
  begin(request: ExtractRequest, by: { actor: Actor; key: string }): Promise<ExtractJob>
  find(id: string): Promise<ExtractJob | undefined>
  fileOf(job: ExtractJob): string
  stop(): Promise<void>
}

export type ExtractJobsDeps = {
  readonly log: ExtractLog
  readonly store: EventStore
  readonly clock: Clock
  readonly logger: Logger
  readonly site: string
  /** Data folder of the ledger: holds the export key, and `extracts/`. */
  readonly folder: string
  readonly tokenOf?: TokenReader
}

const keptFiles = 10
const keptMs = 24 * 3_600_000

export function extractJobs(deps: ExtractJobsDeps): ExtractJobs {
  const folder = join(deps.folder, 'extracts')
  const stopping = new AbortController()
  const jobs = new Map<string, KeptJob>()
  const kept = keptJobs(folder)
  const { fileOf } = kept
  const loaded = kept.load().then(
    (known) => {
      for (const job of known) jobs.set(job.id, job)
    },
    (error: unknown) => deps.logger.error({ err: error }, 'extracts of an earlier run cannot be read'),
  )
  let queue: Promise<void> = loaded

  async function run(job: KeptJob, actor: Actor): Promise<void> {
    if (stopping.signal.aborted) return
    await write(job, actor)
    await kept.keep(job).catch((error: unknown) => {
      deps.logger.error({ err: error, extract: job.id }, 'the state of an extract could not be kept')
    })
  }

  async function write(job: KeptJob, actor: Actor): Promise<void> {
    try {
      job.state = 'running'
      const origin = await deps.log.origin()
      if (origin === undefined) throw new ExtractError('no-checkpoint', 'the ledger never ran')
      const exportKey = await readExportKey(deps.folder, origin)
      await requireExportKey(deps.store, exportKey.verifierKey)
      const checkpoint = await chooseCheckpoint(deps.log, deps.store, job.request, stopping.signal)
      const payloadOf = storePayloads(deps.store)
      const { tokenOf } = deps
      const written = await writeExtract(
        job.request,
        checkpoint,
        { log: deps.log, payloadOf, exportKey, ...(tokenOf ? { tokenOf } : {}) },
        fileOf(job),
        {
          signal: stopping.signal,
          onProgress: (done, total) => Object.assign(job, { done, total }),
        },
      )
      job.verdict = await requireVerified(fileOf(job), keyHistory(await readKeyEvents(deps.store)))
      await deps.store.append([
        {
          stream: streams.ledgerExtracts,
          expectedRevision: 'any',
          events: [issued(job, written, actor)],
        },
      ])
      job.result = written
      job.state = 'done'
    } catch (error) {
      await rm(fileOf(job), { force: true })
      job.state = 'failed'
      const isOurs = error instanceof Error && 'code' in error && typeof error.code === 'string'
      job.failure = stopping.signal.aborted
        ? interrupted
        : isOurs
          ? { code: String(error.code), message: error.message }
          : { code: 'internal', message: 'the extract could not be written; the log of the server says why' }
      deps.logger.error({ err: error, extract: job.id }, 'an extract could not be written')
    }
  }

  function issued(
    job: ExtractJob,
    { size, events, manifestSha256 }: WrittenExtract,
    actor: Actor,
  ): ClientEvent {
    const nowMs = deps.clock.nowMs()
    const now = toInstant(nowMs)
    const { batchId, purpose, purposeText, asOf, from, to } = job.request
    const given = Object.fromEntries(
      Object.entries({ asOf, from, to }).filter(([, value]) => value !== undefined),
    )
    return {
      id: uuidV7(nowMs, randomBytes(10)),
      type: 'ExtractIssued',
      schemaVersion: 1,
      occurredAt: now,
      receivedAt: now,
      actor,
      origin: 'live',
      site: deps.site,
      data: {
        extractId: job.id,
        batchId,
        purpose: purposeText === undefined ? purpose : `${purpose}: ${purposeText}`,
        scope: scopeOf(job.request),
        ...given,
        size: String(size),
        manifestSha256,
        events: String(events),
      },
    }
  }

  async function forgetOld(): Promise<void> {
    const ended = [...jobs.values()].filter(({ state }) => state === 'done' || state === 'failed')
    const tooMany = ended.slice(0, Math.max(0, ended.length - keptFiles))
    const tooOld = ended.filter(({ requestedAt }) => Date.parse(requestedAt) < deps.clock.nowMs() - keptMs)
    for (const job of new Set([...tooMany, ...tooOld])) {
      jobs.delete(job.id)
      await kept.forget(job)
    }
  }

  return {
    begin: async (request, { actor, key }) => {
      const id = idOf(actor.id, key)
      const body = canonicalJson(request)
      await requireBatch(deps.store, request.batchId)
      await loaded
      const known = jobs.get(id)
      if (known && (known.body !== body || known.failure?.code !== interrupted.code)) {
        if (known.body !== body)
          throw new ExtractError('key-reused', 'this Idempotency-Key was used for another extract', { key })
        return known
      }
      requirePast(request, toInstant(deps.clock.nowMs()))
      const job: KeptJob = {
        id,
        body,
        request,
        requestedAt: toInstant(deps.clock.nowMs()),
        state: 'waiting',
        done: 0,
        total: 0,
        result: undefined,
        failure: undefined,
      }
      jobs.set(id, job)
      await kept.keep(job).catch((error: unknown) => {
        jobs.delete(id)
        throw error
      })
      queue = queue.then(forgetOld).then(() => run(job, actor))
      return job
    },
    find: async (id) => {
      await loaded
      return jobs.get(id)
    },
    fileOf,
    stop: async () => {
      stopping.abort()
      await queue
    },
  }
}

/** What is yet to be recorded cannot be shown to be complete. */
function requirePast({ asOf, to }: ExtractRequest, now: string): void {
  for (const [field, value] of Object.entries({ asOf, to }))
    if (value !== undefined && value >= now)
      throw new ExtractError(
        'not-stated',
        `${field} ${value}: it is ${now}, and the record of what is yet to come is not stated; expected a past instant, or no ${field}`,
        { field, value },
      )
}

async function requireBatch(store: EventStore, batchId: string): Promise<void> {
  for await (const event of store.readStream(streams.batch(batchId), { maxCount: 1 }))
    if (event.type === 'BatchCreated') return
  throw new ExtractError('unknown-batch', `there is no batch ${batchId}`, { batchId })
}

/** UUID of version 8 (RFC 9562 5.8) from who asked with which key: asked again, it is the same job. */
function idOf(actorId: string, key: string): string {
  const bytes = createHash('sha256').update(`extract/v1\n${actorId}\n${key}`).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
