/** A real log in a real Postgres, changed by a superuser table by table: every change is found and named, and nothing else. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { postgresEventStore } from '../../infra/event-store/postgres/postgres-event-store.ts'
import { alarm, reading, typed } from '../../infra/event-store/testing/sample-events.ts'
import { parseVerifierKey } from '../log/note.ts'
import { leafHash } from '../log/tree-hash.ts'
import { packEntries, splitBundle, unpackEntries } from '../storage/entry-codec.ts'
import { type LedgerBed, ledgerBed } from '../testing/running-ledger.ts'
import { auditOnce } from './audit-once.ts'
import type { AuditFinding } from './finding.ts'
import { type Superuser, superuser } from './testing/superuser.ts'

let bed: LedgerBed
let admin: Superuser

before(async () => {
  bed = await ledgerBed()
  admin = await superuser(bed.database.adminUrl)
  const ledger = bed.start()
  for (let round = 0; round < 8; round++) {
    const many = Array.from({ length: 120 }, (_, at) =>
      reading({
        data: { vessel: 'V-01', tag: 'pH', value: round * 120 + at, unit: '[pH]', quality: 'good' },
      }),
    )
    await bed.store.append([{ stream: 'reading-b1', expectedRevision: 'any', events: many }])
    await bed.store.append([
      { stream: 'batch-b1', expectedRevision: 'any', events: [typed({}, `round ${round}`)] },
    ])
    await bed.store.append([
      { stream: 'config', expectedRevision: 'any', events: [alarm({}, `round ${round}`)] },
    ])
    await bed.sealed()
  }
  await ledger.stop()
})
after(async () => {
  await admin?.end()
  await bed?.close()
})

async function audit(): Promise<readonly AuditFinding[]> {
  const vkey = (await readFile(join(bed.folder, 'ledger.vkey'), 'utf8')).trim()
  const verifier = parseVerifierKey(vkey)
  const { findings, size: checked } = await auditOnce(
    {
      pool: bed.pool,
      openStore: () => postgresEventStore({ appUrl: bed.database.appUrl }),
      verifiers: async () => ({ origin: verifier.name, verifiers: [verifier] }),
    },
    { add: async () => {}, compare: async () => [], close: async () => {} },
    { pace: async () => {} },
  )
  assert.equal(checked, (await bed.reader.head())?.size)
  return findings
}

/** Changes rows of `table`, checks, and puts the table back as it was. */
async function findingsAfter(table: string, sql: string, values: readonly unknown[] = []) {
  await admin.query(`CREATE TEMP TABLE kept AS TABLE ${table}`)
  try {
    await admin.tamper(table, sql, values)
    return await audit()
  } finally {
    await admin.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`)
    await admin.query(`DELETE FROM ${table}`)
    const columns = (
      await admin.query<{ name: string }>(
        `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
        [table],
      )
    ).map(({ name }) => `"${name}"`)
    await admin.query(`INSERT INTO ${table} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM kept`)
    await admin.query(`ALTER TABLE ${table} ENABLE TRIGGER ALL`)
    await admin.query('DROP TABLE kept')
  }
}

type EventRow = { position: string; revision: string; name: string }
async function eventWhere(condition: string): Promise<EventRow & { place: string }> {
  const [row] = await admin.query<EventRow>(
    `SELECT position, event.revision, name FROM event_store.event JOIN event_store.stream USING (stream_key) WHERE ${condition} ORDER BY position LIMIT 1`,
  )
  assert.ok(row)
  return { ...row, place: `${row.name} revision ${row.revision} at position ${row.position}` }
}
const said = (findings: readonly AuditFinding[]) =>
  findings.map(({ kind, subject, finding }) => [kind, subject, finding])

beforeEach(async () => {
  assert.deepEqual(said(await audit()), [], 'the log is whole before each change')
})

test('a changed reading is named by stream, revision, position and field', async () => {
  const { place, position } = await eventWhere('value = 333')
  assert.deepEqual(
    said(
      await findingsAfter(
        'event_store.event',
        'UPDATE event_store.event SET value = 3.33 WHERE position = $1',
        [position],
      ),
    ),
    [['event', place, 'it is not as it was sealed: data.value']],
  )
})

test('a changed time, id or stream of an event is named', async () => {
  const { place, position } = await eventWhere('value = 500')
  for (const [change, field] of [
    [`recorded_at = recorded_at + interval '1 millisecond'`, 'recordedAt'],
    [`occurred_at = occurred_at - interval '1 hour'`, 'occurredAt'],
    [`id = '0197a000-0000-7000-8000-00000000abcd'`, 'id'],
    ['seq = 8', 'source.seq'],
  ])
    assert.deepEqual(
      said(
        await findingsAfter(
          'event_store.event',
          `UPDATE event_store.event SET ${change} WHERE position = $1`,
          [position],
        ),
      ),
      [['event', place, `it is not as it was sealed: ${field}`]],
    )
  const moved = await findingsAfter(
    'event_store.event',
    `UPDATE event_store.event SET stream_key = (SELECT stream_key FROM event_store.stream WHERE name = 'config'), revision = 900 WHERE position = $1`,
    [position],
  )
  assert.deepEqual(said(moved)[0]?.slice(0, 2), ['event', place])
})

