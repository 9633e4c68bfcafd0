import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientEvent } from '../testing/client-event.ts'
import { batchCreated, batchIds, type Entry, inoculated, reading, testStartMs } from '../testing/histories.ts'
import { readSide } from '../testing/read-side.ts'

const [id] = batchIds
const api = `/api/v1/batches/${id}`
const at = (second: number) => new Date(testStartMs + second * 1_000).toISOString()
const secondOf = (instant: string) => (Date.parse(instant) - testStartMs) / 1_000

type Raw = { at: string; value: number; quality: string; position: string }
type Cleaned = {
  at: string
  to?: string
  value: number | null
  quality: string
  rule: string
  positions: string[]
  variance?: number
  basis?: { from: string; to: string; count: number }
}
type CleanedAnswer = {
  tag: string
  unit: string
  rulesVersion: string
  until: string | null
  points: Cleaned[]
  sourceCount: number
  counts: Record<string, number>
  asOf: { position: string }
}
type Finding = {
  finding: string
  level: string
  tag: string
  from: string
  to: string
  open: boolean
  expected: number
  missing: number
  rule: string
  positions: string[]
  sentence: string
}
type FindingsAnswer = { items: Finding[]; next: string | null }

const closed = (second: number): Entry => ({
  stream: `batch-${id}`,
  event: clientEvent('BatchClosed', testStartMs + second * 1_000, {
    batchId: id,
    outcome: 'Complete',
    finalOd600: '40.0',
    totalRuntimeHours: '1.43',
    doSpikeObserved: true,
    approvedBy: 'p-18',
    lateEntry: false,
  }),
})

const spans = (...pairs: readonly (readonly [number, number])[]): number[] =>
  pairs.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, nth) => from + nth))

/** At 1 Hz with drop-outs of 2, 10 and 45 min, an outlier at 700 s and an impossible value at 1200 s. */
const seconds = spans([0, 899], [1019, 1499], [2099, 2399], [5099, 5159])
const disturbed = seconds.map((second) => {
  if (second === 1200) return reading(id, 'Temp_Broth', testStartMs + second * 1_000, -999, 'bad')
  const value = 30 + 0.1 * Math.sin(second / 600) + (second === 700 ? 3 : 0)
  return reading(id, 'Temp_Broth', testStartMs + second * 1_000, value)
})

async function history(t: Parameters<typeof readSide>[0]) {
  const side = await readSide(t)
  await side.startProjector()
  await side.append([batchCreated(id), inoculated(id, testStartMs)])
  await side.projected(await side.append([...disturbed, closed(5160)]))
  const ask = async (path: string) => {
    const answer = await side.get(`${api}${path}`)
    assert.equal(answer.status, 200, answer.body)
    return answer.json()
  }
  const raw = (await ask('/series?tag=Temp_Broth')).points as Raw[]
  const positionAt = (second: number) => {
    const found = raw.find((point) => secondOf(point.at) === second)
    assert.ok(found, `a reading at ${second} s`)
    return found.position
  }
  return {
    side,
    raw,
    positionAt,
    cleaned: async (query = '') => (await ask(`/cleaned?tag=Temp_Broth${query}`)) as unknown as CleanedAnswer,
    findings: async (query = '') => (await ask(`/findings?${query}`)) as unknown as FindingsAnswer,
  }
}

