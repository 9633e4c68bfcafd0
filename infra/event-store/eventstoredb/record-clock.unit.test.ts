import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClockStep } from './index/event-index.ts'
import { recordClock } from './record-clock.ts'

const created = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 })

test('record times are the running maximum of the server clock', () => {
  fc.assert(
    fc.property(created, (times) => {
      const clock = recordClock(0, [])
      let newest = 0
      for (const [at, ms] of times.entries()) {
        newest = Math.max(newest, ms)
        assert.equal(clock.next(BigInt(at * 7), ms).recordedAtMs, newest)
      }
    }),
  )
})

test('a reader finds the same record time later, also after restarts between any two events', () => {
  fc.assert(
    fc.property(created, fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (times, restarts) => {
      const kept = new Map<bigint, ClockStep>()
      let clock = recordClock(0, [])
      const given: number[] = []
      for (const [at, ms] of times.entries()) {
        if (restarts[at])
          clock = recordClock(
            clock.newestMs(),
            [...kept.values()].sort((a, b) => Number(a.from - b.from)),
          )
        const { recordedAtMs, step } = clock.next(BigInt(at), ms)
        if (step) kept.set(step.from, { ...step })
        given.push(recordedAtMs)
      }
      const reader = recordClock(
        clock.newestMs(),
        [...kept.values()].sort((a, b) => Number(a.from - b.from)),
      )
      for (const [at, ms] of times.entries()) {
        assert.equal(reader.of(BigInt(at), ms), given[at])
        assert.equal(clock.of(BigInt(at), ms), given[at])
      }
    }),
  )
})
