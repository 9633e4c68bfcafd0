/** The answers of the query side as types; taken from the contract, so that both sides change together. */
import type { z } from 'zod'
import type * as http from '../../../schemas/http.ts'

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
