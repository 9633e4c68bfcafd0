import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { growthPhase } from './growth-phase.ts'

const step = 30_000
const feed = (phase: ReturnType<typeof growthPhase>, mu: number | undefined, windows: number) => {
  for (let nth = 0; nth < windows; nth++) phase.push(mu, false)
  return phase.phase()
}

test('ten minutes at 0.08 1/h end the lag, and not a window less', () => {
  const phase = growthPhase(step)
  assert.equal(feed(phase, 0.08, 19), 'lag')
  assert.equal(feed(phase, 0.08, 1), 'exponential')
})

test('slow growth before the first fast growth is lag, not deceleration or rest', () => {
  const phase = growthPhase(step)
  assert.equal(feed(phase, 0.05, 100), 'lag')
  assert.equal(feed(phase, 0, 100), 'lag')
})

test('growth decelerates, rests and may take up again, but never lags again', () => {
  const phase = growthPhase(step)
  feed(phase, 0.25, 20)
  assert.equal(feed(phase, 0.0799, 20), 'decelerating')
  assert.equal(feed(phase, 0.2, 20), 'exponential')
  assert.equal(feed(phase, 0.0199, 19), 'exponential')
  assert.equal(feed(phase, 0.0199, 1), 'stationary')
  assert.equal(feed(phase, 0.02, 20), 'decelerating')
})

test('a growth rate that is not known, or swings back, starts the ten minutes anew', () => {
  const phase = growthPhase(step)
  feed(phase, 0.25, 20)
  feed(phase, 0.05, 19)
  feed(phase, undefined, 1)
  assert.equal(feed(phase, 0.05, 19), 'exponential')
  feed(phase, 0.25, 1)
  assert.equal(feed(phase, 0.05, 19), 'exponential')
  assert.equal(feed(phase, 0.05, 1), 'decelerating')
})

test('confirmed depletion is the end of growth', () => {
  const phase = growthPhase(step)
  assert.equal(phase.push(0.25, true), 'stationary')
  assert.equal(feed(phase, 0.25, 100), 'stationary')
})

test('whatever the growth rates, lag is never entered', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: 1, max: 40 })), {
        maxLength: 20,
      }),
      (spans) => {
        const phase = growthPhase(step)
        let left = false
        for (const [mu, windows] of spans) {
          const reached = feed(phase, mu, windows)
          if (left) assert.notEqual(reached, 'lag')
          left ||= reached !== 'lag'
        }
      },
    ),
  )
})
