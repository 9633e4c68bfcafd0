import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { parquetWriteFile } from 'hyparquet-writer'
import type { RecordedEvent } from '../../schemas/event.ts'
import { readingFlag } from '../../schemas/events/sensor-events.ts'
import { streams } from '../../schemas/streams.ts'
import { EventFileError } from './event-file-error.ts'
import { openEventFile } from './read-event-file.ts'
import { rewritten } from './testing/rewritten.ts'
import { eventFileWriter } from './write-event-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'bioledger-event-file-'))
after(() => rmSync(folder, { recursive: true }))

const batchId = '019b76da-a800-7115-ba8f-8cd696afa120'
const batch = { batchId, vessel: 'V-01' }

const uuid = fc.uuid({ version: 7 })
const instant = fc.integer({ min: 0, max: 253_402_300_799_999 }).map((ms) => new Date(ms).toISOString())
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((one) => one.isWellFormed())
const decimal = fc.constantFrom('0', '4.50', '12.3', '0.000000000001', '-3.0')
const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((one) => (one === undefined ? {} : { [name]: one }))

const envelope = fc.record({
  id: uuid,
  occurredAt: instant,
  receivedAt: instant,
  recordedAt: instant,
  actor: fc.record({ kind: fc.constantFrom('human', 'device', 'service', 'model'), id: text, role: text }),
  origin: fc.constantFrom('live', 'simulated', 'replayed'),
  site: text,
})
const context = fc
  .tuple(
    optional('causationId', uuid),
    optional('correlationId', uuid),
    optional('reason', fc.record({ code: text, text: fc.constant('typed into the wrong batch') })),
    optional(
      'source',
      fc.oneof(
        fc.record({ topic: text }),
        fc.record({ topic: text, seq: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }) }),
      ),
    ),
  )
  .map((parts) => Object.assign({}, ...parts) as object)

const reading = fc
  .tuple(
    fc.record({
      vessel: fc.constant('V-01'),
      tag: text,
      value: fc.double({ noNaN: true, noDefaultInfinity: true }),
      unit: text,
      quality: fc.constantFrom('good', 'uncertain', 'bad'),
    }),
    optional('flags', fc.uniqueArray(fc.constantFrom(...readingFlag.options), { minLength: 1 })),
  )
  .map(([data, flags]) => ({
    type: 'SensorReadingRecorded',
    stream: streams.reading(batchId),
    data: { ...data, ...flags },
  }))
const sample = fc
  .tuple(
    fc.record({
      batchId: fc.constant(batchId),
      sampleId: uuid,
      sampleNumber: fc.integer({ min: 1, max: 99 }),
      timepointHours: decimal,
      od600Raw: decimal,
      dilutionFactor: decimal,
      od600: decimal,
      contaminationDetected: fc.boolean(),
      lateEntry: fc.boolean(),
    }),
    optional('volumeMl', decimal),
    optional('microscopyObservations', text),
  )
  .map(([data, ...more]) => ({
    type: 'SampleTaken',
    stream: streams.batch(batchId),
    data: Object.assign({}, data, ...more) as object,
  }))
const gap = fc
  .record({
    vessel: text,
    tag: text,
    lastReadingAt: instant,
    expectedIntervalSeconds: fc.integer({ min: 1 }),
  })
  .map((data) => ({ type: 'SensorGapDetected', stream: streams.reading(batchId), data }))

const events = fc
  .array(
    fc.tuple(
      envelope,
      context,
      fc.oneof({ weight: 4, arbitrary: reading }, sample, gap),
      fc.bigInt({ min: 1n, max: 1n << 50n }),
      fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((all) => {
    let position = 0n
    return all.map(([common, more, own, step, revision]) => {
      position += step
      const event = { ...common, ...more, ...own, schemaVersion: 1, position, revision }
      return structuredClone(event) as unknown as RecordedEvent
    })
  })

async function readBack(path: string): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = []
  for await (const event of (await openEventFile(path)).events()) found.push(event)
  return found
}

function written(path: string, all: readonly RecordedEvent[]): string {
  const writer = eventFileWriter(path, batch)
  for (const event of all) writer.add(event)
  writer.finish()
  return path
}

const refusal = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof EventFileError && error.code === code && words.test(error.message)

let files = 0
const fresh = () => join(folder, `${files++}.parquet`)

test('whatever events are written are the events that are read, in order, to the last digit', async () => {
  await fc.assert(
    fc.asyncProperty(events, async (all) => {
      assert.deepStrictEqual(await readBack(written(fresh(), all)), all)
    }),
    { numRuns: 40 },
  )
})

const some =
  fc.sample(fc.array(events, { minLength: 3, maxLength: 3 }), { numRuns: 1, seed: 7 })[0]?.flat() ?? []
const numbered = some.map((event, index) => ({ ...event, position: BigInt(index + 1) }))

test('the header says what the rows are', async () => {
  const { header } = await openEventFile(written(fresh(), numbered))
  assert.equal(header.batchId, batchId)
  assert.equal(header.vessel, 'V-01')
  assert.equal(header.events, numbered.length)
  assert.equal(header.readings, numbered.filter(({ type }) => type === 'SensorReadingRecorded').length)
  assert.equal(header.firstPosition, 1n)
  assert.equal(header.lastPosition, BigInt(numbered.length))
})

test('a file that was cut off is refused', async () => {
  const path = written(fresh(), numbered)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.length - 100))
  await assert.rejects(readBack(path), refusal('not-a-parquet-file', /is cut off or no Parquet file/))
})

