/**
 * The event envelope: what every fact in the store looks like (one envelope for all types).
 *
 * The *client part* is what the writer states; it becomes canonical bytes (RFC 8785) at append and never
 * changes. The store adds `stream`, `revision`, `position` and `recordedAt`; no client ever sets them.
 * Three clocks are kept apart: `occurredAt` (at the source), `receivedAt` (at our edge), `recordedAt` (store).
 */
import { z } from 'zod'

/** UTC instant, ISO 8601 with exactly three decimals and `Z`. */
export const instant = z
  .string()
  .regex(
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/,
    'an instant is UTC ISO 8601 with milliseconds, e.g. 2026-11-21T09:30:00.000Z',
  )
  .refine((text) => {
    const ms = Date.parse(text)
    return !Number.isNaN(ms) && new Date(ms).toISOString() === text
  }, 'no such calendar instant')
export type Instant = string

export const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'a UUID in lower case')

/** A number exactly as a person typed it; keeps its significant digits ("4.50"). */
export const decimalString = z
  .string()
  .regex(
    /^-?(0|[1-9]\d{0,14})(\.\d{1,12})?$/,
    'a decimal number such as 4.50, with a decimal point and no exponent',
  )

/** People appear as pseudonymous ids; their names live encrypted in `user-<id>`. */
export const actor = z.strictObject({
  kind: z.enum(['human', 'device', 'service', 'model']),
  id: z.string().min(1).max(100),
  role: z.string().min(1).max(50),
})
export type Actor = z.infer<typeof actor>

/** Where a device's message came from. MQTT never tells a subscriber the publisher's client id. */
export const source = z.strictObject({
  topic: z.string().min(1).max(512),
  seq: z.int().nonnegative().optional(),
})
export type Source = z.infer<typeof source>

export const origin = z.enum(['live', 'simulated', 'replayed'])
export type Origin = z.infer<typeof origin>

export const reason = z.strictObject({ code: z.string().min(1).max(50), text: z.string().min(10).max(2000) })

export const clientEnvelope = z.strictObject({
  id: uuid,
  type: z.string().regex(/^[A-Z][A-Za-z0-9]+$/),
  schemaVersion: z.int().positive(),
  occurredAt: instant,
  receivedAt: instant,
  actor,
  source: source.optional(),
  origin,
  site: z.string().min(1).max(50),
  correlationId: uuid.optional(),
  causationId: uuid.optional(),
  reason: reason.optional(),
  data: z.record(z.string(), z.unknown()),
})

/** What a writer states; `Data` is the type's own payload. */
export type ClientEvent<Type extends string = string, Data = Record<string, unknown>> = {
  readonly id: string
  readonly type: Type
  readonly schemaVersion: number
  readonly occurredAt: Instant
  readonly receivedAt: Instant
  readonly actor: Actor
  readonly source?: Source
  readonly origin: Origin
  readonly site: string
  readonly correlationId?: string
  readonly causationId?: string
  readonly reason?: { readonly code: string; readonly text: string }
  readonly data: Data
}

/** A client event as the store gives it back. Positions and revisions are `bigint`; strings in JSON. */
export type RecordedEvent<Type extends string = string, Data = Record<string, unknown>> = ClientEvent<
  Type,
  Data
> & {
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly recordedAt: Instant
  /** W3C trace context, carried beside the record and never part of it (nor of its bytes). */
  readonly traceparent?: string
}

const storeFields = new Set(['stream', 'revision', 'position', 'recordedAt', 'traceparent'])

/** The client part of a recorded event: everything but what the store added. */
export function clientPart(event: RecordedEvent | ClientEvent): ClientEvent {
  return Object.fromEntries(
    Object.entries(event).filter(([key, value]) => value !== undefined && !storeFields.has(key)),
  ) as unknown as ClientEvent
}
