/**
 * `report.html`: the batch for people. One table whose head the browser repeats on every printed page (batch, as of which
 * checkpoint, time zone); no script, no style from elsewhere, nothing loaded. The writer of extracts writes it with this,
 * the verifier writes it anew from the proven events: the same facts give the same bytes.
 */
import type { Approval } from './approvals.ts'
import type { Place } from './findings.ts'
import type { Manifest } from './manifest.ts'
import type { ReportFacts, StoryLine, TagFigures } from './report-facts.ts'
import { visible } from './visible.ts'

/** What of the manifest the report repeats. */
export type ReportHead = Pick<
  Manifest,
  'origin' | 'batchId' | 'checkpoint' | 'heads' | 'request' | 'events' | 'streams' | 'omitted'
>

/** The report is its pieces one after the other. */
export type ReportPiece = {
  readonly html: string
  /** What it tells, for whoever finds another one in its place. */
  readonly about: string
  readonly event?: Place
}

const style = `body{font:14px/1.45 system-ui,sans-serif;color:#111;margin:24px auto;max-width:1080px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:3px 10px 3px 0}
.sheet>thead td{font-size:11px;color:#444;border-bottom:1px solid #999;padding:0 0 4px}
h1{font-size:22px;margin:12px 0 4px}h2{font-size:16px;margin:22px 0 6px}
.data td,.data th{border-bottom:1px solid #ddd}.number{text-align:right;font-variant-numeric:tabular-nums}
.time{white-space:nowrap;font-variant-numeric:tabular-nums}.place{color:#555;font-size:12px;word-break:break-all}
tr{break-inside:avoid}@media print{body{margin:0;max-width:none}}`

export function* reportPieces(head: ReportHead, facts: ReportFacts): Generator<ReportPiece> {
  yield { html: opening(head, facts), about: 'its head' }
  yield* rows(
    ['Stream', 'Events'],
    head.streams.map(({ stream, events }) => ({
      html: cells([escaped(stream), number(events)]),
      about: `the count of ${stream}`,
    })),
  )
  yield { html: `<p>${headsText(head)} ${head.events} events in all.</p>\n`, about: 'its count of events' }
  yield { html: '<h2>Signatures and approvals</h2>\n', about: 'its headings' }
  if (facts.approvals.length === 0) yield { html: '<p>None.</p>\n', about: 'that nobody signed' }
  else yield* rows(['Who', 'Meaning', 'Recorded (UTC+00:00)', 'Record'], facts.approvals.map(approvalRow))
  yield leftOut(facts.approvalCount - facts.approvals.length, 'signatures and approvals')
  yield { html: '<h2>What happened</h2>\n', about: 'its headings' }
  yield* rows(['Time (UTC)', 'What', 'Record'], facts.story.map(storyRow))
  yield leftOut(facts.storyLeftOut, 'events')
  yield { html: '<h2>Readings</h2>\n', about: 'its headings' }
  if (facts.tags.length === 0)
    yield { html: '<p>None in this extract.</p>\n', about: 'that there are no readings' }
  else
    yield* rows(
      ['Tag', 'Unit', 'Readings', 'Bad', 'Lowest', 'Highest', 'First', 'Last'],
      [...facts.tags].sort(byTagAndUnit).map(tagRow),
    )
  yield leftOut(facts.readingsLeftOut, 'readings of other tags')
  yield { html: '<h2>Events by type</h2>\n', about: 'its headings' }
  yield* rows(
    ['Type', 'Events'],
    [...facts.counts].sort(byFirst).map(([type, count]) => ({
      html: cells([escaped(type), number(count)]),
      about: `the count of ${type}`,
    })),
  )
  yield { html: '</td></tr></tbody></table>\n</body></html>\n', about: 'its end' }
}

