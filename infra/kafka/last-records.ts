/** The last record of each partition that a relay wrote: what the topics hold, told by themselves. */
import { randomUUID } from 'node:crypto'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { disconnected } from './client.ts'
import { readProgressHeaders } from './record.ts'
import { withAdmin } from './topics.ts'

export type TopicPartition = { readonly topic: string; readonly partition: number }

export type LastRecord = TopicPartition & {
  /** Offset that the next record will have. */
  readonly end: bigint
  /** Undefined for a partition without a record of ours. */
  readonly last:
    | {
        readonly storeId: string
        readonly position: bigint
        readonly eventId: string
        readonly value: Buffer | null
      }
    | undefined
}

/** How far back a record of ours is looked for behind records that are none. */
const furthestBack = 4_096n
const giveUpMs = 60_000

export async function readLastRecords(
  kafka: Kafka,
  topics: readonly string[],
): Promise<readonly LastRecord[]> {
  const bounds = await withAdmin(kafka, async (admin) => {
    const found: (TopicPartition & { low: bigint; end: bigint })[] = []
    for (const topic of topics)
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
        found.push({ topic, partition, low: BigInt(low), end: BigInt(high) })
    return found
  })
  const records = new Map<string, LastRecord>()
  let open = bounds
  for (let back = 1n; open.length > 0; back *= 8n) {
    const wanted = open
      .map((bound) => ({ ...bound, from: bound.end - back > bound.low ? bound.end - back : bound.low }))
      .filter(({ from, end }) => from < end)
    const found = await readRanges(kafka, wanted)
    const still: typeof open = []
    for (const bound of open) {
      const message = found.get(keyOf(bound))
      const last = message && readProgressHeaders(message)
      const isExhausted = bound.end - back <= bound.low || back >= furthestBack
      if (last) records.set(keyOf(bound), { ...bound, last: { ...last, value: message.value } })
      else if (isExhausted) records.set(keyOf(bound), { ...bound, last: undefined })
      else still.push(bound)
    }
    open = still
  }
  return bounds.map((bound) => {
    const { topic, partition, end } = bound
    return { topic, partition, end, last: records.get(keyOf(bound))?.last }
  })
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

type Range = TopicPartition & { readonly from: bigint; readonly end: bigint }

/** The last record of ours in each range, read by a group of its own that ends with it. */
async function readRanges(
  kafka: Kafka,
  ranges: readonly Range[],
): Promise<ReadonlyMap<string, KafkaMessage>> {
  const found = new Map<string, KafkaMessage>()
  if (ranges.length === 0) return found
  const groupId = `bioledger-relay-look-${randomUUID()}`
  const open = new Map(ranges.map((range) => [keyOf(range), range]))
  const consumer = kafka.consumer({
    groupId,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 200,
    retry: { restartOnFailure: async () => false },
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...new Set(ranges.map(({ topic }) => topic))], fromBeginning: false })
    await new Promise<void>((settle, fail) => {
      const timer = setTimeout(
        () => fail(new Error(`the ends of ${[...open.keys()].join(', ')} could not be read`)),
        giveUpMs,
      )
      const over = (error?: unknown): void => {
        clearTimeout(timer)
        if (error) fail(error)
        else settle()
      }
      consumer.on('consumer.crash', ({ payload }) => over(payload.error))
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            const key = keyOf(batch)
            const range = open.get(key)
            if (!range) return
            for (const message of batch.messages)
              if (BigInt(message.offset) < range.end && readProgressHeaders(message)) found.set(key, message)
            if (BigInt(batch.lastOffset()) >= range.end - 1n) open.delete(key)
            if (open.size === 0) over()
          },
        })
        .then(() => {
          for (const { topic, partition, from } of ranges)
            consumer.seek({ topic, partition, offset: String(from) })
        })
        .catch(over)
    })
  } finally {
    await disconnected(consumer)
    await withAdmin(kafka, (admin) => admin.deleteGroups([groupId])).catch(() => {})
  }
  return found
}
