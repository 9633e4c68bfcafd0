/**
 * Turns whole messages into the events of one append and, once the store has answered, into the figures of the
 * balance: every claimed reading becomes exactly one of stored, duplicate, quarantined.
 */
import type { AppendOutcome } from '../infra/event-store/event-store.ts'
import type { ClientEvent } from '../schemas/event.ts'
import type { ReadingFlag } from '../schemas/events/sensor-events.ts'
import type { DecodedMessage, DecodedReading, Rejected } from './decoded-message.ts'
import {
  boundsAlarm,
  clockStepped,
  gapEvents,
  isSameFact,
  type MessageContext,
  messageContext,
  quarantineEvent,
  readingEvent,
  readingEventId,
  sealedAlarm,
} from './events.ts'
import type { Occupancy } from './lifecycle.ts'
import { deltaOf, type SourceDelta } from './source-delta.ts'
import type { StreamSequence } from './stream-sequence.ts'

/** A message that waits for its append; `batch` is the sealed one it came too late for. */
export type PendingMessage = {
  readonly message: DecodedMessage
  readonly lateFor: Occupancy | undefined
}

export type StreamKnowledge = {
  readonly stream: string
  readonly site: string
  readonly sequence: StreamSequence
  /** Unit of each tag's first reading in the stream; the plan adds to it. */
  readonly units: Map<string, string>
  /** Sealed batches whose late readings have raised their alarm in this stream. */
  readonly alarmedBatches: Set<string>
}

type Planned = {
  readonly kind: 'reading' | 'quarantine' | 'side'
  readonly event: ClientEvent
  readonly context: MessageContext | undefined
  readonly field: string
}

export type RequestPlan = {
  events(): readonly ClientEvent[]
  /** False for events of ingest's own alone (statements, seals). */
  readonly hasMessages: boolean
  readonly newUnits: ReadonlyMap<string, string>
  /** An event of this id stands in the store already: the same fact, or another one. */
  resolveCollision(id: string, stored: ClientEvent): void
  /** No store could take one of these events: every reading is quarantined instead. Only once. */
  quarantineAll(rule: string): void
  /** Figures by topic. `isNew`: whether the revision was written by this append. */
  figures(outcome: AppendOutcome | undefined, isNew: (revision: bigint) => boolean): Map<string, SourceDelta>
  readonly sideEvents: { readonly alarms: number; readonly gaps: number; readonly clockSteps: number }
}

const lateAfterMs = 60_000

