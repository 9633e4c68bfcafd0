/**
 * A person confirms what was signed last, where `ledger.signed` is lost or older than the database: the statement is
 * stored as an event (and sealed like any other), then the state is made anew. It never overrules a state that holds more
 * than the database, nor one of another log.
 */
import { randomBytes } from 'node:crypto'
import { type Clock, toInstant } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Actor } from '../../schemas/event.ts'
import { uuidV7 } from '../../schemas/ids.ts'
import { streams } from '../../schemas/streams.ts'
import type { SignedState } from './signed-state.ts'

export class StateNotConfirmedError extends Error {
  readonly code = 'state-not-confirmed'
  constructor(readonly rule: string) {
    super(`nothing was confirmed: ${rule}`)
  }
}

export type StateConfirmation = {
  /** Entries under the newest checkpoint that ever was signed, as the person knows it. */
  readonly size: bigint
  /** How the person knows: 10 to 2000 characters. */
  readonly finding: string
  readonly actor: Actor
}

/** Throws `StateNotConfirmedError` when there is nothing to confirm, or the database does not hold what is confirmed. */
export async function confirmState(
  deps: {
    readonly pool: Pool
    readonly store: EventStore
    readonly clock: Clock
    readonly site: string
    readonly signedState: SignedState
  },
  { size, finding, actor }: StateConfirmation,
): Promise<{ readonly origin: string; readonly size: bigint; readonly root: Buffer }> {
  const { rows } = await deps.pool.query<{ origin: string; fence: bigint; size: bigint; root: Buffer }>(
    'SELECT origin, fence, checkpoint.size, checkpoint.root FROM ledger.log, ledger.checkpoint ORDER BY checkpoint.size DESC LIMIT 1',
  )
  const [held] = rows
  if (!held) throw new StateNotConfirmedError('the database holds no checkpoint')
  const { origin, root } = held
  const kept = await deps.signedState.read()
  if (kept && kept.origin !== origin)
    throw new StateNotConfirmedError(`ledger.signed is of ${kept.origin}, the database holds ${origin}`)
  if (kept && kept.size >= held.size)
    throw new StateNotConfirmedError(
      `ledger.signed says that ${kept.size} entries were signed, the database has a checkpoint of ${held.size}: there is nothing to confirm`,
    )
  if (size !== held.size)
    throw new StateNotConfirmedError(
      `the newest checkpoint of the database is of ${held.size} entries (root ${root.toString('base64')}), not of ${size}`,
    )
  const nowMs = deps.clock.nowMs()
  const now = toInstant(nowMs)
  const [outcome] = await deps.store.append([
    {
      stream: streams.ledgerFindings,
      expectedRevision: 'any',
      events: [
        {
          id: uuidV7(nowMs, randomBytes(10)),
          type: 'LedgerStateConfirmed',
          schemaVersion: 1,
          occurredAt: now,
          receivedAt: now,
          actor,
          origin: 'live',
          site: deps.site,
          data: {
            origin,
            size: String(size),
            root: root.toString('base64'),
            keptSize: kept ? String(kept.size) : null,
            finding,
          },
        },
      ],
    },
  ])
  if (outcome?.kind !== 'appended') throw new Error(`the event store answered ${outcome?.kind ?? 'nothing'}`)
  await deps.signedState.advance(kept, { origin, size, root, fence: held.fence })
  return { origin, size, root }
}
