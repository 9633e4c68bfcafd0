import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { readings, typed } from '../infra/event-store/testing/sample-events.ts'
import { until } from '../infra/testing/until.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { headsRoot, streamKeyOf } from './heads/heads-list.ts'
import { rotateLogKey } from './keys/file-vault.ts'
import { keyHistory, readKeyEvents } from './keys/key-history.ts'
import { parseLeaf } from './leaf/leaf.ts'
import { parseCheckpoint } from './log/checkpoint.ts'
import { NoteError, openNote, parseVerifierKey } from './log/note.ts'
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from './log/proof.ts'
import { leafHash } from './log/tree-hash.ts'
import { backupOf, type LedgerBed, ledgerBed } from './testing/running-ledger.ts'

async function fill(bed: LedgerBed, count: number, stream = 'reading-b1'): Promise<void> {
  for (let left = count; left > 0; left -= 500)
    await bed.store.append([{ stream, expectedRevision: 'any', events: readings(Math.min(left, 500)) }])
}

async function withBed(work: (bed: LedgerBed) => Promise<void>): Promise<void> {
  const bed = await ledgerBed()
  try {
    await work(bed)
  } finally {
    await bed.close()
  }
}

const verifierKeyOf = async (bed: LedgerBed) =>
  (await readFile(join(bed.folder, 'ledger.vkey'), 'utf8')).trim()

async function recordedAtOf(bed: LedgerBed, index: bigint): Promise<string> {
  for await (const { leaf } of bed.reader.entries(index, index + 1n)) {
    const said = parseLeaf(leaf)
    if ('recordedAt' in said) return said.recordedAt
  }
  assert.fail(`entry ${index} says nothing of when it was recorded`)
}

const sizeOf = async (bed: LedgerBed): Promise<bigint> =>
  (await bed.pool.query<{ size: bigint }>('SELECT size FROM ledger.log')).rows[0]?.size ?? 0n

const refusalOf = (bed: LedgerBed): Promise<string> => until('the ledger refuses', async () => bed.alarms[0])

test('every event is sealed: the checkpoint opens with the published key and every entry is proven under it', () =>
  withBed(async (bed) => {
    await fill(bed, 1_200)
    await bed.store.append([{ stream: 'batch-b1', expectedRevision: 'any', events: [typed()] }])
    await fill(bed, 300, 'reading-b2')
    bed.start()
    const checkpoint = await bed.sealed()
    const vkey = await verifierKeyOf(bed)
    const { text } = openNote(checkpoint.note, [parseVerifierKey(vkey)])
    const { origin, size, root } = parseCheckpoint(text)
    assert.equal(origin, vkey.split('+')[0])
    assert.equal(size, checkpoint.size)
    const events: RecordedEvent[] = []
    for await (const page of bed.store.readAll()) events.push(...page.events)
    const last = new Map<string, string>()
    let at = 0
    for await (const { index, leaf } of bed.reader.entries(0n, size)) {
      const event = events[at++]
      const said = parseLeaf(leaf)
      assert.ok(event)
      assert.deepEqual(
        [said.id, said.stream, said.revision, said.ledger],
        [event.id, event.stream, String(event.revision), origin],
      )
      assert.equal(said.prev, last.get(said.stream) ?? null)
      last.set(said.stream, leafHash(leaf).toString('base64'))
      assert.equal(await bed.reader.indexOf(event.position), index)
      assert.equal(await bed.reader.positionOf(index), event.position)
      if (at % 97 === 0)
        verifyInclusion({
          leaf: leafHash(leaf),
          index,
          size,
          root,
          path: await inclusionProof(index, size, bed.reader.subtrees(size)),
        })
    }
    assert.equal(BigInt(at), size)
  }))

