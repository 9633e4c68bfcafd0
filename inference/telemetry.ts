/**
 * What a window says, as telemetry for displays: `bioprocess/pichia/<vessel>/telemetry/<kind>` (kinds: `telemetryKinds`). A
 * copy for whoever looks, never the record; given up when the broker does not take it.
 */
import { type DerivedKey, findDerivedQuantity } from '../domain/process-windows/derived-quantities.ts'
import type { TelemetryPublisher } from '../infra/mqtt/telemetry-publisher.ts'
import { type TelemetryKind, telemetryKinds } from '../schemas/mqtt.ts'
import { findTag } from '../schemas/tags.ts'
import type { SettledWindow } from './settle.ts'

type Source = { readonly key: DerivedKey; readonly uncovered?: DerivedKey }

const derivedKinds: Readonly<Record<Exclude<TelemetryKind, 'prediction' | 'phase'>, Source>> = {
  cer: { key: 'CER' },
  our: { key: 'OUR' },
  otr: { key: 'OTR' },
  rq: { key: 'RQ' },
  kla: { key: 'kLa' },
  mu: { key: 'mu' },
  'mu-gas': { key: 'muGas' },
  'mu-cer': { key: 'muCER' },
  qo2: { key: 'qO2' },
  qco2: { key: 'qCO2' },
  biomass: { key: 'biomass' },
  volume: { key: 'volume' },
  'cumulative-co2': { key: 'cumulativeCO2', uncovered: 'uncoveredCO2' },
  'cumulative-o2': { key: 'cumulativeO2', uncovered: 'uncoveredO2' },
  'cumulative-od': { key: 'cumulativeOD', uncovered: 'uncoveredOD' },
  'cumulative-base': { key: 'cumulativeBase', uncovered: 'uncoveredBase' },
  'cumulative-torque': { key: 'cumulativeTorque', uncovered: 'uncoveredTorque' },
  'cumulative-temperature-deviation': {
    key: 'cumulativeTemperatureDeviation',
    uncovered: 'uncoveredTemperature',
  },
  'carbon-closure': { key: 'carbonClosure' },
  'gas-closure': { key: 'gasClosure' },
}
const derivedEntries = Object.entries(derivedKinds) as [keyof typeof derivedKinds, Source][]

type IssuedData = {
  readonly horizons: readonly {
    readonly horizon: string
    readonly p5: number
    readonly p50: number
    readonly p95: number
  }[]
}

export type TelemetryOutlet = {
  /** Never throws and never waits. */
  take(settled: SettledWindow): void
  /** Publishes at once what still waits. */
  flush(): void
  /** Messages given up so far. */
  dropped(): number
}

/** Windows that may wait for their turn; beyond it the newest are given up. */
const mostWaiting = 5_000
/** About 3 ms of work: what else is due has its turn in between. */
const windowsInOneTurn = 8

/** Publishes between other work: a thousand vessels whose windows close together must not hold up their forecasts. */
export function telemetryOutlet(publisher: TelemetryPublisher): TelemetryOutlet {
  let waiting: SettledWindow[] = []
  let turn: NodeJS.Immediate | undefined
  let givenUp = 0

  return {
    take(settled) {
      if (waiting.length >= mostWaiting) {
        givenUp += telemetryKinds.length
        return
      }
      waiting.push(settled)
      turn ??= setImmediate(takeTurn)
    },
    flush: () => {
      clearImmediate(turn)
      turn = undefined
      for (const settled of waiting.splice(0)) publishWindow(publisher, settled)
    },
    dropped: () => givenUp + publisher.dropped(),
  }

  function takeTurn(): void {
    const now = waiting.slice(0, windowsInOneTurn)
    waiting = waiting.slice(windowsInOneTurn)
    turn = waiting.length > 0 ? setImmediate(takeTurn) : undefined
    for (const settled of now) publishWindow(publisher, settled)
  }
}

/** Units are UCUM; `quality` is `good`, or `bad` with the reason where there is no value. */
export function publishWindow(
  publisher: TelemetryPublisher,
  { step, derived, forecast }: SettledWindow,
): void {
  const { window } = step
  const at = new Date(window.toMs).toISOString()
  if (derived) {
    for (const [kind, { key, uncovered }] of derivedEntries) {
      const quantity = window.derived[key]
      if (!quantity) continue
      const { value, reason } = quantity
      const uncoveredSeconds = uncovered && window.derived[uncovered]?.value
      publisher.publish(window.vessel, kind, {
        value,
        unit: findDerivedQuantity(key)?.unit ?? '1',
        at,
        quality: value === null ? 'bad' : 'good',
        ...(value === null && reason !== undefined ? { reason } : {}),
        ...(typeof uncoveredSeconds === 'number' ? { uncoveredSeconds } : {}),
      })
    }
    publisher.publish(window.vessel, 'phase', {
      value: window.phase ?? null,
      unit: '1',
      at,
      ...(window.phase ? { quality: 'good' } : { quality: 'bad', reason: 'not_inoculated' }),
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
