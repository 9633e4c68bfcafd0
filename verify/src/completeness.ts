/**
 * That nothing of the batch is missing as of the size M of the heads statement: for each stream of the batch and of the
 * ledger's keys and time stamps, the list under the statement says that it is not in the log at all, or how many events
 * it has and which is the last. Events at or above M belong to a later extract. Without a statement nothing is claimed.
 */

import { equalBytes } from './bytes.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import { type HeadsList, readHeads } from './heads.ts'
import { linesOf } from './lines.ts'
import { count, type Manifest } from './manifest.ts'
import { Refusal } from './refusal.ts'
import { endOf, shownUntil } from './request-end.ts'
import { bulkStreams, isBulk, type StreamState } from './streams.ts'

export const headsMember = 'heads.ndjson'
/** Streams of the ledger that no extract holds, but whose events are counted for the reader. */
const besides = ['ledger-extracts', 'ledger-findings'] as const

/** The list, where there is one and the statement in the log is about it. */
export async function checkCompleteness(context: Context, reading: Reading): Promise<HeadsList | undefined> {
  const { manifest, findings } = context
  const { states } = reading.streams
  const fail = (message: string, stream: string, revision: number, index?: number) =>
    findings.fail('completeness', message, {
      event: { stream, revision, ...(index === undefined ? {} : { index }) },
    })
  const record = `batch-${manifest.batchId}`
  if (!states.has(record)) fail('the whole stream is missing', record, 0)
  for (const state of states.values()) {
    const { stream, last, lastIndex } = state
    if (stream === 'ledger-heads') continue
    if (state.first > 0 && !mayBeCut(state, manifest))
      fail('the stream does not begin at revision 0', stream, 0)
    if (manifest.heads && lastIndex >= manifest.heads.size)
      fail(
        `it stands at or after size ${manifest.heads.size}, which the statement is about`,
        stream,
        last,
        lastIndex,
      )
  }
  if (!isProven(reading, context)) {
    if (!findings.has('completeness'))
      findings.skip('completeness', 'not made, as the events are not proven to stand in the log')
    return undefined
  }
  const heads = await readStatement(context, reading)
  if (heads) {
    for (const stream of expectedStreams(manifest)) {
      const objection = objectionTo(stream, states.get(stream), heads, manifest)
      if (objection) fail(objection, stream, states.get(stream)?.last ?? 0, states.get(stream)?.lastIndex)
    }
    requireStatementsCounted(heads, reading, fail)
  }
  if (findings.has('completeness')) return heads
  const unshown = heads && notShownBeyond(reading, manifest)
  if (unshown) findings.skip('completeness', unshown)
  else if (heads) findings.note('completeness', detail([...states.values()], heads, context, reading))
  else findings.skip('completeness', 'no heads statement says which streams there are and where they end')
  return heads
}

/** Why the end of what was asked for lies beyond what the heads statement can tell of, or undefined. */
function notShownBeyond(reading: Reading, manifest: Manifest): string | undefined {
  const { request, heads } = manifest
  const end = request.asOf ?? request.to
  const until = shownUntil(reading, manifest)
  if (end === undefined || (until !== undefined && end < until)) return undefined
  return `asked for up to ${end}, but the record is stated as of size ${heads?.size}, which reaches ${until === undefined ? 'no instant that the extract shows' : `to before ${until}`}: what was recorded from then on is not in it`
}

/** Bulk streams may be left out of an extract of signatures; `checkScope` compares what is said of them. */
function expectedStreams({ batchId, request }: Manifest): string[] {
  const bulk = request.scope === 'signatures-only' ? [] : bulkStreams(batchId)
  return [`batch-${batchId}`, ...bulk, 'ledger-keys', 'ledger-timestamps']
}

function objectionTo(
  stream: string,
  state: StreamState | undefined,
  heads: HeadsList,
  manifest: Manifest,
): string | undefined {
  const record = heads.recordOf(stream)
  if (!record) return state && 'the heads statement knows no such stream'
  if (!state) return `the whole stream is missing: the log has ${record.count} events of it`
  const { last, lastIndex, lastHash } = state
  if (endsAfterRange(state, manifest))
    return last < record.count ? undefined : `the heads statement counts ${record.count} events of its stream`
  if (record.count > last + 1)
    return `what follows it is missing: the heads statement counts ${record.count} events of its stream`
  if (record.count !== last + 1 || record.lastIndex !== lastIndex || record.lastLeafHash !== lastHash)
    return 'the heads statement knows another end of its stream'
  return undefined
}

