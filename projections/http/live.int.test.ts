import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecastIssued, forecastWithheld, windowDerived } from '../testing/evidence-histories.ts'
import {
  batchCreated,
  batchIds,
  inoculated,
  reading,
  sampleTaken,
  testStartMs,
} from '../testing/histories.ts'
import { type ReadSide, readSide, testToken } from '../testing/read-side.ts'

const id = batchIds[0]
type LiveEvent = { event: string; id: string | undefined; data: Record<string, unknown> | undefined }

/** Reads events of the feed until `enough` says so, then leaves. */
async function listen(
  url: string,
  headers: Record<string, string>,
  enough: (event: LiveEvent, seen: readonly LiveEvent[]) => boolean,
): Promise<LiveEvent[]> {
  const leaving = new AbortController()
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${testToken}`, ...headers },
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(20_000)]),
  })
  assert.equal(response.status, 200)
  assert.match(String(response.headers.get('content-type')), /^text\/event-stream/)
  assert.ok(response.body)
  const seen: LiveEvent[] = []
  let text = ''
  try {
    for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
      text += bytes
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        const field = (name: string) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
        const data = field('data')
        const event = {
          event: field('event') ?? '',
          id: field('id'),
          data: data === undefined ? undefined : JSON.parse(data),
        }
        seen.push(event)
        if (enough(event, seen)) return seen
      }
    }
  } finally {
    leaving.abort()
  }
  throw new Error('the feed ended early')
}

const valuesOf = (events: readonly LiveEvent[]) =>
  events
    .filter(({ event }) => event === 'readings')
    .flatMap(({ data }) => ((data?.readings ?? []) as { value: number }[]).map(({ value }) => value))
const lastId = (events: readonly LiveEvent[]) => events.findLast((event) => event.id !== undefined)?.id

async function feedOf(side: ReadSide): Promise<string> {
  return `${await side.http.listen()}/api/v1/live?batch=${id}`
}

test('a client that comes back with Last-Event-ID gets every reading, none twice, in the order of recording', async (t) => {
  const side = await readSide(t)
  await side.startProjector({ pageSize: 7 })
  const start = await side.append([batchCreated(id)])
  await side.projected(start)
  const feed = await feedOf(side)
  const count = 400
  const appending = (async () => {
    for (let value = 0; value < count; value += 10)
      await side.append(
        Array.from({ length: 10 }, (_, index) =>
          reading(id, 'pH', testStartMs + (value + index) * 1_000, value + index),
        ),
      )
  })()
  const values: number[] = []
  let resume = String(start)
  while (values.length < count) {
    // Two frames a connection, then it breaks.
    const events = await listen(
      feed,
      { 'last-event-id': resume },
      (_, seen) =>
        seen.filter(({ event }) => event === 'readings').length === 2 ||
        values.length + valuesOf(seen).length >= count,
    )
    values.push(...valuesOf(events))
    resume = lastId(events) ?? resume
  }
  await appending
  assert.deepEqual(
    values,
    Array.from({ length: count }, (_, index) => index),
  )
})

test('more readings than one frame holds come in several, each id covering no more than was sent', async (t) => {
  const side = await readSide(t)
  await side.startProjector({
    pageSize: 5_000,
    packing: {
      framesBeforeChunks: 192,
      pointsBeforeChunks: 8_192,
      pointsForChunksAtOnce: 2_048,
      pointsPerChunk: 700,
    },
  })
  await side.append([batchCreated(id)])
  const count = 12_000
  for (let start = 0; start < count; start += 2_000)
    await side.projected(
      await side.append(
        Array.from({ length: 2_000 }, (_, index) =>
          reading(id, index % 2 ? 'pH' : 'DO', testStartMs + (start + index) * 500, start + index),
        ),
      ),
    )
  const feed = await feedOf(side)
  const events = await listen(feed, { 'last-event-id': '0' }, (_, seen) => valuesOf(seen).length >= count)
  assert.deepEqual(
    valuesOf(events),
    Array.from({ length: count }, (_, index) => index),
  )
  assert.ok(events.filter(({ event }) => event === 'readings').length > 2)
})

test('a change of the batch and what people record come as they happen; silence is filled with signs of life', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.projected(await side.append([batchCreated(id)]))
  const feed = await feedOf(side)
  let asked = false
  const events = await listen(feed, {}, (event, seen) => {
    if (!asked) {
      asked = true
      void side.append([inoculated(id), sampleTaken(id, 1, testStartMs + 60_000)])
    }
    return (
      event.event === '' &&
      seen.some((one) => one.event === 'timeline' && String(one.data?.sentence).includes('sample 1'))
    )
  })
  assert.ok(events.some(({ event, data }) => event === 'batch' && data?.status === 'running'))
  assert.ok(events.some(({ event, data }) => event === 'timeline' && data?.type === 'BatchInoculated'))
})

test('an id that is no position is refused by name', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.projected(await side.append([batchCreated(id)]))
  const answer = await side.get(`/api/v1/live?batch=${id}`, { 'last-event-id': 'abc' })
  assert.equal(answer.status, 400)
  assert.match(answer.body, /Last-Event-ID/)
})

test('forecasts and derived windows are announced as they are recorded', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.projected(await side.append([batchCreated(id)]))
  const feed = await feedOf(side)
  let last = 0n
  const appending = (async () => {
    last = await side.append([
      windowDerived(id, testStartMs + 30_000),
      forecastIssued(id, testStartMs + 30_000, 4),
      forecastWithheld(id, testStartMs + 60_000),
    ])
  })()
  const kindsOf = (events: readonly LiveEvent[]) =>
    events
      .filter(({ event }) => event === 'forecasts')
      .flatMap(({ data }) => ((data?.items ?? []) as { kind: string }[]).map(({ kind }) => kind))
  const events = await listen(
    `${feed}&after=0`,
    {},
    (event, seen) =>
      event.id !== undefined && kindsOf(seen).length === 2 && seen.some((one) => one.event === 'derived'),
  )
  await appending
  assert.deepEqual(kindsOf(events), ['issued', 'withheld'])
  const [window] = (events.find(({ event }) => event === 'derived')?.data?.windows ?? []) as {
    at: string
    derived: Record<string, unknown>
  }[]
  assert.equal(window?.at, new Date(testStartMs + 30_000).toISOString())
  assert.deepEqual(window?.derived.RQ, { value: null, reason: 'low_signal' })
  assert.equal(lastId(events), last.toString())
  assert.equal(events.filter(({ event }) => event === 'timeline').length, 1)
})
