/** Everything that a topic holds now, partition by partition, read as an outsider would. */
import { randomUUID } from 'node:crypto'
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs'

export type TopicRecord = { readonly partition: number; readonly message: KafkaMessage }

export async function readTopic(brokers: readonly string[], topic: string): Promise<readonly TopicRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const open = new Map(
    offsets.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, BigInt(high)]),
  )
  const records: TopicRecord[] = []
  if (open.size === 0) return records
  const consumer = kafka.consumer({ groupId: `look-${randomUUID()}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((settle, fail) => {
    consumer.on('consumer.crash', ({ payload }) => fail(payload.error))
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          for (const message of batch.messages) records.push({ partition: batch.partition, message })
          if (BigInt(batch.lastOffset()) + 1n >= (open.get(batch.partition) ?? 0n))
            open.delete(batch.partition)
          if (open.size === 0) settle()
        },
      })
      .catch(fail)
  })
  await consumer.disconnect()
  return records
}

export const headerOf = (message: KafkaMessage, name: string): string | undefined =>
  message.headers?.[name]?.toString()
