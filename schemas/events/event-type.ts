/**
 * What every event type declares: its payload schema and version, upcasters for older versions, how critical
 * it is for review (Annex 11 item 1), whether people typed its payload (then it is salted at append), and the
 * sentence an auditor reads instead of JSON.
 */
import type { z } from 'zod'
import type { ClientEvent } from '../event.ts'

export type Criticality = 'critical' | 'major' | 'non-gxp'

export type EventType<Type extends string = string, Schema extends z.ZodType = z.ZodType> = {
  readonly type: Type
  readonly schemaVersion: number
  readonly criticality: Criticality
  /** People typed this payload: the ledger's leaf carries a salted digest of it instead of the text. */
  readonly typedByPeople: boolean
  readonly data: Schema
  /** `upcasters[n]` turns the payload of version n into that of version n + 1. */
  readonly upcasters: Readonly<Record<number, (data: Record<string, unknown>) => Record<string, unknown>>>
  /** One sentence without the time and without a final dot; `who` is the actor as people know it. */
  readonly sentence: (data: z.infer<Schema>, context: SentenceContext) => string
}

export type SentenceContext = { readonly who: string; readonly event: ClientEvent }

export function eventType<const Type extends string, Schema extends z.ZodType>(
  definition: EventType<Type, Schema>,
): EventType<Type, Schema> {
  return definition
}

/** The event as its type declares it: `EventOf<typeof batchCreated>`. */
export type EventOf<Definition> =
  Definition extends EventType<infer Type, infer Schema> ? ClientEvent<Type, z.infer<Schema>> : never
