import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  forecastIssued,
  forecastScored,
  forecastWithheld,
  windowDerived,
} from '../testing/evidence-histories.ts'
import { batchCreated, batchIds, inoculated, sampleTaken, testStartMs } from '../testing/histories.ts'
import { readSide } from '../testing/read-side.ts'

const [id, otherId] = batchIds
const api = `/api/v1/batches/${id}`
const window = (index: number) => testStartMs + index * 30_000
const iso = (ms: number) => new Date(ms).toISOString()

type Item = Record<string, unknown> & { issuedAt: string; position: string; kind: string }
type List = { items: Item[]; next: string | null; asOf: { position: string } }

test('a forecast is answered as it was issued, with its model, its inputs and where it was recorded', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const last = await side.append([batchCreated(id), forecastIssued(id, window(1), 4)])
  await side.projected(last)
  const { items, next, asOf } = (await side.get(`${api}/forecasts`)).json() as List
  assert.equal(items.length, 1)
  const [item] = items
  assert.deepEqual(Object.keys(item ?? {}), [
    'kind',
    'issuedAt',
    'window',
    'recordedAt',
    'modelId',
    'modelVersion',
    'modelHash',
    'featureSchemaHash',
    'inputHash',
    'inputPositions',
    'phase',
    'hoursSinceInoculation',
    'inDomainScore',
    'lastValue',
    'lastMu',
    'horizons',
    'depletionMinutes',
    'attributions',
    'position',
    'eventId',
  ])
  assert.equal(item?.kind, 'issued')
  assert.equal(item?.issuedAt, iso(window(1)))
  assert.equal(item?.modelHash, 'a'.repeat(64))
  assert.equal(item?.inputHash, 'c'.repeat(64))
  assert.deepEqual((item?.horizons as object[] | undefined)?.[2], {
    horizon: 'PT30M',
    p5: 4 * 1.11 * 0.9,
    p50: 4 * 1.11,
    p95: 4 * 1.11 * 1.1,
  })
  assert.deepEqual([item?.inDomainScore, item?.lastValue, item?.lastMu], [0.8, 4, 0.21])
  assert.deepEqual(item?.inputPositions, { from: '1', to: '9' })
  assert.deepEqual(item?.attributions, [{ feature: 'OUR', contribution: 0.1 / 3 }])
  assert.equal(item?.position, last.toString())
  assert.equal(next, null)
  assert.equal(asOf.position, last.toString())
})

test('a withheld forecast carries its reason and no number', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.projected(await side.append([batchCreated(id), forecastWithheld(id, window(1))]))
  const { items } = (await side.get(`${api}/forecasts`)).json() as List
  assert.equal(items[0]?.kind, 'withheld')
  assert.equal(items[0]?.reason, 'outside-trained-range')
  assert.match(String(items[0]?.detail), /34\.1 °C/)
  assert.equal('horizons' in (items[0] ?? {}), false)
})

test('forecasts come by page in the order of their windows, forwards and backwards, and by range', async (t) => {
  const side = await readSide(t)
  await side.startProjector({ pageSize: 3 })
  await side.projected(
    await side.append([
      batchCreated(id),
      batchCreated(otherId, 2),
      ...Array.from({ length: 10 }, (_, index) => forecastIssued(id, window(index), 1 + index)),
      forecastIssued(otherId, window(1)),
    ]),
  )
  for (const [order, parameter] of [
    ['asc', 'cursor'],
    ['desc', 'after'],
  ]) {
    const seen: string[] = []
    let next: string | null = ''
    while (next !== null) {
      const query = `order=${order}&limit=4${next ? `&${parameter}=${encodeURIComponent(next)}` : ''}`
      const page = (await side.get(`${api}/forecasts?${query}`)).json() as List
      seen.push(...page.items.map(({ issuedAt }) => issuedAt))
      next = page.next
    }
    const expected = Array.from({ length: 10 }, (_, index) => iso(window(index)))
    assert.deepEqual(seen, order === 'asc' ? expected : expected.toReversed())
  }
  const ranged = await side.get(`${api}/forecasts?from=${iso(window(3))}&to=${iso(window(5))}`)
  assert.deepEqual(
    (ranged.json() as List).items.map(({ issuedAt }) => issuedAt),
    [iso(window(3)), iso(window(4))],
  )
})