test('private keys are readable by their owner only, and a key that others may read is refused', () =>
  withBed(async (bed) => {
    await fill(bed, 1)
    const first = bed.start()
    await bed.sealed()
    for (const file of ['ledger.key', 'ledger-export.key'])
      assert.equal((await stat(join(bed.folder, file))).mode & 0o777, 0o600)
    await first.stop()
    const lax = await readFile(join(bed.folder, 'ledger.key'))
    await rm(join(bed.folder, 'ledger.key'))
    await writeFile(join(bed.folder, 'ledger.key'), lax, { mode: 0o644 })
    bed.start()
    assert.match(await refusalOf(bed), /others may read it \(mode 644\)/)
  }))

test('an idle log does not grow, also after a heads statement that somebody asked for', () =>
  withBed(async (bed) => {
    await fill(bed, 10)
    bed.start({ headsEveryMs: 0 })
    // Every heads statement is an event; without the rule each would cause the next one.
    const asked = async () => {
      await bed.reader.requestHeads()
      await until('the request was answered', async () => {
        const { rows } = await bed.pool.query('SELECT FROM ledger.heads_request')
        return rows.length === 0
      })
    }
    await asked()
    const statement = await until('a statement is published', async () => {
      const head = await bed.reader.head()
      return head && (await bed.reader.headsStatement(head.size))
    })
    const settled = await until('the statement is the last entry', async () => {
      const size = await sizeOf(bed)
      const newest = await bed.reader.headsStatement(size)
      return newest && newest.index === size - 1n && newest.size === newest.index && size
    })
    assert.ok(statement.size <= settled)
    for (let turn = 0; turn < 5; turn++) await asked()
    assert.equal(await sizeOf(bed), settled)
    await fill(bed, 1)
    await bed.sealed()
    assert.ok((await sizeOf(bed)) > settled)
  }))

test('a heads statement lists every stream: the counts sum to its size and its records lead to its root', () =>
  withBed(async (bed) => {
    await fill(bed, 700)
    await fill(bed, 30, 'reading-b2')
    await bed.store.append([{ stream: 'batch-b1', expectedRevision: 'any', events: [typed(), typed()] }])
    bed.start()
    await bed.sealed()
    await bed.reader.requestHeads()
    const statement = await until('a statement is published', async () => {
      const head = await bed.reader.head()
      return head && (await bed.reader.headsStatement(head.size))
    })
    const records = await bed.reader.headsRecords(statement.size)
    assert.deepEqual(headsRoot(records, statement.size), statement.root)
    assert.equal(BigInt(records.length), statement.streams)
    const recordedUpTo = await recordedAtOf(bed, statement.size - 1n)
    for await (const { leaf } of bed.reader.entries(statement.index, statement.index + 1n)) {
      const said = parseLeaf(leaf)
      assert.ok('data' in said)
      assert.deepEqual(said.data, {
        size: String(statement.size),
        streams: String(statement.streams),
        total: String(statement.size),
        root: statement.root.toString('base64'),
        recordedUpTo,
      })
    }
    const naming = { siteKey: await bed.reader.siteKey(), origin: (await bed.reader.origin()) ?? '' }
    const key = streamKeyOf(naming, 'reading-b1')
    const record = records.find(({ streamKey }) => streamKey.equals(key))
    assert.equal(record?.count, 700n)
    const [run] = await collect(bed.reader.indexesOf('reading-b1', { from: 699n, size: statement.size }))
    assert.equal(run?.index, record?.lastIndex)
    for await (const { leaf } of bed.reader.entries(
      record?.lastIndex as bigint,
      (record?.lastIndex as bigint) + 1n,
    ))
      assert.deepEqual(leafHash(leaf), record?.lastLeafHash)
  }))

test('a second sequencer stays standby, takes over when the first one ends, and goes on where it stood', () =>
  withBed(async (bed) => {
    await fill(bed, 100)
    const first = bed.start()
    const before = await bed.sealed()
    const second = bed.start()
    await until('the second is on standby', async () =>
      (await second.readiness()).detail?.startsWith('standby'),
    )
    await fill(bed, 50)
    const middle = await bed.sealed()
    assert.equal(second.publishedSize(), undefined)
    await first.stop()
    await fill(bed, 50)
    const after = await bed.sealed()
    assert.ok((second.publishedSize() ?? 0n) > 0n)
    for (const checkpoint of [before, middle]) await assertConsistent(bed, checkpoint, after)
  }))

