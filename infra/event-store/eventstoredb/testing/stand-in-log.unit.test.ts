/** The stand-in against what was observed of a real EventStoreDB 23.10.6: its idempotency, limits and deletes. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Expected, type Proposed, type StandInLog, standInLog } from './stand-in-log.ts'

const id = (letter: string) => `${letter.repeat(8)}-0000-4000-8000-000000000000`
const event = (letter: string, data = '{}'): Proposed => ({
  id: id(letter),
  type: 'Happened',
  contentType: 'application/json',
  data: Buffer.from(data),
  metadata: Buffer.alloc(0),
})
const events = (letters: string) => [...letters].map((letter) => event(letter))
const newLog = () => standInLog({ nowMs: () => 1_000 })
const append = (log: StandInLog, expected: Expected, letters: string, stream = 's') => {
  const answer = log.append(stream, expected, events(letters))
  return answer.kind === 'success' ? `success ${answer.revision} wrote ${answer.written.length}` : answer.kind
}
const stored = (log: StandInLog, stream = 's') =>
  log
    .records()
    .flatMap((record) => (record.stream === stream ? [record.id[0]] : []))
    .join('')

test('the same events at the same exact revision succeed again and are stored once', () => {
  const log = newLog()
  assert.equal(append(log, 'noStream', 'ab'), 'success 1 wrote 2')
  assert.equal(append(log, 1n, 'cd'), 'success 3 wrote 2')
  assert.equal(append(log, 'noStream', 'ab'), 'success 1 wrote 0')
  assert.equal(append(log, 1n, 'cd'), 'success 3 wrote 0')
  assert.equal(append(log, 1n, 'c'), 'success 2 wrote 0')
  assert.equal(stored(log), 'abcd')
})

test('the same events at another correct revision are stored again, at a wrong one refused', () => {
  const log = newLog()
  append(log, 'noStream', 'ab')
  assert.equal(append(log, 1n, 'ab'), 'success 3 wrote 2')
  assert.equal(append(log, 1n, 'b'), 'wrong-revision')
  assert.equal(append(log, 9n, 'ab'), 'wrong-revision')
  assert.equal(stored(log), 'abab')
})

test('old events with a new one at the original revision are refused whole', () => {
  const log = newLog()
  append(log, 'noStream', 'ab')
  assert.equal(append(log, 'noStream', 'abc'), 'wrong-revision')
  assert.equal(stored(log), 'ab')
})

test('with any, ids are recognised in memory only: a new one beside them doubles the old', () => {
  const log = newLog()
  append(log, 'any', 'ab')
  assert.equal(append(log, 'any', 'ab'), 'success 1 wrote 0')
  assert.equal(append(log, 'any', 'cb'), 'success 3 wrote 2')
  assert.equal(append(log, 'any', 'a', 'other'), 'success 0 wrote 1')
  assert.equal(append(log, 'any', 'ee'), 'success 5 wrote 2')
  assert.equal(append(log, 'streamExists', 'f', 'nowhere'), 'wrong-revision')
})

test('a restart keeps the log and forgets the ids', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-stand-in-'))
  try {
    const file = join(folder, 'log.ndjson')
    const before = standInLog({ file, nowMs: () => 1_000 })
    append(before, 'any', 'ab')
    const after = standInLog({ file, nowMs: () => 2_000 })
    assert.deepEqual(after.records(), before.records())
    assert.equal(append(after, 'noStream', 'ab'), 'success 1 wrote 0')
    assert.equal(append(after, 'any', 'ab'), 'success 3 wrote 2')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('no events on a new stream is a success that stores nothing', () => {
  const log = newLog()
  assert.equal(append(log, 'noStream', ''), 'success 0 wrote 0')
  assert.equal(log.exists('s'), false)
})

test('only data count against the limit of 1 MiB an append', () => {
  const log = newLog()
  const size = 1_048_576
  assert.equal(log.append('s', 'any', [event('a', 'x'.repeat(size))]).kind, 'success')
  assert.equal(log.append('s', 'any', [event('b', 'x'.repeat(size + 1))]).kind, 'too-large')
})

test('a soft-deleted stream goes on with its numbering, a tombstoned one takes nothing', () => {
  const log = newLog()
  append(log, 'noStream', 'ab')
  log.softDelete('s')
  assert.equal(log.exists('s'), false)
  assert.equal(append(log, 'noStream', 'c'), 'success 2 wrote 1')
  assert.deepEqual(
    log.visible('s').map((record) => record.revision),
    [2n],
  )
  log.tombstone('s')
  assert.equal(append(log, 'any', 'd'), 'deleted')
  assert.equal(log.records().at(-1)?.revision, 9223372036854775807n)
})

test('an unknown content type is stored empty, a bad id or type is refused', () => {
  const log = newLog()
  const answer = log.append('s', 'any', [{ ...event('a', '{"x":1}'), contentType: 'text/plain' }])
  assert.ok(answer.kind === 'success' && answer.written[0]?.data.length === 0)
  assert.equal(log.append('s', 'any', [{ ...event('b'), id: 'b' }]).kind, 'bad-request')
  assert.equal(log.append('s', 'any', [{ ...event('b'), type: '' }]).kind, 'bad-request')
})
