/**
 * Turns simulated seconds into the messages that sensors send, in the order in which they go out.
 *
 * `many-tag`: `bioprocess/pichia/<vessel>/sensors` with `{"at","seq","values":{…},"origin":"simulated"}`, one a
 * second. `one-tag`: `…/sensors/<tag>` with `{"value","unit","at","seq","origin":"simulated"}`. The sequence counts
 * seconds of the run from `firstSequence`, so that tag, source time and sequence name a reading once.
 */
import type { SimulatedSecond } from '../domain/process-model/batch-run.ts'
import { type DeliveryFault, isActive } from '../domain/process-model/disturbances.ts'
import type { Origin } from '../schemas/event.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import { findTag } from '../schemas/tags.ts'

export type MessageForm = 'many-tag' | 'one-tag'

export type SensorMessage = {
  readonly topic: string
  readonly payload: string
  /** How many readings it carries. */
  readonly readings: number
}

/** A message with the second of the run at which it leaves the sensor. */
export type TimedMessage = SensorMessage & { readonly second: number }

export type Encoding = {
  readonly vessel: string
  readonly form: MessageForm
  readonly startMs: number
  readonly firstSequence: number
  readonly origin: Origin
}

/** The messages of one second; none when no tag has a reading. */
export function encodeSecond(simulated: SimulatedSecond, encoding: Encoding): readonly TimedMessage[] {
  const { vessel, form, startMs, firstSequence, origin } = encoding
  const second = simulated.second
  const at = new Date(startMs + second * 1000).toISOString()
  const seq = firstSequence + second
  const tags = Object.entries(simulated.values)
  if (tags.length === 0) return []
  if (form === 'many-tag')
    return [
      {
        second,
        topic: sensorTopic(vessel),
        payload: JSON.stringify({ at, seq, values: simulated.values, origin }),
        readings: tags.length,
      },
    ]
  return tags.map(([tag, value]) => ({
    second,
    topic: sensorTopic(vessel, tag),
    payload: JSON.stringify({ value, unit: findTag(tag)?.unit, at, seq, origin }),
    readings: 1,
  }))
}

/** Orders, repeats and holds back messages as the delivery faults of the run say. Call `end` after the last second. */
export function deliveryOf(faults: readonly DeliveryFault[]): {
  send(second: number, messages: readonly TimedMessage[]): readonly TimedMessage[]
  end(): readonly TimedMessage[]
} {
  const held: { readonly release: number; readonly message: TimedMessage }[] = []
  let group: TimedMessage[] = []

  const send = (second: number, messages: readonly TimedMessage[]): readonly TimedMessage[] => {
    if (faults.length === 0) return messages
    const out: TimedMessage[] = []
    while (held[0] !== undefined && held[0].release <= second) {
      const due = held.shift()
      if (due) out.push({ ...due.message, second })
    }
    const hours = second / 3600
    const active = faults.filter((fault) => isActive(fault, hours))
    const late = active.find((fault) => fault.kind === 'late')
    const outOfOrder = active.find((fault) => fault.kind === 'out-of-order')
    const repeat = active.some((fault) => fault.kind === 'duplicate') ? 2 : 1
    if (!outOfOrder) out.push(...release(second))
    for (const message of messages)
      for (let copy = 0; copy < repeat; copy++) {
        if (late) held.push({ release: Math.ceil(late.toHours * 3600 + late.byMinutes * 60), message })
        else if (outOfOrder) group.push(message)
        else out.push(message)
      }
    if (outOfOrder && group.length >= outOfOrder.groupSize) out.push(...release(second))
    return out
  }

  const release = (second: number): readonly TimedMessage[] => {
    const reversed = group.reverse().map((message) => ({ ...message, second }))
    group = []
    return reversed
  }

  const end = (): readonly TimedMessage[] => {
    const rest = [...release(group[0]?.second ?? 0), ...held.map(({ message }) => message)]
    held.length = 0
    return rest
  }
  return { send, end }
}