test('a sequencer whose connection is lost opens the log anew and loses nothing', () =>
  withBed(async (bed) => {
    await fill(bed, 100)
    bed.start()
    const before = await bed.sealed()
    const admin = new pg.Client({ connectionString: bed.database.adminUrl })
    await admin.connect()
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bioledger-ledger-test'`,
    )
    await admin.end()
    await fill(bed, 100)
    await assertConsistent(bed, before, await bed.sealed())
    assert.deepEqual(bed.alarms, [])
  }))

test('after a rotation the first checkpoint that covers it carries both signatures, later ones the new one', () =>
  withBed(async (bed) => {
    await fill(bed, 10)
    bed.start()
    const before = await bed.sealed()
    const old = parseVerifierKey(await verifierKeyOf(bed))
    const rotation = await rotateLogKey(bed.folder)
    await fill(bed, 10)
    await until(
      'the new key is the published one',
      async () => (await verifierKeyOf(bed)) === rotation.verifierKey,
    )
    const kept = await readFile(join(bed.folder, 'ledger.key'), 'utf8')
    assert.equal(kept.trim().split('\n').length, 1)
    const current = parseVerifierKey(rotation.verifierKey)
    await fill(bed, 10)
    const after = await bed.sealed()
    openNote(before.note, [old])
    assert.throws(() => openNote(before.note, [current]), NoteError)
    openNote(after.note, [current])
    assert.throws(() => openNote(after.note, [old]), NoteError)
    const [added, retired] = keyHistory(await readKeyEvents(bed.store))
      .filter(({ purpose }) => purpose === 'log')
      .reverse()
    assert.equal(added?.verifierKey, rotation.verifierKey)
    assert.equal(retired?.verifierKey, rotation.replaced)
    const both = await bed.reader.checkpointOf(retired?.to as bigint)
    assert.equal(openNote(both?.note as string, [old, current]).verified.length, 2)
    const first = await bed.reader.checkpointAtOrBefore({ size: (retired?.to as bigint) - 1n })
    assert.throws(() => openNote(first?.note as string, [current]), NoteError)
  }))

test('a rotation is completed on an idle log, too', () =>
  withBed(async (bed) => {
    await fill(bed, 10)
    bed.start()
    await bed.sealed()
    const { verifierKey } = await rotateLogKey(bed.folder)
    await until('the new key is the published one', async () => (await verifierKeyOf(bed)) === verifierKey)
    const sealed = await bed.sealed()
    openNote(sealed.note, [parseVerifierKey(verifierKey)])
    assert.deepEqual(bed.alarms, [])
  }))

test('a revoked key signs nothing more; after a rotation the new one signs alone', () =>
  withBed(async (bed) => {
    await fill(bed, 10)
    const first = bed.start()
    const { size } = await bed.sealed()
    const revoked = await verifierKeyOf(bed)
    await bed.store.append([
      {
        stream: 'ledger-keys',
        expectedRevision: 'any',
        events: [
          typed({
            type: 'LedgerKeyRevoked',
            data: {
              verifierKey: revoked,
              purpose: 'log',
              firstBadSize: String(size),
              finding: 'a copy of the key was found on a laptop',
            },
          }),
        ],
      },
    ])
    assert.match(await refusalOf(bed), /was retired or revoked/)
    assert.ok(((await bed.reader.head())?.size as bigint) >= size)
    await first.stop()
    const { verifierKey } = await rotateLogKey(bed.folder)
    const before = (await bed.reader.head()) as { size: bigint }
    bed.start()
    const after = await bed.sealed()
    openNote(after.note, [parseVerifierKey(verifierKey)])
    const { rows } = await bed.pool.query<{ note: string }>(
      'SELECT note FROM ledger.checkpoint WHERE size > $1',
      [before.size],
    )
    for (const { note } of rows) assert.throws(() => openNote(note, [parseVerifierKey(revoked)]), NoteError)
  }))

