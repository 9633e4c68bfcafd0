/** Tampering with what people read, by whoever holds the export key: the report and the tables say other than the events. */
import { parquetReadObjects } from 'hyparquet'
import type { CheckId, Place } from '../src/findings.ts'
import { parquetTable, type ReadingRow } from '../src/parquet.ts'
import { type JsonRecord, type Members, reseal } from './extract-file.ts'
import type { Honest, TamperCase } from './tamper-case.ts'

type Named = (honest: Honest) => Pick<Place, 'stream' | 'revision'> | undefined

function told(name: string, edit: (report: string, honest: Honest) => string, event?: Named): TamperCase {
  return resigned(
    `the report, under the export key: ${name}`,
    (members, honest) => {
      const before = String(members.get('report.html'))
      const after = edit(before, honest)
      if (after === before) throw new Error(`${name}: nothing changed`)
      members.set('report.html', Buffer.from(after))
    },
    event,
  )
}

function resigned(
  name: string,
  edit: (members: Members, honest: Honest) => void | Promise<void>,
  event?: Named,
  check: CheckId = 'renderings',
): TamperCase {
  return {
    name,
    check,
    make: async (honest) => {
      const members = honest.members()
      await edit(members, honest)
      reseal(members, honest.exportKey)
      return members
    },
    ...(event ? { event } : {}),
  }
}

const ofRecord =
  (revision: number): Named =>
  ({ batchId }) => ({ stream: `batch-${batchId}`, revision })
const closure = /<tr>(?:(?!<tr>).)*closed the batch as complete.*<\/tr>\n/
const sample = /<tr>(?:(?!<tr>).)*recorded sample 2 at.*<\/tr>\n/
const approval = /<tr><td>p-002<\/td>.*<\/tr>\n/
const ownRow = (row: string) => `<tr><td></td><td>${row}</td><td></td></tr>\n`

const reports: readonly TamperCase[] = [
  told('a value in a sentence', (text) => text.replace('OD600 7.5 (', 'OD600 9.5 ('), ofRecord(2)),
  told(
    'a time',
    (text) => text.replace(/(closed the batch<\/td><td><span class="time">2026-11-2)0/, '$11'),
    ofRecord(7),
  ),
  told('another person approved', (text) => text.replace('<tr><td>p-002', '<tr><td>p-003'), ofRecord(7)),
  told('an approval left out', (text) => text.replace(approval, ''), undefined),
  told('an approval invented', (text) =>
    text.replace(approval, (row) => row + row.replace('p-002', 'p-001')),
  ),
  told('a sentence left out', (text) => text.replace(sample, ''), ofRecord(3)),
  told('the last sentence left out', (text) => text.replace(closure, ''), ofRecord(7)),
  told(
    'two sentences in another order',
    (text) => {
      const row = sample.exec(text)?.[0] ?? ''
      return text.replace(row, '').replace(closure, (last) => last + row)
    },
    ofRecord(3),
  ),
  told(
    'a sentence invented',
    (text) => text.replace(closure, (row) => ownRow('released, no deviation') + row),
    ofRecord(7),
  ),
  told(
    'a sentence about another event',
    (text) => text.replace(/(recorded sample 1 .*revision )2/, '$19'),
    ofRecord(2),
  ),
  told('the number of events', (text) => text.replace(/\d+ events in all/, '9999 events in all')),
  told('the events of a stream', (text) =>
    text.replace(/(reading-.{36}<\/td><td><span class="number">)\d+/, '$19'),
  ),
  told('the highest value of a tag', (text) =>
    text.replace(/(<td>pH<\/td>(?:.*?<span class="number">){4})[\d.]+/, '$19.9'),
  ),
  told('readings that were bad', (text) =>
    text.replace(/(<td>pH<\/td>(?:.*?<span class="number">){2})\d+/, '$17'),
  ),
  told('the events of a type', (text) =>
    text.replace(/(<td>SampleTaken<\/td><td><span class="number">)\d/, '$19'),
  ),
  told('the origin of the data', (text) => text.replace('<strong>simulated<', '<strong>live<')),
  told('another batch in its head', (text) => text.replace(/Batch [0-9a-f]{8}/g, 'Batch 00000000')),
  told('another checkpoint in its head', (text) =>
    text.replace(/checkpoint of size \d+/, 'checkpoint of size 1'),
  ),
  told('another time zone', (text) => text.replace('all times UTC (UTC+00:00)', 'all times CET (UTC+01:00)')),
  told('another purpose', (text) => text.replace('copy: inspection', 'copy: internal-audit')),
  told('a script', (text) => text.replace('</body>', '<script>document.title="x"</script></body>')),
  told('without its policy', (text) => text.replace(/<meta http-equiv=.*>\n/, '')),
  told('a style that hides rows', (text) =>
    text.replace('tr{break-inside', 'tr:nth-child(4){display:none}tr{break-inside'),
  ),
  told('a comment around a row', (text) => text.replace(sample, (row) => `<!--${row}-->`), ofRecord(3)),
  told('something after its end', (text) => `${text}<p>Batch released.</p>\n`),
  told('cut off', (text) => text.slice(0, -1)),
  told('empty', () => ''),
  told('of another batch altogether', () => '<!doctype html><title>Batch</title><p>All is well.'),
  told(
    'a character that turns others round',
    (text) => text.replace('approved by p-002', 'approved by \u202ep-002'),
    ofRecord(7),
  ),
  told(
    'a letter that only looks the same',
    (text) => text.replace('approved by p-002', 'approved by \u0440-002'),
    ofRecord(7),
  ),
  told('a byte order mark before it', (text) => `\ufeff${text}`),
  resigned(
    'the report, under the export key: bytes that are no UTF-8',
    (members) => {
      const bytes = Buffer.from(members.get('report.html') as Buffer)
      bytes.writeUInt8(0xff, bytes.indexOf('p-017'))
      members.set('report.html', bytes)
    },
    ofRecord(1),
  ),
]

