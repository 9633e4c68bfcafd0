/** Reading the whole log finds what no statement shows, and what the operator rewrote since an earlier inspection. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryLog } from '../ledger/extract/testing/memory-log.ts'
import { sampleLog } from '../ledger/extract/testing/sample-log.ts'
import { sortedByKey } from '../ledger/heads/heads-list.ts'
import { tilePath } from '../ledger/log/tile.ts'
import { leafHash } from '../ledger/log/tree-hash.ts'
import { checkWholeLog, keptCheckpoints, type LogFetcher } from './src/deep.ts'
import { parseKey } from './src/note.ts'
import { nodePlatform } from './src/platform-node.ts'
import { verifyExtract } from './src/verify.ts'
import { withholding } from './testing/dropped-streams.ts'
import { inMemory } from './testing/extract-file.ts'
import { extractOf } from './testing/honest-extract.ts'

async function bundlesOf(log: MemoryLog): Promise<Map<string, Buffer>> {
  const bundles = new Map<string, Buffer>()
  const size = BigInt(log.size)
  for (let from = 0n; from < size; from += 256n) {
    const parts: Buffer[] = []
    const to = from + 256n < size ? from + 256n : size
    for await (const { leaf } of log.entries(from, to)) {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(leaf.length)
      parts.push(length, leaf)
    }
    bundles.set(
      tilePath({ level: 'entries', index: from / 256n, width: Number(to - from) }),
      Buffer.concat(parts),
    )
  }
  return bundles
}

async function deeply(zip: Buffer, log: MemoryLog, fetchLog: LogFetcher, notes: readonly string[] = []) {
  const key = parseKey(log.logKey.verifierKey, nodePlatform)
  const kept = await keptCheckpoints(
    notes.map((note) => Buffer.from(note)),
    [key],
    nodePlatform,
  )
  const pinned = { logKeys: [key], exportKeys: [], witnesses: [] }
  return await verifyExtract(inMemory(zip), pinned, nodePlatform, (examined) =>
    checkWholeLog(examined, fetchLog, kept, nodePlatform),
  )
}

test('an honest extract and an honest log agree, down to the checkpoint that was kept before', async () => {
  const made = sampleLog({ seed: 'deep', readings: 200, later: 3 })
  const earlier = made.log.publish()
  made.log.stateHeads(made.endMs + 3_600_000)
  made.log.publish()
  const bundles = await bundlesOf(made.log)
  const verdict = await deeply(await extractOf(made), made.log, async (path) => bundles.get(path), [
    earlier.note,
  ])
  assert.deepEqual(verdict.findings, [])
  assert.equal(verdict.exit, 0)
  assert.equal(verdict.checks.find(({ id }) => id === 'deep')?.status, 'pass')
})

test('a stream of the batch that is left out as a whole is found and named', async () => {
  const made = sampleLog({ seed: 'deep stream', readings: 100 })
  const stream = `forecast-${made.batchId}`
  const log: MemoryLog = {
    ...made.log,
    indexesOf: async function* (asked, range) {
      if (asked !== stream) yield* made.log.indexesOf(asked, range)
    },
  }
  const bundles = await bundlesOf(made.log)
  const zip = await extractOf({ log, batchId: made.batchId })
  const verdict = await deeply(zip, made.log, async (path) => bundles.get(path))
  assert.equal(verdict.exit, 1)
  assert.equal(verdict.firstBadEvent?.stream, stream)
  assert.equal(verdict.firstBadEvent?.revision, 0)
})

test('a log that was rewritten since the kept checkpoint is found, and so is one that lacks a bundle', async () => {
  const made = sampleLog({ seed: 'deep rewritten', readings: 200 })
  const rewritten = sampleLog({ seed: 'deep rewritten', readings: 190 })
  const earlier = rewritten.log.publish()
  const bundles = await bundlesOf(made.log)
  const zip = await extractOf(made)
  const verdict = await deeply(zip, made.log, async (path) => bundles.get(path), [earlier.note])
  assert.equal(verdict.exit, 1)
  assert.match(verdict.findings[0]?.message ?? '', /another root at size/)
  const lacking = await deeply(zip, made.log, async (path) =>
    path.includes('001') ? undefined : bundles.get(path),
  )
  assert.match(lacking.findings[0]?.message ?? '', /the log has no tile\/entries\/001/)
})

test('events counted for an invented stream pass the extract, and are found in the whole log', async () => {
  const made = sampleLog({ seed: 'deep invented', readings: 60, isClosed: false })
  const { log, batchId } = made
  const stream = `batch-${batchId}`
  const count = log.countOf(stream)
  const shownLast = { from: BigInt(count - 3), to: BigInt(count - 3), size: BigInt(log.size) }
  const shown: { index: bigint; hash: Buffer }[] = []
  for await (const { index, leaf } of log.entriesOf(log.indexesOf(stream, shownLast)))
    shown.push({ index, hash: leafHash(leaf) })
  const end = shown[0]
  assert.ok(end)
  log.stateHeads(made.endMs + 3_600_000, (records) => {
    const own = records.find((record) => record.count === BigInt(count))
    assert.ok(own)
    const lie = { ...own, count: BigInt(count - 2), lastIndex: end.index, lastLeafHash: end.hash }
    const invented = { ...own, streamKey: Buffer.alloc(32, 7), count: 2n }
    return sortedByKey([...records.filter((record) => record !== own), lie, invented])
  })
  log.publish()
  const hiding = withholding(log, (asked, revision) => asked === stream && revision >= BigInt(count - 2))
  const zip = await extractOf({ log: hiding, batchId })
  const bundles = await bundlesOf(log)
  const verdict = await deeply(zip, log, async (path) => bundles.get(path))
  const failed = verdict.checks.filter(({ status }) => status === 'fail').map(({ id }) => id)
  assert.deepEqual(failed, ['deep'])
  assert.equal(verdict.firstBadEvent?.stream, stream)
  assert.match(JSON.stringify(verdict.findings), /the heads statement says otherwise/)
})