test('a log signed with a key that is not here any more is not signed with another one', () =>
  withBed(async (bed) => {
    await fill(bed, 10)
    const first = bed.start()
    await bed.sealed()
    await first.stop()
    await rm(join(bed.folder, 'ledger.key'))
    bed.start()
    assert.match(await refusalOf(bed), /that key is not here to vouch for another one/)
  }))

test('a restored old backup is refused, and says how much it lacks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-ledger-'))
  const beds: LedgerBed[] = []
  try {
    const original = await ledgerBed({ folder })
    beds.push(original)
    await fill(original, 20)
    original.start()
    await original.sealed()
    await original.close()
    const backup = await backupOf(original)
    const later = await ledgerBed({ folder, database: original.database })
    beds.push(later)
    await fill(later, 20)
    later.start()
    const signed = await later.sealed()
    await later.close()
    const restored = await ledgerBed({ folder, database: backup })
    beds.push(restored)
    const ledger = restored.start()
    const finding = await refusalOf(restored)
    assert.match(
      finding,
      new RegExp(
        `a checkpoint of ${signed.size} entries was signed, but the database holds only \\d+: an old backup`,
      ),
    )
    assert.deepEqual(await ledger.readiness(), { ok: false, detail: finding })
    // New events do not heal it: the sizes would meet, the histories would not.
    await fill(restored, 40)
    assert.ok((await sizeOf(restored)) < signed.size)
  } finally {
    for (const bed of beds) await bed.close().catch(() => {})
    await rm(folder, { recursive: true, force: true })
  }
})

const tamperings: readonly (readonly [string, string, RegExp])[] = [
  [
    'a leaf hash of the right edge',
    `UPDATE ledger.entry_chunk SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) WHERE first_index = (SELECT max(first_index) FROM ledger.entry_chunk)`,
    /tiles were changed/,
  ],
  ['the root', `UPDATE ledger.log SET root = set_byte(root, 0, get_byte(root, 0) # 1)`, /tiles were changed/],
  [
    'a lost chunk',
    `DELETE FROM ledger.entry_chunk WHERE first_index = (SELECT max(first_index) FROM ledger.entry_chunk)`,
    /the database holds \d+ entries, the log's state says/,
  ],
  [
    'a head',
    `UPDATE ledger.stream SET event_count = event_count + 1 WHERE stream_key = 1`,
    /the heads of all streams count/,
  ],
  ['the origin', `UPDATE ledger.log SET origin = 'ledger.example/other'`, /this installation signed the log/],
  ['a cut tile', `UPDATE ledger.tile SET hashes = substring(hashes FOR 32)`, /holds 1 hashes/],
]
for (const [what, sql, finding] of tamperings)
  test(`a log changed behind its back is refused at the next start: ${what}`, () =>
    withBed(async (bed) => {
      await fill(bed, 600)
      const first = bed.start()
      await bed.sealed()
      await first.stop()
      const admin = new pg.Client({ connectionString: bed.database.adminUrl })
      await admin.connect()
      await admin.query(sql)
      await admin.end()
      bed.start()
      assert.match(await refusalOf(bed), finding)
    }))

async function assertConsistent(
  bed: LedgerBed,
  before: { readonly size: bigint; readonly root: Buffer },
  after: { readonly size: bigint; readonly root: Buffer },
): Promise<void> {
  verifyConsistency({
    first: before.size,
    firstRoot: before.root,
    second: after.size,
    secondRoot: after.root,
    path: await consistencyProof(before.size, after.size, bed.reader.subtrees(after.size)),
  })
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
