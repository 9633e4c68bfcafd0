/**
 * `report.html`: the batch for people. One table whose head the browser repeats on every printed page (batch, as of which
 * checkpoint, time zone); no script, no style from elsewhere, nothing loaded.
 */
import type { Approval, StoryItem, Summary, TagFigures } from './summary.ts'

export type ReportFacts = {
  readonly batchId: string
  readonly origin: string
  readonly size: string
  readonly rootBase64: string
  readonly purpose: string
  readonly scope: string
  readonly events: number
  readonly streams: readonly { readonly stream: string; readonly events: number }[]
  readonly omitted: readonly string[]
  readonly headsSize: string | undefined
}

export function reportHtml(facts: ReportFacts, summary: Summary): string {
  const { batchId, origin, size, rootBase64 } = facts
  const running = `Batch ${escaped(batchId)} · ${escaped(origin)} as of ${facts.headsSize === undefined ? '' : `size ${escaped(facts.headsSize)}, under the `}checkpoint of size ${escaped(size)}, root ${escaped(rootBase64)} · all times UTC (UTC+00:00)`
  const origins = [...summary.origins].sort().join(', ')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Batch ${escaped(batchId)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body{font:14px/1.45 system-ui,sans-serif;color:#111;margin:24px auto;max-width:1080px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:3px 10px 3px 0}
.sheet>thead td{font-size:11px;color:#444;border-bottom:1px solid #999;padding:0 0 4px}
h1{font-size:22px;margin:12px 0 4px}h2{font-size:16px;margin:22px 0 6px}
.data td,.data th{border-bottom:1px solid #ddd}.number{text-align:right;font-variant-numeric:tabular-nums}
.time{white-space:nowrap;font-variant-numeric:tabular-nums}.place{color:#555;font-size:12px;word-break:break-all}
tr{break-inside:avoid}@media print{body{margin:0;max-width:none}}
</style></head><body>
<table class="sheet"><thead><tr><td>${running}</td></tr></thead><tbody><tr><td>
<h1>Batch record</h1>
<p>Origin of the data: <strong>${escaped(origins)}</strong>. Purpose of this copy: ${escaped(facts.purpose)}. Scope: ${escaped(facts.scope)}.${omittedText(facts.omitted)}
People stand in it by their pseudonymous ids. This page is a reading of the events in the same file; the events are the record.</p>
${table(
  ['Stream', 'Events'],
  facts.streams.map(({ stream, events }) => [escaped(stream), number(events)]),
)}
<p>${facts.headsSize === undefined ? 'No heads statement covers these streams.' : `The heads statement about size ${escaped(facts.headsSize)} says where each stream ended then.`} ${facts.events} events in all.</p>
<h2>Signatures and approvals</h2>
${approvalsTable(summary.approvals)}
<h2>What happened</h2>
${storyTable(summary.story)}
${summary.storyLeftOut > 0 ? `<p>${summary.storyLeftOut} further events are in the event files only.</p>` : ''}
<h2>Readings</h2>
${tagsTable(summary.tags)}
<h2>Events by type</h2>
${table(
  ['Type', 'Events'],
  [...summary.counts].sort().map(([type, count]) => [escaped(type), number(count)]),
)}
</td></tr></tbody></table>
</body></html>
`
}

function approvalsTable(approvals: readonly Approval[]): string {
  if (approvals.length === 0) return '<p>None.</p>'
  return table(
    ['Who', 'Meaning', 'Recorded (UTC+00:00)', 'Record'],
    approvals.map(({ who, meaning, at, record, revision }) => [
      escaped(who),
      escaped(meaning),
      `<span class="time">${escaped(at)}</span>`,
      `<span class="place">${escaped(record)} revision ${escaped(revision)}</span>`,
    ]),
  )
}

function storyTable(story: readonly StoryItem[]): string {
  return table(
    ['Time (UTC)', 'What', 'Record'],
    story.map(({ occurredAt, sentence, stream, revision }) => [
      `<span class="time">${escaped(occurredAt)}</span>`,
      escaped(sentence),
      `<span class="place">${escaped(stream)} revision ${escaped(revision)}</span>`,
    ]),
  )
}

function tagsTable(tags: readonly TagFigures[]): string {
  if (tags.length === 0) return '<p>None in this extract.</p>'
  return table(
    ['Tag', 'Unit', 'Readings', 'Bad', 'Lowest', 'Highest', 'First', 'Last'],
    [...tags]
      .sort((a, b) => (a.tag < b.tag ? -1 : 1))
      .map(({ tag, unit, count, bad, min, max, from, to }) => [
        escaped(tag),
        escaped(unit),
        number(count),
        number(bad),
        number(min),
        number(max),
        `<span class="time">${escaped(from)}</span>`,
        `<span class="time">${escaped(to)}</span>`,
      ]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')
  return `<table class="data"><thead><tr>${cells('th', head)}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells('td', row)}</tr>`)
    .join('\n')}</tbody></table>`
}

const omittedText = (omitted: readonly string[]) =>
  omitted.length === 0 ? '' : ` <strong>Not in this copy: ${omitted.map(escaped).join(', ')}.</strong>`
const number = (value: number) => `<span class="number">${value}</span>`

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
