/**
 * The life of one kafkajs consumer in the group. kafkajs gives up for good in cases that a broker's restart brings about
 * (`consumer.crash` without a restart, "the coordinator is not aware of this member"); then the session ends and its
 * supervisor opens the next one in the same group.
 */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { FeedConsumer } from '../feed/feed.ts'
import type { Logger } from '../log.ts'
import { disconnected, unlessAborted } from './client.ts'
import { type DeliverBatchDeps, deliverBatch } from './deliver-batch.ts'
import { keepingAssigner } from './keeping-assigner.ts'

export type WorkerSessionDeps = DeliverBatchDeps & {
  readonly kafka: Kafka
  readonly topic: string
  readonly group: string
  readonly consumer: FeedConsumer
  readonly log: Logger
  readonly sessionTimeoutMs: number
}

/** Resolves when the consumer crashed or `consumer.signal` aborted; rejects with what ends the feed. */
export async function workerSession(deps: WorkerSessionDeps): Promise<'crashed' | 'stopped'> {
  const { lanes, log } = deps
  const { signal } = deps.consumer
  const heartbeatMs = Math.max(250, Math.floor(deps.sessionTimeoutMs / 5))
  const kafkaConsumer = deps.kafka.consumer({
    groupId: deps.group,
    sessionTimeout: deps.sessionTimeoutMs,
    rebalanceTimeout: Math.max(30_000, deps.sessionTimeoutMs),
    heartbeatInterval: heartbeatMs,
    maxWaitTimeInMs: 500,
    allowAutoTopicCreation: false,
    partitionAssigners: [keepingAssigner(() => lanes.owned().map(Number))],
    retry: { restartOnFailure: async () => false },
  })
  const over = Promise.withResolvers<'crashed' | 'stopped'>()
  over.promise.catch(() => {})
  const ended = new AbortController()
  let ownership = Promise.resolve()
  let inHand = Promise.resolve()
  const stop = (): void => over.resolve('stopped')
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()

  watch(kafkaConsumer, deps, {
    onJoined: (assigned) => {
      ownership = ownership.then(() => (ended.signal.aborted ? undefined : lanes.become(assigned)))
      ownership.catch(over.reject)
    },
    onCrash: (error) => {
      log.warn({ error: String(error), group: deps.group }, 'the Kafka consumer gave up; opening another')
      over.resolve('crashed')
    },
  })

  /** Anything but an error of Kafka's own leaves this function quietly and ends the session. */
  const process = async (payload: EachBatchPayload): Promise<void> => {
    await ownership
    const { batch } = payload
    if (ended.signal.aborted || !lanes.of(String(batch.partition))) return
    const lost = new AbortController()
    let loss: unknown
    const heartbeat = setInterval(() => {
      payload.heartbeat().catch((error: unknown) => {
        // A broker that does not answer says nothing about who owns the lane.
        if (!isAnswer(error)) return
        loss ??= error
        lost.abort()
      })
    }, heartbeatMs)
    try {
      await deliverBatch(deps, batch, AbortSignal.any([ended.signal, signal, lost.signal]))
    } catch (error) {
      if (!ended.signal.aborted && !signal.aborted && !lost.signal.aborted) return over.reject(error)
      log.debug({ err: error, lane: batch.partition }, 'a delivery was given up')
      await lanes.begin(String(batch.partition))
      if (loss) throw loss
      return
    } finally {
      clearInterval(heartbeat)
    }
    payload.resolveOffset(batch.lastOffset())
    await payload.commitOffsetsIfNecessary({
      topics: [
        {
          topic: batch.topic,
          partitions: [{ partition: batch.partition, offset: String(BigInt(batch.lastOffset()) + 1n) }],
        },
      ],
    })
    if (loss) throw loss
  }

  try {
    await unlessAborted(signal, kafkaConsumer.connect())
    await kafkaConsumer.subscribe({ topics: [deps.topic], fromBeginning: true })
    await kafkaConsumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: (payload) => {
        const work = process(payload)
        inHand = work.catch(() => {})
        return work
      },
    })
    return await over.promise
  } finally {
    signal.removeEventListener('abort', stop)
    ended.abort()
    await inHand
    await ownership.catch(() => {})
    await disconnected(kafkaConsumer)
  }
}

/** The coordinator's own word: rebalancing, unknown member, another generation. */
const isAnswer = (error: unknown): boolean => error instanceof Error && error.name === 'KafkaJSProtocolError'

function watch(
  kafkaConsumer: Consumer,
  deps: WorkerSessionDeps,
  on: { onJoined(lanes: readonly string[]): void; onCrash(error: unknown): void },
): void {
  kafkaConsumer.on('consumer.group_join', ({ payload }) => {
    const assigned = (payload.memberAssignment[deps.topic] ?? []).map(String)
    deps.log.info({ group: deps.group, lanes: assigned }, 'joined the group')
    on.onJoined(assigned)
  })
  kafkaConsumer.on('consumer.crash', ({ payload }) => on.onCrash(payload.error))
}
