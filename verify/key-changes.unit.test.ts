/** Who pinned an earlier key follows the log's changes of key, and is not led astray by one that is not proven. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { sampleLog } from '../ledger/extract/testing/sample-log.ts'
import { consistencyProof, rootOf } from '../ledger/log/proof.ts'
import { isConsistent } from './src/key-changes.ts'
import { nodePlatform } from './src/platform-node.ts'
import { verifyHere, verifyThere } from './testing/agreement.ts'
import { type Members, putTogether, reseal, takeApart } from './testing/extract-file.ts'
import { extractOf, otherLog } from './testing/honest-extract.ts'
import { hasPython, pythonVerifier } from './testing/python.ts'

const folder = mkdtempSync(join(tmpdir(), 'bioledger-keys-'))
const python = hasPython ? pythonVerifier() : undefined
after(async () => {
  await python?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function exits(zip: Buffer, key: string): Promise<number[]> {
  const here = await verifyHere(zip, key)
  const there = python ? await verifyThere(python, folder, zip, key) : here
  return [here.exit, there.exit]
}

async function changed() {
  const made = sampleLog({ seed: 'change of key', readings: 80 })
  const next = made.log.changeKey(made.endMs + 3_600_000)
  made.log.stateHeads(made.endMs + 3_700_000)
  made.log.publish()
  const members = await takeApart(await extractOf(made))
  return {
    made,
    next,
    members,
    change: [...members.keys()].find((name) => name.startsWith('key-change-')) ?? '',
  }
}

test('the key before the change and the one after it both verify the extract', async () => {
  const { made, next, members } = await changed()
  const zip = putTogether(members)
  assert.deepEqual(await exits(zip, next.verifierKey), [0, 0])
  assert.deepEqual(await exits(zip, made.log.logKey.verifierKey), [0, 0])
  assert.deepEqual(await exits(zip, otherLog().logKey.verifierKey), [1, 1])
})

test('without the change, or with one that is altered, the key before it vouches for nothing', async () => {
  const { made, members, change } = await changed()
  const alter = async (edit: (all: Members) => void) => {
    const all = new Map(members)
    edit(all)
    reseal(all, made.log.exportKey)
    return await exits(putTogether(all), made.log.logKey.verifierKey)
  }
  const text = String(members.get(change))
  const put = (altered: string) => (all: Members) => void all.set(change, Buffer.from(altered))
  assert.deepEqual(await alter((all) => void all.delete(change)), [1, 1])
  assert.deepEqual(await alter(put(text.replace(/\n.{4}/, '\nAAAA'))), [1, 1])
  assert.deepEqual(await alter(put(text.replace('v1', 'v2'))), [1, 1])
  assert.deepEqual(await alter(put(text.replace(/\n— .*\n$/, '\n'))), [1, 1])
  assert.deepEqual(await alter((all) => void all.set('key-change-7.txt', Buffer.from(text))), [1, 1])
})

test('a tree continues its prefixes and no other tree, as the proofs of the log show', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 200 }),
      fc.nat(),
      async (a, b, flip) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)]
        const read = async (level: number, index: bigint): Promise<Uint8Array> => {
          if (level === 0) return nodePlatform.leafHash(`leaf ${index}`)
          const parts = [await read(level - 1, 2n * index), await read(level - 1, 2n * index + 1n)]
          return nodePlatform.hash(Buffer.concat([Buffer.of(1), ...parts]))
        }
        const roots = [await rootOf(BigInt(first), read), await rootOf(BigInt(second), read)] as const
        const path = await consistencyProof(BigInt(first), BigInt(second), read)
        const holds = (given: readonly Uint8Array[]) =>
          isConsistent(first, roots[0], second, roots[1], given, nodePlatform)
        assert.ok(holds(path))
        assert.ok(!holds([...path, roots[0]]))
        if (path.length === 0) return
        assert.ok(!holds(path.slice(1)))
        const broken = path.map((hash) => Buffer.from(hash))
        const one = broken[flip % broken.length] as Buffer
        one.writeUInt8(one.readUInt8(flip % 32) ^ 1, flip % 32)
        assert.ok(!holds(broken))
      },
    ),
    { numRuns: 100 },
  )
})
