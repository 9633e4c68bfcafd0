/** That what was left out is what the request says: a range, signatures only, a past instant; and nothing else. */

import { approvingTypes } from './approvals.ts'
import type { Reading } from './events.ts'
import type { Findings } from './findings.ts'
import type { HeadsList } from './heads.ts'
import type { Manifest } from './manifest.ts'
import { endOf } from './request-end.ts'
import { bulkStreams, isBulk } from './streams.ts'
import { isInstant } from './times.ts'

export function checkScope(
  reading: Reading,
  manifest: Manifest,
  heads: HeadsList | undefined,
  findings: Findings,
): void {
  const { request, batchId, omitted } = manifest
  const isComplete = findings.isPassed('completeness')
  const fail = (message: string) => findings.fail('scope', message, { member: 'manifest.json' })
  const { from, to, asOf } = request
  if ((request.scope === 'range') !== (from !== undefined || to !== undefined))
    fail('a range has a beginning or an end, and nothing else has')
  for (const [name, bound] of Object.entries({ from, to, asOf }))
    if (bound !== undefined && !isInstant(bound)) fail(`${name} is no instant`)
  if (from !== undefined && to !== undefined && from > to) fail('the range ends before it begins')
  for (const { stream, last, lastIndex, ...state } of reading.streams.states.values())
    if (
      asOf !== undefined &&
      (state.lastButOneRecordedAt ?? '') > asOf &&
      endOf(stream, manifest) !== undefined
    )
      findings.fail('scope', `more than one event follows what was recorded up to ${asOf}`, {
        event: { stream, revision: last, index: lastIndex },
      })
  for (const stream of omitted) {
    if (request.scope !== 'signatures-only' || !isBulk(stream, batchId)) fail(`${stream} may not be left out`)
    if (reading.streams.states.has(stream)) fail(`${stream} is in the extract, although it says otherwise`)
  }
  if (request.scope === 'signatures-only') checkSignaturesOnly(reading, manifest, heads, findings, fail)
  else if (manifest.signatureTypes.length > 0) fail('only an extract of signatures has types of signatures')
  if (findings.has('scope')) return
  if (!isComplete) {
    findings.skip('scope', 'not made, as it is not shown that nothing of the batch is missing')
    return
  }
  const bounds =
    request.scope === 'range'
      ? `, bulk streams as recorded ${from ?? 'from the start'} to ${to ?? 'the end'}`
      : ''
  const upTo = asOf === undefined ? '' : `, as recorded up to ${asOf}`
  const without = omitted.map((stream) => `${stream} (${heads?.recordOf(stream)?.count ?? '?'} events)`)
  const left = without.length > 0 ? `; left out: ${without.join(', ')}` : ''
  findings.note('scope', `${request.scope}${bounds}${upTo}${left}; purpose: ${request.purpose}`)
}

function checkSignaturesOnly(
  { streams }: Reading,
  { batchId, omitted, signatureTypes }: Manifest,
  heads: HeadsList | undefined,
  findings: Findings,
  fail: (message: string) => void,
): void {
  if (signatureTypes.join() !== approvingTypes.join())
    fail(`the types of signatures are ${approvingTypes.join(', ')}, and no others`)
  for (const { stream, first, lastIndex: index } of streams.states.values())
    if (isBulk(stream, batchId))
      findings.fail('scope', 'its stream is not of an extract of signatures only', {
        event: { stream, revision: first, index },
      })
  if (!heads) return
  const there = bulkStreams(batchId).filter((stream) => heads.recordOf(stream))
  if ([...omitted].sort().join() !== there.sort().join())
    fail(
      `it says that ${omitted.join(', ') || 'nothing'} was left out, but that is ${there.join(', ') || 'nothing'}`,
    )
}
