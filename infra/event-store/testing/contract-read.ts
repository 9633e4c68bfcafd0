/** Reads: a stream's ranges, events by id, the whole log in pages, filters, and the store's end. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { RecordedEvent } from '../../../schemas/event.ts'
import type { ReadAllOptions, ReadStreamOptions } from '../event-store.ts'
import {
  appended,
  type ContractContext,
  collect,
  endOf,
  eventsOf,
  freshCategory,
  idsOf,
  readStream,
} from './contract-store.ts'
import { alarm, freshId, reading, readings, typed } from './sample-events.ts'

export function readContract({ store, reopen, canReopen, capabilities }: ContractContext): void {
  describe('one stream', () => {
    const stream = freshCategory().stream()
    before(async () => {
      await appended(store(), stream, [...readings(4), alarm(), typed(), ...readings(4)])
    })
    const ranges: readonly (readonly [string, ReadStreamOptions, readonly number[]])[] = [
      ['whole', {}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ['from a revision on', { from: 7n }, [7, 8, 9]],
      ['at most so many', { from: 2n, maxCount: 3 }, [2, 3, 4]],
      ['from its end', { from: 9n }, [9]],
      ['from beyond its end', { from: 10n }, []],
      ['none at all', { maxCount: 0 }, []],
      ['backwards', { direction: 'backwards' }, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
      ['its last event', { direction: 'backwards', maxCount: 1 }, [9]],
      ['backwards from a revision', { direction: 'backwards', from: 3n }, [3, 2, 1, 0]],
      ['backwards, at most so many', { direction: 'backwards', from: 5n, maxCount: 2 }, [5, 4]],
      ['backwards from beyond its end', { direction: 'backwards', from: 99n, maxCount: 2 }, [9, 8]],
      ['backwards from its beginning', { direction: 'backwards', from: 0n }, [0]],
    ]
    for (const [what, options, revisions] of ranges)
      test(`a stream is read ${what}`, async () => {
        const read = await collect(store().readStream(stream, options))
        assert.deepEqual(
          read.map(({ revision }) => Number(revision)),
          revisions,
        )
      })
  })

  test('a stream that does not exist is empty', async () => {
    assert.deepEqual(await readStream(store(), freshCategory().stream()), [])
    const backwards = store().readStream(freshCategory().stream(), { direction: 'backwards' })
    assert.deepEqual(await collect(backwards), [])
  })

  test('a stream longer than a page is read whole, both ways', async () => {
    const stream = freshCategory().stream()
    for (let part = 0; part < 6; part++) await appended(store(), stream, readings(450))
    const forwards = await readStream(store(), stream)
    assert.equal(forwards.length, 2_700)
    assert.ok(forwards.every(({ revision }, at) => revision === BigInt(at)))
    const backwards = await collect(store().readStream(stream, { direction: 'backwards' }))
    assert.deepEqual(idsOf(backwards), idsOf(forwards).reverse())
  })

  test('an event is found by its id, and an id that is none finds nothing', async () => {
    const stream = freshCategory().stream()
    const events = [reading({ id: freshId(0) }), typed(), alarm({ id: freshId(Date.parse('2099-01-01')) })]
    await appended(store(), stream, events)
    const read = await readStream(store(), stream)
    for (const [at, { id }] of events.entries()) assert.deepEqual(await store().readById(id), read[at])
    for (const id of [freshId(), '', 'no uuid', freshId().toUpperCase()])
      assert.equal(await store().readById(id), undefined)
  })

  test('each typed event has a salt of its own that stays the same; others have none', async () => {
    const stream = freshCategory().stream()
    await appended(store(), stream, [reading(), typed(), alarm(), typed()])
    const events = await readStream(store(), stream)
    const salts = await store().saltsOf(events)
    assert.deepEqual([...salts.keys()].sort(), [events[1]?.id, events[3]?.id].sort())
    const [one, other] = [...salts.values()]
    assert.ok(one && other && one.length === 32 && other.length === 32)
    assert.notDeepEqual(one, other)
    assert.deepEqual(await store().saltsOf(events), salts)
    assert.equal((await store().saltsOf([])).size, 0)
  })

  describe('the whole log', () => {
    const { category, stream } = freshCategory()
    const other = freshCategory()
    let start: { after?: bigint }
    let all: RecordedEvent[]
    before(async () => {
      start = await endOf(store())
      await appended(store(), stream('a'), [reading(), alarm(), typed()])
      await appended(store(), other.stream('a'), [alarm(), reading()])
      await appended(store(), stream('b'), [reading(), reading(), alarm()])
      await appended(store(), other.category, [typed()])
      all = []
      for (const name of [stream('a'), stream('b'), other.stream('a'), other.category])
        all.push(...(await readStream(store(), name)))
      all.sort((one, two) => (one.position < two.position ? -1 : 1))
    })

    const ours = (events: readonly RecordedEvent[]) =>
      events.filter((event) => all.some(({ id }) => id === event.id))
    const read = async (options: ReadAllOptions) =>
      idsOf(ours(eventsOf(await collect(store().readAll({ ...start, ...options })))))
    const expectedIds = (wanted: (event: RecordedEvent) => boolean) => idsOf(all.filter(wanted))
    const inCategory = (event: RecordedEvent) => event.stream.startsWith(`${category}-`)

    for (const pageSize of [1, 2, 3, 1_000])
      test(`is read in position order, ${pageSize} events a page`, async () => {
        const pages = await collect(store().readAll({ ...start, pageSize }))
        assert.deepEqual(idsOf(ours(eventsOf(pages))), idsOf(all))
        for (const page of pages) {
          assert.ok(page.events.length <= pageSize)
          assert.ok(page.events.every(({ position }) => position <= page.through))
        }
        for (const [at, page] of pages.entries())
          if (at > 0) assert.ok(page.through >= (pages[at - 1]?.through as bigint))
        assert.equal(pages.at(-1)?.caughtUp, true)
        assert.ok((pages.at(-1)?.through as bigint) >= (all.at(-1) as RecordedEvent).position)
      })

    test('is read after one position and up to another', async () => {
      const [from, to] = [all[1] as RecordedEvent, all[5] as RecordedEvent]
      assert.deepEqual(await read({ after: from.position, until: to.position }), idsOf(all.slice(2, 6)))
      assert.deepEqual(await read({ after: to.position, until: from.position }), [])
      const pages = await collect(store().readAll({ ...start, until: from.position }))
      assert.equal(pages.at(-1)?.caughtUp, false)
      assert.equal(pages.at(-1)?.through, from.position)
    })

    test('is read by category', async () => {
      assert.deepEqual(await read({ filter: { categories: [category] } }), expectedIds(inCategory))
      const both = { categories: [category, other.category] }
      assert.deepEqual(await read({ filter: both, pageSize: 2 }), idsOf(all))
      assert.deepEqual(await read({ filter: { categories: [category.slice(0, -1)] } }), [])
      assert.deepEqual(await read({ filter: { categories: [] } }), [])
    })

    test('is read by type, and by type and category', async () => {
      const ofType = (type: string) => (event: RecordedEvent) => event.type === type
      for (const type of ['SensorReadingRecorded', 'AlarmRaised', 'BatchCreated'])
        for (const pageSize of [1, 100]) {
          assert.deepEqual(await read({ filter: { types: [type] }, pageSize }), expectedIds(ofType(type)))
          assert.deepEqual(
            await read({ filter: { types: [type], categories: [category] }, pageSize }),
            expectedIds((event) => ofType(type)(event) && inCategory(event)),
          )
        }
      const types = ['AlarmRaised', 'SensorReadingRecorded']
      assert.deepEqual(
        await read({ filter: { types } }),
        expectedIds(({ type }) => types.includes(type)),
      )
      assert.deepEqual(await read({ filter: { types: ['BatchClosed'], categories: [category] } }), [])
    })

    test('a filtered reader sees how far it has come although nothing passed', async () => {
      const filter = { categories: [freshCategory().category] }
      const pages = await collect(store().readAll({ ...start, filter }))
      assert.deepEqual(eventsOf(pages), [])
      assert.ok((pages.at(-1)?.through as bigint) >= (all.at(-1) as RecordedEvent).position)
      assert.equal(pages.at(-1)?.caughtUp, true)
    })

    test('reading stops where its signal says', async () => {
      const stop = new AbortController()
      const seen: string[] = []
      for await (const page of store().readAll({ ...start, pageSize: 1, signal: stop.signal })) {
        seen.push(...idsOf(page.events))
        if (seen.length === 2) stop.abort()
      }
      assert.ok(seen.length === 2)
    })
  })

  test("the store's end is its last event", async () => {
    const [recorded] = await appended(store(), freshCategory().stream(), [alarm()])
    const head = await store().head()
    assert.ok(head && recorded)
    assert.ok(head.position >= recorded.position)
    assert.ok(head.recordedAt >= recorded.recordedAt)
    if (capabilities.gaplessPositions) {
      const [next] = await appended(store(), freshCategory().stream(), [reading()])
      assert.ok(next)
      assert.deepEqual(await store().head(), { position: next.position, recordedAt: next.recordedAt })
    }
  })

  test('a store that was opened anew is the same store and holds what it held', {
    skip: !canReopen,
  }, async () => {
    const stream = freshCategory().stream()
    await appended(store(), stream, [reading(), alarm(), typed()])
    const before = await readStream(store(), stream)
    const anew = await reopen()
    assert.equal(anew.storeId, store().storeId)
    assert.deepEqual(await readStream(anew, stream), before)
    const event = before[0] as RecordedEvent
    assert.deepEqual(await anew.readById(event.id), event)
    assert.equal(await anew.recordedAtOf(event.position), event.recordedAt)
  })
}
