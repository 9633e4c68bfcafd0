/**
 * That nothing of the batch is missing: a sealed stream ends by its seal, any other where the heads statement says; and
 * that a range or an extract of signatures leaves out what its request says and nothing else.
 */

import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import type { Findings } from './findings.ts'
import { type HeadsList, readHeads } from './heads.ts'
import { linesOf } from './lines.ts'
import type { Manifest } from './manifest.ts'
import { Refusal } from './refusal.ts'
import { bulkCategories, type StreamState } from './streams.ts'

const headsMember = 'heads.ndjson'

export async function checkCompleteness(context: Context, reading: Reading): Promise<void> {
  const { manifest, findings } = context
  const states = [...reading.streams.states.values()]
  if (!states.some(({ stream }) => stream === `batch-${manifest.batchId}`))
    findings.fail('completeness', 'the whole stream is missing', {
      event: { stream: `batch-${manifest.batchId}`, revision: 0 },
    })
  const heads = await readStatement(context, reading)
  const open: string[] = []
  let later = 0
  for (const state of states) {
    if (state.stream === 'ledger-heads') continue
    if (state.first > 0 && !mayBeCut(state, manifest))
      findings.fail('completeness', 'the stream does not begin at revision 0', {
        event: { stream: state.stream, revision: 0 },
      })
    if (heads && state.atHeads) requireRecord(state, heads, manifest, findings)
    else if (!state.isSealed && !endsAfterRange(state, manifest) && !heads) open.push(state.stream)
    if (manifest.heads) later += state.lastIndex >= manifest.heads.size ? 1 : 0
  }
  if (findings.has('completeness')) return
  if (open.length > 0) findings.skip('completeness', `no heads statement says where ${open.join(', ')} end`)
  else findings.note('completeness', detail(states, manifest, later))
}

/** The list under the statement, if both are there and agree. */
async function readStatement(context: Context, reading: Reading): Promise<HeadsList | undefined> {
  const { extract, manifest, findings, platform } = context
  const fail = (message: string) => findings.fail('completeness', message, { member: headsMember })
  if (!manifest.heads) {
    if (extract.has(headsMember)) fail('the manifest names no heads statement')
    return undefined
  }
  const { statement } = reading
  if (!extract.has(headsMember) || !statement) {
    fail('the heads statement that the manifest names is not in the extract')
    return undefined
  }
  try {
    const { size } = manifest.heads
    const list = await readHeads(linesOf(extract.bytes(headsMember), headsMember), size, platform)
    const { root, size: stated, streams, total } = statement
    if (
      root !== list.root ||
      stated !== String(size) ||
      total !== String(size) ||
      streams !== String(list.streams)
    )
      throw new Refusal('its records are not those of the statement in the log')
    if (size > manifest.heads.index) throw new Refusal('the statement is about events after itself')
    return list
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    fail(error.message)
    return undefined
  }
}

function requireRecord(state: StreamState, heads: HeadsList, manifest: Manifest, findings: Findings): void {
  const { atHeads, stream } = state
  if (!atHeads || (endsAfterRange(state, manifest) && state.last === atHeads.revision)) return
  const record = heads.byLastLeaf.get(atHeads.hash)
  if (record?.count === atHeads.revision + 1 && record.lastIndex === atHeads.index) return
  findings.fail(
    'completeness',
    'the heads statement knows another end of its stream: what follows it is missing',
    {
      event: { stream, revision: atHeads.revision, index: atHeads.index },
    },
  )
}

/** The last event stands after the range, so the stream may go on. */
function endsAfterRange({ stream, lastRecordedAt }: StreamState, { request, batchId }: Manifest): boolean {
  return (
    request.scope === 'range' &&
    isBulk(stream, batchId) &&
    request.to !== undefined &&
    lastRecordedAt > request.to
  )
}

function mayBeCut({ stream, firstRecordedAt }: StreamState, { request, batchId }: Manifest): boolean {
  return (
    request.scope === 'range' &&
    isBulk(stream, batchId) &&
    request.from !== undefined &&
    firstRecordedAt < request.from
  )
}

const isBulk = (stream: string, batchId: string) =>
  bulkCategories.some((category) => stream === `${category}-${batchId}`)

export function checkScope(
  reading: Reading,
  { request, batchId, omitted }: Manifest,
  findings: Findings,
): void {
  const fail = (message: string) => findings.fail('scope', message, { member: 'manifest.json' })
  const isRange = request.scope === 'range'
  if (isRange !== (request.from !== undefined || request.to !== undefined))
    fail('a range has a beginning or an end, and nothing else has')
  const isBound = (text: string | undefined) =>
    text === undefined || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)
  if (!isBound(request.from) || !isBound(request.to)) fail('a bound of the range is no instant')
  for (const stream of omitted) {
    if (request.scope !== 'signatures-only' || !isBulk(stream, batchId)) fail(`${stream} may not be left out`)
    if (reading.streams.states.has(stream)) fail(`${stream} is in the extract, although it says otherwise`)
  }
  if (request.scope === 'signatures-only')
    for (const { stream, first, lastIndex: index } of reading.streams.states.values())
      if (isBulk(stream, batchId))
        findings.fail('scope', 'its stream is not of an extract of signatures only', {
          event: { stream, revision: first, index },
        })
  if (findings.has('scope')) return
  const bounds = isRange
    ? `, bulk streams as recorded ${request.from ?? 'from the start'} to ${request.to ?? 'the end'}`
    : ''
  const without = omitted.length > 0 ? `; left out: ${omitted.join(', ')}` : ''
  findings.note('scope', `${request.scope}${bounds}${without}; purpose: ${request.purpose}`)
}

function detail(
  states: readonly StreamState[],
  { heads, batchId, request }: Manifest,
  later: number,
): string {
  const sealed = states
    .filter(({ isSealed }) => isSealed)
    .map(({ stream }) => stream.replace(`-${batchId}`, ''))
  const bySeal = sealed.length > 0 ? `sealed: ${sealed.join(', ')}; ` : ''
  const asOf = heads ? `complete as of size ${heads.size}` : 'complete by their seals'
  const after = later > 0 ? `; ${later} streams have later events, after which more may follow` : ''
  const within = request.scope === 'range' ? ' within the range' : ''
  return `${bySeal}${asOf}${within}${after}`
}
