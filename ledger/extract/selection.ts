/**
 * Which entries of the log an extract holds: the batch's streams (or a range of them), the keys, the time stamps and the
 * heads statement, as ascending ranges of indexes; and for each stream which revisions, so that the manifest can say so.
 */
import { streams as names } from '../../schemas/streams.ts'
import type { HeadsStatement, LogReader, StreamRun } from '../storage/log-reader.ts'
import { ExtractError } from './errors.ts'
import type { IndexRange } from './multi-proof.ts'
import { type ExtractRequest, scopeOf } from './request.ts'

export type ExtractLog = Pick<
  LogReader,
  | 'origin'
  | 'head'
  | 'checkpointOf'
  | 'checkpointAtOrBefore'
  | 'checkpointCovering'
  | 'entries'
  | 'entriesOf'
  | 'indexesOf'
  | 'subtrees'
  | 'headsStatement'
  | 'headsRecords'
  | 'requestHeads'
>

export type SelectedStream = {
  readonly stream: string
  readonly first: bigint
  readonly last: bigint
  readonly events: number
}

export type Selection = {
  /** Streams are in the extract as far as this size: that of the heads statement, which says where each of them stood. */
  readonly bound: bigint
  readonly statement: HeadsStatement | undefined
  readonly streams: readonly SelectedStream[]
  readonly omitted: readonly string[]
  /** Ascending, merged where they touch. */
  readonly ranges: readonly IndexRange[]
  readonly events: number
}

/**
 * Throws `ExtractError` `unknown-batch` when the log has no `batch-<id>` below `size`, or nothing of it was recorded by then
 * as of when was asked.
 */
export async function select(log: ExtractLog, request: ExtractRequest, size: bigint): Promise<Selection> {
  const { batchId } = request
  const scope = scopeOf(request)
  const statement = await log.headsStatement(size)
  const bound = statement?.size ?? size
  const bulk = [names.reading(batchId), names.derived(batchId), names.forecast(batchId)]
  const selected: SelectedStream[] = []
  const omitted: string[] = []
  const runs: (readonly StreamRun[])[] = []
  const take = (stream: string, found: readonly StreamRun[]) => {
    const [first, last] = [found[0], found.at(-1)]
    if (!first || !last) return
    const events = found.reduce((sum, run) => sum + run.count, 0)
    selected.push({ stream, first: first.revision, last: last.revision + BigInt(last.count) - 1n, events })
    runs.push(found)
  }
  const batch = await runsOf(log, names.batch(batchId), bound)
  if (batch.length === 0)
    throw new ExtractError('unknown-batch', `the ledger has no batch ${batchId} below size ${bound}`, {
      batchId,
    })
  const { asOf, from, to } = request
  const [record, created] = [await cut(log, batch, { to: asOf }), await recordedAtOf(log, batch, 0)]
  if (asOf !== undefined && created > asOf)
    throw new ExtractError(
      'unknown-batch',
      `asOf ${asOf}: batch ${batchId} was first recorded at ${created}`,
      {
        batchId,
        asOf,
      },
    )
  take(names.batch(batchId), record)
  for (const stream of bulk) {
    const found = await runsOf(log, stream, bound)
    if (found.length === 0) continue
    if (scope === 'signatures-only') omitted.push(stream)
    else take(stream, await cut(log, found, { from, to: to ?? asOf }))
  }
  take(names.ledgerKeys, await runsOf(log, names.ledgerKeys, bound))
  take(names.ledgerTimeStamps, await runsOf(log, names.ledgerTimeStamps, bound))
  if (statement) take(names.ledgerHeads, await statementRun(log, statement, size))
  const ranges = merged(runs)
  return {
    bound,
    statement,
    streams: selected,
    omitted,
    ranges,
    events: selected.reduce((sum, one) => sum + one.events, 0),
  }
}

async function runsOf(log: ExtractLog, stream: string, size: bigint): Promise<StreamRun[]> {
  const runs: StreamRun[] = []
  for await (const run of log.indexesOf(stream, { size })) runs.push(run)
  return runs
}

async function statementRun(log: ExtractLog, { index }: HeadsStatement, size: bigint): Promise<StreamRun[]> {
  for await (const run of log.indexesOf(names.ledgerHeads, { size })) {
    const offset = index - run.index
    if (offset >= 0n && offset < BigInt(run.count))
      return [{ revision: run.revision + offset, index, count: 1 }]
  }
  throw new ExtractError('no-heads-statement', `no heads statement stands at index ${index}`)
}

/**
 * The revisions recorded in the range, with one before and one after where the stream has them: `recordedAt` never steps
 * back along a stream, so the two show that nothing between them is left out.
 */
async function cut(
  log: ExtractLog,
  runs: readonly StreamRun[],
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
): Promise<readonly StreamRun[]> {
  if (from === undefined && to === undefined) return runs
  const total = runs.reduce((sum, run) => sum + run.count, 0)
  const recordedAt = async (revision: number) => await recordedAtOf(log, runs, revision)
  const firstIn = from === undefined ? 0 : await lowest(total, async (at) => (await recordedAt(at)) >= from)
  const firstAfter = to === undefined ? total : await lowest(total, async (at) => (await recordedAt(at)) > to)
  return between(runs, Math.max(0, Math.min(firstIn, total) - 1), Math.min(total - 1, firstAfter))
}

async function recordedAtOf(log: ExtractLog, runs: readonly StreamRun[], revision: number): Promise<string> {
  for await (const { leaf } of log.entriesOf(between(runs, revision, revision)))
    return (JSON.parse(leaf.toString()) as { recordedAt: string }).recordedAt
  throw new ExtractError('not-covered', `revision ${revision} has no entry`)
}

/** The lowest of 0 … `count` − 1 at which a condition that stays true holds, or `count`. */
async function lowest(count: number, holds: (at: number) => Promise<boolean>): Promise<number> {
  let [from, to] = [0, count]
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if (await holds(middle)) to = middle
    else from = middle + 1
  }
  return from
}

/** Revisions `first` … `last` of runs that begin at revision 0. */
function between(runs: readonly StreamRun[], first: number, last: number): StreamRun[] {
  const found: StreamRun[] = []
  for (const run of runs) {
    const revision = Number(run.revision)
    const from = Math.max(first, revision)
    const to = Math.min(last, revision + run.count - 1)
    if (from > to) continue
    found.push({ revision: BigInt(from), index: run.index + BigInt(from - revision), count: to - from + 1 })
  }
  return found
}

function merged(streams: readonly (readonly StreamRun[])[]): IndexRange[] {
  const sorted = streams.flat().sort((a, b) => (a.index < b.index ? -1 : 1))
  const ranges: { from: number; to: number }[] = []
  for (const { index, count } of sorted) {
    const from = Number(index)
    const before = ranges.at(-1)
    if (before?.to === from) before.to += count
    else ranges.push({ from, to: from + count })
  }
  return ranges
}