test('thinned for a chart, each slice of time keeps its newest issued and its newest withheld forecast', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.projected(
    await side.append([
      batchCreated(id),
      ...Array.from({ length: 40 }, (_, index) => forecastIssued(id, window(index))),
      forecastWithheld(id, window(12) + 1_000),
    ]),
  )
  const thinned = (await side.get(`${api}/forecasts?points=5`)).json() as List & Record<string, unknown>
  assert.equal(thinned.reduced, true)
  assert.equal(thinned.sourceCount, 41)
  assert.ok(thinned.items.length <= 7)
  assert.equal(thinned.items.at(-1)?.issuedAt, iso(window(39)))
  assert.equal(thinned.items.filter(({ kind }) => kind === 'withheld').length, 1)
  const whole = (await side.get(`${api}/forecasts?points=41`)).json() as List & Record<string, unknown>
  assert.equal(whole.reduced, false)
  assert.equal(whole.items.length, 41)
})

test('as of a position, a forecast recorded later does not exist', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const first = await side.append([batchCreated(id), forecastIssued(id, window(1))])
  const last = await side.append([forecastIssued(id, window(2))])
  await side.projected(last)
  const then = (await side.get(`${api}/forecasts?asOfPosition=${first}`)).json() as List
  assert.deepEqual(
    then.items.map(({ issuedAt }) => issuedAt),
    [iso(window(1))],
  )
  const future = await side.get(`${api}/forecasts?asOf=${iso(Date.now() + 3_600_000)}`)
  assert.equal(future.status, 422)
})

test('withheld forecasts are told as spans of one reason each', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.projected(
    await side.append([
      batchCreated(id),
      forecastWithheld(id, window(1), 'phase-not-covered', 'lag'),
      forecastWithheld(id, window(2), 'phase-not-covered', 'lag still'),
      forecastIssued(id, window(3)),
      forecastWithheld(id, window(4), 'phase-not-covered', 'late'),
      forecastWithheld(id, window(5), 'too-many-missing', 'DO'),
      forecastWithheld(id, window(6), 'phase-not-covered', 'again'),
    ]),
  )
  const { items } = (await side.get(`${api}/forecasts/withheld`)).json() as List
  assert.deepEqual(
    items.map(({ from, to, reason, detail, count }) => [from, to, reason, detail, count]),
    [
      [iso(window(0)), iso(window(2)), 'phase-not-covered', 'lag still', 2],
      [iso(window(3)), iso(window(4)), 'phase-not-covered', 'late', 1],
      [iso(window(4)), iso(window(5)), 'too-many-missing', 'DO', 1],
      [iso(window(5)), iso(window(6)), 'phase-not-covered', 'again', 1],
    ],
  )
})

test('coverage counts by horizon what later samples said, a sample scored again once', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const again = forecastScored(id, window(20), [true])
  await side.projected(
    await side.append([
      batchCreated(id),
      forecastIssued(id, window(1)),
      forecastWithheld(id, window(2)),
      forecastScored(id, window(10), [true, false, true]),
      forecastScored(id, window(20), [false]),
      again,
    ]),
  )
  const answer = (await side.get(`${api}/forecasts/coverage`)).json() as Record<string, unknown>
  assert.equal(answer.stated, 0.9)
  assert.deepEqual(
    (answer.items as Record<string, unknown>[]).map(({ horizon, covered, scored }) => [
      horizon,
      covered,
      scored,
    ]),
    [
      ['PT30M', 2, 2],
      ['PT1H', 0, 1],
      ['PT2H', 1, 1],
    ],
  )
  assert.equal(answer.issued, 1)
  assert.deepEqual(answer.withheld, [{ reason: 'outside-trained-range', count: 1 }])
})

