/**
 * The OpenTelemetry side: loaded by `start-telemetry.ts` only when there is an endpoint. `@opentelemetry/sdk-node`
 * brings the OTLP exporters (HTTP with protobuf or JSON, gRPC), samplers and limits, all set by `OTEL_*`.
 *
 * The process detector is left out on purpose: it would send the command line, which may hold a password.
 */
import {
  context,
  DiagLogLevel,
  diag,
  type Link,
  type Meter,
  metrics as meters,
  type ObservableResult,
  type Span as OpenTelemetrySpan,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { NodeSDK, resources } from '@opentelemetry/sdk-node'
import type { Logger } from '../log.ts'
import type { Metric } from './metric.ts'
import type { Signals, Telemetry, TelemetryOptions } from './telemetry.ts'
import { formatTraceparent, parseTraceparent, type Span, type SpanOptions, type Tracer } from './tracer.ts'

const scope = 'bioprocess-ledger'
const stopWithinMs = 3_000
/** OpenTelemetry's own default limit; beyond it the SDK drops links with a warning each. */
const linksPerSpan = 128

export function startOpenTelemetry(options: TelemetryOptions & { readonly signals: Signals }): Telemetry {
  const { environment, signals, role, log } = options
  const sdk = new NodeSDK({
    ...(environment.OTEL_SERVICE_NAME ? {} : { serviceName: `bioledger-${role}` }),
    ...(environment.OTEL_NODE_RESOURCE_DETECTORS
      ? {}
      : { resourceDetectors: [resources.envDetector, resources.hostDetector] }),
    ...(signals.traces ? {} : { spanProcessors: [] }),
    ...(signals.metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
    instrumentations: [],
  })
  if (log) diag.setLogger(diagnosticsTo(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  sdk.start()
  return {
    enabled: true,
    tracer: openTelemetryTracer(),
    registerMetrics: (metrics) => registerMetrics(meters.getMeter(scope), metrics),
    stop: async () => {
      await settledWithin(sdk.shutdown(), stopWithinMs, log)
      // A later start in the same process must be able to register itself.
      trace.disable()
      meters.disable()
      propagation.disable()
      context.disable()
      diag.disable()
    },
  }
}

function openTelemetryTracer(): Tracer {
  const tracer = trace.getTracer(scope)
  const started = new WeakMap<Span, OpenTelemetrySpan>()
  const spanContextOf = (span: Span | undefined) => (span ? started.get(span)?.spanContext() : undefined)
  return {
    startSpan(name, options = {}) {
      const parent = spanContextOf(options.parent) ?? remoteContext(options.parentTraceparent)
      const span: Span = { kind: 'span' }
      started.set(
        span,
        tracer.startSpan(
          name,
          { attributes: { ...options.attributes }, links: linksTo(options.links), root: !parent },
          parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
        ),
      )
      return span
    },
    traceparentOf(span) {
      const known = spanContextOf(span)
      if (!known || (known.traceFlags & TraceFlags.SAMPLED) === 0) return undefined
      return formatTraceparent({ traceId: known.traceId, spanId: known.spanId, flags: known.traceFlags })
    },
    endSpan(span, outcome = {}) {
      const known = started.get(span)
      if (!known) return
      if (outcome.attributes) known.setAttributes({ ...outcome.attributes })
      if (outcome.error !== undefined)
        known.setStatus({ code: SpanStatusCode.ERROR, message: errorCode(outcome.error) })
      known.end()
    },
  }
}

function remoteContext(traceparent: string | undefined): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent)
  return (
    parsed && {
      traceId: parsed.traceId,
      spanId: parsed.spanId,
      traceFlags: parsed.flags & TraceFlags.SAMPLED,
      isRemote: true,
    }
  )
}

function linksTo(traceparents: SpanOptions['links']): Link[] {
  const links = new Map<string, Link>()
  for (const traceparent of traceparents ?? []) {
    if (links.size === linksPerSpan) break
    const linked = remoteContext(traceparent)
    if (linked) links.set(`${linked.traceId}-${linked.spanId}`, { context: linked })
  }
  return [...links.values()]
}

function registerMetrics(meter: Meter, metrics: Readonly<Record<string, Metric>>): () => void {
  const undo = Object.entries(metrics).map(([name, metric]) => {
    const shape = { unit: metric.unit, description: metric.description }
    const observed =
      metric.kind === 'gauge'
        ? meter.createObservableGauge(name, shape)
        : meter.createObservableCounter(name, shape)
    const observe = (result: ObservableResult) => {
      const reading = metric.read()
      if (reading === undefined) return
      if (typeof reading === 'number') return result.observe(reading)
      for (const { value, attributes } of reading) result.observe(value, { ...attributes })
    }
    observed.addCallback(observe)
    return () => observed.removeCallback(observe)
  })
  return () => {
    for (const takeOut of undo) takeOut()
  }
}

/** An error's message may quote values; its code does not. */
function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'error'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function diagnosticsTo(log: Logger) {
  const warn = (message: string) => log.warn({ openTelemetry: message }, 'telemetry could not be sent')
  return { error: warn, warn, info: () => {}, debug: () => {}, verbose: () => {} }
}

async function settledWithin(work: Promise<void>, ms: number, log: Logger | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((settle) => {
    timer = setTimeout(settle, ms)
  })
  await Promise.race([
    late,
    work.catch((error: unknown) => log?.warn({ code: errorCode(error) }, 'telemetry did not end cleanly')),
  ])
  clearTimeout(timer)
}
