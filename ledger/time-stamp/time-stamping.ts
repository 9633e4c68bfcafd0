/**
 * Has the ledger's newest checkpoint stamped by outside authorities at a fixed cadence (RFC 3161). In: published
 * checkpoints. Out: rows of `ledger.time_stamp` and `CheckpointTimeStamped` events. A token is kept only after it
 * verified. An authority that is away stops nothing: the next round asks again, `readiness` tells how long it has been.
 *
 * The stamp's own event makes later events provably younger than it; the stamp makes everything under its checkpoint
 * provably older. A log that only grew by such events is not stamped again.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Logger } from '../../infra/log.ts'
import type { Metric } from '../../infra/telemetry/metric.ts'
import { streams } from '../../schemas/streams.ts'
import type { TimeStampAuthority } from './authority.ts'
import { timeStampRequest } from './request.ts'
import { type StampedCheckpoint, stampedEvent, stampedEventId, type TimeStamps } from './stamped.ts'
import { verifyTimeStamp } from './token.ts'

export type TimeStampingDeps = {
  readonly authorities: readonly TimeStampAuthority[]
  readonly everyMs: number
  /** After a failure; default a tenth of `everyMs`, at least a second. */
  readonly retryMs?: number
  /** Without a stamp for longer, although there was something to stamp: not ready. */
  readonly maximumGapMs: number
  readonly timeStamps: TimeStamps
  readonly store: EventStore
  readonly site: string
  readonly nowMs: () => number
  readonly log: Logger
  /** Size and signed text of the newest published checkpoint. */
  readonly published: () => Promise<{ readonly size: bigint; readonly text: string } | undefined>
  /** Whether anything but time stamps and heads statements was sealed between the two sizes. */
  readonly hasNews: (fromSize: bigint, toSize: bigint) => Promise<boolean>
}

export type TimeStamping = {
  readonly readiness: () => Promise<{ readonly ok: boolean; readonly detail?: string }>
  readonly metrics: Readonly<Record<string, Metric>>
  stop(): Promise<void>
}

type Standing = {
  readonly authority: TimeStampAuthority
  stampedSize: bigint | undefined
  stampedAtMs: number | undefined
  /** Since when there is something to stamp that it has not stamped. */
  waitingSinceMs: number | undefined
  failures: number
  problem: string | undefined
  clockOffsetMs: number | undefined
}

