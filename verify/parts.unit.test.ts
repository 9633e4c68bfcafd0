/** The verifier's own parts against Node and published vectors: hashes, signatures, spellings, sentences. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { sampleLog } from '../ledger/extract/testing/sample-log.ts'
import { rootOf } from '../ledger/log/proof.ts'
import { canonicalJson } from '../schemas/canonical-json.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { sentenceOf as registrySentence } from '../schemas/events/registry.ts'
import { fromBase64, toBase64 } from './src/bytes.ts'
import { canonical, isPlainlyCanonical, type Json } from './src/canonical.ts'
import { crc32 as ownCrc32 } from './src/crc32.ts'
import { sha512, verifyEd25519 } from './src/ed25519.ts'
import { nodePlatform } from './src/platform-node.ts'
import { sentenceOf } from './src/sentences.ts'
import { sha256 } from './src/sha256.ts'
import { growingTree, tiling } from './src/tree.ts'
import { linesOf, takeApart } from './testing/extract-file.ts'
import { extractOf } from './testing/honest-extract.ts'

test('SHA-256, SHA-512 and CRC-32 are those of Node, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, cut) => {
      const hasher = sha256()
      hasher.update(bytes.subarray(0, cut))
      hasher.update(bytes.subarray(cut))
      assert.deepEqual(Buffer.from(hasher.digest()), createHash('sha256').update(bytes).digest())
      assert.deepEqual(Buffer.from(sha512(bytes)), createHash('sha512').update(bytes).digest())
      assert.equal(ownCrc32(bytes.subarray(cut), ownCrc32(bytes.subarray(0, cut), 0)), crc32(bytes))
    }),
    { numRuns: 400 },
  )
})

test('Ed25519 in plain JavaScript accepts what Node signs and refuses any flipped bit', () => {
  for (let run = 0; run < 6; run++) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const key = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
    const message = Buffer.from(`message ${run}`)
    const signature = sign(null, message, privateKey)
    assert.ok(verifyEd25519(key, message, signature))
    for (const flipped of [0, 31, 32, 63]) {
      const wrong = Buffer.from(signature)
      wrong.writeUInt8(wrong.readUInt8(flipped) ^ 1, flipped)
      assert.ok(!verifyEd25519(key, message, wrong))
    }
    assert.ok(!verifyEd25519(key, Buffer.from('another message'), signature))
    assert.ok(!verifyEd25519(key, message, signature.subarray(0, 63)))
  }
})

test('Ed25519: a signature whose S is not below the order of the group is refused (RFC 8032 5.1.7)', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  const signature = sign(null, Buffer.from('m'), privateKey)
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  let s = order
  for (let at = 31; at >= 0; at--) s += BigInt(signature.readUInt8(32 + at)) << BigInt(8 * at)
  const malleated = Buffer.from(signature)
  for (let at = 0; at < 32; at++) malleated.writeUInt8(Number((s >> BigInt(8 * at)) & 255n), 32 + at)
  assert.ok(!verifyEd25519(key, Buffer.from('m'), malleated))
})

test('the published RFC 8785 vectors are spelt as published, and any JSON as the product spells it', () => {
  const vectors = new URL('../schemas/vectors/rfc8785/', import.meta.url)
  for (const name of ['arrays', 'french', 'structures', 'unicode', 'values', 'weird']) {
    const input = JSON.parse(readFileSync(new URL(`input/${name}.json`, vectors), 'utf8')) as Json
    assert.equal(canonical(input), readFileSync(new URL(`output/${name}.json`, vectors), 'utf8').trimEnd())
  }
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value = JSON.parse(text) as Json
      let expected: string
      try {
        expected = canonicalJson(value)
      } catch {
        assert.throws(() => canonical(value))
        return
      }
      assert.equal(canonical(value), expected)
    }),
    { numRuns: 500 },
  )
})

test('base64 is read in its one spelling only', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      assert.equal(toBase64(bytes), text)
      assert.deepEqual(fromBase64(text), bytes)
    }),
  )
  for (const wrong of ['AA', 'AB==', 'AA=', 'A A=', 'AA==\n', 'AA==AA==', '-_==', 'AAA=A'])
    assert.equal(fromBase64(wrong), undefined, wrong)
})

test('any set of leaves with the tiling of its gaps gives the root of the tree', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.uniqueArray(fc.nat(299), { minLength: 1 }),
      async (size, picked) => {
        const leaves = Array.from({ length: size }, (_, at) => nodePlatform.leafHash(`leaf ${at}`))
        const read = async (level: number, index: bigint): Promise<Uint8Array> => {
          if (level === 0) return leaves[Number(index)] as Uint8Array
          const input = [await read(level - 1, 2n * index), await read(level - 1, 2n * index + 1n)]
          return nodePlatform.hash(Buffer.concat([Buffer.of(1), ...input]))
        }
        const tree = growingTree(nodePlatform)
        const included = picked.filter((at) => at < size).sort((a, b) => a - b)
        let next = 0
        const fill = async (to: number) => {
          for (const level of tiling(next, to)) {
            tree.appendSubtree(level, await read(level, BigInt(next / 2 ** level)))
            next += 2 ** level
          }
        }
        for (const at of included) {
          await fill(at)
          tree.appendLeaf(leaves[at] as Uint8Array)
          next++
        }
        await fill(size)
        assert.deepEqual(Buffer.from(tree.root()), Buffer.from(await rootOf(BigInt(size), read)))
      },
    ),
    { numRuns: 100 },
  )
})

test("the verifier's sentences are the record's own", async () => {
  const members = await takeApart(await extractOf(sampleLog({ seed: 'sentences', readings: 90 })))
  const seen = new Set<string>()
  for (const line of linesOf(members)) {
    const { leaf, payload } = JSON.parse(line) as { leaf: ClientEvent; payload?: Pick<ClientEvent, 'data'> }
    const event = { ...leaf, ...payload }
    if (seen.has(event.type) || event.type.startsWith('Ledger') || event.type === 'HeadsStated') continue
    seen.add(event.type)
    if (event.type === 'SensorReadingRecorded') continue
    assert.equal(
      sentenceOf(event.type, event.data as never, event.actor.id, event.reason),
      registrySentence(event),
    )
  }
  assert.ok(seen.size >= 7, [...seen].join())
})

test('the fast look at a line agrees with its canonical spelling', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.boolean(), (given, isSpelt) => {
      const value = JSON.parse(given) as Json
      let expected: string | undefined
      try {
        expected = canonical(value)
      } catch {
        expected = undefined
      }
      const text = isSpelt && expected !== undefined ? expected : given
      if (isPlainlyCanonical(JSON.parse(text) as Json, text)) assert.equal(text, expected)
      else if (expected !== undefined && !/"\d+":|\\ud/.test(text)) assert.notEqual(text, expected)
    }),
    { numRuns: 2000 },
  )
})