test('a drop-out of 2 min is answered as interpolated, of 10 min as kalman, of 45 min as missing, each with its raw readings', async (t) => {
  const { side, raw, positionAt, cleaned } = await history(t)
  const before = (await side.get(`${api}/series?tag=Temp_Broth`)).body
  const answer = await cleaned()
  assert.deepEqual([answer.tag, answer.unit, answer.rulesVersion], ['Temp_Broth', 'Cel', 'cleaning/1'])
  assert.deepEqual([answer.until, answer.sourceCount], [at(5160), raw.length])
  const between = (from: number, to: number) =>
    answer.points.filter((point) => secondOf(point.at) > from && secondOf(point.at) < to)

  const line = between(899, 1019)
  assert.equal(line.length, 119)
  for (const point of line) {
    assert.deepEqual([point.quality, point.rule], ['interpolated', 'linear-gap/1'])
    assert.deepEqual(point.positions, [positionAt(899), positionAt(1019)])
  }
  const smoothed = between(1499, 2099)
  assert.equal(smoothed.length, 599)
  for (const point of smoothed) {
    assert.deepEqual([point.quality, point.rule], ['kalman', 'kalman-gap/1'])
    assert.deepEqual(point.positions, [positionAt(1499), positionAt(2099)])
    assert.deepEqual(point.basis, { from: positionAt(1380), to: positionAt(2099), count: 121 })
    assert.ok((point.variance ?? 0) > 0)
    assert.ok(point.value !== null && Math.abs(point.value - 30) < 1, String(point.value))
  }
  assert.deepEqual(between(2399, 5099), [
    {
      at: at(2400),
      to: at(5099),
      value: null,
      quality: 'missing',
      rule: 'no-fill/1',
      positions: [positionAt(2399), positionAt(5099)],
    },
  ])
  assert.deepEqual(
    between(1199, 1201).map(({ quality, rule, value }) => [quality, rule, value === null]),
    [
      ['invalid', 'hard-bounds/1', true],
      ['interpolated', 'linear-gap/1', false],
    ],
  )
  const [outlier] = between(699, 701)
  assert.deepEqual(
    [outlier?.quality, outlier?.rule, outlier?.positions],
    ['clipped', 'hampel/1', [positionAt(700)]],
  )
  assert.ok((outlier?.value ?? 99) < 31)
  // A good value is the raw one, and names it.
  const byPosition = new Map(raw.map((point) => [point.position, point]))
  const good = answer.points.filter(({ quality }) => quality === 'good')
  for (const point of good) {
    assert.equal(point.rule, 'as-recorded/1')
    assert.equal(point.value, byPosition.get(point.positions[0] ?? '')?.value)
  }
  assert.deepEqual(answer.counts, {
    good: raw.length - 2,
    interpolated: 120,
    kalman: 599,
    clipped: 1,
    invalid: 1,
    missing: 1,
  })
  const times = answer.points.map((point) => point.at)
  assert.deepEqual(times, times.toSorted())
  assert.equal((await side.get(`${api}/series?tag=Temp_Broth`)).body, before, 'raw readings stay')
})

test('a cleaned point does not depend on the range it was asked in', async (t) => {
  const { cleaned } = await history(t)
  const whole = (await cleaned()).points
  for (const [from, to] of [
    [1600, 1700],
    [700, 701],
    [890, 1510],
    [3000, 3060],
  ] as const) {
    const part = await cleaned(`&from=${at(from)}&to=${at(to)}`)
    assert.deepEqual(
      part.points,
      whole.filter((point) => point.at < at(to) && (point.to === undefined ? point.at >= at(from) : true)),
    )
    assert.ok(part.points.length > 0)
    assert.ok(part.points.every((point) => point.to === undefined || point.to > at(from)))
  }
})

test('as of a position inside a drop-out nothing of its far end is known: the last value holds as stale, then nothing', async (t) => {
  const { side, positionAt, cleaned } = await history(t)
  const path = `${api}/cleaned?tag=Temp_Broth&asOfPosition=${positionAt(1499)}`
  const past = await cleaned(`&asOfPosition=${positionAt(1499)}`)
  const now = await cleaned()
  const upTo = (answer: CleanedAnswer) => answer.points.filter((point) => secondOf(point.at) <= 1499)
  assert.deepEqual(upTo(past), upTo(now))
  const after = past.points.filter((point) => secondOf(point.at) > 1499)
  assert.deepEqual(
    after.slice(0, 1800).map(({ quality }) => quality),
    Array<string>(1800).fill('stale'),
  )
  assert.ok(after.every(({ positions }) => positions.length === 1 && positions[0] === positionAt(1499)))
  assert.deepEqual(
    after.slice(1800).map(({ quality, value }) => [quality, value]),
    [['missing', null]],
  )
  assert.equal((await side.get(path)).body, (await side.get(path)).body)
})

test('all forms say the same', async (t) => {
  const { side, cleaned } = await history(t)
  const query = `&from=${at(1190)}&to=${at(2110)}`
  const { points } = await cleaned(query)
  const path = `${api}/cleaned?tag=Temp_Broth${query}`
  const lines = (await side.get(path, { accept: 'application/x-ndjson' })).body.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    points,
  )
  const [head, ...rows] = (await side.get(path, { accept: 'text/csv' })).body.trimEnd().split('\r\n')
  assert.equal(head, 'at,to,value,quality,rule,positions,variance,basisFrom,basisTo,basisCount')
  assert.deepEqual(
    rows,
    points.map((point) =>
      [
        point.at,
        point.to ?? '',
        point.value ?? '',
        point.quality,
        point.rule,
        point.positions.join(' '),
        point.variance ?? '',
        point.basis?.from ?? '',
        point.basis?.to ?? '',
        point.basis?.count ?? '',
      ].join(','),
    ),
  )
})

