import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readings } from '../../infra/event-store/testing/sample-events.ts'
import { until } from '../../infra/testing/until.ts'
import { parseCheckpoint } from '../log/checkpoint.ts'
import { parseNote } from '../log/note.ts'
import { rootOf } from '../log/proof.ts'
import { hashSize, leafHash, nodeHash } from '../log/tree-hash.ts'
import { ledgerBed } from '../testing/running-ledger.ts'
import { splitBundle } from './entry-codec.ts'
import { publishFiles, StaticFilesError } from './static-files.ts'

test('the files alone hold the log: entries hash to the tiles, tiles lead to the checkpoint, partial ones go when full', async () => {
  const bed = await ledgerBed()
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-files-'))
  try {
    bed.start({ filesFolder: folder })
    for (const count of [100, 200, 500, 300]) {
      await bed.store.append([{ stream: 'reading-b1', expectedRevision: 'any', events: readings(count) }])
      const sealed = await bed.sealed()
      const { size, root } = await until('the files follow', async () => {
        const note = await readFile(join(folder, 'checkpoint'), 'utf8').catch(() => undefined)
        const checkpoint = note === undefined ? undefined : parseCheckpoint(parseNote(note).text)
        return checkpoint && checkpoint.size >= sealed.size && checkpoint
      })
      const leaves: Buffer[] = []
      for (let index = 0; BigInt(index * 256) < size; index++) {
        const width = Math.min(256, Number(size) - index * 256)
        const name = `${String(index).padStart(3, '0')}${width < 256 ? `.p/${width}` : ''}`
        const entries = splitBundle(await readFile(join(folder, 'tile/entries', name)))
        const hashes = await readFile(join(folder, 'tile/0', name))
        assert.equal(entries.length, width)
        assert.deepEqual(Buffer.concat(entries.map(leafHash)), hashes)
        for (let at = 0; at < width; at++) leaves.push(hashes.subarray(at * hashSize, (at + 1) * hashSize))
      }
      const read = async (level: number, index: bigint): Promise<Buffer> =>
        level === 0
          ? (leaves[Number(index)] as Buffer)
          : nodeHash(await read(level - 1, 2n * index), await read(level - 1, 2n * index + 1n))
      assert.deepEqual(await rootOf(size, read), root)
    }
    const names = await readdir(join(folder, 'tile/0'))
    assert.ok(names.includes('000') && !names.includes('000.p'), names.join(' '))
  } finally {
    await bed.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test('a folder with another log, or with a checkpoint that this log does not contain, is left as it is', async () => {
  const bed = await ledgerBed()
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-files-'))
  try {
    await bed.store.append([{ stream: 'reading-b1', expectedRevision: 'any', events: readings(10) }])
    bed.start()
    const { note } = await bed.sealed()
    const origin = await bed.reader.origin()
    const [, size, root = ''] = note.split('\n')
    const otherRoot = Buffer.from(root, 'base64').fill(1).toString('base64')
    for (const [held, rule] of [
      [note.replace(origin as string, 'ledger.example/other'), /it holds the log ledger.example\/other/],
      [note.replace(root, otherRoot), /is no part of this log/],
      [note.replace(`\n${size}\n`, '\n999999\n'), /is no part of this log/],
      ['rubbish', /its checkpoint is none/],
    ] as const) {
      await writeFile(join(folder, 'checkpoint'), held)
      await assert.rejects(publishFiles(bed.reader, folder), (error) => {
        assert.ok(error instanceof StaticFilesError)
        assert.match(error.message, rule)
        return true
      })
      assert.equal(await readFile(join(folder, 'checkpoint'), 'utf8'), held)
      assert.deepEqual(await readdir(folder), ['checkpoint'])
    }
  } finally {
    await bed.close()
    await rm(folder, { recursive: true, force: true })
  }
})
