import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parquetReadObjects } from 'hyparquet'
import { asyncBufferFromFile } from 'hyparquet/src/node.js'
import { campaignBatch, plannedBatch } from '../../domain/campaign.ts'
import { foldedBatch } from '../evaluate/folded-batch.ts'
import { dataSet, type LabelledBatch } from './data-set.ts'

const folder = mkdtempSync(join(tmpdir(), 'bioledger-data-set-'))
after(() => rmSync(folder, { recursive: true }))

const planned = plannedBatch(17)
assert.ok(planned)
const drawn = campaignBatch(planned, { seed: 5 })
const folded = await foldedBatch({ ...drawn, settings: { ...drawn.settings, limitHours: 2.4 } }, planned)
const name = { campaign: 5, number: 17, noise: 'realistic' }

async function rowsOf(batch: LabelledBatch): Promise<Record<string, unknown>[]> {
  const set = dataSet(8)
  set.add(name, batch)
  const path = join(folder, `${set.rows()}.parquet`)
  set.write(path)
  return await parquetReadObjects({ file: await asyncBufferFromFile(path) })
}

test('a simulated batch is labelled with its truth at every horizon', async () => {
  const rows = await rowsOf(folded)
  assert.ok(rows.length > 20)
  for (const row of rows) {
    assert.equal(row.label, 'truth')
    const now = Math.round(Number(row.hours) * 120)
    assert.equal(row['true:PT0S'], Math.log(folded.truth.odEvery30s[now] ?? Number.NaN))
    assert.equal(row['true:PT1H'], Math.log(folded.truth.odEvery30s[now + 120] ?? Number.NaN))
  }
})

test('a batch without truth is labelled by its offline samples, each at the one window that ends at its time or a horizon before', async () => {
  const samples = folded.windows.at(-1)?.samples ?? []
  const sample = samples.find(({ sampledMs }) => sampledMs > folded.startMs)
  assert.ok(sample)
  const rows = await rowsOf({ windows: folded.windows, truth: undefined })
  assert.ok(rows.every(({ label }) => label === 'offline-od600'))
  const hours = (sample.sampledMs - folded.startMs) / 3_600_000
  for (const [horizon, ahead] of [
    ['PT0S', 0],
    ['PT30M', 0.5],
    ['PT1H', 1],
  ] as const) {
    const column = `true:${horizon}`
    const labelled: Record<string, unknown>[] = rows.filter(
      (row) => Number(row[column]) === Math.log(sample.od600),
    )
    assert.equal(labelled.length, 1, column)
    assert.ok(Math.abs(Number(labelled[0]?.hours) - (hours - ahead)) <= 15 / 3_600, column)
  }
  assert.ok(rows.every((row) => Number.isNaN(row['true:depletion'])))
  const labels = ['PT0S', 'PT30S', 'PT30M', 'PT1H', 'PT2H'].map((horizon) => `true:${horizon}`)
  for (const row of rows) assert.ok(labels.some((column) => !Number.isNaN(row[column])))
})
