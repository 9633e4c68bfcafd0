import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeMessage } from './decode.ts'
import { messageQueue, type WaitingMessage } from './message-queue.ts'

/** A message of so many readings, or of so many values that are none. */
const waitingMessage = (values: number, isBad: boolean): WaitingMessage => ({
  message: decodeMessage(
    {
      topic: 'bioprocess/pichia/V-01/sensors',
      payload: Buffer.from(
        JSON.stringify({
          at: '2026-11-20T08:00:00.000Z',
          seq: 1,
          values: Object.fromEntries(
            ['pH', 'DO', 'OD', 'x1', 'x2', 'x3'].slice(0, values).map((tag) => [tag, isBad ? 'x' : 5]),
          ),
        }),
      ),
      dup: false,
      retained: false,
      receivedAtMs: Date.UTC(2026, 10, 20, 8),
    },
    undefined,
  ),
  lateFor: undefined,
  acknowledge: () => {},
})

const waitingMessages = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.boolean())
    .map(([values, isBad]) => waitingMessage(values, isBad)),
  { maxLength: 40 },
)

test('every message is taken once, whole and in the order of arrival, at least one at a time', () => {
  fc.assert(
    fc.property(
      waitingMessages,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 30_000 }),
      (messages, eventsPerAppend, bytesPerAppend) => {
        const queue = messageQueue({ eventsPerAppend, bytesPerAppend })
        for (const message of messages) queue.add(message)
        const taken: WaitingMessage[] = []
        while (queue.length() > 0) {
          const group = queue.takeForAppend()
          assert.ok(group.length > 0)
          taken.push(...group)
        }
        assert.deepEqual(taken, messages)
      },
    ),
  )
})

test('messages taken together fill at most half of what one append takes, by number and by size', () => {
  const queue = messageQueue({ eventsPerAppend: 20, bytesPerAppend: 1_000_000 })
  for (let count = 0; count < 5; count++) queue.add(waitingMessage(3, false))
  assert.deepEqual([queue.takeForAppend().length, queue.length()], [3, 2])
  const small = messageQueue({ eventsPerAppend: 1_000, bytesPerAppend: 5_000 })
  for (let count = 0; count < 5; count++) small.add(waitingMessage(3, false))
  assert.deepEqual([small.takeForAppend().length, small.length()], [2, 3])
})

test('nothing is left when all are taken', () => {
  const queue = messageQueue({ eventsPerAppend: 1, bytesPerAppend: 1 })
  for (let count = 0; count < 3; count++) queue.add(waitingMessage(1, true))
  assert.deepEqual([queue.takeAll().length, queue.length(), queue.takeAll().length], [3, 0, 0])
})
