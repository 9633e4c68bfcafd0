/** Subscriptions: catch-up, then live; resumed anywhere; filtered; as slow as their consumer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { RecordedEvent } from '../../../schemas/event.ts'
import type { EventFilter, EventPage, EventStore } from '../event-store.ts'
import { appended, type ContractContext, deadlineMs, endOf, freshCategory, idsOf } from './contract-store.ts'
import { alarm, reading, readings } from './sample-events.ts'

type Follower = {
  readonly pages: EventPage[]
  events(): RecordedEvent[]
  /** Resolves when the condition holds after a page. */
  until(what: string, condition: () => boolean): Promise<void>
  stop(): Promise<void>
}

function follow(
  store: EventStore,
  options: { after?: bigint; filter?: EventFilter; pageSize?: number },
): Follower {
  const pages: EventPage[] = []
  const end = new AbortController()
  let wake = () => {}
  let failure: unknown
  const following = (async () => {
    for await (const page of store.subscribe({ ...options, signal: end.signal })) {
      pages.push(page)
      wake()
    }
  })().catch((error: unknown) => {
    failure = error
    wake()
  })
  return {
    pages,
    events: () => pages.flatMap(({ events }) => events),
    async until(what, condition) {
      const deadline = performance.now() + deadlineMs
      while (!condition()) {
        if (failure) throw failure
        const left = deadline - performance.now()
        if (left <= 0) throw new Error(`${what}: not within ${deadlineMs / 1000} s`)
        const timer = new AbortController()
        await Promise.race([
          new Promise<void>((settle) => {
            wake = settle
          }),
          delay(left, undefined, { signal: timer.signal }).catch(() => {}),
        ])
        timer.abort()
      }
    },
    async stop() {
      end.abort()
      await following
      if (failure) throw failure
    },
  }
}

export function subscriptionContract({ store, reopen, canReopen }: ContractContext): void {
  test('a subscription brings what is there, then what comes, and says when it has caught up', async () => {
    const { category, stream } = freshCategory()
    const start = await endOf(store())
    const there = readings(5)
    await appended(store(), stream(), there)
    const follower = follow(store(), { ...start, filter: { categories: [category] }, pageSize: 2 })
    await follower.until('what is there', () => follower.events().length === 5)
    await follower.until('caught up', () => follower.pages.at(-1)?.caughtUp === true)
    const live = [alarm(), reading(), alarm()]
    for (const event of live) await appended(store(), stream(), [event])
    await follower.until('what comes', () => follower.events().length === 8)
    await follower.stop()
    assert.deepEqual(idsOf(follower.events()), idsOf([...there, ...live]))
    for (const page of follower.pages) assert.ok(page.events.length <= 2)
  })

  test('a subscription at the end of the store says so although nothing comes', async () => {
    await appended(store(), freshCategory().stream(), [reading()])
    const start = await endOf(store())
    const follower = follow(store(), { ...start, filter: { categories: [freshCategory().category] } })
    await follower.until('caught up', () => follower.pages.at(-1)?.caughtUp === true)
    await follower.stop()
    assert.ok((follower.pages.at(-1)?.through as bigint) >= (start.after as bigint))
  })

  test('a subscription moves on although only filtered-out events come', async () => {
    const start = await endOf(store())
    const filter = { categories: [freshCategory().category], types: ['BatchClosed'] }
    const follower = follow(store(), { ...start, filter })
    for (let round = 0; round < 3; round++) {
      const [recorded] = await appended(store(), freshCategory().stream(), [
        round === 1 ? alarm() : reading(),
      ])
      const position = recorded?.position as bigint
      await follower.until('through', () => (follower.pages.at(-1)?.through ?? -1n) >= position)
    }
    await follower.stop()
    assert.deepEqual(follower.events(), [])
  })

  for (const types of [undefined, ['AlarmRaised'], ['SensorReadingRecorded']])
    test(`a subscription${types ? ` to ${types}` : ''} resumed after any page loses and repeats nothing`, async () => {
      const { category, stream } = freshCategory()
      const filter = { categories: [category], ...(types ? { types } : {}) }
      const start = await endOf(store())
      const events = Array.from({ length: 12 }, (_, at) => (at % 3 === 0 ? alarm() : reading()))
      for (const event of events) await appended(store(), stream(event.type), [event])
      const wanted = idsOf(events.filter(({ type }) => !types || types.includes(type)))
      const whole = follow(store(), { ...start, filter, pageSize: 2 })
      await whole.until('all', () => whole.events().length === wanted.length)
      await whole.stop()
      assert.deepEqual(idsOf(whole.events()), wanted)
      for (const [at, page] of whole.pages.entries()) {
        const before = whole.pages.slice(0, at + 1).flatMap((earlier) => idsOf(earlier.events))
        const rest = wanted.slice(before.length)
        const resumed = follow(store(), { after: page.through, filter })
        await resumed.until(
          'the rest',
          () => resumed.events().length >= rest.length && resumed.pages.length > 0,
        )
        await resumed.stop()
        assert.deepEqual(idsOf(resumed.events()), rest)
      }
    })

  test('a subscription resumed after any event brings exactly what follows it', async () => {
    const { category, stream } = freshCategory()
    const events = readings(6)
    const recorded = await appended(store(), stream(), events)
    for (const [at, { position }] of recorded.entries()) {
      const follower = follow(store(), { after: position, filter: { categories: [category] } })
      const rest = idsOf(events.slice(at + 1))
      await follower.until(
        'the rest',
        () => follower.pages.length > 0 && follower.events().length >= rest.length,
      )
      await follower.stop()
      assert.deepEqual(idsOf(follower.events()), rest)
    }
  })

  test('a consumer that takes its time gets everything, page by page', async () => {
    const { category, stream } = freshCategory()
    const start = await endOf(store())
    const end = new AbortController()
    const pages = store()
      .subscribe({ ...start, filter: { categories: [category] }, pageSize: 10, signal: end.signal })
      [Symbol.asyncIterator]()
    const events: string[] = []
    const seen: string[] = []
    for (let round = 0; round < 10; round++) {
      const more = readings(25)
      events.push(...idsOf(more))
      await appended(store(), stream(), more)
      const { value } = await pages.next()
      if (value) seen.push(...idsOf(value.events))
      assert.ok((value?.events.length ?? 0) <= 10)
    }
    while (seen.length < events.length) {
      const { value, done } = await pages.next()
      if (done) break
      seen.push(...idsOf(value.events))
    }
    end.abort()
    assert.equal((await pages.next()).done, true)
    assert.deepEqual(seen, events)
  })

  test('a subscription ends when its signal aborts, also one that is waiting or was aborted before', async () => {
    const waiting = follow(store(), await endOf(store()))
    await waiting.until('caught up', () => waiting.pages.at(-1)?.caughtUp === true)
    await waiting.stop()
    const end = new AbortController()
    end.abort()
    for await (const _page of store().subscribe({ signal: end.signal })) assert.fail('a page after the end')
  })

  test('a consumer may leave a subscription at any page', async () => {
    const { stream } = freshCategory()
    const start = await endOf(store())
    await appended(store(), stream(), readings(5))
    for await (const _page of store().subscribe({
      ...start,
      pageSize: 1,
      signal: new AbortController().signal,
    }))
      break
    assert.equal((await appended(store(), stream(), [alarm()])).length, 1)
  })

  test('subscriptions end when their store closes', { skip: !canReopen }, async () => {
    const anew = await reopen()
    const follower = follow(anew, await endOf(anew))
    await follower.until('caught up', () => follower.pages.at(-1)?.caughtUp === true)
    await anew.close()
    await follower.stop()
  })
}
