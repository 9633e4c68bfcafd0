/** Readings as a plant sends them: `vessels` × the tags of the registry, one message a vessel and second. */
import type { ClientEvent } from '../schemas/event.ts'
import { readingId } from '../schemas/ids.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import { type TagDefinition, tagDefinitions } from '../schemas/tags.ts'

export const tagsPerMessage = tagDefinitions.length

export type MessageOfReadings = { readonly stream: string; readonly events: ClientEvent[] }

/** The `index`-th message: vessel `index % vessels` at second `index / vessels`. */
export function messageOfReadings(index: number, vessels: number, startMs: number): MessageOfReadings {
  const vessel = `B-${index % vessels}`
  const second = Math.floor(index / vessels)
  return {
    stream: `reading-bench-${vessel}`,
    events: tagDefinitions.map((definition) => readingOf(definition, vessel, startMs, second)),
  }
}

/** The reading of a tag at `second` after `startMs`; `value` where it is not to be drawn. */
export function readingOf(
  definition: TagDefinition,
  vessel: string,
  startMs: number,
  second: number,
  value = plausible(definition, second),
): ClientEvent {
  const atMs = startMs + second * 1000
  return {
    id: readingId({ vessel, tag: definition.tag, atMs, seq: second }),
    type: 'SensorReadingRecorded',
    schemaVersion: 1,
    occurredAt: new Date(atMs).toISOString(),
    receivedAt: new Date(atMs + 37).toISOString(),
    actor: { kind: 'device', id: vessel, role: 'sensor' },
    source: { topic: sensorTopic(vessel), seq: second },
    origin: 'simulated',
    site: 'bench',
    data: { vessel, tag: definition.tag, value, unit: definition.unit, quality: 'good' },
  }
}

/** Inside the operating range, with the decimals of the instrument; the same for the same seed. */
export function plausible(definition: TagDefinition, seed: number): number {
  const [low, high] = definition.operatingRange
  const scale = 10 ** definition.decimals
  return Math.round((low + (high - low) * pseudoRandom(seed * 31 + definition.tag.length)) * scale) / scale
}

function pseudoRandom(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43758.5453
  return x - Math.floor(x)
}
