/** What the OD600 chart draws of the forecasts: kept as one value, so that the canvas is drawn anew only for news. */
import { useMemo } from 'react'
import {
  fanOf,
  horizonMs,
  horizonWords,
  isIssued,
  longestHorizonMs,
  originWords,
  pathOf,
  softSensorPath,
} from '../model/forecast.ts'
import type { Zone } from '../model/time.ts'
import type { ForecastSnapshot } from '../state/forecast-feed.ts'
import type { DrawnSpan, ForecastDrawing } from './forecast-drawing.ts'

/** More past forecasts than this on one chart, each two hours long, are a smear. */
const fanLimit = 12
const marked = ['PT30M', 'PT1H', 'PT2H'] as const

export function useForecastDrawing({
  forecast,
  isOpen,
  withFan,
  aheadTo,
  zone,
}: {
  forecast: ForecastSnapshot
  /** A closed batch has nothing ahead of it. */
  isOpen: boolean
  withFan: boolean
  /** End of the axis. */
  aheadTo: number
  zone: Zone
}): ForecastDrawing {
  const { items, newest, spans } = forecast
  return useMemo(() => {
    const inForce = isOpen && isIssued(newest) ? newest : undefined
    const origin = inForce ? Date.parse(inForce.issuedAt) : 0
    return {
      path: inForce ? pathOf(inForce) : [],
      fan: withFan ? fanOf(items, inForce, fanLimit).map(pathOf) : [],
      softSensor: softSensorPath(items),
      withheld: spans.map((span, index): DrawnSpan => {
        const { reason, detail } = span
        const to = Date.parse(span.to)
        // While forecasts are withheld, the box covers what would lie ahead.
        const goesOn =
          isOpen &&
          index === spans.length - 1 &&
          newest?.kind === 'withheld' &&
          newest.reason === reason &&
          newest.issuedAt > span.from
        return {
          reason,
          detail,
          from: Date.parse(span.from),
          to: goesOn ? Math.min(aheadTo, to + longestHorizonMs) : to,
        }
      }),
      originLabel: inForce ? originWords(inForce, zone) : '',
      horizonTicks: inForce
        ? marked.map((horizon) => ({ at: origin + horizonMs[horizon], label: horizonWords[horizon] }))
        : [],
    }
  }, [items, newest, spans, isOpen, withFan, aheadTo, zone])
}
