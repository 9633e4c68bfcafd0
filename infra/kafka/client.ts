/** The kafkajs client with the settings every part of ours wants; its log goes to ours. */
import { type Consumer, Kafka, logLevel, type Producer } from 'kafkajs'
import type { Logger } from '../log.ts'

export type KafkaDeps = {
  /** `host:port` of at least one broker. */
  readonly brokers: readonly string[]
  readonly log: Logger
}

/** Connects to nothing yet. */
export function kafkaClient(deps: KafkaDeps, name: string): Kafka {
  return new Kafka({
    clientId: `bioledger-${name}`,
    brokers: [...deps.brokers],
    connectionTimeout: 3_000,
    requestTimeout: 20_000,
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, timestamp: _, logger: __, stack: ___, ...facts } = entry.log
      // kafkajs calls what it will try again an error; what it gives up on is thrown to us and logged there.
      deps.log.debug({ kafka: entry.namespace, ...facts }, message)
    },
  })
}

/**
 * Writes each record once and in order however often it must ask. A send that fails after 30 attempts leaves it open what
 * the topics hold: the producer is then to be thrown away.
 */
export function orderedProducer(kafka: Kafka): Producer {
  return kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) => {
        if (message.partition === undefined) throw new Error('a record without its partition')
        return message.partition
      },
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 30 },
  })
}

/** A disconnect that hangs must not hold up the rest. */
export async function disconnected(what: Consumer | Producer, withinMs = 5_000): Promise<void> {
  const timer: { handle?: NodeJS.Timeout } = {}
  await Promise.race([
    what.disconnect().catch(() => {}),
    new Promise<void>((settle) => {
      timer.handle = setTimeout(settle, withinMs)
    }),
  ])
  clearTimeout(timer.handle)
}
