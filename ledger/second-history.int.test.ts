/** Everything by which a second history could come to be signed under one origin and key: restored, cloned, set back. */

import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../infra/clock.ts'
import { readings } from '../infra/event-store/testing/sample-events.ts'
import { until } from '../infra/testing/until.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { consistencyProof, verifyConsistency } from './log/proof.ts'
import { confirmState, StateNotConfirmedError } from './sequencer/confirm-state.ts'
import { signedStateFile } from './sequencer/signed-state.ts'
import type { StartLedgerDeps } from './service.ts'
import type { PublishedCheckpoint } from './storage/log-reader.ts'
import { backupOf, type LedgerBed, ledgerBed } from './testing/running-ledger.ts'

const fill = (bed: LedgerBed, count: number) =>
  bed.store.append([{ stream: 'reading-b1', expectedRevision: 'any', events: readings(count) }])

const refusalOf = (bed: LedgerBed): Promise<string> => until('the ledger refuses', async () => bed.alarms[0])

const statesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((file) => file.startsWith('ledger.signed'))

async function removeStates(folder: string): Promise<void> {
  for (const file of await statesIn(folder)) await rm(join(folder, file))
}

const endings = new WeakMap<TestContext, (() => Promise<unknown>)[]>()

/** The last one first: a ledger ends before its folder goes. */
function atEnd(t: TestContext, ending: () => Promise<unknown>): void {
  const known = endings.get(t)
  if (known) {
    known.push(ending)
    return
  }
  const all = [ending]
  endings.set(t, all)
  t.after(async () => {
    for (const end of all.toReversed()) await end()
  })
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-history-'))
  atEnd(t, () => rm(folder, { recursive: true, force: true }))
  return folder
}

async function bedIn(t: TestContext, folder: string, database?: LedgerBed['database']): Promise<LedgerBed> {
  const bed = await ledgerBed({ folder, ...(database && { database }) })
  atEnd(t, () => bed.close().catch(() => {}))
  return bed
}

/** A log, a backup of its database and folder, and what was signed after the backup; nothing runs any more. */
async function backedUp(t: TestContext, overrides: Partial<StartLedgerDeps> = {}) {
  const folder = await folderFor(t)
  const kept = await folderFor(t)
  const original = await bedIn(t, folder)
  await fill(original, 20)
  original.start(overrides)
  await original.sealed()
  await original.close()
  const backup = await backupOf(original)
  for (const file of await statesIn(folder)) await copyFile(join(folder, file), join(kept, file))
  const later = await bedIn(t, folder, original.database)
  await fill(later, 20)
  later.start(overrides)
  const signed = await later.sealed()
  await until(
    'the static files are up to date',
    async () => (await later.reader.head())?.size === signed.size,
  )
  await later.close()
  const restoreStates = async () => {
    await removeStates(folder)
    for (const file of await readdir(kept)) await copyFile(join(kept, file), join(folder, file))
  }
  return { folder, original, backup, signed, restoreStates }
}

async function assertNothingSigned(bed: LedgerBed, before: PublishedCheckpoint | undefined): Promise<void> {
  assert.equal((await bed.reader.head())?.size, before?.size)
}

for (const more of [0, 40])
  test(`a restored backup without ledger.signed is refused until a person confirms it, ${more} new events or not`, async (t) => {
    const { folder, backup } = await backedUp(t)
    await removeStates(folder)
    const restored = await bedIn(t, folder, backup)
    const before = await restored.reader.head()
    if (more > 0) await fill(restored, more)
    restored.start()
    assert.match(
      await refusalOf(restored),
      /the database holds a checkpoint of \d+ entries, but there is no ledger\.signed.*ledger-confirm/,
    )
    await assertNothingSigned(restored, before)
  })

test('a ledger.signed that is older than what the database published is refused', async (t) => {
  const { folder, original, restoreStates } = await backedUp(t)
  await restoreStates()
  const bed = await bedIn(t, folder, original.database)
  bed.start()
  assert.match(await refusalOf(bed), /ledger\.signed only one of \d+: the data folder was lost or restored/)
})

test('what a person confirms is an event under the next checkpoint, and the ledger goes on from there', async (t) => {
  const folder = await folderFor(t)
  const first = await bedIn(t, folder)
  await fill(first, 20)
  first.start()
  const signed = await first.sealed()
  await first.close()
  await removeStates(folder)
  const bed = await bedIn(t, folder, first.database)
  const confirm = (size: bigint) =>
    confirmState(
      {
        pool: bed.pool,
        store: bed.store,
        clock: systemClock,
        site: 'site-1',
        signedState: signedStateFile(folder),
      },
      {
        size,
        finding: 'compared with the checkpoint in the site master file',
        actor: { kind: 'human', id: 'qa-1', role: 'administrator' },
      },
    )
  await assert.rejects(confirm(signed.size + 5n), StateNotConfirmedError)
  assert.deepEqual(await statesIn(folder), [])
  await confirm(signed.size)
  await assert.rejects(confirm(signed.size), /there is nothing to confirm/)
  bed.start()
  const after = await bed.sealed()
  assert.deepEqual(bed.alarms, [])
  await assertExtends(bed, signed, after)
  const events: RecordedEvent[] = []
  for await (const event of bed.store.readStream('ledger-findings')) events.push(event)
  assert.deepEqual(
    events.map(({ type, actor, data }) => [type, actor.id, data.size, data.root, data.keptSize]),
    [['LedgerStateConfirmed', 'qa-1', String(signed.size), signed.root.toString('base64'), null]],
  )
})

