/**
 * What a window says, as telemetry for displays: `bioprocess/pichia/<vessel>/telemetry/{prediction|cer|our|rq|kla}`. A copy for
 * whoever looks, never the record; given up when the broker does not take it.
 */
import { findDerivedQuantity } from '../domain/process-windows/derived-quantities.ts'
import type { TelemetryPublisher } from '../infra/mqtt/telemetry-publisher.ts'
import type { TelemetryKind } from '../schemas/mqtt.ts'
import { findTag } from '../schemas/tags.ts'
import type { SettledWindow } from './settle.ts'

const derivedKinds: readonly (readonly [TelemetryKind, string])[] = [
  ['cer', 'CER'],
  ['our', 'OUR'],
  ['rq', 'RQ'],
  ['kla', 'kLa'],
]

type IssuedData = {
  readonly horizons: readonly {
    readonly horizon: string
    readonly p5: number
    readonly p50: number
    readonly p95: number
  }[]
}

/** Units are UCUM; `quality` is `good`, or `bad` with the reason where there is no value. */
export function publishWindow(
  publisher: TelemetryPublisher,
  { step, derived, forecast }: SettledWindow,
): void {
  const { window } = step
  const at = new Date(window.toMs).toISOString()
  if (derived)
    for (const [kind, key] of derivedKinds) {
      const quantity = window.derived[key]
      if (!quantity) continue
      const value = quantity.value
      publisher.publish(window.vessel, kind, {
        value,
        unit: findDerivedQuantity(key)?.unit ?? '1',
        at,
        quality: value === null ? 'bad' : 'good',
        ...(value === null && quantity.reason !== undefined ? { reason: quantity.reason } : {}),
      })
    }
  if (!forecast) return
  if (forecast.type === 'ForecastWithheld') {
    publisher.publish(window.vessel, 'prediction', {
      value: null,
      unit: odUnit,
      at,
      quality: 'bad',
      reason: String(forecast.data.reason),
      detail: String(forecast.data.detail),
    })
    return
  }
  const { horizons } = forecast.data as IssuedData
  const shown = horizons.find(({ horizon }) => horizon === 'PT30M') ?? horizons[0]
  publisher.publish(window.vessel, 'prediction', {
    value: shown?.p50 ?? null,
    unit: odUnit,
    at,
    quality: 'good',
    horizon: shown?.horizon ?? null,
    horizons: [...horizons],
    modelHash: String(forecast.data.modelHash),
  })
}

const odUnit = findTag('OD')?.unit ?? '{AU}'
