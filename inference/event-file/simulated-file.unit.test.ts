import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { campaignBatch, plannedBatch } from '../../domain/campaign.ts'
import { foldedBatch } from '../evaluate/folded-batch.ts'
import { EventFileError } from './event-file-error.ts'
import { exportSimulated, foldedThroughFile } from './export-simulated.ts'
import { foldedFromFile } from './folded-from-file.ts'
import { truthPathOf } from './truth-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'bioledger-simulated-file-'))
after(() => rmSync(folder, { recursive: true }))

const planned = plannedBatch(17)
assert.ok(planned)
const drawn = campaignBatch(planned, { seed: 5 })
/** More readings than one row group holds. */
const short = { ...drawn, settings: { ...drawn.settings, limitHours: 0.8 } }

test('a simulated batch gives the same windows, digest and truth through a file as in process', async () => {
  const path = join(folder, 'one.parquet')
  const inProcess = await foldedBatch(short, planned)
  assert.ok(inProcess.readings > 40_000)
  assert.deepStrictEqual(await foldedThroughFile(short, planned, path), inProcess)
})

test('the same batch is the same file, byte by byte', () => {
  const [one, two] = ['a.parquet', 'b.parquet'].map((name) => join(folder, name)) as [string, string]
  const tiny = { ...drawn, settings: { ...drawn.settings, limitHours: 0.1 } }
  exportSimulated(tiny, planned, one)
  exportSimulated(tiny, planned, two)
  assert.deepEqual(readFileSync(one), readFileSync(two))
})

test('without the truth beside it a batch has none, and the truth of another batch is refused', async () => {
  const path = join(folder, 'tiny.parquet')
  const tiny = { ...drawn, settings: { ...drawn.settings, limitHours: 0.1 } }
  exportSimulated(tiny, planned, path)
  const beside = truthPathOf(path)
  const truth = readFileSync(beside, 'utf8')
  rmSync(beside)
  assert.equal((await foldedFromFile(path)).truth, undefined)
  const other = JSON.stringify({ ...JSON.parse(truth), contentSha256: '0'.repeat(64) })
  for (const [text, words] of [
    [other, /contentSha256 is 0+: expected [0-9a-f]{64}/],
    [truth.slice(0, -20), /is no truth of a simulated batch/],
  ] as const) {
    writeFileSync(beside, text)
    await assert.rejects(
      foldedFromFile(path),
      (error) => error instanceof EventFileError && error.code === 'truth' && words.test(error.message),
    )
  }
})

test('a batch that cannot be simulated leaves no file', () => {
  const path = join(folder, 'none.parquet')
  const faulty = {
    ...drawn,
    settings: { ...drawn.settings, disturbances: [{ kind: 'duplicate', fromHours: 1, toHours: 2 } as const] },
  }
  assert.throws(() => exportSimulated(faulty, planned, path), /delivery faults/)
  assert.ok(!existsSync(path) && !existsSync(`${path}.part`) && !existsSync(truthPathOf(path)))
})
