import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openReadModels } from '../tables/database.ts'
import {
  batchCreated,
  batchIds,
  ingressStated,
  quarantined,
  reading,
  testStartMs,
} from '../testing/histories.ts'
import { readSide } from '../testing/read-side.ts'

const id = batchIds[0]
const topic = 'bioprocess/pichia/V-01/sensors/pH'
const readings = (count: number) =>
  Array.from({ length: count }, (_, index) => reading(id, 'pH', testStartMs + index * 1_000, index))

test('the balance covers what ingest has stated, and counts what came since apart', async (t) => {
  const side = await readSide(t)
  await side.startProjector({ pageSize: 6 })
  const stated = await side.append([
    batchCreated(id),
    ...readings(20),
    quarantined(id, testStartMs),
    ingressStated(id, [{ topic, received: 24, duplicate: 3, quarantined: 1 }]),
  ])
  const last = await side.append([...readings(7), quarantined(id, testStartMs)])
  await side.projected(last)
  const source = { topic, received: 24, stored: 20, duplicate: 3, quarantined: 1 }
  const { bySource: _, ...figures } = { bySource: 0, received: 24, stored: 20, duplicate: 3, quarantined: 1 }
  const now = (await side.get(`/api/v1/batches/${id}/ingress`)).json()
  assert.deepEqual(
    { ...now, asOf: 0 },
    { ...figures, balanced: true, sinceStatement: 8, bySource: [source], asOf: 0 },
  )
  const then = (await side.get(`/api/v1/batches/${id}/ingress?asOfPosition=${stated}`)).json()
  assert.equal(then.sinceStatement, 0)
  const before = (await side.get(`/api/v1/batches/${id}/ingress?asOfPosition=${stated - 1n}`)).json()
  assert.deepEqual([before.received, before.sinceStatement, before.balanced], [0, 21, true])
})

test('the balance fails when ingest states more than is held, or when held readings are missing', async (t) => {
  const side = await readSide(t)
  const projector = await side.startProjector()
  await side.projected(
    await side.append([
      batchCreated(id),
      ...readings(20),
      ingressStated(id, [{ topic, received: 21, duplicate: 0, quarantined: 0 }]),
    ]),
  )
  assert.equal((await side.get(`/api/v1/batches/${id}/ingress`)).json().balanced, false)
  await side.projected(
    await side.append([
      ...readings(1),
      ingressStated(id, [{ topic, received: 21, duplicate: 0, quarantined: 0 }]),
    ]),
  )
  assert.equal((await side.get(`/api/v1/batches/${id}/ingress`)).json().balanced, true)
  await projector.stop()
  const admin = openReadModels(side.adminUrl, { name: 'tamper', max: 1 })
  t.after(() => admin.end())
  await admin.query(
    'DELETE FROM reading_chunk WHERE first_position = (SELECT min(first_position) FROM reading_chunk)',
  )
  assert.equal((await side.get(`/api/v1/batches/${id}/ingress`)).json().balanced, false)
})

test('the balances of all streams come page by page, by name of stream', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const idle = { ...quarantined(id, testStartMs), stream: 'reading-V-01-idle-20261120' }
  await side.projected(await side.append([batchCreated(id), ...readings(3), idle]))
  const first = (await side.get('/api/v1/ingress?limit=1')).json() as {
    items: { stream: string }[]
    next: string
  }
  const second = (await side.get(`/api/v1/ingress?limit=1&after=${first.next}`)).json() as typeof first
  assert.deepEqual(
    [...first.items, ...second.items].map(({ stream }) => stream),
    [`reading-${id}`, 'reading-V-01-idle-20261120'],
  )
  assert.equal(second.next, null)
})
