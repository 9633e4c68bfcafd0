/** The report and the Parquet table: what they hold, whatever the texts, and that both verifiers write the same bytes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { ledgerEvent } from '../ledger/extract/testing/memory-log.ts'
import { type SampleLog, sampleLog } from '../ledger/extract/testing/sample-log.ts'
import type { ReadingRow } from './src/parquet.ts'
import { visible } from './src/visible.ts'
import { verifyHere, verifyThere } from './testing/agreement.ts'
import { takeApart } from './testing/extract-file.ts'
import { extractOf } from './testing/honest-extract.ts'
import { hasPython, pythonVerifier } from './testing/python.ts'
import { parquetOf } from './testing/tampered-reports.ts'

const instant = fc
  .date({
    min: new Date('0001-01-01T00:00:00.000Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString())
const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const row: fc.Arbitrary<ReadingRow> = fc.record({
  ...{ at: instant, receivedAt: instant, recordedAt: instant },
  value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  ...{
    tag: text,
    unit: text,
    quality: text,
    flags: text,
    vessel: text,
    origin: text,
    stream: text,
    id: text,
  },
  ...{ revision: count, index: count },
})

test('a Parquet table of any rows is read by another library as these rows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 40 }), async (rows) => {
      const read = await parquetReadObjects({ file: Uint8Array.from(parquetOf(rows)).buffer })
      const spelt = read.map((one) => ({
        ...one,
        ...Object.fromEntries(
          ['at', 'receivedAt', 'recordedAt'].map((name) => [name, (one[name] as Date).toISOString()]),
        ),
        ...{ revision: Number(one.revision), index: Number(one.index) },
      }))
      assert.deepEqual(
        spelt,
        rows.map((one) => ({ ...one })),
      )
    }),
    { numRuns: 100 },
  )
})

test('a Parquet table goes on in further row groups after 50,000 rows', async () => {
  const one: ReadingRow = {
    ...{ at: '2026-11-20T06:00:00.000Z', receivedAt: '2026-11-20T06:00:00.000Z', value: 1, index: 0 },
    ...{ recordedAt: '2026-11-20T06:00:00.000Z', tag: 'pH', unit: '[pH]', quality: 'good', flags: '' },
    ...{ vessel: 'V-01', origin: 'live', stream: 'reading-x', id: 'i', revision: 0 },
  }
  const rows = Array.from({ length: 120_001 }, (_, at) => ({ ...one, revision: at, index: 2 * at }))
  const read = await parquetReadObjects({
    file: Uint8Array.from(parquetOf(rows)).buffer,
    columns: ['revision', 'index'],
  })
  assert.equal(read.length, rows.length)
  assert.ok(read.every(({ revision, index }, at) => revision === BigInt(at) && index === BigInt(2 * at)))
})

test('characters that show nothing, or turn others round, are spelt out; all others stay', () => {
  assert.equal(visible('a\u202eb\u200b\u0000\u{e0041}\nc'), 'a[U+202E]b[U+200B][U+0000][U+E0041] c')
  assert.equal(visible('Übernahme „A“ – 30 °C 🧫 培养'), 'Übernahme „A“ – 30 °C 🧫 培养')
})

const nasty = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</td></tr></table></body></html>',
  '<!--',
  "' onmouseover='x",
  '&lt;b&gt; &amp;amp;',
  'p-002\u202e002-p',
  'a\u200bb\u2066c\u2069',
  '\ufeff\u0000\u001b[2J\u0085',
  'line\nbreak\tand\rmore',
  '=HYPERLINK("http://example.org")',
  '🧑‍🔬 培养 ۱۲۳ \u{e0041}',
  'x'.repeat(4100),
  '🧫'.repeat(1999),
]

async function withBoth(samples: readonly SampleLog[], then: (report: string, at: number) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'bioledger-report-'))
  const python = hasPython ? pythonVerifier() : undefined
  try {
    for (const [at, made] of samples.entries()) {
      const zip = await extractOf(made)
      const key = made.log.logKey.verifierKey
      const verdict = await verifyHere(zip, key)
      assert.deepEqual([verdict.exit, verdict.findings], [0, []])
      const there = python && (await verifyThere(python, folder, zip, key))
      if (there) assert.deepEqual([there.exit, there.findings], [0, []])
      then(String((await takeApart(zip)).get('report.html')), at)
    }
  } finally {
    await python?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A batch with the text wherever an event may have one. */
function withText(own: string, seed: string): SampleLog {
  const made = sampleLog({ seed, readings: 5, isClosed: false })
  const at = made.endMs + 9000
  const { log, batchId } = made
  const digest = (name: string) => Buffer.from(name.padEnd(32, '-'))
  const record = (type: string, data: Record<string, unknown>, more: object = {}) =>
    log.append(
      `batch-${batchId}`,
      { ...ledgerEvent(digest(`${type}${log.size}`), type, at, { batchId, ...data }), ...more },
      at,
    )
  record('SampleTaken', {
    sampleNumber: own,
    timepointHours: [own, 1.5e-7],
    od600: { b: own, a: -0.5 },
    od600Raw: null,
  })
  record('AlarmRaised', { level: own, name: own, message: own, category: own })
  record('BatchInoculated', { inoculumOd600: own, override: { approvedBy: own } })
  record('Unheard', { any: own }, { actor: { kind: 'human', id: own.slice(0, 90) || 'p', role: 'x' } })
  for (const relativeError of [0.0125, -0.00051, 1e19, 2.675, 1 / 3, own, true])
    record('ForecastScored', {
      measured: own,
      scores: [
        own,
        { horizon: 'PT5M', p50: 1 },
        { horizon: 'PT30M', p50: relativeError, relativeError, issuedAt: own },
      ],
    })
  record('BatchAborted', { outcome: own }, { reason: { code: 'x', text: own } })
  const reading = {
    vessel: own.slice(0, 300),
    tag: own.slice(0, 300),
    unit: own.slice(0, 300),
    value: 1e21,
    quality: 'bad',
  }
  log.append(`reading-${batchId}`, ledgerEvent(digest('reading'), 'SensorReadingRecorded', at, reading), at)
  log.stateHeads(at + 1000)
  log.publish()
  return made
}

test('no text of an event becomes markup of the report, nor hides or turns round what it says', async () => {
  const samples = nasty.map((own, at) => withText(own, `nasty ${at}`))
  const honest = await takeApart(await extractOf(withText('plain', 'nasty plain')))
  const tagsOf = (report: string) => report.match(/<[^>]*>/g)?.join('')
  await withBoth(samples, (report, at) => {
    const own = nasty[at] as string
    assert.equal(tagsOf(report), tagsOf(String(honest.get('report.html'))), own.slice(0, 50))
    assert.doesNotMatch(report.replaceAll('\n', ''), /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b]/u)
  })
})

test('both verifiers write the same report whatever the texts of the events', async () => {
  const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), { numRuns: 40, seed: 7 })
  const samples = texts.filter((own) => own.isWellFormed()).map((own, at) => withText(own, `any text ${at}`))
  assert.ok(samples.length >= 20)
  await withBoth(samples, () => {})
})
