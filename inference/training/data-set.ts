/**
 * The training table: one row a scored window, with the features as the model will get them (float32), the truth at
 * each horizon, and what the equations said of it. Columns: `batch` (campaign seed/number), `phase`, `noise`,
 * `campaign`, `number`, `hours`; `x:<feature>`; for each target `true:`, `base:` (the equations; ln OD600, minutes for
 * depletion), `lower:` (with a tenth of the glycerol missing) and `scale:` (the filter's own standard deviation).
 */
import { parquetWriteFile } from 'hyparquet-writer'
import { featureNames } from '../../domain/forecast/feature-schema.ts'
import { forecastFold } from '../../domain/forecast/forecast-fold.ts'
import type { ForecastInput } from '../../domain/forecast/outcome.ts'
import { horizonHours, horizons } from '../../domain/forecast/roll-forward.ts'
import type { FoldedBatch } from '../evaluate/folded-batch.ts'

export type DataSetBatch = { readonly campaign: number; readonly number: number; readonly noise: string }

export type DataSet = {
  readonly add: (batch: DataSetBatch, folded: FoldedBatch) => void
  readonly rows: () => number
  readonly write: (path: string) => void
}

/** Every `everyWindows`-th window, counted from T = 0; windows with a withheld forecast are kept out. */
export function dataSet(everyWindows: number): DataSet {
  const text: Record<string, string[]> = { batch: [], phase: [], noise: [] }
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
      let index = 0
      for (const window of folded.windows) {
        const input = fold.apply(window)
        if (!input) continue
        index++
        if (index % everyWindows !== 0 || input.withhold) continue
        rows++
        text.batch?.push(`${batch.campaign}/${batch.number}`)
        text.phase?.push(window.phase ?? 'unknown')
        text.noise?.push(batch.noise)
        put('campaign', batch.campaign)
        put('number', batch.number)
        put('hours', window.hours)
        addTruth(input, folded)
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

  function addTruth(input: ForecastInput, folded: FoldedBatch): void {
    const { basis, window } = input
    const hours = window.hours ?? Number.NaN
    const now = Math.round(hours * 120)
    const { odEvery30s, depletionHours } = folded.truth
    const trueLn = (ahead: number): number => Math.log(odEvery30s[now + ahead] ?? Number.NaN)
    put('true:PT0S', trueLn(0))
    put('base:PT0S', basis.softLnOd)
    put('lower:PT0S', basis.softLnOd)
    put('scale:PT0S', basis.scale.PT0S)
    put('base:gasAndBase', basis.gasAndBaseLnOd)
    put('base:gasOnly', basis.gasOnlyLnOd)
    put('base:now', basis.lnOd)
    for (const horizon of horizons) {
      put(`true:${horizon}`, trueLn(Math.round(horizonHours[horizon] * 120)))
      put(`base:${horizon}`, basis.lnOd + basis.outlook.lnRatio[horizon])
      put(
        `lower:${horizon}`,
        basis.lnOd + Math.min(basis.outlook.lnRatio[horizon], basis.shortOutlook.lnRatio[horizon]),
      )
      put(`scale:${horizon}`, basis.scale[horizon])
    }
    put('true:depletion', depletionHours === undefined ? Number.NaN : (depletionHours - hours) * 60)
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
