/**
 * Outside vectors: transparency-dev/merkle (RFC 6962 proofs) and golang.org/x/mod/sumdb (signed notes, tile
 * paths); sources and licences in `ledger/vectors/…/PROVENANCE.txt`.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkpointText, parseCheckpoint } from './checkpoint.ts'
import { NoteError, openNote, parseSignerKey, parseVerifierKey, signNote } from './note.ts'
import { verifyConsistency, verifyInclusion } from './proof.ts'
import { tilePath } from './tile.ts'
import { emptyRoot, leafHash, nodeHash } from './tree-hash.ts'

/** Integers beyond 2^53 stand in some cases that must be refused: kept as text, never rounded. */
function readVectors<Shape>(name: string): Shape {
  const text = readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8')
  return JSON.parse(text.replace(/: ?(\d{16,})(?=[,\n}])/g, ': "$1"')) as Shape
}

const bytes = (base64: string) => Buffer.from(base64, 'base64')

type InclusionCase = {
  leafIdx: number | string
  treeSize: number | string
  root: string
  leafHash: string
  proof: string[] | null
  desc: string
  wantErr: boolean
  file: string
}
type ConsistencyCase = {
  size1: number | string
  size2: number | string
  root1: string
  root2: string
  proof: string[] | null
  desc: string
  wantErr: boolean
  file: string
}

test('the 98 published inclusion probes are accepted and refused as published', () => {
  const cases = readVectors<InclusionCase[]>('merkle/inclusion.all.json')
  let accepted = 0
  for (const probe of cases) {
    const verify = () =>
      verifyInclusion({
        leaf: bytes(probe.leafHash),
        index: BigInt(probe.leafIdx),
        size: BigInt(probe.treeSize),
        root: bytes(probe.root),
        path: (probe.proof ?? []).map(bytes),
      })
    if (probe.wantErr) assert.throws(verify, `${probe.file}: ${probe.desc}`)
    else {
      verify()
      accepted++
    }
  }
  assert.deepEqual([cases.length, accepted], [98, 6])
})

test('the 98 published consistency probes are accepted and refused as published', () => {
  const cases = readVectors<ConsistencyCase[]>('merkle/consistency.all.json')
  let accepted = 0
  for (const probe of cases) {
    const verify = () =>
      verifyConsistency({
        first: BigInt(probe.size1),
        firstRoot: bytes(probe.root1),
        second: BigInt(probe.size2),
        secondRoot: bytes(probe.root2),
        path: (probe.proof ?? []).map(bytes),
      })
    // One published accept case has roots that are no hashes; a verifier that insists on 32 bytes refuses it.
    const isExempt = probe.file.endsWith('sizes-are-equal-one-and-proof-is-empty.json')
    if (probe.wantErr || isExempt) assert.throws(verify, `${probe.file}: ${probe.desc}`)
    else {
      verify()
      accepted++
    }
  }
  assert.deepEqual([cases.length, accepted], [98, 5])
})

test('the published hash constants and roots of the first sizes are reproduced', () => {
  const { leafInputsHex, rootHashesBySizeHex } = readVectors<{
    leafInputsHex: string[]
    rootHashesBySizeHex: string[]
  }>('merkle/constants.json')
  const leaves = leafInputsHex.map((hex) => leafHash(Buffer.from(hex, 'hex')))
  const root = (hashes: Buffer[]): Buffer => {
    if (hashes.length === 0) return emptyRoot
    if (hashes.length === 1) return hashes[0]!
    let half = 1
    while (half * 2 < hashes.length) half *= 2
    return nodeHash(root(hashes.slice(0, half)), root(hashes.slice(half)))
  }
  rootHashesBySizeHex.forEach((hex, size) => {
    assert.equal(root(leaves.slice(0, size)).toString('hex'), hex)
  })
})

test('the 16 published notes open and fail as published', () => {
  const cases =
    readVectors<
      {
        name: string
        msgBase64: string
        vkeys: string[]
        verdict: string
        verifiedKeyNames: string[]
        unverifiedKeyNames: string[]
      }[]
    >('sumdb/note-open.json')
  let accepted = 0
  for (const probe of cases) {
    const open = () => openNote(bytes(probe.msgBase64), probe.vkeys.map(parseVerifierKey))
    if (probe.verdict === 'accept') {
      const { verified, unknown } = open()
      assert.deepEqual(
        verified.map((signature) => signature.name),
        probe.verifiedKeyNames,
        probe.name,
      )
      assert.deepEqual(
        unknown.map((signature) => signature.name),
        probe.unverifiedKeyNames,
        probe.name,
      )
      accepted++
    } else assert.throws(open, NoteError, probe.name)
  }
  assert.deepEqual([cases.length, accepted], [16, 4])
})

test('the published note is signed to the byte, and every mangled key is refused', () => {
  const { keys, sign, badVkeys } = readVectors<{
    keys: { PeterNeumann: { vkey: string; skey: string } }
    sign: { text: string; want: string }
    badVkeys: { vkey: string }[]
  }>('sumdb/note.json')
  const { vkey, skey } = keys.PeterNeumann
  const signer = parseSignerKey(skey)
  assert.equal(signNote(sign.text, [signer]), sign.want)
  assert.equal(signer.verifierKey, vkey)
  for (const bad of badVkeys) assert.throws(() => parseVerifierKey(bad.vkey), NoteError, bad.vkey)
  for (const [parse, key] of [
    [parseVerifierKey, vkey],
    [parseSignerKey, skey],
  ] as const) {
    for (let from = 0; from < key.length; from++)
      for (let to = from; to <= key.length; to++)
        if (to - from < key.length)
          assert.throws(() => parse(key.slice(from, to)), NoteError, key.slice(from, to))
    for (let at = 0; at < key.length; at++) {
      const mangled = key.slice(0, at) + String.fromCharCode(key.charCodeAt(at) + 1) + key.slice(at + 1)
      assert.throws(() => parse(mangled), NoteError, mangled)
    }
  }
  for (const text of ['abc', 'a\u0001b\n', 'lone \ud800\n'])
    assert.throws(() => signNote(text, [signer]), NoteError)
})

test('the published tree is spelt as published, and its mangled spellings are refused', () => {
  const { formatTree, badTrees } = readVectors<{
    formatTree: { n: number; hashOfRecordUtf8: string; origin: string; golden: string }
    badTrees: string[]
  }>('sumdb/tlog.json')
  const root = leafHash(Buffer.from(formatTree.hashOfRecordUtf8))
  const text = checkpointText({ origin: formatTree.origin, size: BigInt(formatTree.n), root })
  assert.equal(text, formatTree.golden)
  assert.deepEqual(parseCheckpoint(text), {
    origin: formatTree.origin,
    size: BigInt(formatTree.n),
    root,
    extensions: [],
  })
  // The first bad tree has another origin, which is a checkpoint of another log, not a malformed one.
  for (const bad of badTrees.slice(1)) assert.throws(() => parseCheckpoint(bad), bad)
})

test('tile indexes are spelt in groups of three as published', () => {
  const { tilePaths } = readVectors<{
    tilePaths: { path: string; L: number; N: number; W: number; invalid?: boolean }[]
  }>('sumdb/tlog.json')
  for (const { path, L, N } of tilePaths.filter((row) => !row.invalid && row.L >= 0)) {
    const spelt = path.replace(/^tile\/\d+\/\d+\//, '').replace(/\.p\/\d+$/, '')
    assert.equal(tilePath({ level: L, index: BigInt(N), width: 256 }), `tile/${L}/${spelt}`)
  }
})
