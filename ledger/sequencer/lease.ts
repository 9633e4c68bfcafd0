/**
 * The right to write the log: an advisory lock of the database, held by one connection through which everything is
 * written, and a fence that grows with each holder. Whoever loses the connection loses the right with it; should it not
 * have noticed, its older fence no longer lets it write.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'

export type Lease = {
  /** One after the other: transactions of the sequencer never mix. */
  exclusive<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result>
  /** Aborts when the connection is lost. */
  readonly lost: AbortSignal
}

const lockName = 'bioledger-ledger-sequencer'
const standbyPollMs = 1_000

/** Waits for the lock, runs `work` while it is held, and gives it back. `onStandby` is told when another one holds it. */
export async function withLease(
  deps: { readonly pool: Pool; readonly signal: AbortSignal; readonly onStandby: () => void },
  work: (lease: Lease) => Promise<void>,
): Promise<void> {
  const { pool, signal } = deps
  const client = await pool.connect()
  const lost = new AbortController()
  const onLost = () => lost.abort()
  client.on('error', onLost)
  client.on('end', onLost)
  let isHeld = false
  try {
    while (!signal.aborted) {
      const { rows } = await client.query<{ taken: boolean }>(
        'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken',
        [lockName],
      )
      isHeld = rows[0]?.taken === true
      if (isHeld) break
      deps.onStandby()
      await delay(standbyPollMs, undefined, { signal }).catch(() => {})
    }
    if (isHeld) await work({ exclusive: oneAtATime(client), lost: lost.signal })
  } finally {
    client.off('error', onLost)
    client.off('end', onLost)
    // Closing the connection releases the lock whatever state a transaction on it is in.
    client.release(true)
  }
}

function oneAtATime(client: PoolClient): Lease['exclusive'] {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(() => work(client))
    last = next.catch(() => {})
    return next
  }
}