test('a derived value is a series of its windows; a window without one keeps its reason, also when reduced', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const values = Array.from({ length: 60 }, (_, index) => (index >= 20 && index < 40 ? null : index / 10))
  await side.projected(
    await side.append([
      batchCreated(id),
      ...values.map((value, index) =>
        windowDerived(id, window(index + 1), {
          CER: value === null ? { value, reason: 'missing_input' } : { value },
        }),
      ),
    ]),
  )
  const whole = (await side.get(`${api}/derived?key=CER`)).json() as Record<string, unknown>
  assert.equal(whole.unit, 'mol/L/h')
  assert.equal(whole.sourceCount, 60)
  const points = whole.points as { at: string; value: number | null; reason?: string; quality: string }[]
  assert.deepEqual(
    points.map(({ value }) => value),
    values,
  )
  assert.deepEqual([points[20]?.quality, points[20]?.reason], ['missing', 'missing_input'])
  for (const reduce of ['minmax', 'mean']) {
    const reduced = (await side.get(`${api}/derived?key=CER&reduce=${reduce}&points=12`)).json() as {
      reduced: boolean
      points: typeof points
    }
    assert.equal(reduced.reduced, true)
    assert.ok(reduced.points.length <= 14, `${reduced.points.length}`)
    if (reduce === 'minmax') assert.equal(reduced.points.at(-1)?.value, 5.9)
    assert.ok(reduced.points.some(({ reason }) => reason === 'missing_input'))
    if (reduce === 'minmax')
      assert.deepEqual(
        [
          Math.min(...reduced.points.flatMap(({ value }) => value ?? [])),
          Math.max(...reduced.points.flatMap(({ value }) => value ?? [])),
        ],
        [0, 5.9],
      )
  }
  const unknown = await side.get(`${api}/derived?key=happiness`)
  assert.equal(unknown.status, 422)
  assert.equal(unknown.json().code, 'unknown-quantity')
  const windows = (await side.get(`${api}/process-windows?limit=1`)).json() as unknown as {
    items: { corrections: unknown; qualityScore: number }[]
  }
  assert.deepEqual(windows.items[0]?.corrections, [{ tag: 'pH', quality: 'stale', rule: 'gap', count: 2 }])
})

test('samples are answered with what was typed, and the timeline is not flooded by what comes every 30 s', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.projected(
    await side.append([
      batchCreated(id),
      inoculated(id),
      sampleTaken(id, 1, window(4)),
      forecastIssued(id, window(4)),
      forecastWithheld(id, window(5)),
      windowDerived(id, window(5)),
      forecastScored(id, window(4), [true]),
    ]),
  )
  const samples = (await side.get(`${api}/samples`)).json() as List
  assert.equal(samples.items.length, 1)
  assert.equal(samples.items[0]?.od600, '15.0')
  assert.equal(samples.items[0]?.sampledAt, iso(window(4)))
  const types = async (query = '') =>
    (
      (await side.get(`${api}/timeline${query}`)).json() as unknown as { items: { type: string }[] }
    ).items.map(({ type }) => type)
  assert.deepEqual(await types(), ['BatchCreated', 'BatchInoculated', 'SampleTaken', 'ForecastScored'])
  assert.deepEqual(await types('?type=OdForecastIssued&type=ProcessWindowDerived'), [
    'OdForecastIssued',
    'ProcessWindowDerived',
  ])
})

test('a forecast that names another batch than its stream stops that stream alone, and its questions say so', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const foreign = forecastIssued(otherId, window(1))
  await side.projected(
    await side.append([
      batchCreated(id),
      windowDerived(id, window(1)),
      { ...foreign, stream: `forecast-${id}` },
      forecastIssued(id, window(2)),
    ]),
  )
  const refused = await side.get(`${api}/forecasts`)
  assert.equal(refused.status, 503)
  assert.equal(refused.json().code, 'projection-stopped')
  assert.equal((await side.get(`${api}/derived?key=CER`)).status, 200)
  assert.equal((await side.get(api)).status, 200)
})
