import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statementTiming } from './statement-timing.ts'

/** Runs messages at these ms past a 100-ms tick; the times at which a statement was due. */
function statements(messages: readonly number[], untilMs: number): number[] {
  const timing = statementTiming()
  const due: number[] = []
  let next = 0
  for (let now = 0; now <= untilMs; now += 10) {
    for (; next < messages.length && (messages[next] ?? 0) <= now; next++) {
      timing.arrived(now)
      timing.accounted(now)
    }
    if (now % 100 === 0 && timing.isDue(now)) {
      due.push(now)
      timing.stated(now)
    }
  }
  return due
}
const every = (ms: number, from: number, to: number) =>
  Array.from({ length: Math.ceil((to - from) / ms) }, (_, index) => from + index * ms)

test('a burst is stated within half a second after its end, once', () => {
  const due = statements(every(10, 0, 2_000), 8_000)
  assert.equal(due.length, 1)
  assert.ok((due[0] ?? 0) > 1_990 && (due[0] ?? 0) <= 2_500)
})

test('a vessel with a message a second, or a burst a second, is stated about every ten seconds', () => {
  const single = statements(every(1_000, 0, 60_000), 60_000)
  const burst = statements(
    every(1_000, 0, 60_000).flatMap((second) => every(5, second, second + 95)),
    60_000,
  )
  for (const due of [single, burst]) assert.ok(due.length >= 5 && due.length <= 8, String(due))
})

test('without anything new nothing is stated', () => {
  assert.deepEqual(statements([], 60_000), [])
})