export function requestPlan(
  knowledge: StreamKnowledge,
  messages: readonly PendingMessage[],
  own: readonly ClientEvent[],
): RequestPlan {
  let planned = new Map<string, Planned>()
  const newUnits = new Map<string, string>()
  const settled = new Map<string, SourceDelta>()
  const sideEvents = { alarms: 0, gaps: own.length, clockSteps: 0 }
  const delta = (topic: string): SourceDelta => deltaOf(settled, topic)
  const addSide = (event: ClientEvent): void => {
    if (!planned.has(event.id)) planned.set(event.id, { kind: 'side', event, context: undefined, field: '' })
  }
  const addQuarantine = (context: MessageContext, rejected: Rejected): void => {
    const event = quarantineEvent(context, rejected)
    if (planned.has(event.id)) delta(context.message.source).duplicate++
    else planned.set(event.id, { kind: 'quarantine', event, context, field: rejected.field })
  }
  const addReading = (
    context: MessageContext,
    reading: DecodedReading,
    flags: ReadingFlag[],
  ): string | undefined => {
    const id = readingEventId(context, reading.definition.tag)
    const event = readingEvent(context, reading, id, flags.length > 0 ? flags : undefined)
    const before = planned.get(id)
    if (!before) {
      planned.set(id, { kind: 'reading', event, context, field: reading.field })
      return id
    }
    if (isSameFact(before.event, event)) delta(context.message.source).duplicate++
    else addQuarantine(context, collision(event, reading.field))
    return undefined
  }

  const addMessage = ({ message, lateFor }: PendingMessage): void => {
    delta(message.source).received += message.claims
    const context = messageContext(message, knowledge.site)
    const step = message.items.some((item) => item.kind === 'reading')
      ? knowledge.sequence.clocks.observe(message)
      : undefined
    if (step && message.vessel !== undefined) {
      addSide(clockStepped(context, step))
      sideEvents.clockSteps++
    }
    const isLate = message.receivedAtMs - message.atMs > lateAfterMs
    for (const item of message.items) {
      if (item.kind === 'rejected') {
        addQuarantine(context, item)
        continue
      }
      const { tag } = item.definition
      const unit = knowledge.units.get(tag)
      if (unit === undefined) {
        knowledge.units.set(tag, item.unit)
        newUnits.set(tag, item.unit)
      } else if (unit !== item.unit) {
        addQuarantine(context, {
          kind: 'rejected',
          tag,
          reason: 'wrong-unit',
          field: item.field,
          rule: `${tag} of this stream is in ${unit}, not in ${item.unit}`,
        })
        continue
      }
      const observed = knowledge.sequence.series(item.definition).observe({
        atMs: message.atMs,
        receivedAtMs: message.receivedAtMs,
        isPossible: item.isPossible,
        clockStepped: step !== undefined,
      })
      for (const gap of observed.gaps) {
        for (const event of gapEvents(knowledge.stream, message.vessel ?? '', gap, {
          receivedAtMs: message.receivedAtMs,
          origin: message.origin,
          site: knowledge.site,
        }))
          addSide(event)
        sideEvents.gaps++
      }
      // In the order of their names, as the record wants them.
      const flags: ReadingFlag[] = []
      if (step && step.toMs < step.fromMs) flags.push('clock-stepped')
      if (isLate) flags.push('late')
      if (!item.isPossible) flags.push('out-of-hard-bounds')
      if (observed.isOutOfOrder) flags.push('out-of-order')
      if (message.dup && !message.hasSourceTime) flags.push('possibly-duplicate')
      if (lateFor) flags.push('stream-sealed')
      const id = addReading(context, item, flags)
      if (id !== undefined && observed.raisesAlarm) {
        addSide(boundsAlarm(context, item, id))
        sideEvents.alarms++
      }
      if (lateFor?.toMs !== undefined && !knowledge.alarmedBatches.has(lateFor.batchId)) {
        knowledge.alarmedBatches.add(lateFor.batchId)
        addSide(sealedAlarm(context, lateFor.batchId, lateFor.toMs, knowledge.stream))
        sideEvents.alarms++
      }
    }
  }

  for (const event of own) addSide(event)
  for (const message of messages) addMessage(message)

  return {
    events: () => Array.from(planned.values(), ({ event }) => event),
    newUnits,
    sideEvents,
    hasMessages: messages.length > 0,
    resolveCollision(id, stored) {
      const entry = planned.get(id)
      if (!entry) return
      planned.delete(id)
      if (entry.context === undefined) return
      if (isSameFact(stored, entry.event)) delta(entry.context.message.source).duplicate++
      else addQuarantine(entry.context, collision(entry.event, entry.field))
    },
    quarantineAll(rule) {
      const before = planned
      planned = new Map()
      for (const { kind, context, event, field } of before.values()) {
        if (!context) continue
        if (kind === 'quarantine') planned.set(event.id, { kind, event, context, field })
        else
          addQuarantine(context, {
            kind: 'rejected',
            tag: String(event.data.tag),
            reason: 'schema',
            field,
            rule,
          })
      }
    },
    figures(outcome, isNew) {
      if (outcome && outcome.kind !== 'appended' && outcome.kind !== 'duplicate') return settled
      const entries = planned.values()
      for (const recorded of outcome?.recorded ?? []) {
        const entry = entries.next().value
        if (!entry?.context) continue
        const figure = delta(entry.context.message.source)
        if (!isNew(recorded.revision)) figure.duplicate++
        else if (entry.kind === 'quarantine') figure.quarantined++
      }
      return settled
    },
  }
}

function collision(event: ClientEvent, field: string): Rejected {
  return {
    kind: 'rejected',
    tag: String(event.data.tag),
    reason: 'id-collision',
    field,
    rule: `another reading of ${event.data.tag} at ${event.occurredAt} with the same sequence is on record already`,
  }
}
