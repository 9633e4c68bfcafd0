/** Read models from events alone against the live ones, which a superuser changes table by table. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import type { RecordedEvent } from '../schemas/event.ts'
import { openShadowReadModels } from './shadow.ts'
import type { RowDifference } from './tables/first-difference.ts'
import {
  forecastIssued,
  forecastScored,
  forecastWithheld,
  windowDerived,
} from './testing/evidence-histories.ts'
import {
  batchCreated,
  batchIds,
  type Entry,
  gapClosed,
  gapDetected,
  histories,
  ingressStated,
  inoculated,
  quarantined,
  reading,
  sampleTaken,
  testStartMs,
} from './testing/histories.ts'
import { type ReadSide, readSide } from './testing/read-side.ts'

async function everything(side: ReadSide, after = 0n): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const page of side.store.readAll({ after })) events.push(...page.events)
  return events
}

/** Two batches in which everything happens. */
const longHistory = (): Entry[] =>
  batchIds.flatMap((id, at) => {
    const ms = testStartMs
    const topic = 'bioprocess/pichia/V-01/sensors/pH'
    return [
      batchCreated(id, at + 1),
      inoculated(id),
      ...Array.from({ length: 100 }, (_, second) => [
        reading(id, 'pH', ms + second * 1_000, 5 + second / 100),
        reading(id, 'DO', ms + second * 1_000, 40 + second, second % 9 === 0 ? 'bad' : 'good'),
      ]).flat(),
      quarantined(id, ms + 101_000),
      gapDetected(id, 'pH', ms + 99_000),
      gapClosed(id, 'pH', ms + 99_000, ms + 130_000),
      reading(id, 'pH', ms + 20_500, 5.5, 'good', ['late', 'out-of-order']),
      ingressStated(id, [{ topic, received: 101, duplicate: 0, quarantined: 1 }]),
      sampleTaken(id, 1, ms + 131_000),
      forecastIssued(id, ms + 132_000, 12.5),
      forecastWithheld(id, ms + 133_000),
      forecastScored(id, ms + 134_000, [true, false, true]),
      windowDerived(id, ms + 135_000, { CER: { value: 1.5 } }),
    ]
  })

test('whatever happened and however it was paged, live read models are what their events make', async (t) => {
  await fc.assert(
    fc.asyncProperty(histories(80), fc.integer({ min: 1, max: 40 }), async (entries, size) => {
      const side = await readSide(t)
      await side.startProjector()
      const last = await side.append(entries)
      await side.projected(last)
      const shadow = await openShadowReadModels({ url: side.appUrl, store: side.store })
      try {
        const events = await everything(side)
        for (let at = 0; at < events.length; at += size) await shadow.add(events.slice(at, at + size))
        await shadow.add(events)
        assert.deepEqual(await shadow.compare(last), { differences: [], isWhole: true })
      } finally {
        await shadow.close()
      }
    }),
    { numRuns: 4 },
  )
})

