/** Where ingest's work shows in a trace: see `infra/telemetry/telemetry.ts` for the names. */
import { offTracer, type Tracer } from '../infra/telemetry/tracer.ts'
import type { PendingMessage } from './request-plan.ts'

export type AppendSpan = { readonly traceparent: string | undefined; end(): void }

const nothing = (): void => {}

/** Child of its first message's trace, linked to those of the others. Without a tracer the first message's context goes through. */
export function appendSpan(tracer: Tracer, messages: readonly PendingMessage[]): AppendSpan {
  const traceparents = messages.map(({ message }) => message.traceparent)
  const first = traceparents.find((traceparent) => traceparent !== undefined)
  if (tracer === offTracer) return { traceparent: first, end: nothing }
  const span = tracer.startSpan('store.append', { parentTraceparent: first, links: traceparents.slice(1) })
  return { traceparent: tracer.traceparentOf(span), end: () => tracer.endSpan(span) }
}
