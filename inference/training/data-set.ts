/**
 * The training table: one row a scored window, with the features as the model will get them (float32), the truth at
 * each horizon, and what the equations said of it. Columns: `batch` (campaign seed/number), `phase`, `noise`, `label`,
 * `campaign`, `number`, `hours`; `x:<feature>`; for each target `true:`, `base:` (the equations; ln OD600, minutes for
 * depletion), `lower:` (with glycerol missing) and `scale:` (the filter's own standard deviation).
 *
 * `label` says where `true:` comes from: `truth` of a simulation, or `offline-od600`, the samples of a batch without one. A
 * sample labels the windows that end within 15 s of a horizon before it; replicates are averaged; what no sample
 * labels is NaN, depletion always.
 */
import { parquetWriteFile } from 'hyparquet-writer'
import { featureNames } from '../../domain/forecast/feature-schema.ts'
import { forecastFold } from '../../domain/forecast/forecast-fold.ts'
import type { ForecastInput } from '../../domain/forecast/outcome.ts'
import { horizonHours, horizons } from '../../domain/forecast/roll-forward.ts'
import {
  type OfflineSample,
  type ProcessWindow,
  windowMs,
} from '../../domain/process-windows/process-window.ts'
import type { FoldedBatch } from '../evaluate/folded-batch.ts'
import type { SimulatedTruth } from '../evaluate/simulated-events.ts'

export type DataSetBatch = { readonly campaign: number; readonly number: number; readonly noise: string }

/** A folded batch, simulated or from an event file without truth. */
export type LabelledBatch = Pick<FoldedBatch, 'windows'> & { readonly truth: SimulatedTruth | undefined }

export type DataSet = {
  readonly add: (batch: DataSetBatch, folded: LabelledBatch) => void
  readonly rows: () => number
  readonly write: (path: string) => void
}

/**
 * Every `everyWindows`-th window, counted from T = 0, and of a batch labelled by samples those that a sample labels at some
 * horizon; windows with a withheld forecast are kept out.
 */
export function dataSet(everyWindows: number): DataSet {
  const text: Record<string, string[]> = { batch: [], phase: [], noise: [], label: [] }
  const numbers: Record<string, number[]> = {}
  const put = (name: string, value: number | null | undefined): void => {
    const column = numbers[name] ?? []
    numbers[name] = column
    column.push(value ?? Number.NaN)
  }
  let rows = 0

  return {
    rows: () => rows,
    add: (batch, folded) => {
      const fold = forecastFold()
      const label = labelsOf(folded)
      let index = 0
      for (const window of folded.windows) {
        const input = fold.apply(window)
        if (!input) continue
        index++
        if (input.withhold || !(folded.truth ? index % everyWindows === 0 : label.isAny(window))) continue
        rows++
        text.batch?.push(`${batch.campaign}/${batch.number}`)
        text.phase?.push(window.phase ?? 'unknown')
        text.noise?.push(batch.noise)
        text.label?.push(folded.truth ? 'truth' : 'offline-od600')
        put('campaign', batch.campaign)
        put('number', batch.number)
        put('hours', window.hours)
        addTruth(input, label)
        featureNames.forEach((name, column) => {
          put(`x:${name}`, input.features[column])
        })
      }
    },
    write: (path) => {
      parquetWriteFile({
        filename: path,
        columnData: [
          ...Object.entries(text).map(([name, data]) => ({ name, data, type: 'STRING' as const })),
          ...Object.entries(numbers).map(([name, data]) => ({
            name,
            data: name.startsWith('x:') ? Float32Array.from(data) : Float64Array.from(data),
            type: name.startsWith('x:') ? ('FLOAT' as const) : ('DOUBLE' as const),
          })),
        ],
      })
    },
  }

  function addTruth(input: ForecastInput, label: Labels): void {
    const { basis, window } = input
    const trueLn = (ahead: number): number => label.lnOd(window, ahead)
    put('true:PT0S', trueLn(0))
    put('base:PT0S', basis.softLnOd)
    put('lower:PT0S', basis.softLnOd)
    put('scale:PT0S', basis.scale.PT0S)
    put('base:gasAndBase', basis.gasAndBaseLnOd)
    put('base:gasOnly', basis.gasOnlyLnOd)
    put('base:now', basis.lnOd)
    for (const horizon of horizons) {
      put(`true:${horizon}`, trueLn(halfMinutes(horizon)))
      put(`base:${horizon}`, basis.lnOd + basis.outlook.lnRatio[horizon])
      put(
        `lower:${horizon}`,
        basis.lnOd + Math.min(basis.outlook.lnRatio[horizon], basis.shortOutlook.lnRatio[horizon]),
      )
      put(`scale:${horizon}`, basis.scale[horizon])
    }
    put('true:depletion', label.depletionMinutes(window))
    put('base:depletion', basis.outlook.depletionMinutes)
    put(
      'lower:depletion',
      Math.min(basis.outlook.depletionMinutes ?? 0, basis.shortOutlook.depletionMinutes ?? 0),
    )
    put('scale:depletion', basis.scale.depletion)
    put('lastValue', input.lastValue)
    put('lastMu', input.lastMu)
  }
}

/** What came true after a window; `ahead` in half minutes. NaN where nobody knows. */
type Labels = {
  readonly lnOd: (window: ProcessWindow, ahead: number) => number
  readonly depletionMinutes: (window: ProcessWindow) => number
  readonly isAny: (window: ProcessWindow) => boolean
}

function labelsOf({ windows, truth }: LabelledBatch): Labels {
  const lnOd = truth ? trueLnOd(truth) : sampledLnOd(windows.at(-1)?.samples ?? [])
  return {
    lnOd,
    depletionMinutes: ({ hours }) =>
      truth?.depletionHours === undefined ? Number.NaN : (truth.depletionHours - (hours ?? Number.NaN)) * 60,
    isAny: (window) => [0, ...horizons.map(halfMinutes)].some((ahead) => !Number.isNaN(lnOd(window, ahead))),
  }
}

const halfMinutes = (horizon: (typeof horizons)[number]): number => Math.round(horizonHours[horizon] * 120)

const trueLnOd =
  ({ odEvery30s }: SimulatedTruth): Labels['lnOd'] =>
  ({ hours }, ahead) =>
    Math.log(odEvery30s[Math.round((hours ?? Number.NaN) * 120) + ahead] ?? Number.NaN)

function sampledLnOd(samples: readonly OfflineSample[]): Labels['lnOd'] {
  const usable = samples.filter(({ od600 }) => od600 > 0)
  return ({ toMs }, ahead) => {
    const targetMs = toMs + ahead * windowMs
    const hits = usable.filter(({ sampledMs }) => isWithin(sampledMs - targetMs))
    return Math.log(hits.reduce((sum, { od600 }) => sum + od600, 0) / hits.length)
  }
}

/** Half open, so that a sample belongs to one window alone. */
const isWithin = (offsetMs: number): boolean => offsetMs > -windowMs / 2 && offsetMs <= windowMs / 2
