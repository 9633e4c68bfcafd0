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
    // Whoever asks tries again by itself, and must be able to stop between two attempts.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
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

/** The answer, or a rejection as soon as `signal` aborts; the work itself goes on until it is disconnected. */
export async function unlessAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  work.catch(() => {})
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
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
