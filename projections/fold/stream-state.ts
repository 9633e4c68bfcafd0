/**
 * What a fold remembers of one stream, and what it says about a page of it. Both are values: a fold never
 * touches the state it was given, so a page can be folded again after a failed transaction.
 */
import type { Batch } from '../../schemas/http.ts'
import type { Points } from '../tables/point-columns.ts'
import { type EvidenceRows, noEvidence } from './evidence-rows.ts'
import type { WindowStatistics } from './window.ts'

export type SeriesState = {
  readonly tag: string
  readonly unit: string
  /** Newest source time so far, ms. */
  newestAt: number
  /** The window that holds `newestAt`. */
  openStart: number
  open: WindowStatistics
}

export type OpenGap = { readonly openedPosition: bigint; readonly from: string }
export type TopicCount = { readonly stored: number; readonly quarantined: number }

export type StreamState = {
  readonly stream: string
  /** −1 before the first event. */
  readonly revision: bigint
  readonly batch: Batch | undefined
  readonly series: ReadonlyMap<string, SeriesState>
  readonly openGaps: ReadonlyMap<string, OpenGap>
  readonly counts: ReadonlyMap<string, TopicCount>
}

export const newStream = (stream: string): StreamState => ({
  stream,
  revision: -1n,
  batch: undefined,
  series: new Map(),
  openGaps: new Map(),
  counts: new Map(),
})

/** Key of a series within its stream; neither part can hold a line break. */
export const seriesKey = (tag: string, unit: string): string => `${tag}\n${unit}`

export type BatchVersion = { readonly knownFrom: bigint; readonly batch: Batch }
export type GapVersion = {
  readonly openedPosition: bigint
  readonly knownFrom: bigint
  readonly tag: string
  readonly from: string
  readonly to: string | null
  readonly missing: number | null
}
export type TimelineRow = {
  readonly position: bigint
  readonly revision: bigint
  readonly batchId: string | null
  readonly eventId: string
  readonly type: string
  readonly occurredAt: string
  readonly receivedAt: string
  readonly recordedAt: string
  readonly actor: { readonly kind: string; readonly id: string; readonly role: string }
  readonly origin: string
  readonly sentence: string
}
export type QuarantineRow = {
  readonly position: bigint
  readonly recordedAt: string
  readonly receivedAt: string
  readonly vessel: string | null
  readonly tag: string | null
  readonly topic: string
  readonly reason: string
  readonly field: string
  readonly rule: string
  readonly raw: string
  readonly rawLength: number
  readonly truncated: boolean
}
export type StatedSource = {
  readonly topic: string
  readonly received: number
  readonly duplicate: number
  readonly quarantined: number
}
export type StatementRow = {
  readonly position: bigint
  readonly revision: bigint
  readonly stated: readonly StatedSource[]
  readonly counted: Readonly<Record<string, TopicCount>>
}
export type WindowVersion = {
  readonly series: string
  readonly start: number
  readonly knownFrom: bigint
  readonly statistics: WindowStatistics
}
export type NewSeries = {
  readonly key: string
  readonly tag: string
  readonly unit: string
  readonly position: bigint
}

/** What a page of one stream adds to the tables, each list in position order. */
export type StreamRows = EvidenceRows & {
  readonly batches: BatchVersion[]
  readonly gaps: GapVersion[]
  readonly timeline: TimelineRow[]
  readonly quarantine: QuarantineRow[]
  readonly statements: StatementRow[]
  readonly newSeries: NewSeries[]
  readonly points: Map<string, Points>
  readonly windows: WindowVersion[]
  sealed: boolean
}

export const noRows = (): StreamRows => ({
  ...noEvidence(),
  batches: [],
  gaps: [],
  timeline: [],
  quarantine: [],
  statements: [],
  newSeries: [],
  points: new Map(),
  windows: [],
  sealed: false,
})

const batchStream =
  /^(?:batch|reading|forecast|derived)-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

/** The batch a stream belongs to by its name; undefined for idle, vessel, campaign and other streams. */
export const batchIdOfStream = (stream: string): string | undefined => batchStream.exec(stream)?.[1]