test('what people typed is named when its text or its salt was changed, removed, or is no JSON any more', async () => {
  const { place, position } = await eventWhere(`type = 'BatchCreated' AND event.revision = 3`)
  for (const [change, expected] of [
    [`content = replace(content, 'round 3', 'round x')`, 'it is not as it was sealed: payload.hash'],
    ["salt = decode(repeat('00', 32), 'hex')", 'it is not as it was sealed: payload.hash'],
    ['salt = NULL', 'it makes no leaf: leaf refused: a payload that people typed needs its salt'],
    [`content = 'nonsense'`, 'the store cannot read it: '],
  ] as const) {
    const findings = said(
      await findingsAfter('event_store.event', `UPDATE event_store.event SET ${change} WHERE position = $1`, [
        position,
      ]),
    )
    assert.equal(findings.length, 1, String(findings))
    assert.deepEqual(findings[0]?.slice(0, 2), ['event', place])
    assert.ok(findings[0]?.[2]?.startsWith(expected), findings[0]?.[2])
  }
})

test('a deleted event is named', async () => {
  const { place, position } = await eventWhere('value = 77')
  assert.deepEqual(
    said(
      await findingsAfter('event_store.event', 'DELETE FROM event_store.event WHERE position = $1', [
        position,
      ]),
    ),
    [['event', place, 'the store does not hold it']],
  )
})

test('a changed template or stream name names the events that it changes', async () => {
  const template = await findingsAfter(
    'event_store.template',
    `UPDATE event_store.template SET content = replace(content, 'good', 'uncertain')`,
  )
  assert.equal(template.length, 960)
  assert.deepEqual(template[0]?.finding, 'it is not as it was sealed: data.quality')
  const stream = await findingsAfter(
    'event_store.stream',
    `UPDATE event_store.stream SET name = 'batch-b9' WHERE name = 'batch-b1'`,
  )
  assert.deepEqual(
    stream.map(({ subject }) => subject.split(' at ')[0]),
    Array.from({ length: 8 }, (_, revision) => `batch-b1 revision ${revision}`),
  )
})

test('a changed leaf in a bundle is named by its tile and entry', async () => {
  const [row] = await admin.query<{ first_index: string; entries: Buffer }>(
    'SELECT first_index, entries FROM ledger.entry_chunk WHERE first_index <= 600 ORDER BY first_index DESC LIMIT 1',
  )
  assert.ok(row)
  const entries = splitBundle(unpackEntries(row.entries)).map((entry) => Buffer.from(entry))
  const at = 600 - Number(row.first_index)
  entries[at] = Buffer.from((entries[at]?.toString() ?? '').replace('"quality":"good"', '"quality":"bad"'))
  const bundle = Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(entry.length)
      return [length, entry]
    }),
  )
  const change = 'UPDATE ledger.entry_chunk SET entries = $1 WHERE first_index = $2'
  const findings = said(
    await findingsAfter('ledger.entry_chunk', change, [packEntries(bundle), row.first_index]),
  )
  assert.equal(findings.length, 1)
  assert.match(
    findings[0]?.join(' ') ?? '',
    /^bundle tile\/entries\/002 entry 600 \(reading-b1 .*\) the leaf is not/,
  )
  const broken = said(
    await findingsAfter('ledger.entry_chunk', change, [row.entries.subarray(0, 20), row.first_index]),
  )
  assert.match(
    broken[0]?.join(' ') ?? '',
    /^bundle tile\/entries\/002 entries from \d+ its entries cannot be read/,
  )
})

test('a changed hash in a tile is named by level, tile and place; so is a tile above it', async () => {
  const [row] = await admin.query<{ first_index: string; hashes: Buffer }>(
    'SELECT first_index, hashes FROM ledger.entry_chunk WHERE first_index <= 300 ORDER BY first_index DESC LIMIT 1',
  )
  assert.ok(row)
  const hashes = Buffer.from(row.hashes)
  const at = 300 - Number(row.first_index)
  hashes.fill(7, at * 32, at * 32 + 32)
  const leaf = said(
    await findingsAfter(
      'ledger.entry_chunk',
      'UPDATE ledger.entry_chunk SET hashes = $1 WHERE first_index = $2',
      [hashes, row.first_index],
    ),
  )
  assert.equal(leaf.length, 1)
  assert.match(
    leaf[0]?.join(' ') ?? '',
    /^tile tile\/0\/001 hash 44, entry 300 \(reading-b1 .*\) the hash is not that of the leaf$/,
  )
  const upper = await findingsAfter(
    'ledger.tile',
    `UPDATE ledger.tile SET hashes = overlay(hashes placing decode(repeat('07', 32), 'hex') from 33 for 32) WHERE level = 1`,
  )
  assert.deepEqual(said(upper), [['tile', 'tile/1/000 hash 1', 'the hash is not that of the tile below it']])
  const gone = await findingsAfter('ledger.tile', 'DELETE FROM ledger.tile WHERE level = 1')
  assert.deepEqual(said(gone), [['tile', 'tile/1/000', 'the row that held it is gone']])
})

