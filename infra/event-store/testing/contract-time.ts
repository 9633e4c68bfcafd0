/** Record times: whole milliseconds that never step back, and instants that are passed for good. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant, type RecordedEvent } from '../../../schemas/event.ts'
import { until } from '../../testing/until.ts'
import { appended, type ContractContext, collect, endOf, eventsOf, freshCategory } from './contract-store.ts'
import { alarm, reading, readings } from './sample-events.ts'

export function timeContract({ store }: ContractContext): void {
  const passedAt = (at: string) =>
    until(`${at} is passed`, async () => {
      const answer = await store().positionAt(at)
      return answer.passed ? answer : undefined
    })

  test('record times are whole milliseconds and never step back', async () => {
    const { stream } = freshCategory()
    const start = await endOf(store())
    for (let round = 0; round < 10; round++) await appended(store(), stream(), [reading(), alarm()])
    const events = eventsOf(await collect(store().readAll(start)))
    assert.ok(events.length >= 20)
    for (const [at, event] of events.entries()) {
      assert.ok(instant.safeParse(event.recordedAt).success, event.recordedAt)
      if (at > 0) assert.ok(event.recordedAt >= (events[at - 1] as RecordedEvent).recordedAt)
    }
  })

  test('the record time of a position is that of its event, or of the last one before it', async () => {
    const { stream } = freshCategory()
    const recorded = [
      ...(await appended(store(), stream(), readings(3))),
      ...(await appended(store(), stream(), [alarm()])),
    ]
    for (const { position, recordedAt } of recorded)
      assert.equal(await store().recordedAtOf(position), recordedAt)
    const head = await store().head()
    assert.equal(await store().recordedAtOf(2n ** 62n), head?.recordedAt)
    assert.equal(await store().recordedAtOf(-1n), undefined)
  })

  test('once an instant is passed, its position stays the same for ever', async () => {
    const { stream } = freshCategory()
    for (let round = 0; round < 4; round++) {
      const recorded = await appended(store(), stream(), readings(2))
      const last = recorded.at(-1) as (typeof recorded)[number]
      const answer = await passedAt(last.recordedAt)
      assert.ok((answer.position as bigint) >= last.position)
      assert.equal(await store().recordedAtOf(answer.position as bigint), last.recordedAt)
      const [next] = await appended(store(), stream(), [alarm()])
      assert.ok(next && next.recordedAt > last.recordedAt, 'nothing is recorded at a passed instant')
      assert.deepEqual(await store().positionAt(last.recordedAt), answer)
      const between = new Date(Date.parse(last.recordedAt) - 1).toISOString()
      const earlier = await store().positionAt(between)
      assert.equal(earlier.passed, true)
      assert.ok(earlier.position === undefined || earlier.position < last.position)
    }
  })

  test('an instant is not passed while events with its record time may come, from many askers and writers', async () => {
    const { stream } = freshCategory()
    const answers: { at: string; position: bigint | undefined }[] = []
    let writing = true
    const asking = Promise.all(
      [0, 1, 2].map(async () => {
        while (writing) {
          const at = new Date().toISOString()
          const { passed, position } = await store().positionAt(at)
          if (passed) answers.push({ at, position })
          await new Promise((settle) => setImmediate(settle))
        }
      }),
    )
    for (let round = 0; round < 40; round++) await appended(store(), stream(), [reading()])
    writing = false
    await asking
    for (const { at, position } of answers)
      assert.equal((await store().positionAt(at)).position, position, `the position at ${at} moved`)
  })

  test('the future is not passed; the time before everything is, with nothing recorded by then', async () => {
    await appended(store(), freshCategory().stream(), [reading()])
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
    assert.equal((await store().positionAt(tomorrow)).passed, false)
    for (const at of ['1970-01-01T00:00:00.000Z', '1999-12-31T23:59:59.999Z'])
      assert.deepEqual(await store().positionAt(at), { passed: true, position: undefined })
  })
}
