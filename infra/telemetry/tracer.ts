/**
 * Spans in our own words, so that no service knows OpenTelemetry. A `traceparent` is the text of W3C Trace
 * Context; it travels beside an event and is never part of the record.
 */
export type Attributes = Readonly<Record<string, string | number | boolean>>

/** Opaque: only the tracer that started it can read it. */
export type Span = { readonly kind: 'span' }

export type SpanOptions = {
  /** The span of this process that this one is part of. */
  readonly parent?: Span
  /** The same, from elsewhere; ignored when it is malformed, or when `parent` is given. */
  readonly parentTraceparent?: string | undefined
  /** Traces that led to this span without being its parent. Malformed ones are left out, equal ones joined. */
  readonly links?: Iterable<string | undefined>
  readonly attributes?: Attributes
}

export type Tracer = {
  startSpan(name: string, options?: SpanOptions): Span
  /** Undefined when the trace is not sampled: what nobody looks at leaves nothing beside the event. */
  traceparentOf(span: Span): string | undefined
  /** Ends the span; `error` marks it as failed, by the error's code. */
  endSpan(span: Span, outcome?: { readonly attributes?: Attributes; readonly error?: unknown }): void
}

const noSpan: Span = Object.freeze({ kind: 'span' })

/** Does nothing and keeps nothing. */
export const offTracer: Tracer = {
  startSpan: () => noSpan,
  traceparentOf: () => undefined,
  endSpan: () => {},
}

export type TraceContext = { readonly traceId: string; readonly spanId: string; readonly flags: number }

/** W3C Trace Context 3.2: `00-<trace id>-<parent id>-<flags>`; an id of zeros only is invalid. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const match = text && traceparentPattern.exec(text)
  if (!match) return undefined
  const [, version, traceId, spanId, flags, rest] = match
  if (!version || !traceId || !spanId || !flags) return undefined
  if (version === 'ff' || (version === '00' && rest)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.flags.toString(16).padStart(2, '0')}`
}
