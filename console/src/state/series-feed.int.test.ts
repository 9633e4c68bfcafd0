import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { feedUntil } from '../../testing/feed-until.ts'
import { batchId } from '../../testing/fixture-batch.ts'
import { startFixtureServer } from '../../testing/fixture-server.ts'
import { createApi } from '../api/client.ts'
import { createSeriesFeed, type SeriesFeed } from './series-feed.ts'

let server: Awaited<ReturnType<typeof startFixtureServer>>
before(async () => {
  server = await startFixtureServer('closed')
})
after(() => server.stop())

const opened = async (context: { after: (act: () => void) => void }): Promise<SeriesFeed> => {
  const feed = createSeriesFeed({
    api: createApi(`${server.url}/api/v1/`),
    batchId,
    asOfMs: null,
    points: 500,
  })
  context.after(feed.stop)
  feed.show(['pH', 'DO'], {})
  await feedUntil(feed, () => feed.get().loaded)
  return feed
}

const reading = (at: number, value: number, unit = '[pH]') => ({
  tag: 'pH',
  at: new Date(at).toISOString(),
  value,
  quality: 'good' as const,
  unit,
})

test('a series is fetched reduced and grows by what arrives later, not by what it holds already', async (context) => {
  const feed = await opened(context)
  const fetched = feed.get().series.get('pH')
  assert.ok(fetched && (fetched.bucketSeconds ?? 0) > 1)
  const newest = fetched.points.at(-1)?.at ?? 0
  feed.addLive({ position: '1', readings: [reading(newest - 500, 9)] })
  assert.equal(feed.get().series.get('pH')?.points.length, fetched.points.length)
  feed.addLive({ position: '99999999', readings: [reading(newest + 1000, 5.5)] })
  assert.equal(feed.get().series.get('pH')?.points.at(-1)?.value, 5.5)
})

test('a reading in another unit is not mixed into the line', async (context) => {
  const feed = await opened(context)
  const length = feed.get().series.get('pH')?.points.length
  feed.addLive({ position: '99999999', readings: [reading(Date.now(), 5, 'mV')] })
  assert.equal(feed.get().series.get('pH')?.points.length, length)
})

test('a closer range is fetched with less reduction', async (context) => {
  const feed = await opened(context)
  const points = feed.get().series.get('DO')?.points ?? []
  const from = points[10]?.at ?? 0
  feed.show(['DO'], { from, to: from + 240_000 })
  await feedUntil(feed, () => feed.get().series.get('DO')?.bucketSeconds === null)
  assert.ok((feed.get().series.get('DO')?.points.length ?? 0) > 200)
})

test('a series that could not be fetched is named, and what was drawn stays', async (context) => {
  const feed = await opened(context)
  const drawn = feed.get().series.get('pH')?.points.length
  server.stop()
  feed.refresh()
  await feedUntil(feed, () => feed.get().failed.length === 2)
  assert.equal(feed.get().series.get('pH')?.points.length, drawn)
})