function opening(head: ReportHead, { origins }: ReportFacts): string {
  const { batchId, origin, checkpoint, heads, request, omitted } = head
  const asOf = heads
    ? `size ${heads.size}, under the checkpoint of size ${checkpoint.size}`
    : `the checkpoint of size ${checkpoint.size}`
  const purpose =
    request.purposeText === undefined ? request.purpose : `${request.purpose}: ${request.purposeText}`
  const left =
    omitted.length === 0 ? '' : ` <strong>Not in this copy: ${omitted.map(escaped).join(', ')}.</strong>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Batch ${escaped(batchId)}</title>
<meta name="generator" content="bioledger-report/v1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
${style}
</style></head><body>
<table class="sheet"><thead><tr><td>Batch ${escaped(batchId)} · ${escaped(origin)} as of ${asOf}, root ${escaped(checkpoint.root)} · all times UTC (UTC+00:00)</td></tr></thead><tbody><tr><td>
<h1>Batch record</h1>
<p>Origin of the data: <strong>${escaped([...origins].sort().join(', '))}</strong>. Purpose of this copy: ${escaped(purpose)}. Scope: ${escaped(scopeText(request))}${escaped(asOfText(request))}.${left}
People stand in it by their pseudonymous ids. This page is a reading of the events in the same file; the events are the record.</p>
`
}

function scopeText({ scope, from, to }: ReportHead['request']): string {
  if (scope === 'whole') return 'everything the ledger holds of the batch'
  if (scope === 'signatures-only')
    return 'the record of the batch with the payloads of signatures and approvals only'
  return `the record of the batch, and sensor data, process values and forecasts recorded from ${from ?? 'the start'} to ${to ?? 'the end'}`
}

const asOfText = ({ asOf }: ReportHead['request']): string =>
  asOf === undefined
    ? ''
    : `, as recorded up to ${asOf}; where a stream goes on, the event files and their counts have one later event, which shows that none before it is missing and is not told here`

const headsText = ({ heads }: ReportHead): string =>
  heads
    ? `The heads statement about size ${heads.size} says where each stream ended then.`
    : 'No heads statement covers these streams.'

function approvalRow(approval: Approval): ReportPiece {
  const { who, meaning, at } = approval
  return {
    html: cells([escaped(who), escaped(meaning), time(at), place(approval)]),
    about: `that ${who} ${meaning}, recorded at ${at}`,
    event: placeOf(approval),
  }
}

function storyRow(line: StoryLine): ReportPiece {
  const { at, sentence } = line
  return {
    html: cells([time(at), escaped(sentence), place(line)]),
    about: `${at} ${sentence}`,
    event: placeOf(line),
  }
}

function tagRow({ tag, unit, count, bad, min, max, from, to }: TagFigures): ReportPiece {
  return {
    html: cells(
      [escaped(tag), escaped(unit), number(count), number(bad), number(min), number(max), time(from)].concat([
        time(to),
      ]),
    ),
    about: `the figures of ${tag} in ${unit}`,
  }
}

function leftOut(count: number, what: string): ReportPiece {
  return {
    html: count > 0 ? `<p>${count} further ${what} are in the event files only.</p>\n` : '',
    about: 'what it leaves out',
  }
}

function* rows(head: readonly string[], all: readonly ReportPiece[]): Generator<ReportPiece> {
  const names = head.map((name) => `<th>${name}</th>`).join('')
  yield { html: `<table class="data"><thead><tr>${names}</tr></thead><tbody>\n`, about: 'its headings' }
  yield* all
  yield { html: '</tbody></table>\n', about: `the end of the table ${head.join(', ')}` }
}

const cells = (all: readonly string[]): string =>
  `<tr>${all.map((cell) => `<td>${cell}</td>`).join('')}</tr>\n`
const number = (value: number): string => `<span class="number">${value}</span>`
const time = (at: string): string => `<span class="time">${escaped(at)}</span>`
const placeOf = ({ stream, revision, index }: StoryLine | Approval): Place => ({ stream, revision, index })
const place = ({ stream, revision, index }: StoryLine | Approval): string =>
  `<span class="place">${escaped(stream)} revision ${revision}, position ${index} of the log</span>`

const byFirst = ([a]: readonly [string, number], [b]: readonly [string, number]): number =>
  a < b ? -1 : a > b ? 1 : 0
const byTagAndUnit = (a: TagFigures, b: TagFigures): number =>
  byFirst([a.tag, 0], [b.tag, 0]) || byFirst([a.unit, 0], [b.unit, 0])

function escaped(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
