/** The published vectors that are to be accepted, with one thing changed at random: every one must be refused. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { CheckpointError, parseCheckpoint } from './checkpoint.ts'
import { NoteError, openNote, parseVerifierKey } from './note.ts'
import { ProofError, verifyConsistency, verifyInclusion } from './proof.ts'
import { parseTilePath, tilePath } from './tile.ts'

const readVectors = <Shape>(name: string): Shape =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8')) as Shape
const bytes = (base64: string) => Buffer.from(base64, 'base64')

type Probe = Record<'root' | 'leafHash' | 'root1' | 'root2' | 'file', string> &
  Record<'leafIdx' | 'treeSize' | 'size1' | 'size2', number> & { proof: string[] | null; wantErr: boolean }

const accepted = (name: string): Probe[] => readVectors<Probe[]>(name).filter((probe) => !probe.wantErr)

/** The hashes with one bit of one of them flipped, one hash left out, doubled, or moved to the end. */
function mutated(hashes: readonly Buffer[], kind: number, at: number, bit: number): Buffer[] {
  const which = at % hashes.length
  const hash = Buffer.from(hashes[which] as Buffer)
  if (kind === 0) return hashes.toSpliced(which, 1)
  if (kind === 1) return hashes.toSpliced(which, 0, hash)
  hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return hashes.with(which, hash)
}

const mutation = [fc.nat(), fc.integer({ min: 0, max: 2 }), fc.nat(), fc.nat(255)] as const

test('an accepted inclusion probe with anything of it changed is refused', () => {
  const probes = accepted('merkle/inclusion.all.json')
  fc.assert(
    fc.property(...mutation, (pick, kind, at, bit) => {
      const probe = probes[pick % probes.length] as Probe
      const path = (probe.proof ?? []).map(bytes)
      const fixed = [bytes(probe.leafHash), bytes(probe.root)]
      const isOfPath = path.length > 0 && at % (path.length + 2) >= 2
      const [leaf, root] = isOfPath ? fixed : mutated(fixed, 2, at, bit)
      assert.throws(
        () =>
          verifyInclusion({
            leaf: leaf as Buffer,
            root: root as Buffer,
            index: BigInt(probe.leafIdx),
            size: BigInt(probe.treeSize),
            path: isOfPath ? mutated(path, kind, at, bit) : path,
          }),
        ProofError,
        probe.file,
      )
    }),
    { numRuns: 2_000 },
  )
})

test('an accepted consistency probe with anything of it changed is refused', () => {
  const probes = accepted('merkle/consistency.all.json').filter((probe) => bytes(probe.root1).length === 32)
  fc.assert(
    fc.property(...mutation, (pick, kind, at, bit) => {
      const probe = probes[pick % probes.length] as Probe
      const path = (probe.proof ?? []).map(bytes)
      const fixed = [bytes(probe.root1), bytes(probe.root2)]
      const isOfPath = path.length > 0 && at % (path.length + 2) >= 2
      const [firstRoot, secondRoot] = isOfPath ? fixed : mutated(fixed, 2, at, bit)
      assert.throws(
        () =>
          verifyConsistency({
            first: BigInt(probe.size1),
            firstRoot: firstRoot as Buffer,
            second: BigInt(probe.size2),
            secondRoot: secondRoot as Buffer,
            path: isOfPath ? mutated(path, kind, at, bit) : path,
          }),
        ProofError,
        probe.file,
      )
    }),
    { numRuns: 2_000 },
  )
})

test('the published note with any byte of it changed opens no more', () => {
  const { keys, sign } = readVectors<{ keys: { PeterNeumann: { vkey: string } }; sign: { want: string } }>(
    'sumdb/note.json',
  )
  const verifier = parseVerifierKey(keys.PeterNeumann.vkey)
  const note = Buffer.from(sign.want)
  assert.equal(openNote(note, [verifier]).verified.length, 1)
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(note)
      changed[at] = (changed[at] ?? 0) ^ change
      assert.throws(() => openNote(changed, [verifier]), NoteError)
    }),
    { numRuns: 2_000 },
  )
})

test('the published tree with any byte of it changed is refused or says something else', () => {
  const { formatTree } = readVectors<{ formatTree: { golden: string } }>('sumdb/tlog.json')
  const said = parseCheckpoint(formatTree.golden)
  const text = Buffer.from(formatTree.golden)
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 127 }), (at, change) => {
      const changed = Buffer.from(text)
      changed[at] = (changed[at] ?? 0) ^ change
      try {
        assert.notDeepEqual(parseCheckpoint(changed.toString()), said)
      } catch (error) {
        assert.ok(error instanceof CheckpointError, String(error))
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a tile path has one spelling: any other character string is refused or names another tile', () => {
  const paths = [
    { level: 0, index: 1_234_067n, width: 256 },
    { level: 'entries', index: 67n, width: 1 },
    { level: 63, index: 0n, width: 255 },
  ] as const
  fc.assert(
    fc.property(fc.nat(2), fc.nat(), fc.string({ unit: 'binary-ascii', maxLength: 2 }), (pick, at, put) => {
      const tile = paths[pick] as (typeof paths)[number]
      const path = tilePath(tile)
      const from = at % (path.length + 1)
      const changed = path.slice(0, from) + put + path.slice(from + 1)
      const parsed = parseTilePath(changed)
      if (changed === path) assert.deepEqual(parsed, tile)
      else if (parsed) {
        assert.notDeepEqual(parsed, tile)
        assert.equal(tilePath(parsed), changed)
      }
    }),
    { numRuns: 5_000 },
  )
})