type Rows = ReadingRow[]
const table = (name: string, edit: (rows: Rows) => Rows): TamperCase =>
  resigned(`the Parquet table, under the export key: ${name}`, async (members) => {
    const bytes = members.get('readings.parquet') as Buffer
    const file = Uint8Array.from(bytes).buffer
    const held = await parquetReadObjects({ file })
    const rows = held.map((row) => {
      const [at, receivedAt, recordedAt] = [row.at, row.receivedAt, row.recordedAt].map((time) =>
        (time as Date).toISOString(),
      )
      return { ...row, at, receivedAt, recordedAt, revision: Number(row.revision), index: Number(row.index) }
    }) as Rows
    members.set('readings.parquet', parquetOf(edit(rows)))
  })

export function parquetOf(rows: readonly ReadingRow[]): Buffer {
  const parts: Uint8Array[] = []
  const out = parquetTable((bytes) => void parts.push(bytes))
  for (const row of rows) out.add(row)
  out.finish()
  return Buffer.concat(parts)
}

const changedRow = (fields: Partial<ReadingRow>) => (rows: Rows) =>
  rows.map((row, at) => (at === 7 ? { ...row, ...fields } : row))

const tables: readonly TamperCase[] = [
  table('a value', changedRow({ value: 7.25 })),
  table('a quality', changedRow({ quality: 'bad' })),
  table('a time', changedRow({ at: '2026-11-20T06:00:00.000Z' })),
  table('a row left out', (rows) => rows.toSpliced(7, 1)),
  table('a row twice', (rows) => rows.toSpliced(7, 0, rows[7] as ReadingRow)),
  table('two rows in another order', (rows) =>
    rows.toSpliced(7, 2, rows[8] as ReadingRow, rows[7] as ReadingRow),
  ),
  resigned('the Parquet table, under the export key: something else', (members) => {
    members.set('readings.parquet', Buffer.from('PAR1 but no table PAR1'))
  }),
  {
    name: 'the manifest, under the export key: a stream listed twice',
    check: 'manifest',
    make: (honest) => {
      const members = honest.members()
      reseal(members, honest.exportKey, (manifest) => {
        const streams = manifest.streams as JsonRecord[]
        streams.unshift({ ...streams[0], events: '1' })
      })
      return members
    },
  },
]

export const tamperedReports: readonly TamperCase[] = [...reports, ...tables]
