import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { orderedAcknowledgements } from './ordered-acknowledgements.ts'

test('in whatever order messages become durable, they are acknowledged in the order of receipt, none early', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .integer({ min: 1, max: 40 })
        .chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: 1 })),
      async (durableOrder) => {
        const queue = orderedAcknowledgements()
        const acknowledged: number[] = []
        const settle: (() => void)[] = []
        const count = Math.max(...durableOrder) + 1
        for (let index = 0; index < count; index++)
          queue.add(new Promise<void>((resolve) => settle.push(resolve)), () => acknowledged.push(index))
        const durable = new Set<number>()
        for (const index of durableOrder) {
          settle[index]?.()
          durable.add(index)
          await new Promise((resolve) => setImmediate(resolve))
          let prefix = 0
          while (durable.has(prefix)) prefix++
          assert.deepEqual(acknowledged, [...Array(prefix).keys()])
          assert.equal(queue.size(), count - prefix)
        }
      },
    ),
    { numRuns: 50 },
  )
})
