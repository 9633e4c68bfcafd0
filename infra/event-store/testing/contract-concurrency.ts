/** Many writers and readers at once: nothing lost, doubled, reordered or skipped. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordedEvent } from '../../../schemas/event.ts'
import {
  appended,
  appendTo,
  type ContractContext,
  endOf,
  eventsOf,
  freshCategory,
  idsOf,
  readStream,
} from './contract-store.ts'
import { alarm, reading, typed } from './sample-events.ts'

const writers = 8
const rounds = 12

export function concurrencyContract({ store, capabilities }: ContractContext): void {
  test('of many writers that expect the same revision one gets through at a time', async () => {
    const stream = freshCategory().stream()
    let conflicts = 0
    const written = await Promise.all(
      Array.from({ length: writers }, async () => {
        const ids: string[] = []
        let expected: bigint | 'noStream' = 'noStream'
        while (ids.length < rounds) {
          const event = ids.length % 2 === 0 ? alarm() : reading()
          const outcome = await appendTo(store(), stream, expected, [event])
          if (outcome.kind === 'appended') {
            ids.push(event.id)
            expected = outcome.recorded[0]?.revision as bigint
          } else if (outcome.kind === 'conflict') {
            conflicts++
            expected = outcome.actual
          } else assert.fail(outcome.kind)
        }
        return ids
      }),
    )
    assert.ok(conflicts > 0, 'the writers met')
    const read = await readStream(store(), stream)
    assert.deepEqual(idsOf(read).sort(), written.flat().sort())
    assertContiguous(read)
    for (const ids of written) {
      const order = idsOf(read).filter((id) => ids.includes(id))
      assert.deepEqual(order, ids, "a writer's events stand in the order in which it wrote them")
    }
  })

  test('readers that read while writers write see every event once, in position order and stream order', async () => {
    const { category, stream } = freshCategory()
    const filter = { categories: [category] }
    const start = await endOf(store())
    const stop = new AbortController()
    const seen: RecordedEvent[] = []
    const total = writers * rounds * 3
    const subscriber = (async () => {
      for await (const page of store().subscribe({ ...start, filter, pageSize: 7, signal: stop.signal })) {
        seen.push(...page.events)
        if (seen.length >= total) stop.abort()
      }
    })()
    let writing = true
    const snapshots: string[][] = []
    const pollers = Promise.all(
      [0, 1].map(async () => {
        while (writing) {
          const pages = []
          for await (const page of store().readAll({ ...start, filter, pageSize: 50 })) pages.push(page)
          snapshots.push(idsOf(eventsOf(pages)))
        }
      }),
    )
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let round = 0; round < rounds; round++) {
          const events = round % 3 === 0 ? [alarm(), typed(), reading()] : [reading(), reading(), reading()]
          await appended(store(), stream(String(writer % 5)), events)
        }
      }),
    )
    writing = false
    await pollers
    const timeout = setTimeout(() => stop.abort(), 30_000)
    await subscriber
    clearTimeout(timeout)
    assert.equal(seen.length, total)
    assert.equal(new Set(idsOf(seen)).size, total, 'each once')
    for (const [at, event] of seen.entries())
      assert.ok(at === 0 || event.position > (seen[at - 1] as RecordedEvent).position)
    if (capabilities.gaplessPositions) {
      const pages = []
      for await (const page of store().readAll(start)) pages.push(page)
      const all = eventsOf(pages)
      const first = all[0] as RecordedEvent
      assert.ok(all.every((event, at) => event.position === first.position + BigInt(at)))
    }
    for (let name = 0; name < 5; name++)
      assertContiguous(seen.filter((event) => event.stream === stream(String(name))))
    const inTheEnd = idsOf(seen)
    for (const snapshot of snapshots)
      assert.deepEqual(snapshot, inTheEnd.slice(0, snapshot.length), 'what was read once never changes')
  })
}

function assertContiguous(events: readonly RecordedEvent[]): void {
  assert.deepEqual(
    events.map(({ revision }) => revision),
    events.map((_, index) => BigInt(index)),
  )
}
