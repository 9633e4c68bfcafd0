/** Which checkpoint an extract stands on: the last one as of a past instant, or a new one with a heads statement of its own. */
import { setTimeout as delay } from 'node:timers/promises'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { PublishedCheckpoint } from '../storage/log-reader.ts'
import { ExtractError } from './errors.ts'
import type { ExtractLog } from './selection.ts'

const patienceMs = 60_000
const askAgainMs = 100

/** Throws `ExtractError` `no-checkpoint` when nothing was sealed by then, `not-covered` when the ledger does not come to it. */
export async function chooseCheckpoint(
  log: ExtractLog,
  store: Pick<EventStore, 'head'>,
  asOf: string | undefined,
  signal: AbortSignal,
): Promise<PublishedCheckpoint> {
  if (asOf !== undefined) {
    const found = await log.checkpointAtOrBefore({ recordedAt: asOf })
    if (!found)
      throw new ExtractError('no-checkpoint', `the ledger has no checkpoint as of ${asOf}`, { asOf })
    return found
  }
  const end = await store.head()
  const covering = await until(signal, async () => {
    const head = await log.head()
    return head && head.position >= (end?.position ?? 0n) ? head : undefined
  })
  await log.requestHeads()
  return await until(signal, async () => {
    const head = await log.head()
    const statement = head && (await log.headsStatement(head.size))
    if (!statement || statement.size < covering.size) return undefined
    return await log.checkpointCovering(statement.index + 1n)
  })
}

async function until<T>(signal: AbortSignal, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (signal.aborted) throw new ExtractError('aborted', 'the extract was aborted')
    if (performance.now() > deadline)
      throw new ExtractError(
        'not-covered',
        `the ledger did not seal what the store holds within ${patienceMs / 1000} s: is its role running?`,
      )
    await delay(askAgainMs, undefined, { signal }).catch(() => {})
  }
}
