import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { feedUntil } from '../../testing/feed-until.ts'
import { batchId } from '../../testing/fixture-batch.ts'
import { startFixtureServer } from '../../testing/fixture-server.ts'
import type { Forecast } from '../api/answers.ts'
import { createApi } from '../api/client.ts'
import { createForecastFeed, type ForecastFeed } from './forecast-feed.ts'

let server: Awaited<ReturnType<typeof startFixtureServer>>
before(async () => {
  server = await startFixtureServer('closed')
})
after(() => server.stop())

const opened = async (context: { after: (act: () => void) => void }): Promise<ForecastFeed> => {
  const feed = createForecastFeed({
    api: createApi(`${server.url}/api/v1/`),
    batchId,
    asOfMs: null,
    points: 40,
  })
  context.after(feed.stop)
  feed.show({})
  await feedUntil(feed, () => feed.get().coverage !== undefined)
  return feed
}

const following = (before: Forecast, steps: number, change: Partial<Forecast> = {}): Forecast =>
  ({
    ...before,
    ...change,
    issuedAt: new Date(Date.parse(before.issuedAt) + steps * 30_000).toISOString(),
    window: { from: before.issuedAt, to: before.issuedAt },
    position: String(BigInt(before.position) + BigInt(steps)),
    eventId: `${before.eventId}+${steps}`,
  }) as Forecast

test('forecasts are fetched with the newest outcome, the spans without one, and how they met samples', async (context) => {
  const { items, newest, spans, coverage } = (await opened(context)).get()
  assert.ok(items.length > 20 && items.length <= 42)
  assert.equal(newest?.kind, 'issued')
  assert.deepEqual(
    spans.map(({ reason }) => reason),
    ['phase-not-covered', 'too-many-missing'],
  )
  assert.equal(coverage?.items.find(({ horizon }) => horizon === 'PT30M')?.covered, 17)
})

test('what arrives live becomes the newest outcome; a late one of an earlier window does not', async (context) => {
  const feed = await opened(context)
  const newest = feed.get().newest ?? assert.fail('no forecast')
  const count = feed.get().items.length
  const next = following(newest, 2)
  feed.addLive({ position: next.position, items: [next] })
  assert.equal(feed.get().newest?.eventId, next.eventId)
  const late = following(newest, 1)
  feed.addLive({ position: late.position, items: [late] })
  assert.equal(feed.get().newest?.eventId, next.eventId)
  assert.equal(feed.get().items.length, count + 2)
})

test('what arrived live outlasts a fetch that does not hold it yet', async (context) => {
  const feed = await opened(context)
  const next = following(feed.get().newest ?? assert.fail('no forecast'), 1_000_000)
  feed.addLive({ position: next.position, items: [next] })
  let fetches = 0
  const fetched = feedUntil(feed, () => {
    fetches += 1
    return fetches > 2
  })
  feed.refresh()
  await fetched
  assert.equal(feed.get().newest?.eventId, next.eventId)
})

test('forecasts that cannot be fetched are said to be missing, and what was drawn stays', async (context) => {
  const feed = await opened(context)
  const count = feed.get().items.length
  server.stop()
  feed.refresh()
  await feedUntil(feed, () => feed.get().failed)
  assert.equal(feed.get().items.length, count)
})
