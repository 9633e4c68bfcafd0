import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaMessage } from 'kafkajs'
import type { RecordedEvent } from '../../schemas/event.ts'
import { reading } from '../event-store/testing/sample-events.ts'
import { type Delivery, ForeignFeedError } from '../feed/feed.ts'
import type { DeadLetter } from './dead-letters.ts'
import { deliverBatch } from './deliver-batch.ts'
import { openLanes } from './lanes.ts'
import { encodeRecord } from './record.ts'

const topic = 'vessels'

function message(offset: number, position: number, storeId = 'store-1'): KafkaMessage {
  const event: RecordedEvent = {
    ...reading(),
    stream: 'reading-b',
    revision: 0n,
    position: BigInt(position),
    recordedAt: '2026-11-21T09:30:01.000Z',
  }
  const { value, headers } = encodeRecord(event, storeId)
  return { offset: String(offset), key: Buffer.from('V-01'), value, headers, timestamp: '0', attributes: 0 }
}

const rubbish = (offset: number): KafkaMessage => ({ ...message(offset, 0), value: Buffer.from('rubbish') })

async function worker() {
  const told: string[] = []
  const letters: DeadLetter[] = []
  const consumer = {
    onAssigned: async (lanes: readonly string[]) => {
      told.push(`+${lanes}`)
    },
    onRevoked: async (lanes: readonly string[]) => {
      told.push(`-${lanes}`)
    },
    onEvents: async ({ events, caughtUp }: Delivery) => {
      told.push(`${events.map(({ event }) => event.position)}${caughtUp ? ' end' : ''}`)
    },
  }
  const lanes = openLanes(consumer)
  await lanes.become(['3'])
  const deadLetters = {
    put: async (given: readonly DeadLetter[]) => {
      letters.push(...given)
    },
    close: async () => {},
  }
  const take = (messages: KafkaMessage[], highWatermark: number, partition = 3) =>
    deliverBatch(
      { consumer, lanes, deadLetters, storeId: 'store-1' },
      {
        topic,
        partition,
        messages,
        highWatermark: String(highWatermark),
        lastOffset: () => messages.at(-1)?.offset ?? '0',
      },
      new AbortController().signal,
    )
  return { told, letters, lanes, take }
}

test('what is new is delivered at once, what was delivered is not delivered again', async () => {
  const { told, lanes, take } = await worker()
  await take([message(7, 70), message(8, 80)], 20)
  await take([message(8, 80), message(9, 80), message(10, 81)], 11)
  assert.deepEqual(told, ['+3', '70,80', '81 end'])
  assert.deepEqual(lanes.progress(), [{ lane: '3', position: 81n, waiting: 0 }])
})

test('after records that somebody else processed the lane begins anew', async () => {
  const { told, take } = await worker()
  await take([message(7, 70)], 20)
  await take([message(9, 90)], 20)
  assert.deepEqual(told, ['+3', '70', '-3', '+3', '90'])
})

test('an unreadable record among readable ones goes to the dead letters once, in its place', async () => {
  const { told, letters, take } = await worker()
  await take([message(7, 70), rubbish(8), message(9, 90)], 10)
  await take([rubbish(8), message(9, 90)], 10)
  assert.deepEqual(told, ['+3', '70,90 end'])
  assert.deepEqual(
    letters.map(({ topic: from, partition, message: { offset }, reason }) => [
      from,
      partition,
      offset,
      reason,
    ]),
    [[topic, 3, '8', 'not-json']],
  )
})

test('a record of another store ends the feed', async () => {
  const { take } = await worker()
  await assert.rejects(take([message(7, 70, 'store-2')], 8), ForeignFeedError)
})

test('a batch of a lane that is not owned is left alone', async () => {
  const { told, take } = await worker()
  await take([message(7, 70)], 8, 4)
  assert.deepEqual(told, ['+3'])
})
