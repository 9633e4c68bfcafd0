/**
 * Which checkpoint an extract stands on: a new one with a heads statement of its own, also for the record as of a past
 * instant. Only a statement made later can show that nothing recorded up to then is missing, so it must reach beyond the
 * end of what was asked; what was recorded after that end is left out event by event, never with the checkpoint.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { HeadsStatement, PublishedCheckpoint } from '../storage/log-reader.ts'
import { ExtractError } from './errors.ts'
import type { ExtractRequest } from './request.ts'
import type { ExtractLog } from './selection.ts'

const patienceMs = 60_000
const askAgainMs = 100

/**
 * Throws `ExtractError` `not-covered` when the ledger does not come to it, `not-stated` when the record does not reach
 * beyond `asOf` or `to`: when what is recorded at that instant may be yet to come, nobody could prove it complete.
 */
export async function chooseCheckpoint(
  log: ExtractLog,
  store: Pick<EventStore, 'head'>,
  request: Pick<ExtractRequest, 'asOf' | 'to'>,
  signal: AbortSignal,
): Promise<PublishedCheckpoint> {
  const end = request.asOf ?? request.to
  const newest = await store.head()
  const covering = await until(signal, async () => {
    const head = await log.head()
    return head && head.position >= (newest?.position ?? 0n) ? head : undefined
  })
  let asked: bigint | undefined
  return await until(signal, async () => {
    const head = await log.head()
    if (!head) return undefined
    const statement = await log.headsStatement(head.size)
    if (!statement || !counts(statement, covering.size)) {
      await askOnce(head.size)
      return undefined
    }
    const reaches = end === undefined ? undefined : await statedUntil(log, statement)
    if (end === undefined || (reaches !== undefined && end < reaches))
      return await log.checkpointCovering(statement.index + 1n)
    // On an idle log nothing more will be stated; else the next statement reaches further.
    if (statement.index === statement.size && head.size === statement.index + 1n)
      throw notStated(request, reaches ?? '', statement)
    await askOnce(head.size)
    return undefined
  })

  async function askOnce(size: bigint): Promise<void> {
    if (asked !== undefined && size <= asked) return
    asked = size
    await log.requestHeads()
  }
}

/** All entries below `size`, or all but its own, which is the last of them. */
const counts = (statement: HeadsStatement, size: bigint): boolean =>
  statement.size >= size || (statement.index === statement.size && statement.index + 1n === size)

/** What was recorded before this instant stands below the statement's size, as `recordedAt` never steps back along the log. */
async function statedUntil(log: ExtractLog, { index, size }: HeadsStatement): Promise<string | undefined> {
  for await (const { leaf } of log.entries(index, index + 1n)) {
    const { recordedAt, data } = JSON.parse(leaf.toString()) as {
      recordedAt: string
      data: { recordedUpTo?: string }
    }
    return index === size ? recordedAt : data.recordedUpTo
  }
  return undefined
}

function notStated(
  { asOf, to }: Pick<ExtractRequest, 'asOf' | 'to'>,
  reaches: string,
  { size }: HeadsStatement,
) {
  const [field, value = ''] = asOf === undefined ? ['to', to] : ['asOf', asOf]
  return new ExtractError(
    'not-stated',
    `${field} ${value}: the record is stated to before ${reaches} (size ${size}), so nobody could show yet that nothing of it is missing; expected an earlier instant, or no ${field}`,
    { field, value, reaches, size: String(size) },
  )
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
