/** What decoding makes of one MQTT message: readings and what must be quarantined, none of it stored yet. */
import type { Origin } from '../schemas/event.ts'
import type { Quality, QuarantineReason } from '../schemas/events/sensor-events.ts'
import type { TagDefinition } from '../schemas/tags.ts'

export type DecodedReading = {
  readonly kind: 'reading'
  readonly definition: TagDefinition
  readonly value: number
  /** UCUM unit that the value is in, as it will be stored. */
  readonly unit: string
  /** `bad` when the value is impossible, whatever the source said. */
  readonly quality: Quality
  readonly isPossible: boolean
  /** JSON pointer to the value in the payload. */
  readonly field: string
}

export type Rejected = {
  readonly kind: 'rejected'
  /** As the source wrote it, where that is known. */
  readonly tag: string | null
  readonly reason: QuarantineReason
  readonly field: string
  readonly rule: string
}

export type DecodedMessage = {
  /** At most 512 characters of the MQTT topic. */
  readonly topic: string
  /** Under which the accounting counts it: the topic, or one name for all topics beyond the number it names. */
  readonly source: string
  /** Undefined when the topic names none that could be one. */
  readonly vessel: string | undefined
  readonly payload: Buffer
  /** Facts of a payload above the limit, of which `payload` holds only the beginning. */
  readonly oversized?: { readonly length: number; readonly sha256: string }
  readonly dup: boolean
  readonly receivedAtMs: number
  /** How many readings the message claims to carry; 1 when nothing can be made of it. */
  readonly claims: number
  /** Source time, or the arrival where the source gave none. */
  readonly atMs: number
  readonly hasSourceTime: boolean
  readonly seq: number | undefined
  readonly origin: Origin
  readonly traceparent: string | undefined
  /** One for each claimed reading. */
  readonly items: readonly (DecodedReading | Rejected)[]
}
