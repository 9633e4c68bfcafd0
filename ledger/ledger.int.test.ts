import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readings, typed } from '../infra/event-store/testing/sample-events.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { parseLeaf } from './leaf/leaf.ts'
import { parseCheckpoint } from './log/checkpoint.ts'
import { openNote, parseVerifierKey } from './log/note.ts'
import { inclusionProof, verifyInclusion } from './log/proof.ts'
import { leafHash } from './log/tree-hash.ts'
import { type LedgerBed, ledgerBed } from './testing/running-ledger.ts'

async function fill(bed: LedgerBed, count: number, stream = 'reading-b1'): Promise<void> {
  for (let left = count; left > 0; left -= 500)
    await bed.store.append([{ stream, expectedRevision: 'any', events: readings(Math.min(left, 500)) }])
}

test('every event is sealed: the checkpoint opens with the published key and every entry is proven under it', async () => {
  const bed = await ledgerBed()
  try {
    await fill(bed, 1_200)
    await bed.store.append([{ stream: 'batch-b1', expectedRevision: 'any', events: [typed()] }])
    await fill(bed, 300, 'reading-b2')
    bed.start()
    const checkpoint = await bed.sealed()
    const vkey = (await readFile(join(bed.folder, 'ledger.vkey'), 'utf8')).trim()
    assert.equal((await stat(join(bed.folder, 'ledger.key'))).mode & 0o777, 0o600)
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
        [said.id, said.stream, said.revision],
        [event.id, event.stream, String(event.revision)],
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
  } finally {
    await bed.close()
  }
})