test('nobody can confirm a database that holds less than was signed', async (t) => {
  const { folder, backup } = await backedUp(t)
  const restored = await bedIn(t, folder, backup)
  const size = (await restored.reader.head())?.size as bigint
  await assert.rejects(
    confirmState(
      {
        pool: restored.pool,
        store: restored.store,
        clock: systemClock,
        site: 'site-1',
        signedState: signedStateFile(folder),
      },
      { size, finding: 'it will be fine', actor: { kind: 'human', id: 'it-1', role: 'administrator' } },
    ),
    /there is nothing to confirm/,
  )
})

for (const more of [0, 40])
  test(`database and folder set back together are found out by the static files before anything is signed, ${more} new events`, async (t) => {
    const filesFolder = await folderFor(t)
    const { folder, backup, restoreStates } = await backedUp(t, { filesFolder })
    await restoreStates()
    const restored = await bedIn(t, folder, backup)
    const before = await restored.reader.head()
    if (more > 0) await fill(restored, more)
    restored.start({ filesFolder })
    assert.match(await refusalOf(restored), /the static files in .* one of them was changed or restored/)
    await assertNothingSigned(restored, before)
  })

test('what others hold is asked for before the first signature, and each reason is told', async (t) => {
  const bed = await bedIn(t, await folderFor(t))
  await fill(bed, 20)
  const asked: [string, bigint | undefined][] = []
  bed.start({
    contradictions: async (origin, published) => {
      asked.push([origin, published?.size])
      return ['witness qa.example holds more', 'witness sponsor.example holds another tree']
    },
  })
  assert.match(await refusalOf(bed), /witness qa\.example holds more; witness sponsor\.example holds/)
  assert.deepEqual(asked, [[await bed.reader.origin(), undefined]])
  await assertNothingSigned(bed, undefined)
})

test('a ledger that is told of a contradiction while it runs signs nothing more, and a standby does not help it', async (t) => {
  const bed = await bedIn(t, await folderFor(t))
  await fill(bed, 20)
  const ledger = bed.start()
  await bed.sealed()
  ledger.refuse('witness qa.example cosigned 900 entries')
  assert.match(await refusalOf(bed), /refuses to sign: witness qa\.example cosigned 900 entries/)
  const refused = await until('it is refused', async () => {
    const readiness = await ledger.readiness()
    return !readiness.ok && readiness
  })
  assert.match(refused.detail ?? '', /900 entries/)
  const before = await bed.reader.head()
  await fill(bed, 20)
  bed.start({ contradictions: async () => ['the same'] })
  await until('the second one refuses, too', async () => bed.alarms[1])
  await assertNothingSigned(bed, before)
})

test('of two databases on one data folder one goes on signing, the other one refuses and says why', async (t) => {
  const folder = await folderFor(t)
  const one = await bedIn(t, folder)
  await fill(one, 20)
  one.start()
  await one.sealed()
  await one.close()
  const clone = await backupOf(one)
  const first = await bedIn(t, folder, one.database)
  first.start()
  await first.sealed()
  const second = await bedIn(t, folder, clone)
  second.start()
  await second.sealed()
  await fill(first, 50)
  const signed = await first.sealed()
  const before = await second.reader.head()
  await fill(second, 20)
  assert.match(await refusalOf(second), /a checkpoint of \d+ entries was signed, but the database holds only/)
  await fill(second, 80)
  await assertNothingSigned(second, before)
  assert.equal((await signedStateFile(folder).read())?.size, signed.size)
  await fill(first, 10)
  await assertExtends(first, signed, await first.sealed())
  assert.deepEqual(first.alarms, [])
})

test('a larger clone does not go on from what the original signed either', async (t) => {
  const folder = await folderFor(t)
  const one = await bedIn(t, folder)
  await fill(one, 20)
  one.start()
  await one.sealed()
  await one.close()
  const clone = await backupOf(one)
  const second = await bedIn(t, folder, clone)
  second.start({ cadenceMs: 600_000 })
  await fill(second, 200)
  const first = await bedIn(t, folder, one.database)
  first.start()
  await fill(first, 30)
  await first.sealed()
  const third = await bedIn(t, folder, clone)
  await second.close()
  third.start()
  assert.match(await refusalOf(third), /history was changed/)
})

for (const [what, setBack] of [
  ['removed', removeStates],
  [
    'set back',
    async (folder: string, kept: string) => {
      await removeStates(folder)
      for (const file of await readdir(kept)) await copyFile(join(kept, file), join(folder, file))
    },
  ],
] as const)
  test(`a state that was ${what} while the ledger runs ends the signing`, async (t) => {
    const folder = await folderFor(t)
    const kept = await folderFor(t)
    const bed = await bedIn(t, folder)
    await fill(bed, 20)
    bed.start()
    await bed.sealed()
    for (const file of await statesIn(folder)) await copyFile(join(folder, file), join(kept, file))
    await fill(bed, 20)
    const before = await bed.sealed()
    await setBack(folder, kept)
    await fill(bed, 20)
    assert.match(await refusalOf(bed), /ledger\.signed (was changed|only one)|there is no ledger\.signed/)
    await assertNothingSigned(bed, before)
  })

async function assertExtends(
  bed: LedgerBed,
  before: PublishedCheckpoint,
  after: PublishedCheckpoint,
): Promise<void> {
  verifyConsistency({
    first: before.size,
    firstRoot: before.root,
    second: after.size,
    secondRoot: after.root,
    path: await consistencyProof(before.size, after.size, bed.reader.subtrees(after.size)),
  })
}