test('a removed bundle is named, and everything behind it is still checked', async () => {
  const { place, position } = await eventWhere('value = 900')
  await admin.tamper('event_store.event', 'UPDATE event_store.event SET value = 9.5 WHERE position = $1', [
    position,
  ])
  try {
    const findings = said(
      await findingsAfter(
        'ledger.entry_chunk',
        'DELETE FROM ledger.entry_chunk WHERE first_index = (SELECT max(first_index) FROM ledger.entry_chunk WHERE first_index <= 300)',
      ),
    )
    assert.match(
      findings[0]?.join(' ') ?? '',
      /^bundle tile\/entries\/00[01] entries \d+ to \d+ the row that held them is gone/,
    )
    assert.ok(findings.some(([kind, subject]) => kind === 'event' && subject === place))
  } finally {
    await admin.tamper('event_store.event', 'UPDATE event_store.event SET value = 900 WHERE position = $1', [
      position,
    ])
  }
})

test('whoever changes the event, its leaf and its hash alike is betrayed by the revision after it and the signed root', async () => {
  const { position, revision } = await eventWhere('value = 640')
  const [row] = await admin.query<{ first_index: string; entries: Buffer; hashes: Buffer }>(
    'SELECT first_index, entries, hashes FROM ledger.entry_chunk WHERE first_position <= $1 ORDER BY first_index DESC LIMIT 1',
    [position],
  )
  assert.ok(row)
  const entries = splitBundle(unpackEntries(row.entries)).map((entry) => Buffer.from(entry))
  const at = entries.findIndex((entry) => entry.includes('"value":640}') || entry.includes('"value":640,'))
  assert.ok(at >= 0)
  const forged = Buffer.from((entries[at]?.toString() ?? '').replace('"value":640', '"value":64.5'))
  entries[at] = forged
  const hashes = Buffer.from(row.hashes)
  leafHash(forged).copy(hashes, at * 32)
  const bundle = Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(entry.length)
      return [length, entry]
    }),
  )
  await admin.tamper('event_store.event', 'UPDATE event_store.event SET value = 64.5 WHERE position = $1', [
    position,
  ])
  try {
    const findings = said(
      await findingsAfter(
        'ledger.entry_chunk',
        'UPDATE ledger.entry_chunk SET entries = $1, hashes = $2 WHERE first_index = $3',
        [packEntries(bundle), hashes, row.first_index],
      ),
    )
    const index = Number(row.first_index) + at
    assert.deepEqual(findings[0]?.slice(0, 2), [
      'event',
      `reading-b1 revision ${revision} at position ${position}`,
    ])
    assert.match(findings[0]?.[2] ?? '', /the revision after it names another leaf/)
    assert.ok(
      findings.some(
        ([kind, subject]) => kind === 'tile' && subject === `tile/1/000 hash ${Math.floor(index / 256)}`,
      ),
    )
    const root = findings.find(([kind]) => kind === 'checkpoint')
    const [, from, to] = /differs is among entries (\d+) to (\d+)$/.exec(root?.[2] ?? '') ?? []
    assert.ok(Number(from) <= index && index <= Number(to), root?.join(' '))
  } finally {
    await admin.tamper('event_store.event', 'UPDATE event_store.event SET value = 640 WHERE position = $1', [
      position,
    ])
  }
})

test('a changed checkpoint is named: its root, its note, its signature', async () => {
  const sizes = (await admin.query<{ size: string }>('SELECT size FROM ledger.checkpoint ORDER BY size')).map(
    (row) => row.size,
  )
  const [middle, newest] = [sizes[3], sizes.at(-1)]
  const other = createHash('sha256').update('other').digest()
  assert.deepEqual(
    said(
      await findingsAfter('ledger.checkpoint', 'UPDATE ledger.checkpoint SET root = $1 WHERE size = $2', [
        other,
        middle,
      ]),
    ),
    [['checkpoint', `checkpoint of size ${middle}`, 'the root beside its note is not that of the entries']],
  )
  assert.deepEqual(
    said(
      await findingsAfter(
        'ledger.checkpoint',
        'UPDATE ledger.checkpoint SET note = (SELECT note FROM ledger.checkpoint WHERE size = $1) WHERE size = $2',
        [newest, middle],
      ),
    ),
    [['checkpoint', `checkpoint of size ${middle}`, `its note is about size ${newest}`]],
  )
  const [row] = await admin.query<{ note: string }>('SELECT note FROM ledger.checkpoint WHERE size = $1', [
    newest,
  ])
  const note = row?.note ?? ''
  const flipped = `${note.slice(0, -8)}${note.at(-8) === 'A' ? 'B' : 'A'}${note.slice(-7)}`
  const forged = await findingsAfter(
    'ledger.checkpoint',
    'UPDATE ledger.checkpoint SET note = $1 WHERE size = $2',
    [flipped, newest],
  )
  assert.equal(forged.length, 1)
  assert.match(
    said(forged)[0]?.join(' ') ?? '',
    new RegExp(`^checkpoint checkpoint of size ${newest} the signature of .* is wrong$`),
  )
})
