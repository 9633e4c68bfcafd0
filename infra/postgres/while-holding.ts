/**
 * One at a time across processes: work that runs while this process holds a named advisory lock of the database. Whoever
 * does not hold it waits its turn. When the session is lost the work's signal aborts and the wait begins anew, so for a
 * moment two may believe they hold it: the work itself must bear that.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../log.ts'
import type { Pool, PoolClient } from './pool.ts'

const retryMs = 500
const heartbeatMs = 2_000

export type Holding = {
  /** Aborts when the lock may be lost, or with the outer signal. */
  readonly signal: AbortSignal
}

/** Resolves when `signal` aborts or `work` resolves of itself; rejects with what `work` rejects with. */
export async function whileHolding(
  deps: { readonly pool: Pool; readonly log: Logger; readonly signal: AbortSignal },
  lock: string,
  work: (holding: Holding) => Promise<void>,
): Promise<void> {
  const { pool, log, signal } = deps
  let complained = false
  while (!signal.aborted) {
    let client: PoolClient | undefined
    try {
      client = await pool.connect()
      const answer = await client.query<{ held: boolean }>(
        'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held',
        [lock],
      )
      if (answer.rows[0]?.held !== true) {
        client.release()
        client = undefined
      }
      complained = false
    } catch (error) {
      client?.release(true)
      client = undefined
      if (!complained) log.warn({ err: error, lock }, 'the lock cannot be asked for at present')
      complained = true
    }
    if (!client) {
      await delay(retryMs, undefined, { signal }).catch(() => {})
      continue
    }
    const isOver = await holdAndWork(client, deps, lock, work)
    if (isOver) return
    log.warn({ lock }, 'the lock was lost; waiting for it again')
  }
}

/** True when the work ended of itself or the outer signal aborted; false when the lock was lost. */
async function holdAndWork(
  client: PoolClient,
  deps: { readonly log: Logger; readonly signal: AbortSignal },
  lock: string,
  work: (holding: Holding) => Promise<void>,
): Promise<boolean> {
  const lost = new AbortController()
  const lose = () => lost.abort()
  client.once('error', lose)
  client.once('end', lose)
  const heartbeat = setInterval(() => {
    client.query('SELECT 1').catch(lose)
  }, heartbeatMs)
  try {
    await work({ signal: AbortSignal.any([deps.signal, lost.signal]) })
    return !lost.signal.aborted || deps.signal.aborted
  } catch (error) {
    if (!lost.signal.aborted || deps.signal.aborted) throw error
    deps.log.warn({ err: error, lock }, 'work ended with its lock')
    return false
  } finally {
    clearInterval(heartbeat)
    client.off('error', lose)
    client.off('end', lose)
    // Ending the session frees the lock whatever state it is in.
    client.release(true)
  }
}