test('readings sent in several units make one cleaned series in the unit of the tag', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.append([batchCreated(id), inoculated(id, testStartMs)])
  const entries = spans([0, 99]).map((second): Entry => {
    const entry = reading(id, 'Gas_MFC_air', testStartMs + second * 1_000, second % 3 === 0 ? 60 : 1)
    if (second % 3 !== 0) return entry
    return { ...entry, event: { ...entry.event, data: { ...entry.event.data, unit: 'L/h' } } }
  })
  await side.projected(await side.append([...entries, closed(100)]))
  const answer = (await side.get(`${api}/cleaned?tag=Gas_MFC_air`)).json() as unknown as CleanedAnswer
  assert.equal(answer.unit, 'L/min')
  assert.deepEqual(answer.counts, { good: 100 })
  assert.deepEqual(
    answer.points.map((point) => [secondOf(point.at), point.value]),
    spans([0, 99]).map((second) => [second, 1]),
  )
})

test('data missing for 45 min are a finding with tag and ends, and windows mostly without data are a warning', async (t) => {
  const { positionAt, findings, side } = await history(t)
  const { items, next } = await findings()
  assert.equal(next, null)
  assert.deepEqual(
    items.map((item) => [item.finding, item.level, secondOf(item.from), secondOf(item.to), item.open]),
    [
      ['window_mostly_missing', 'warning', 900, 1020, false],
      ['window_mostly_missing', 'warning', 1500, 2100, false],
      ['missing_data_too_long', 'error', 2399, 5099, false],
      ['window_mostly_missing', 'warning', 2400, 5100, false],
    ],
  )
  const [finding] = items.filter((item) => item.finding === 'missing_data_too_long')
  assert.deepEqual(finding, {
    finding: 'missing_data_too_long',
    level: 'error',
    tag: 'Temp_Broth',
    from: at(2399),
    to: at(5099),
    open: false,
    expected: 2699,
    missing: 2699,
    rule: 'missing-data-too-long/1',
    positions: [positionAt(2399), positionAt(5099)],
    sentence: finding?.sentence,
  })
  assert.match(finding?.sentence ?? '', /45\.0 min/)

  const paged: Finding[] = []
  let after = ''
  do {
    const page = await findings(`tag=Temp_Broth&limit=1${after}`)
    assert.equal(page.items.length, 1)
    paged.push(...page.items)
    after = page.next === null ? '' : `&after=${page.next}`
  } while (after !== '')
  assert.deepEqual(paged, items)
  assert.deepEqual((await findings('finding=missing_data_too_long')).items, [finding])
  assert.deepEqual((await findings('tag=DO')).items, [])
  const csv = (await side.get(`${api}/findings?format=csv&finding=missing_data_too_long`)).body
  assert.match(csv, /^finding,level,tag,from,to,open,expected,missing,rule,positions,sentence\r\n/)
})

test('a live tag that fell silent is found while it is silent, and nothing is found before it was', async (t) => {
  const { positionAt, findings } = await history(t)
  const early = await findings(`finding=missing_data_too_long&asOfPosition=${positionAt(2399)}`)
  // The vessel is silent as a whole: the recording of the last event known says how long.
  assert.deepEqual(
    early.items.map((item) => [secondOf(item.from), item.open, item.positions]),
    [[2399, true, [positionAt(2399)]]],
  )
})

test('what cannot be answered is refused as in every other question', async (t) => {
  const { side } = await history(t)
  for (const [path, status, code] of [
    ['/cleaned?tag=Nothing', 422, 'unknown-tag'],
    ['/cleaned', 400, 'invalid-request'],
    [`/cleaned?tag=DO&from=${at(2)}&to=${at(1)}`, 422, 'empty-range'],
    ['/cleaned?tag=DO&asOfPosition=999999999', 422, 'future-position'],
    ['/findings?tag=Nothing', 422, 'unknown-tag'],
    ['/findings?after=x', 400, 'invalid-request'],
  ] as const) {
    const answer = await side.get(`${api}${path}`)
    assert.deepEqual([answer.status, answer.json().code], [status, code], path)
  }
  const other = await side.get(`/api/v1/batches/${batchIds[1]}/cleaned?tag=DO`)
  assert.deepEqual([other.status, other.json().code], [404, 'unknown-batch'])
  const silent = (await side.get(`${api}/cleaned?tag=DO`)).json() as unknown as CleanedAnswer
  assert.deepEqual([silent.points, silent.sourceCount, silent.unit], [[], 0, '%'])
})
