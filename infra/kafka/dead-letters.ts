/** What a consumer could not read goes to `bioprocess.dead-letter.v1`: the bytes as they were, where they stood, and why. */
import type { IHeaders, KafkaMessage, Producer } from 'kafkajs'
import type { Logger } from '../log.ts'
import { untilItWorks } from '../until-it-works.ts'
import { disconnected, type KafkaDeps, kafkaClient, orderedProducer } from './client.ts'
import type { PoisonReason } from './record.ts'
import { inSends, type RelayRecord } from './relay-records.ts'
import type { Topics } from './topics.ts'

export type DeadLetter = {
  readonly topic: string
  readonly partition: number
  readonly message: KafkaMessage
  readonly reason: PoisonReason
  readonly rule: string
}

export type DeadLetters = {
  /** Resolves when the broker has them; rejects only when `signal` aborts. */
  put(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const bytesPerSend = 900_000
const ofRecord = 'original-'

export function deadLetters(
  deps: KafkaDeps & { readonly topics: Topics; readonly log: Logger },
): DeadLetters {
  let producer: Producer | undefined
  const drop = async (): Promise<void> => {
    const old = producer
    producer = undefined
    if (old) await disconnected(old)
  }
  return {
    async put(letters, signal) {
      for (const { topic, partition, message, reason, rule } of letters)
        deps.log.error(
          { topic, partition, offset: message.offset, reason, rule },
          'a record cannot be read and goes to the dead letters',
        )
      const records = letters.map((letter): RelayRecord => recordOf(letter, deps.topics.deadLetter))
      for (const send of inSends(records, bytesPerSend))
        await untilItWorks({ what: 'write dead letters', log: deps.log, signal }, async () => {
          if (!producer) {
            producer = orderedProducer(kafkaClient(deps, 'dead-letter'))
            await producer.connect()
          }
          try {
            await producer.send({
              topic: deps.topics.deadLetter,
              acks: -1,
              messages: send.map(({ message }) => message),
            })
          } catch (error) {
            await drop()
            throw error
          }
        })
    },
    close: drop,
  }
}

function recordOf({ topic, partition, message, reason, rule }: DeadLetter, deadLetter: string): RelayRecord {
  const headers: IHeaders = { reason, rule, topic, partition: String(partition), offset: message.offset }
  for (const [name, value] of Object.entries(message.headers ?? {}))
    if (value !== undefined) headers[ofRecord + name] = value
  return {
    topic: deadLetter,
    partition: 0,
    message: { key: message.key, value: message.value, headers, partition: 0 },
  }
}
