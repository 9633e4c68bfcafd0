/**
 * The topics. Made explicitly, never by a producer's first message: the number of partitions decides which worker owns
 * which vessel and must not change afterwards.
 */
import type { Admin, Kafka } from 'kafkajs'

export type Topics = {
  /** Key: vessel. Readings, records and seals of a vessel in store order; without a key: for every vessel. */
  readonly vessels: string
  /** Key: stream. Every event that is no reading. */
  readonly events: string
  /** What a consumer could not read, with the reason. */
  readonly deadLetter: string
  /** The relay's own progress, one partition. */
  readonly relay: string
}

/** `prefix` is `bioprocess` but in tests and benches that share a broker. */
export function topicNames(prefix = 'bioprocess'): Topics {
  return {
    vessels: `${prefix}.vessels.v1`,
    events: `${prefix}.events.v1`,
    deadLetter: `${prefix}.dead-letter.v1`,
    relay: `${prefix}.relay.v1`,
  }
}

/** Above the largest event a store takes, with its envelope. */
const largestRecordBytes = 4 * 1024 * 1024

/** Makes those that are missing, with the broker's default replication. Those that are there stay as they are. */
export async function ensureTopics(kafka: Kafka, topics: Topics, partitions: number): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    const there = new Set(await admin.listTopics())
    const wanted = [
      { topic: topics.vessels, numPartitions: partitions },
      { topic: topics.events, numPartitions: partitions },
      { topic: topics.deadLetter, numPartitions: 1 },
      {
        topic: topics.relay,
        numPartitions: 1,
        configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
      },
    ].filter(({ topic }) => !there.has(topic))
    if (wanted.length === 0) return
    await admin.createTopics({
      waitForLeaders: true,
      topics: wanted.map(({ configEntries = [], ...topic }) => ({
        ...topic,
        configEntries: [{ name: 'max.message.bytes', value: String(largestRecordBytes) }, ...configEntries],
      })),
    })
  })
}

export async function withAdmin<Result>(
  kafka: Kafka,
  work: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect().catch(() => {})
  }
}
