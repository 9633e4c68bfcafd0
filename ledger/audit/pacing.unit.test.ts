import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { entriesPerSecondFor, longestCycleMs, pacing } from './pacing.ts'

const quiet = { cycleMs: 120_000, growth: 0, comparedMs: 0, bound: undefined }

test('a cycle takes half of its time where that is no more than usual, from the first one on', () => {
  assert.equal(entriesPerSecondFor({ ...quiet, size: 0n }), 2_000)
  assert.equal(entriesPerSecondFor({ ...quiet, size: 600_000n }), 10_000)
  assert.equal(entriesPerSecondFor({ ...quiet, size: 1_400_000n }), 20_000)
})

test('however large the log is and however much comes in, its entries take no longer than a cycle may', () => {
  fc.assert(
    fc.property(
      fc.bigInt(1n, 100_000_000n),
      fc.integer({ min: 0, max: 50_000 }),
      fc.integer({ min: 0, max: 179_000 }),
      (size, growth, comparedMs) => {
        const seconds = Number(size) / entriesPerSecondFor({ ...quiet, size, growth, comparedMs })
        assert.ok(seconds * 1000 <= longestCycleMs - comparedMs + 1)
      },
    ),
  )
})

test('what somebody set is never exceeded', () => {
  assert.equal(entriesPerSecondFor({ ...quiet, size: 100_000_000n, bound: 5_000 }), 5_000)
  assert.equal(entriesPerSecondFor({ ...quiet, size: 0n, bound: 100 }), 100)
})

/** Time that passes only by waiting and working. */
function clock() {
  let nowMs = 1_000
  return {
    now: () => nowMs,
    wait: async (ms: number) => {
      nowMs += ms
    },
    work: (ms: number) => {
      nowMs += ms
    },
  }
}

test('work is part of the time, and what was held up is made up for', async () => {
  const time = clock()
  const never = new AbortController().signal
  const pace = pacing(1_000, { signal: never, hurry: never }, time)
  const began = time.now()
  for (let step = 0; step < 100; step++) {
    await pace.spend(100)
    // Sixty of a hundred milliseconds each, and once two seconds.
    time.work(step === 40 ? 2_000 : 60)
  }
  assert.equal(time.now() - began, 100 * 100 + 60)
})

test('in a hurry nothing is waited for, and a stop ends it', async () => {
  const time = clock()
  const [stop, hurry] = [new AbortController(), new AbortController()]
  const pace = pacing(1, { signal: stop.signal, hurry: hurry.signal }, time)
  hurry.abort()
  await pace.spend(1_000_000)
  assert.equal(time.now(), 1_000)
  stop.abort(new Error('stopped'))
  await assert.rejects(pace.spend(1), /stopped/)
})
