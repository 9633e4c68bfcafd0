/** The messages of the ingest lines: source times step by a second a vessel, however fast they are published. */
import { sensorTopic } from '../schemas/mqtt.ts'
import { tagDefinitions } from '../schemas/tags.ts'
import type { Message, NextMessage } from './publisher.ts'
import { plausible } from './readings.ts'

export type Stepping = {
  readonly vesselPrefix: string
  readonly vessels: number
  readonly startMs: number
}

/** A generator a connection, with vessels of its own. */
export function onEachConnection(
  make: (stepping: Stepping) => () => Message,
  { vesselPrefix, vessels, startMs }: Stepping,
): NextMessage {
  const generators = new Map<number, () => Message>()
  return (connection) => {
    let next = generators.get(connection)
    if (!next) {
      next = make({ vesselPrefix: `${vesselPrefix}-${connection}`, vessels, startMs })
      generators.set(connection, next)
    }
    return next()
  }
}

/** All tags of a vessel's second in one message. */
export function manyTagMessages({ vesselPrefix, vessels, startMs }: Stepping): () => Message {
  let index = 0
  return () => {
    const vessel = `${vesselPrefix}-${index % vessels}`
    const second = Math.floor(index++ / vessels)
    const values = Object.fromEntries(
      tagDefinitions.map((definition) => [definition.tag, plausible(definition, second)]),
    )
    return {
      topic: sensorTopic(vessel),
      payload: JSON.stringify({ at: new Date(startMs + second * 1000).toISOString(), seq: second, values }),
      readings: tagDefinitions.length,
    }
  }
}

/** One tag a message, a vessel's tags of a second one after the other. */
export function oneTagMessages({ vesselPrefix, vessels, startMs }: Stepping): () => Message {
  let index = 0
  return () => {
    const vessel = `${vesselPrefix}-${index % vessels}`
    const turn = Math.floor(index++ / vessels)
    const definition = tagDefinitions[turn % tagDefinitions.length]!
    const second = Math.floor(turn / tagDefinitions.length)
    return {
      topic: sensorTopic(vessel, definition.tag),
      payload: JSON.stringify({
        value: plausible(definition, second),
        unit: definition.unit,
        at: new Date(startMs + second * 1000).toISOString(),
        seq: second,
      }),
      readings: 1,
    }
  }
}
