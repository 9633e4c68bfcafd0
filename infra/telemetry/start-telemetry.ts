/** Starts what the environment asks for: OpenTelemetry where there is an endpoint, else nothing (see `telemetry.ts`). */
import { offTelemetry, type Signals, type Telemetry, type TelemetryOptions } from './telemetry.ts'

export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const signals = wantedSignals(options.environment)
  if (!signals.traces && !signals.metrics) return offTelemetry
  const { startOpenTelemetry } = await import('./open-telemetry.ts')
  return startOpenTelemetry({ ...options, signals })
}

/** A signal is sent when it has an endpoint: its own, or the common one. */
export function wantedSignals(environment: Readonly<Record<string, string | undefined>>): Signals {
  const set = (name: string) => (environment[name] ?? '').trim() !== ''
  if (environment.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return { traces: false, metrics: false }
  const common = set('OTEL_EXPORTER_OTLP_ENDPOINT')
  return {
    traces: common || set('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'),
    metrics: common || set('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'),
  }
}