export function startTimeStamping(deps: TimeStampingDeps): TimeStamping {
  const { nowMs, timeStamps, log } = deps
  const retryMs = deps.retryMs ?? Math.max(1_000, deps.everyMs / 10)
  const standings = deps.authorities.map(
    (authority): Standing => ({
      authority,
      stampedSize: undefined,
      stampedAtMs: undefined,
      waitingSinceMs: undefined,
      failures: 0,
      problem: undefined,
      clockOffsetMs: undefined,
    }),
  )
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const schedule = (delayMs: number) => {
    if (stopped) return
    timer = setTimeout(() => {
      running = round().then(
        (isDone) => schedule(isDone ? deps.everyMs : retryMs),
        (error: unknown) => {
          log.warn({ error: String(error) }, 'time stamping will try again')
          schedule(retryMs)
        },
      )
    }, delayMs)
  }
  schedule(0)

  /** Whether nothing is left to do before the next regular round. */
  async function round(): Promise<boolean> {
    // A stamp that was kept before a kill gets its event now.
    for (const stamped of await timeStamps.unlogged()) await logStamp(stamped)
    const published = await deps.published()
    if (!published) return false
    let isDone = true
    for (const standing of standings) {
      if (stopped) return true
      standing.stampedSize ??= (await recall(standing))?.size
      const from = standing.stampedSize ?? 0n
      if (published.size <= from || !(await deps.hasNews(from, published.size))) {
        standing.waitingSinceMs = undefined
        continue
      }
      standing.waitingSinceMs ??= nowMs()
      try {
        await stampWith(standing, published)
      } catch (error) {
        isDone = false
        standing.failures++
        standing.problem = error instanceof Error ? error.message : String(error)
        log.warn({ authority: standing.authority.name, problem: standing.problem }, 'no time stamp')
      }
    }
    return isDone
  }

  async function recall(standing: Standing): Promise<StampedCheckpoint | undefined> {
    const newest = await timeStamps.newest(standing.authority.name)
    standing.stampedAtMs = newest?.stampedAtMs
    // What waited over a restart has waited since its last stamp.
    standing.waitingSinceMs = newest?.receivedAtMs
    return newest
  }

  async function stampWith(
    standing: Standing,
    { size, text }: { readonly size: bigint; readonly text: string },
  ): Promise<void> {
    const { authority } = standing
    const nonce = randomBytes(16)
    const imprint = createHash('sha256').update(text).digest()
    const response = await authority.stamp(timeStampRequest({ imprint, nonce, policy: authority.policy }))
    const verified = await verifyTimeStamp(response, {
      data: Buffer.from(text),
      nonce,
      policy: authority.policy,
      trusted: authority.trusted,
    })
    const receivedAtMs = nowMs()
    const stamped: StampedCheckpoint = {
      eventId: stampedEventId(response),
      size,
      authority: authority.name,
      stampedAtMs: verified.stampedAtMs,
      receivedAtMs,
      checkpoint: text,
      response,
      chain: verified.chain,
    }
    await timeStamps.keep(stamped)
    await logStamp(stamped)
    standing.stampedSize = size
    standing.stampedAtMs = verified.stampedAtMs
    standing.waitingSinceMs = undefined
    standing.problem = undefined
    standing.clockOffsetMs = verified.stampedAtMs - receivedAtMs
  }

  async function logStamp(stamped: StampedCheckpoint): Promise<void> {
    const [outcome] = await deps.store.append([
      {
        stream: streams.ledgerTimeStamps,
        expectedRevision: 'any',
        events: [stampedEvent(stamped, deps.site)],
      },
    ])
    if (outcome?.kind !== 'appended' && outcome?.kind !== 'duplicate')
      throw new Error(`the time stamp's event was answered with ${outcome?.kind}`)
    await timeStamps.markLogged(stamped.eventId)
  }

  const waitedMs = ({ waitingSinceMs }: Standing) =>
    waitingSinceMs === undefined ? 0 : Math.max(0, nowMs() - waitingSinceMs)
  const each = (pick: (standing: Standing) => number | undefined) => () =>
    standings.flatMap((standing) => {
      const value = pick(standing)
      return value === undefined ? [] : [{ value, attributes: { authority: standing.authority.name } }]
    })

  return {
    readiness: async () => {
      const problems = standings.flatMap(({ authority, problem }) =>
        problem === undefined ? [] : [`${authority.name}: ${problem}`],
      )
      const detail = problems.join('; ')
      // One authority in time is enough: that is what a second one is for.
      if (standings.some((standing) => waitedMs(standing) <= deps.maximumGapMs))
        return detail === '' ? { ok: true } : { ok: true, detail }
      return {
        ok: false,
        detail: `no time stamp for more than ${deps.maximumGapMs / 3_600_000} h; ${detail}`,
      }
    },
    metrics: {
      bioledger_ledger_time_stamp_wait_seconds: {
        kind: 'gauge',
        unit: 's',
        description: 'How long sealed entries have waited for a time stamp, by authority',
        read: each((standing) => waitedMs(standing) / 1000),
      },
      bioledger_ledger_time_stamped_entries: {
        kind: 'gauge',
        unit: '{entry}',
        description: 'Size of the checkpoint stamped last, by authority',
        read: each(({ stampedSize }) => (stampedSize === undefined ? undefined : Number(stampedSize))),
      },
      bioledger_ledger_time_stamp_failures_total: {
        kind: 'counter',
        unit: '{failure}',
        description: 'Requests that gave no time stamp',
        read: each(({ failures }) => failures),
      },
      bioledger_ledger_time_stamp_clock_offset_seconds: {
        kind: 'gauge',
        unit: 's',
        description: 'Time of the last stamp less our clock when it arrived',
        read: each(({ clockOffsetMs }) => (clockOffsetMs === undefined ? undefined : clockOffsetMs / 1000)),
      },
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
