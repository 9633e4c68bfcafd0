/** The answers of the query side as types; taken from the contract, so that both sides change together. */
import type { z } from 'zod'
import type * as http from '../../../schemas/http.ts'
import type * as evidence from '../../../schemas/http-evidence.ts'

export type Batch = http.Batch
export type BatchList = z.infer<typeof http.batchList>
export type BatchState = z.infer<typeof http.batchState>
export type CurrentValue = z.infer<typeof http.currentValue>
export type Quality = CurrentValue['quality']
export type Series = z.infer<typeof http.series>
export type SeriesPoint = z.infer<typeof http.seriesPoint>
export type Timeline = z.infer<typeof http.timeline>
export type TimelineItem = z.infer<typeof http.timelineItem>
export type IngressBalance = z.infer<typeof http.ingressBalance>
export type Gap = z.infer<typeof http.gap>
export type GapList = z.infer<typeof http.gapList>
export type Problem = z.infer<typeof http.problem>
export type LiveReadings = z.infer<typeof http.liveReadings>
export type Forecast = z.infer<typeof evidence.forecastItem>
export type IssuedForecast = Extract<Forecast, { kind: 'issued' }>
export type ForecastList = z.infer<typeof evidence.forecastList>
export type ForecastCoverage = z.infer<typeof evidence.forecastCoverage>
export type HorizonCoverage = z.infer<typeof evidence.horizonCoverage>
export type WithheldSpan = z.infer<typeof evidence.withheldSpan>
export type WithheldSpanList = z.infer<typeof evidence.withheldSpanList>
export type DerivedSeries = z.infer<typeof evidence.derivedSeries>
export type ModelVersion = z.infer<typeof evidence.modelVersion>
export type ModelRecord = z.infer<typeof evidence.model>
export type ModelList = z.infer<typeof evidence.modelList>
export type OfflineSampleAnswer = z.infer<typeof evidence.offlineSample>
export type OfflineSampleList = z.infer<typeof evidence.offlineSampleList>
export type LiveForecasts = z.infer<typeof evidence.liveForecasts>
export type LiveDerived = z.infer<typeof evidence.liveDerived>
