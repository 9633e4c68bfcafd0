/**
 * Keeps the published checkpoint cosigned: at a fixed cadence asks the witnesses about the newest one and hands
 * their lines back for publishing. Sealing never waits for it, and a checkpoint that grew meanwhile is the next round's.
 */
import type { Logger } from '../../infra/log.ts'
import type { Metric } from '../../infra/telemetry/metric.ts'
import type { ProofFrom, WitnessClient } from './witness-client.ts'

export type WitnessingDeps = {
  readonly client: WitnessClient
  readonly everyMs: number
  /** How many witnesses must have cosigned within `maximumAgeMs`. */
  readonly quorum: number
  /** Default 5 minutes: what an attacker with the log's key could rewrite unseen. */
  readonly maximumAgeMs?: number
  readonly nowMs: () => number
  readonly log: Logger
  /** The newest published checkpoint and proofs up to it; undefined while there is none. */
  readonly published: () => Promise<PublishedCheckpoint | undefined>
  /** Puts the lines under the checkpoint of `size`. */
  readonly publish: (size: bigint, lines: readonly string[]) => Promise<void>
}

export type PublishedCheckpoint = {
  readonly size: bigint
  readonly note: string
  readonly proofFrom: ProofFrom
}

export type Witnessing = {
  readonly readiness: () => Promise<{ readonly ok: boolean; readonly detail?: string }>
  readonly metrics: Readonly<Record<string, Metric>>
  stop(): Promise<void>
}

export function startWitnessing(deps: WitnessingDeps): Witnessing {
  const { client, nowMs } = deps
  const maximumAgeMs = deps.maximumAgeMs ?? 5 * 60_000
  const startedAtMs = nowMs()
  /** Since when each witness owes a cosignature; undefined while it stands at the newest checkpoint. */
  const owing = new Map<string, number>()
  let newest = 0n
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const schedule = (delayMs: number) => {
    if (stopped) return
    timer = setTimeout(() => {
      running = round()
        .catch((error: unknown) => deps.log.warn({ error: String(error) }, 'witnesses could not be asked'))
        .then(() => schedule(deps.everyMs))
    }, delayMs)
  }
  schedule(0)

  async function round(): Promise<void> {
    const published = await deps.published()
    if (!published || stopped) return
    const { size } = published
    newest = size
    const isDone = () => client.standing().every((standing) => standing.cosignedSize === size)
    if (isDone()) return
    const lines = await client.cosign(published.note, published.proofFrom)
    if (lines.length > 0) await deps.publish(size, lines)
    for (const { name, cosignedSize, problem } of client.standing()) {
      if (cosignedSize === size) owing.delete(name)
      else if (!owing.has(name)) {
        owing.set(name, nowMs())
        deps.log.warn({ witness: name, problem }, 'a witness did not cosign')
      }
    }
  }

  const late = () =>
    client.standing().filter(({ name, cosignedAtMs }) => {
      const since = owing.get(name)
      return since !== undefined && nowMs() - Math.max(since, cosignedAtMs ?? startedAtMs) > maximumAgeMs
    })
  const each =
    (pick: (standing: ReturnType<WitnessClient['standing']>[number]) => number | undefined) => () =>
      client.standing().flatMap((standing) => {
        const value = pick(standing)
        return value === undefined ? [] : [{ value, attributes: { witness: standing.name } }]
      })

  return {
    readiness: async () => {
      const standing = client.standing()
      const problems = standing.flatMap(({ name, problem }) =>
        problem === undefined ? [] : [`${name}: ${problem}`],
      )
      const timely = standing.length - late().length
      const detail = problems.join('; ')
      if (timely >= deps.quorum) return detail === '' ? { ok: true } : { ok: true, detail }
      return {
        ok: false,
        detail: `${timely} of ${deps.quorum} witnesses cosigned within ${maximumAgeMs / 60_000} min; ${detail}`,
      }
    },
    metrics: {
      bioledger_ledger_witness_cosigned_entries: {
        kind: 'gauge',
        unit: '{entry}',
        description: 'Size of the checkpoint that each witness cosigned last',
        read: each(({ cosignedSize }) => (cosignedSize === undefined ? undefined : Number(cosignedSize))),
      },
      bioledger_ledger_witness_owing_seconds: {
        kind: 'gauge',
        unit: 's',
        description: 'Since when each witness owes a cosignature; 0 when it stands at the newest checkpoint',
        read: each(({ name }) => {
          const since = owing.get(name)
          return since === undefined ? 0 : (nowMs() - since) / 1000
        }),
      },
      bioledger_ledger_witness_failures_total: {
        kind: 'counter',
        unit: '{failure}',
        description: 'Requests for a cosignature that gave none',
        read: each(({ failures }) => failures),
      },
      bioledger_ledger_witness_behind_entries: {
        kind: 'gauge',
        unit: '{entry}',
        description: 'Entries under the newest checkpoint that each witness has not cosigned yet',
        read: each(({ cosignedSize }) => Number(newest - (cosignedSize ?? 0n))),
      },
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
