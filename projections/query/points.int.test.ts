import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { batchCreated, batchIds, reading, testStartMs } from '../testing/histories.ts'
import { readSide } from '../testing/read-side.ts'

const id = batchIds[0]
type Point = { at: string; value: number; quality: string; position: string }
type Answer = {
  reduced: boolean
  bucketSeconds: number | null
  sourceCount: number
  points: Point[]
  unit: string
}

test('a series: whole it is every reading in order, reduced it keeps every extreme, in all forms', async (t) => {
  const side = await readSide(t)
  await side.startProjector({ pageSize: 5 })
  await side.append([batchCreated(id)])
  const [seconds] = fc.sample(
    fc.shuffledSubarray(
      Array.from({ length: 500 }, (_, index) => index),
      { minLength: 480 },
    ),
    { numRuns: 1, seed: 7 },
  )
  assert.ok(seconds)
  const entries = seconds.map((second, index) =>
    reading(
      id,
      'DO',
      testStartMs + second * 1_000,
      second === 250 ? 199 : Math.sin(second) + 1,
      index % 50 === 0 ? 'bad' : 'good',
    ),
  )
  await side.projected(await side.append(entries))
  const path = `/api/v1/batches/${id}/series?tag=pO2`
  const ask = async (query: string) => {
    const answer = await side.get(`${path}${query}`)
    assert.equal(answer.status, 200, answer.body)
    return answer.json() as unknown as Answer
  }

  const whole = await ask('')
  const expected = entries
    .map(({ event }) => ({ at: event.occurredAt, value: event.data.value, quality: event.data.quality }))
    .sort((one, other) => (one.at < other.at ? -1 : 1))
  assert.deepEqual(
    whole.points.map(({ at, value, quality }) => ({ at, value, quality })),
    expected,
  )
  assert.equal(whole.sourceCount, entries.length)
  assert.equal(whole.reduced, false)
  assert.equal(whole.unit, '%')

  const from = new Date(testStartMs + 100_000).toISOString()
  const to = new Date(testStartMs + 400_000).toISOString()
  const inRange = whole.points.filter((point) => point.at >= from && point.at < to)
  const part = await ask(`&from=${from}&to=${to}`)
  assert.deepEqual(part.points, inRange)

  const chart = await ask(`&from=${from}&to=${to}&reduce=minmax&points=20`)
  assert.equal(chart.reduced, true)
  assert.equal(chart.sourceCount, inRange.length)
  assert.ok(chart.points.length <= 22)
  assert.ok(
    chart.points.some((point) => point.value === 199),
    'the spike survives',
  )
  assert.ok(
    chart.points.every((point) =>
      inRange.some(
        (real) => real.position === point.position && real.value === point.value && real.at === point.at,
      ),
    ),
  )
  const width = (chart.bucketSeconds ?? 0) * 1_000
  const bucketOf = (point: Point) => Math.floor(Date.parse(point.at) / width)
  for (const bucket of new Set(inRange.map(bucketOf))) {
    const raw = inRange.filter((point) => bucketOf(point) === bucket).map((point) => point.value)
    const kept = chart.points.filter((point) => bucketOf(point) === bucket).map((point) => point.value)
    assert.equal(Math.max(...kept), Math.max(...raw))
    assert.equal(Math.min(...kept), Math.min(...raw))
  }

  const means = await ask(`&from=${from}&to=${to}&reduce=mean&points=20`)
  assert.ok(means.reduced && means.points.every((point) => Number.isFinite(point.value)))
  for (const mean of means.points) {
    const start = Date.parse(mean.at)
    const raw = inRange.filter(
      (point) =>
        point.quality !== 'bad' &&
        Math.floor(Date.parse(point.at) / ((means.bucketSeconds ?? 0) * 1_000)) ===
          Math.floor(start / ((means.bucketSeconds ?? 0) * 1_000)),
    )
    assert.ok(Math.abs(mean.value - raw.reduce((sum, point) => sum + point.value, 0) / raw.length) < 1e-9)
  }
  const few = await ask('&reduce=minmax&points=1000')
  assert.deepEqual([few.reduced, few.bucketSeconds, few.points], [false, null, whole.points])

  const ndjson = await side.get(path, { accept: 'application/x-ndjson' })
  assert.deepEqual(
    ndjson.body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    whole.points,
  )
  const csv = await side.get(path, { accept: 'text/csv' })
  const [head, ...lines] = csv.body.trimEnd().split('\r\n')
  assert.equal(head, 'at,value,quality,position')
  assert.deepEqual(
    lines.map((line) => line.split(',')),
    whole.points.map((point) => [point.at, String(point.value), point.quality, point.position]),
  )
})

test('the current value of a tag is the one with the newest source time, also in the past and with late readings', async (t) => {
  const side = await readSide(t)
  await side.startProjector({ pageSize: 4 })
  const first = await side.append([batchCreated(id)])
  const times = [0, 10, 5, 30, 20, 30, 1, 2, 3, 4, 6, 7, 8, 29, 28, 27]
  await side.projected(
    await side.append(
      times.map((second, index) =>
        reading(
          id,
          'pH',
          testStartMs + second * 1_000,
          index,
          'good',
          index === 5 ? ['out-of-order'] : undefined,
        ),
      ),
    ),
  )
  for (let known = 1; known <= times.length; known++) {
    const state = (
      await side.get(`/api/v1/batches/${id}?asOfPosition=${first + BigInt(known)}`)
    ).json() as unknown as {
      current: { tag: string; value: number; at: string; flags: string[] }[]
    }
    const newest = times
      .slice(0, known)
      .reduce((best, second, index) => (second >= (times[best] ?? 0) ? index : best), 0)
    assert.equal(state.current.length, 1)
    assert.equal(state.current[0]?.value, newest)
    assert.deepEqual(state.current[0]?.flags, newest === 5 ? ['out-of-order'] : [])
  }
})

test('a value comes back as the number that was recorded', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.append([batchCreated(id)])
  const values = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -5, 1 / 3, 123456789.12345679]
  await side.projected(
    await side.append(values.map((value, index) => reading(id, 'pH', testStartMs + index * 1_000, value))),
  )
  const answer = (await side.get(`/api/v1/batches/${id}/series?tag=pH`)).json() as unknown as Answer
  assert.deepEqual(
    answer.points.map((point) => point.value),
    values,
  )
})
