/**
 * A small plant that publishes over MQTT like real devices do and remembers what the broker acknowledged.
 * Its promise is the reference of the crash tests: an acknowledged reading must be in the store, once.
 */
import mqtt from 'mqtt'
import { readingId } from '../../schemas/ids.ts'
import { sensorTopic } from '../../schemas/mqtt.ts'
import { tagDefinitions } from '../../schemas/tags.ts'

export type Plant = {
  /** Ids of readings whose message the broker acknowledged. */
  readonly acknowledged: Set<string>
  readonly published: Set<string>
  /** Source time of the first message. */
  readonly startMs: number
  /** Stops publishing and waits for what is under way. */
  stop(): Promise<void>
}

const tags = tagDefinitions
  .filter((definition) => definition.cadenceSeconds === 1)
  .map((definition) => definition.tag)

/**
 * `vessels` × 18 tags in one message each, so that about `readingsPerSecond` arrive. Source times step by one
 * second a message from `startMs` on, whatever the publishing rate: the record is back-dated, never in the future.
 */
export async function startPlant(options: {
  url: string
  vessels: number
  readingsPerSecond: number
  startMs: number
}): Promise<Plant> {
  const client = await mqtt.connectAsync(options.url, {
    protocolVersion: 5,
    clean: true,
    reconnectPeriod: 100,
  })
  const acknowledged = new Set<string>()
  const published = new Set<string>()
  const underWay = new Set<Promise<void>>()
  const intervalMs = 50
  const messagesPerTick = Math.max(
    1,
    Math.round((options.readingsPerSecond / tags.length) * (intervalMs / 1000)),
  )
  let sequence = 0
  const publishOne = (): void => {
    const vessel = `P-${(sequence % options.vessels) + 1}`
    const second = Math.floor(sequence / options.vessels)
    sequence++
    const atMs = options.startMs + second * 1000
    const values = Object.fromEntries(tags.map((tag, index) => [tag, plausible(tag, second + index)]))
    const ids = tags.map((tag) => readingId({ vessel, tag, atMs, seq: second }))
    for (const id of ids) published.add(id)
    const sent: Promise<void> = client
      .publishAsync(
        sensorTopic(vessel),
        JSON.stringify({ at: new Date(atMs).toISOString(), seq: second, values }),
        { qos: 1 },
      )
      .then(
        () => {
          for (const id of ids) acknowledged.add(id)
        },
        () => {},
      )
      .finally(() => underWay.delete(sent))
    underWay.add(sent)
  }
  const timer = setInterval(() => {
    // Nothing is dropped when the broker is slow: the plant waits, like a device with a small buffer.
    if (underWay.size > 2_000) return
    for (let count = 0; count < messagesPerTick; count++) publishOne()
  }, intervalMs)
  return {
    acknowledged,
    published,
    startMs: options.startMs,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(underWay)
      await client.endAsync()
    },
  }
}

function plausible(tag: string, seed: number): number {
  const [low, high] = tagDefinitions.find((definition) => definition.tag === tag)!.operatingRange
  return Math.round((low + (high - low) * ((seed * 7919) % 1000) * 0.001) * 1000) / 1000
}
