import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockSteps } from './clock-steps.ts'

const start = Date.UTC(2026, 10, 21)

/** [sequence, source second, arrival second] */
function stepsOf(
  messages: readonly (readonly [number | undefined, number, number?])[],
): (number | undefined)[] {
  const clocks = clockSteps()
  return messages.map(([seq, at, received]) => {
    const step = clocks.observe({
      topic: 't',
      seq,
      atMs: start + at * 1000,
      receivedAtMs: start + (received ?? at) * 1000,
    })
    return step && (step.toMs - step.fromMs) / 1000
  })
}

test('a time that goes back while the sequence goes on is a clock that stepped back', () => {
  assert.deepEqual(
    stepsOf([
      [1, 600],
      [2, 601],
      [3, 2, 602],
      [4, 3, 603],
    ]),
    [undefined, undefined, -599, undefined],
  )
})

test('up to a second back is jitter', () => {
  assert.deepEqual(
    stepsOf([
      [1, 10],
      [2, 9],
      [3, 7.999],
    ]),
    [undefined, undefined, -1.001],
  )
})

test('late and repeated messages are no steps, and do not disturb those after them', () => {
  assert.deepEqual(
    stepsOf([
      [10, 10],
      [11, 11],
      [5, 5, 12],
      [11, 11, 12],
      [12, 12],
    ]),
    [undefined, undefined, undefined, undefined, undefined],
  )
})

test('a jump ahead without a missing message is a step when no such time passed here', () => {
  assert.deepEqual(
    stepsOf([
      [1, 0],
      [2, 96, 1],
      [3, 97, 2],
    ]),
    [undefined, 96, undefined],
  )
})

test('a pause is no step: the time passed here too, or messages are missing, or it is a replay', () => {
  const pause = [
    [1, 0],
    [2, 600, 600],
  ] as const
  const missing = [
    [1, 0],
    [600, 600, 1],
  ] as const
  const replay = [
    [1, 0, 1_000_000],
    [2, 900, 1_000_000.1],
  ] as const
  for (const messages of [pause, missing, replay]) assert.deepEqual(stepsOf(messages), [undefined, undefined])
})

test('a source that starts counting anew is no step', () => {
  assert.deepEqual(
    stepsOf([
      [100, 100],
      [0, 130],
      [1, 131],
    ]),
    [undefined, undefined, undefined],
  )
})

test('without sequence nothing is said', () => {
  assert.deepEqual(
    stepsOf([
      [undefined, 100],
      [undefined, 5],
    ]),
    [undefined, undefined],
  )
})
