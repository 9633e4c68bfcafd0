/**
 * The event that a closed window becomes. Everything in it follows from the window, so recomputing a batch gives the
 * same ids and the same bytes: the id is derived, the edge's clock is the store's clock of the event that closed it.
 */
import type { ClientEvent } from '../../schemas/event.ts'
import type { EventOf } from '../../schemas/events/event-type.ts'
import type { processWindowDerived } from '../../schemas/events/process-events.ts'
import { derivedId } from '../../schemas/ids.ts'
import { rulesVersion } from '../signal-cleaning/cleaning-rules.ts'
import { type DerivedValue, type ProcessWindow, windowMs } from './process-window.ts'

/** Derived values carry nine significant digits: far beyond any analyser, and half the bytes. */
const significantDigits = 9

/** `ProcessWindowDerived` for the stream `derived-<batchId>`. */
export function toProcessWindowEvent(window: ProcessWindow): ClientEvent {
  const event: EventOf<typeof processWindowDerived> = {
    id: derivedId(window.toMs, 'process-window/v1', window.batchId, window.fromMs, rulesVersion),
    type: 'ProcessWindowDerived',
    schemaVersion: 1,
    occurredAt: instantOf(window.toMs),
    receivedAt: window.closedAt,
    actor: { kind: 'service', id: 'inference', role: 'inference' },
    origin: window.origin,
    site: window.site,
    data: {
      batchId: window.batchId,
      vessel: window.vessel,
      window: { from: instantOf(window.fromMs), to: instantOf(window.toMs) },
      inputPositions: texts(window.inputPositions),
      rulesVersion,
      phase: window.phase ?? null,
      derived: Object.fromEntries(
        Object.entries(window.derived).map(([key, value]) => [key, rounded(value)]),
      ),
      corrections: window.corrections.map(({ tag, quality, rule, count, positions }) => ({
        tag,
        quality,
        rule,
        count,
        ...(positions && { positions: texts(positions) }),
      })),
      qualityScore: round(window.qualityScore),
      ...(confirmedIn(window) && { depletionConfirmed: true }),
    },
  }
  return event
}

const confirmedIn = ({ depletionConfirmedMs, toMs }: ProcessWindow): boolean =>
  depletionConfirmedMs !== undefined && depletionConfirmedMs > toMs - windowMs

const instantOf = (ms: number): string => new Date(ms).toISOString()

const texts = (positions: { from: bigint; to: bigint }): { from: string; to: string } => ({
  from: String(positions.from),
  to: String(positions.to),
})

const round = (value: number): number => {
  const rounded = Number(value.toPrecision(significantDigits))
  // No -0: it would be written as 0 and come back as another number.
  return rounded === 0 ? 0 : rounded
}

function rounded({ value, reason }: DerivedValue): { value: number | null; reason?: string } {
  const shown = value === null ? null : round(value)
  return reason === undefined ? { value: shown } : { value: shown, reason }
}
