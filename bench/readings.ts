/** Readings as a plant sends them: `vessels` × the tags of the registry, one message a vessel and second. */
import type { ClientEvent } from '../schemas/event.ts'
import { readingId } from '../schemas/ids.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import { tagDefinitions } from '../schemas/tags.ts'

export const tagsPerMessage = 20

export type MessageOfReadings = { readonly stream: string; readonly events: ClientEvent[] }

/** The `index`-th message: vessel `index % vessels` at second `index / vessels`. */
export function messageOfReadings(index: number, vessels: number, startMs: number): MessageOfReadings {
  const vessel = `B-${index % vessels}`
  const second = Math.floor(index / vessels)
  const atMs = startMs + second * 1000
  const at = new Date(atMs).toISOString()
  const receivedAt = new Date(atMs + 37).toISOString()
  const events: ClientEvent[] = []
  for (let tagIndex = 0; tagIndex < tagsPerMessage; tagIndex++) {
    const definition = tagDefinitions[tagIndex % tagDefinitions.length]!
    const [low, high] = definition.operatingRange
    events.push({
      id: readingId({ vessel, tag: `${definition.tag}${tagIndex}`, atMs, seq: second }),
      type: 'SensorReadingRecorded',
      schemaVersion: 1,
      occurredAt: at,
      receivedAt,
      actor: { kind: 'device', id: vessel, role: 'sensor' },
      source: { topic: sensorTopic(vessel), seq: second },
      origin: 'simulated',
      site: 'bench',
      data: {
        vessel,
        tag: definition.tag,
        value: low + (high - low) * pseudoRandom(index * 31 + tagIndex),
        unit: definition.unit,
        quality: 'good',
      },
    })
  }
  return { stream: `reading-bench-${vessel}`, events }
}

function pseudoRandom(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43758.5453
  return x - Math.floor(x)
}
