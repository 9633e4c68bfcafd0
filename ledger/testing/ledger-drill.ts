/**
 * The ledger's crash drill: events flow into a store while the process that seals them is killed (SIGKILL) at drawn
 * moments and started again. Every signed note that was ever seen is kept; at the end one tree must hold all of them, and
 * its leaves must be the store's events.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readings, typed } from '../../infra/event-store/testing/sample-events.ts'
import { until } from '../../infra/testing/until.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { buildLeaf } from '../leaf/leaf.ts'
import { parseCheckpoint } from '../log/checkpoint.ts'
import { openNote, parseVerifierKey } from '../log/note.ts'
import { consistencyProof, rootOf, verifyConsistency } from '../log/proof.ts'
import { leafHash, nodeHash } from '../log/tree-hash.ts'
import { signedStateFile } from '../sequencer/signed-state.ts'
import { type LedgerBed, ledgerBed } from './running-ledger.ts'

export type LedgerDrillReport = {
  readonly kills: number
  readonly size: bigint
  readonly checkpoints: number
}

export async function ledgerDrill(options: {
  readonly kills: number
  readonly seed: number
  readonly log?: (line: string) => void
}): Promise<LedgerDrillReport> {
  const random = generator(options.seed)
  const bed = await ledgerBed()
  const plant = startPlant(bed, random)
  const seen = new Map<bigint, Set<string>>()
  let sealing: Sealing | undefined
  try {
    for (let kill = 1; kill <= options.kills; kill++) {
      sealing = startSealing(bed)
      const target = (await sizeOf(bed)) + BigInt(Math.floor(random() * 2_000))
      await until('the log grows', async () => sealing?.failure() ?? (await sizeOf(bed)) >= target)
      assert.equal(sealing.failure(), undefined)
      await sealing.kill()
      await collectSigned(bed, seen)
      options.log?.(`kill ${kill}: ${await sizeOf(bed)} entries, ${seen.size} checkpoints`)
    }
    await plant.stop()
    sealing = startSealing(bed)
    const last = await bed.sealed()
    await sealing.kill()
    await collectSigned(bed, seen)
    await checkEverything(bed, last, seen)
    return { kills: options.kills, size: last.size, checkpoints: seen.size }
  } finally {
    await sealing?.kill()
    await plant.stop()
    await bed.close()
  }
}

type Sealing = { kill(): Promise<void>; failure(): string | undefined }

function startSealing(bed: LedgerBed): Sealing {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./ledger-process.ts', import.meta.url))],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        BIOLEDGER_TEST_LEDGER: JSON.stringify({ appUrl: bed.database.appUrl, folder: bed.folder }),
      },
    },
  )
  let stderr = ''
  let failure: string | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<void>((settle) =>
    child.once('exit', (code) => {
      if (code !== null) failure = `the ledger ended with ${code}: ${stderr}`
      settle()
    }),
  )
  return {
    failure: () => failure,
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const furthestAhead = 10_000n

/**
 * Appends until stopped, as far ahead of the log as no drawn moment reaches: many streams, of which some are typed by
 * people.
 */
function startPlant(bed: LedgerBed, random: () => number): { stop(): Promise<void> } {
  let stopped = false
  const running = (async () => {
    let appended = 0n
    while (!stopped) {
      if (appended - (await sizeOf(bed)) > furthestAhead) {
        await delay(20)
        continue
      }
      const vessel = Math.floor(random() * 20)
      const events = random() < 0.1 ? [typed()] : readings(1 + Math.floor(random() * 60))
      await bed.store.append([
        {
          stream: events.length === 1 ? `batch-${vessel}` : `reading-${vessel}`,
          expectedRevision: 'any',
          events,
        },
      ])
      appended += BigInt(events.length)
    }
  })()
  return {
    stop: async () => {
      stopped = true
      await running
    },
  }
}

/** What was signed: what is kept outside the database (signed or about to be), and every published note. */
async function collectSigned(bed: LedgerBed, seen: Map<bigint, Set<string>>): Promise<void> {
  const outside = await signedStateFile(bed.folder).read()
  const { rows } = await bed.pool.query<{ note: string }>('SELECT note FROM ledger.checkpoint')
  const vkey = await readFile(join(bed.folder, 'ledger.vkey'), 'utf8').catch(() => undefined)
  if (vkey === undefined) return
  const published = rows.map(({ note }) =>
    parseCheckpoint(openNote(note, [parseVerifierKey(vkey.trim())]).text),
  )
  for (const { size, root } of outside ? [...published, outside] : published) {
    const roots = seen.get(size) ?? new Set()
    roots.add(root.toString('base64'))
    seen.set(size, roots)
  }
}

async function checkEverything(
  bed: LedgerBed,
  last: { readonly size: bigint; readonly root: Buffer },
  seen: ReadonlyMap<bigint, ReadonlySet<string>>,
): Promise<void> {
  const origin = await bed.reader.origin()
  assert.ok(origin)
  const levels: Buffer[][] = [[]]
  const previous = new Map<string, Buffer>()
  const entries = bed.reader.entries(0n, last.size)[Symbol.asyncIterator]()
  for await (const page of bed.store.readAll()) {
    const salts = await bed.store.saltsOf(page.events)
    for (const event of page.events as readonly RecordedEvent[]) {
      const { value: entry, done } = await entries.next()
      if (done) return assert.fail(`the log ends before ${event.stream}@${event.revision}`)
      const prev = previous.get(event.stream) ?? null
      assert.deepEqual(entry.leaf, buildLeaf(event, salts.get(event.id), prev, origin))
      const hash = leafHash(entry.leaf)
      previous.set(event.stream, hash)
      levels[0]?.push(hash)
      if (BigInt(levels[0]?.length ?? 0) === last.size) break
    }
  }
  for (let level = 0; (levels[level]?.length ?? 0) > 1; level++) {
    const below = levels[level] as Buffer[]
    levels.push(
      Array.from({ length: below.length >> 1 }, (_, at) =>
        nodeHash(below[2 * at] as Buffer, below[2 * at + 1] as Buffer),
      ),
    )
  }
  // A tree of its own from the leaves alone, so that a wrong tile cannot vouch for itself.
  const read = async (level: number, index: bigint) => levels[level]?.[Number(index)] as Buffer
  assert.deepEqual(await rootOf(last.size, read), last.root)
  const ordered = [...seen.keys()].sort((one, other) => (one < other ? -1 : 1))
  for (const size of ordered) {
    const roots = [...(seen.get(size) ?? [])]
    assert.equal(roots.length, 1, `size ${size} was signed with ${roots.length} roots`)
    assert.equal(roots[0], (await rootOf(size, read)).toString('base64'))
    verifyConsistency({
      first: size,
      firstRoot: Buffer.from(roots[0] as string, 'base64'),
      second: last.size,
      secondRoot: last.root,
      path: await consistencyProof(size, last.size, bed.reader.subtrees(last.size)),
    })
  }
}

async function sizeOf(bed: LedgerBed): Promise<bigint> {
  return (await bed.pool.query<{ size: bigint }>('SELECT size FROM ledger.log')).rows[0]?.size ?? 0n
}

/** Mulberry32: the same seed draws the same moments. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
