/**
 * Publishes over MQTT with QoS 1: at most `inFlight` messages wait for their PUBACK, then `publish` waits too, so
 * memory stays bounded however slow the broker is. A message counts as sent only when the broker has acknowledged
 * it; after a broken connection the client connects again and sends what was not acknowledged once more (the
 * receiver knows a repeated reading by its source time and sequence).
 */
import { connectAsync } from 'mqtt'
import { SimulationError } from './simulation-error.ts'

export type Publisher = {
  /** Resolves as soon as there is room in flight; rejects when an earlier message failed for good. */
  readonly publish: (topic: string, payload: string) => Promise<void>
  /** Resolves when everything published so far is acknowledged. */
  readonly flush: () => Promise<void>
  readonly acknowledged: () => number
  readonly close: () => Promise<void>
}

export type PublisherOptions = {
  readonly url: string
  readonly inFlight?: number
  readonly connectTimeoutMs?: number
  readonly signal?: AbortSignal
}

/** Connects; throws `broker-unreachable` when the first connection does not succeed. */
export async function mqttPublisher(options: PublisherOptions): Promise<Publisher> {
  const limit = options.inFlight ?? 500
  const client = await connectAsync(
    options.url,
    {
      clean: true,
      protocolVersion: 4,
      reconnectPeriod: 500,
      connectTimeout: options.connectTimeoutMs ?? 10_000,
    },
    false,
  ).catch((error: unknown) => {
    throw new SimulationError(
      'broker-unreachable',
      `no MQTT broker answers at ${withoutPassword(options.url)}: ${reasonOf(error)}`,
    )
  })
  // Errors of later connections: the client tries again by itself.
  client.on('error', () => {})

  let inFlight = 0
  let acknowledged = 0
  let failure: Error | undefined
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resume of woken) resume()
  }
  const onAbort = () => {
    failure ??= new SimulationError('aborted', 'stopped on request')
    wake()
  }
  options.signal?.addEventListener('abort', onAbort, { once: true })

  const settled = async (mayGoOn: () => boolean): Promise<void> => {
    while (!mayGoOn()) {
      if (failure) throw failure
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    if (failure) throw failure
  }

  return {
    publish: async (topic, payload) => {
      await settled(() => inFlight < limit)
      inFlight++
      client.publish(topic, payload, { qos: 1 }, (error) => {
        inFlight--
        if (error) failure ??= new SimulationError('broker-unreachable', `MQTT broker: ${reasonOf(error)}`)
        else acknowledged++
        wake()
      })
    },
    flush: () => settled(() => inFlight === 0),
    acknowledged: () => acknowledged,
    close: async () => {
      options.signal?.removeEventListener('abort', onAbort)
      await client.endAsync(inFlight > 0)
    },
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error && error.message !== '' ? error.message : String(error)
}

const withoutPassword = (url: string): string => url.replace(/^([a-z+]+:\/\/[^:/@]+):[^@]*@/i, '$1:…@')
