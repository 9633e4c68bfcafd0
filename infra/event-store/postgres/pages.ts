/** Pages of the log in position order: keyset reads with the next page on its way while one is consumed. */
import type { EventFilter, EventPage } from '../event-store.ts'
import type { DecodeRows } from './decode-rows.ts'
import type { Reads, Row } from './session.ts'
import { statements } from './statements.ts'

export type Pages = {
  /** The last position (0 for none), and a filtered reader's licence to leave out readings up to there. */
  horizon(filter: EventFilter | undefined): Promise<Horizon>
  /**
   * Pages after `after` up to `until`, the last one reaching it. Ends early when `signal` aborts. Several short pages
   * may come without events where a filter lets little through.
   */
  between(range: PageRange): AsyncGenerator<Omit<EventPage, 'caughtUp'>>
}

export type Horizon = { readonly position: bigint; readonly withoutReadings: boolean }

export type PageRange = {
  readonly after: bigint
  readonly until: bigint
  readonly filter: EventFilter | undefined
  readonly withoutReadings: boolean
  readonly pageSize: number
  readonly signal: AbortSignal | undefined
}

/** Positions a filtered read looks at in one statement, when it cannot leave out readings. */
const filterWindow = 100_000n
const readingType = 'SensorReadingRecorded'

export function pagesOf(reads: Reads, decode: DecodeRows): Pages {
  function fetch(range: PageRange, after: bigint): Promise<readonly Row[]> {
    const { filter, pageSize } = range
    const until = endOf(range, after)
    if (!filter?.types && !filter?.categories) return reads.run(statements.page, [after, until, pageSize])
    return reads.run(range.withoutReadings ? statements.pageGeneral : statements.pageFiltered, [
      after,
      until,
      pageSize,
      filter.types ?? null,
      filter.categories ?? null,
    ])
  }

  return {
    async horizon(filter) {
      const categories = filter?.categories ?? null
      const [row] = await reads.run(statements.horizon, [categories])
      const typesAllow = !filter?.types || filter.types.includes(readingType)
      return {
        position: BigInt(row?.[0] ?? 0),
        withoutReadings: !typesAllow || row?.[1] !== 't',
      }
    },

    async *between(range) {
      const { until, pageSize, signal } = range
      let after = range.after
      if (after >= until) return yield { events: [], through: after }
      let next = fetch(range, after)
      for (;;) {
        const rows = await next
        if (signal?.aborted) return
        const last = rows.at(-1)
        const through = rows.length === pageSize && last ? BigInt(last[0] as string) : endOf(range, after)
        after = through
        if (after < until) {
          next = fetch(range, after)
          // Whoever stops reading here does not wait for it; whoever goes on gets its error.
          next.catch(() => {})
        }
        yield { events: await decode(reads.run, rows), through }
        if (through >= until || signal?.aborted) return
      }
    },
  }
}

const endOf = ({ filter, withoutReadings, until }: PageRange, after: bigint): bigint => {
  const narrow = (filter?.types || filter?.categories) && !withoutReadings
  return narrow && until - after > filterWindow ? after + filterWindow : until
}