test('a file that is not there is refused by name', async () => {
  await assert.rejects(
    openEventFile(join(folder, 'none.parquet')),
    refusal('not-a-parquet-file', /none\.parquet: cannot be opened \(ENOENT\)/),
  )
})

test('a Parquet file of something else is refused, naming the column', async () => {
  const filename = fresh()
  parquetWriteFile({ filename, columnData: [{ name: 'position', data: [1, 2], type: 'INT32' }] })
  await assert.rejects(readBack(filename), refusal('foreign-schema', /position: expected REQUIRED INT64/))
})

test('two rows that changed places are refused, naming the row', async () => {
  const path = await rewritten(written(fresh(), numbered), fresh(), (column) => {
    ;[column[3], column[4]] = [column[4], column[3]]
  })
  await assert.rejects(readBack(path), refusal('row', /row 4, position is 4: expected above 5/))
})

test('a row that stands twice is refused, naming the row', async () => {
  const path = await rewritten(written(fresh(), numbered), fresh(), (column) => {
    column[4] = column[3]
  })
  await assert.rejects(readBack(path), refusal('row', /row 4, position is 4: expected above 4/))
})

test('a value that somebody changed is refused', async () => {
  const path = await rewritten(written(fresh(), numbered), fresh(), (column, name) => {
    if (name !== 'value') return
    for (const [row, value] of column.entries()) if (typeof value === 'number') column[row] = value + 1
  })
  await assert.rejects(readBack(path), refusal('damaged', /contentSha256/))
})

test('a row that is no event of its type is refused, naming row, column and rule', async () => {
  const reading = numbered.findIndex(({ type }) => type === 'SensorReadingRecorded')
  const other = numbered.findIndex(({ type }) => type === 'SampleTaken')
  const cases: [column: string, row: number, value: unknown, words: RegExp][] = [
    ['quality', reading, 'fair', /quality is "fair": expected one of good, uncertain, bad/],
    ['value', reading, null, /value is nothing: expected a finite number/],
    ['tag', other, 'pH', /tag is "pH": expected null, for it is no reading/],
    ['data', other, '[]', /data is "\[\]": expected a JSON object/],
    ['stream', reading, 'reading-other', /stream is "reading-other": expected batch-/],
    ['type', other, 'Nothing', /type is "Nothing": expected an event type of the registry/],
    ['id', reading, 'x', /id is "x": expected a UUID/],
  ]
  for (const [name, row, value, words] of cases) {
    const path = await rewritten(written(fresh(), numbered), fresh(), (column, at) => {
      if (at === name) column[row] = value
    })
    await assert.rejects(readBack(path), refusal('row', new RegExp(`row ${row}, ${words.source}`)))
  }
})

test('what a column could not give back is refused at writing, and no file stands under the name', () => {
  const [given] = numbered.filter(({ type }) => type === 'SensorReadingRecorded')
  assert.ok(given)
  const first: RecordedEvent = { ...given, position: 1n }
  const next: RecordedEvent = { ...given, position: 2n }
  const cases: [event: RecordedEvent, words: RegExp][] = [
    [{ ...next, data: { ...next.data, value: Number.NaN } }, /data\.value is null: expected a finite number/],
    [{ ...next, data: { ...next.data, flags: [] } }, /data\.flags is \[\]: expected names/],
    [{ ...next, data: { ...next.data, more: 7 } }, /data\.more is 7: is not a field of a reading/],
    [{ ...next, occurredAt: '2026-01-01T00:00:00Z' }, /occurredAt is "2026-01-01T00:00:00Z": expected UTC/],
    [{ ...next, position: 1n }, /position is 1: expected above 1/],
    [{ ...next, stream: 'batch-x' }, /stream is "batch-x": expected batch-/],
    [{ ...next, site: '\ud800' }, /site is "\\ud800": expected well-formed text/],
    [{ ...next, type: 'Other', data: { note: '\ud800' } }, /data is .*: not representable/],
  ]
  const path = fresh()
  for (const [event, words] of cases) {
    const writer = eventFileWriter(path, batch)
    writer.add(first)
    assert.throws(
      () => {
        writer.add(event)
        writer.finish()
      },
      refusal('row', new RegExp(`row 1, ${words.source}`)),
    )
    writer.discard()
  }
  const left = readdirSync(folder).filter((name) => name === basename(path) || name.endsWith('.part'))
  assert.deepEqual(left, [])
})