/** Statements before this one; one that was still on its way may not be counted yet. */
function requireStatementsCounted(
  heads: HeadsList,
  { statement }: Reading,
  fail: (message: string, stream: string, revision: number, index?: number) => void,
): void {
  const stated = heads.recordOf('ledger-heads')
  if (!statement) return
  const { revision, index, prev } = statement
  const before = stated?.count ?? 0
  if (before > revision || (before === revision && stated && stated.lastLeafHash !== prev))
    fail('it counts other heads statements before it than the log has', 'ledger-heads', revision, index)
}

function isProven({ root }: Reading, { checkpoint, findings }: Context): boolean {
  return root !== undefined && equalBytes(root, checkpoint.root) && !findings.has('inclusion')
}

/** The list under the statement, if both are there and agree. */
async function readStatement(
  { extract, manifest, findings, platform }: Context,
  { statement }: Reading,
): Promise<HeadsList | undefined> {
  const fail = (message: string) => findings.fail('completeness', message, { member: headsMember })
  if (!manifest.heads) {
    if (extract.has(headsMember)) fail('the manifest names no heads statement')
    return undefined
  }
  if (!extract.has(headsMember) || !statement) {
    fail('the heads statement that the manifest names is not in the extract')
    return undefined
  }
  try {
    const { size, index } = manifest.heads
    const { data } = statement
    const stated = { size, streams: count(data.streams, 'streams') }
    if (data.size !== String(size) || data.total !== String(size) || size > index)
      throw new Refusal('the statement in the log is about another size')
    const lines = linesOf(extract.bytes(headsMember), headsMember)
    const wanted = [...allOfBatch(manifest), ...besides]
    const list = await readHeads(lines, stated, manifest.origin, wanted, platform)
    if (data.root !== list.root || list.streams !== stated.streams)
      throw new Refusal('its records are not those of the statement in the log')
    return list
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    fail(error.message)
    return undefined
  }
}

const allOfBatch = ({ batchId }: Manifest) => [
  `batch-${batchId}`,
  ...bulkStreams(batchId),
  'ledger-keys',
  'ledger-timestamps',
  'ledger-heads',
]

/** The last event stands after the range, so the stream may go on. */
function endsAfterRange({ stream, lastRecordedAt }: StreamState, manifest: Manifest): boolean {
  const end = endOf(stream, manifest)
  return end !== undefined && lastRecordedAt > end
}

function mayBeCut({ stream, firstRecordedAt }: StreamState, { request, batchId }: Manifest): boolean {
  return (
    request.scope === 'range' &&
    isBulk(stream, batchId) &&
    request.from !== undefined &&
    firstRecordedAt < request.from
  )
}

function detail(
  states: readonly StreamState[],
  heads: HeadsList,
  { manifest: { batchId, request, heads: named } }: Context,
  { statement }: Reading,
): string {
  const absent = ['batch', 'reading', 'derived', 'forecast'].filter(
    (one) => !heads.recordOf(`${one}-${batchId}`),
  )
  const none = absent.length > 0 ? `; the log has no ${absent.join(', ')} of it` : ''
  const sealed = states
    .filter(({ isSealed }) => isSealed)
    .map(({ stream }) => stream.replace(`-${batchId}`, ''))
  const bySeal = sealed.length > 0 ? `; sealed: ${sealed.join(', ')}` : ''
  const asOf = request.asOf === undefined ? '' : ` as recorded up to ${request.asOf}`
  const within = `${request.scope === 'range' ? ' within the range' : ''}${asOf}`
  const counted = besides.map((stream) => `${heads.recordOf(stream)?.count ?? 0} of ${stream}`).join(', ')
  return `complete${within}, as of size ${named?.size}, stated at ${statement?.recordedAt}${none}${bySeal}; not in an extract: ${counted}`
}