test('a row changed, removed or invented by a superuser is named by its table, key and row, in every table, with the columns', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const entries = longHistory()
  const last = await side.append(entries)
  await side.projected(last)
  const shadow = await openShadowReadModels({ url: side.appUrl, store: side.store })
  const client = new pg.Client({ connectionString: side.adminUrl })
  await client.connect()
  t.after(async () => {
    await client.end()
    await shadow.close()
  })
  await shadow.add(await everything(side))
  const batch = new RegExp(batchIds.join('|'))
  const changed = (columns: readonly string[]) => ({ how: 'changed', columns }) as const
  const missing = { how: 'missing', columns: [] } as const
  const extra = { how: 'extra', columns: [] } as const
  const changes: readonly (readonly [table: string, sql: string, first: Omit<RowDifference, 'row'>])[] = [
    [
      'batch',
      `UPDATE projections.batch SET sample_count = sample_count + 1 WHERE batch_id = '${batchIds[0]}'`,
      changed(['sample_count']),
    ],
    [
      'batch',
      `DELETE FROM projections.batch WHERE upper_inf(known) AND batch_id = '${batchIds[1]}'`,
      missing,
    ],
    [
      'timeline',
      'UPDATE projections.timeline SET sentence = $$nothing happened$$ WHERE position = (SELECT max(position) FROM projections.timeline)',
      changed(['sentence']),
    ],
    [
      'timeline',
      'DELETE FROM projections.timeline WHERE position = (SELECT min(position) FROM projections.timeline)',
      missing,
    ],
    [
      'quarantine',
      'DELETE FROM projections.quarantine WHERE position = (SELECT min(position) FROM projections.quarantine)',
      missing,
    ],
    [
      'gap',
      'UPDATE projections.gap SET missing = 0, to_at = from_at WHERE opened_position = (SELECT min(opened_position) FROM projections.gap)',
      changed(['to_at', 'missing']),
    ],
    ['ingress_statement', `UPDATE projections.ingress_statement SET counted = '{}'`, changed(['counted'])],
    [
      'reading_window',
      'UPDATE projections.reading_window SET mean = mean + 1 WHERE (series_id, from_at) = (SELECT series_id, min(from_at) FROM projections.reading_window GROUP BY 1 LIMIT 1)',
      changed(['mean']),
    ],
    [
      'reading',
      'UPDATE projections.reading_chunk SET points = set_byte(points, 24, 1 + get_byte(points, 24) % 200) WHERE (series_id, first_position) = (SELECT series_id, min(first_position) FROM projections.reading_chunk GROUP BY 1 LIMIT 1)',
      changed(['value']),
    ],
    [
      'reading',
      'DELETE FROM projections.reading_chunk WHERE (series_id, first_position) = (SELECT series_id, min(first_position) FROM projections.reading_chunk GROUP BY 1 LIMIT 1)',
      missing,
    ],
    [
      'forecast',
      `UPDATE projections.forecast SET reason = 'other', input_hash = 'other'`,
      changed(['reason', 'input_hash']),
    ],
    [
      'forecast_score',
      'DELETE FROM projections.forecast_score WHERE position = (SELECT min(position) FROM projections.forecast_score)',
      missing,
    ],
    [
      'derived_window',
      'UPDATE projections.derived_window SET quality_score = 0.123 WHERE position = (SELECT min(position) FROM projections.derived_window)',
      changed(['quality_score']),
    ],
    [
      'sample',
      'UPDATE projections.sample SET od600 = 99 WHERE position = (SELECT min(position) FROM projections.sample)',
      changed(['od600']),
    ],
    [
      'series',
      `INSERT INTO projections.series SELECT 9999, stream, 'invented', unit, first_position FROM projections.series LIMIT 1`,
      extra,
    ],
  ]
  for (const [table, sql, expected] of changes) {
    const touched = table === 'reading' ? 'reading_chunk' : table
    await client.query(`CREATE TEMP TABLE kept AS TABLE projections.${touched}`)
    assert.ok((await client.query(sql)).rowCount, sql)
    const { differences } = await shadow.compare(last)
    assert.deepEqual([...new Set(differences.map((difference) => difference.table))], [table], sql)
    for (const { key } of differences) assert.match(key, batch)
    const { row, how, columns = [] } = differences[0]?.first ?? {}
    assert.deepEqual(
      { how, columns: [...columns].sort() },
      { ...expected, columns: [...expected.columns].sort() },
      sql,
    )
    assert.match(row ?? '', /^(position|known_from|opened_position|from_at|tag) \S/, sql)
    await client.query(`TRUNCATE projections.${touched}`)
    await client.query(`INSERT INTO projections.${touched} SELECT * FROM kept`)
    await client.query('DROP TABLE kept')
    assert.deepEqual((await shadow.compare(last)).differences, [])
  }
})

test('a stream that this side had to leave out is not compared, and said to make it useless', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const entries = longHistory()
  const last = await side.append(entries)
  await side.projected(last)
  const shadow = await openShadowReadModels({ url: side.appUrl, store: side.store })
  t.after(() => shadow.close())
  const events = await everything(side)
  const left = events.find(({ stream, revision }) => stream === `reading-${batchIds[0]}` && revision === 3n)
  await shadow.add(events.filter((event) => event !== left))
  assert.deepEqual(await shadow.compare(last), { differences: [], isWhole: false })
})
