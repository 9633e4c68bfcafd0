/**
 * Traces and metrics over OpenTelemetry, in our own words. Off unless an OTLP endpoint is named
 * (`OTEL_EXPORTER_OTLP_ENDPOINT`, or the one of a single signal) and `OTEL_SDK_DISABLED` is not `true`:
 * then no module of OpenTelemetry is loaded and every call below returns at once. Everything else about it
 * (protocol, headers, intervals, sampling) is set by the `OTEL_*` variables as OpenTelemetry names them.
 *
 * One trace runs from a sensor's message to the read model:
 * - `ingest.message`: root, or child of the `traceparent` user property of the MQTT 5 message; from arrival to PUBACK.
 * - `store.append`: its child; from the call to the durable answer. Its `traceparent` goes beside the events. An
 *   append that carries several messages is the child of the first and linked to the others.
 * - `projection.page`: a root of its own, since a page serves many messages; linked to the `store.append` of
 *   every sampled event that it holds. From reading the page to its committed transaction.
 *
 * The names of people, what they typed and sensor values never become attributes.
 */
import type { Logger } from '../log.ts'
import type { Metric } from './metric.ts'
import { offTracer, type Tracer } from './tracer.ts'

export type Telemetry = {
  readonly enabled: boolean
  readonly tracer: Tracer
  /** The values are read when they are exported, never before. Returns what takes them out again. */
  registerMetrics(metrics: Readonly<Record<string, Metric>>): () => void
  /** Sends what is still held, for at most three seconds; never rejects. */
  stop(): Promise<void>
}

export type TelemetryOptions = {
  /** Names the service `bioledger-<role>`, unless `OTEL_SERVICE_NAME` names it. */
  readonly role: string
  /** Decides what is sent; the OpenTelemetry SDK itself reads its settings from the process's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Hears when the collector does not take what is sent. */
  readonly log?: Logger
}

export type Signals = { readonly traces: boolean; readonly metrics: boolean }

export const offTelemetry: Telemetry = {
  enabled: false,
  tracer: offTracer,
  registerMetrics: () => () => {},
  stop: async () => {},
}
