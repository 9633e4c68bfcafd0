/** One stream's events by revision, up to where the stream ended when reading began. */
import type { RecordedEvent } from '../../../schemas/event.ts'
import type { ReadStreamOptions } from '../event-store.ts'
import type { DecodeRows } from './decode-rows.ts'
import type { Reads } from './session.ts'
import { statements } from './statements.ts'

const rowsAtOnce = 1_000

export async function* readStreamOf(
  deps: { readonly reads: Reads; readonly decode: DecodeRows },
  stream: string,
  options: ReadStreamOptions,
): AsyncGenerator<RecordedEvent> {
  const { reads, decode } = deps
  const backwards = options.direction === 'backwards'
  let left = options.maxCount ?? Number.POSITIVE_INFINITY
  if (left <= 0) return
  const [state] = await reads.run(statements.streamStates, [[stream]])
  if (!state) return
  const [, key, revision] = state
  const end = BigInt(revision as string)
  let from = options.from ?? (backwards ? end : 0n)
  if (backwards && from > end) from = end
  if (!backwards && from < 0n) from = 0n
  const last = backwards ? 0n : end
  while (left > 0 && (backwards ? from >= last : from <= last)) {
    const count = Math.min(left, rowsAtOnce)
    const statement = backwards ? statements.streamBackwards : statements.streamForwards
    const events = await decode(reads.run, await reads.run(statement, [key, from, last, count]))
    yield* events
    const reached = events.at(-1)
    if (!reached) return
    left -= events.length
    from = reached.revision + (backwards ? -1n : 1n)
  }
}
