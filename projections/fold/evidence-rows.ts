/**
 * Rows of what is no reading and no batch record: forecasts and their scores, derived windows, the life of models,
 * offline samples. One event gives its rows by itself, without any state; an event that names another batch or model
 * than its stream is refused, so that evidence is never shown beside what it does not belong to.
 */
import type { z } from 'zod'
import type { RecordedEvent } from '../../schemas/event.ts'
import type { sampleTaken } from '../../schemas/events/batch-events.ts'
import type {
  forecastScored,
  forecastWithheld,
  Horizon,
  odForecastIssued,
} from '../../schemas/events/forecast-events.ts'
import type { processWindowDerived } from '../../schemas/events/process-events.ts'
import { sentenceOf } from '../../schemas/events/registry.ts'
import { streams } from '../../schemas/streams.ts'

export type Quantiles = { readonly p5: number; readonly p50: number; readonly p95: number }

export type ForecastRow = {
  readonly position: bigint
  readonly batchId: string
  readonly eventId: string
  readonly kind: 'issued' | 'withheld'
  readonly windowFrom: string
  readonly issuedAt: string
  readonly recordedAt: string
  readonly origin: string
  readonly modelId: string
  readonly modelVersion: string
  readonly modelHash: string
  readonly featureSchemaHash: string
  readonly inputHash: string
  readonly inputFrom: string
  readonly inputTo: string
  readonly phase: string | null
  readonly hours: number
  readonly runtime: string
  readonly inDomainScore: number | null
  readonly lastValue: number | null
  readonly lastMu: number | null
  readonly horizons: readonly ({ readonly horizon: Horizon } & Quantiles)[] | null
  readonly depletion: Quantiles | null
  readonly attributions: readonly { readonly feature: string; readonly contribution: number }[] | null
  readonly reason: string | null
  readonly detail: string | null
}

export type ScoreRow = Quantiles & {
  readonly position: bigint
  readonly place: number
  readonly batchId: string
  readonly eventId: string
  readonly modelHash: string
  readonly sampleEventId: string
  readonly sampledAt: string
  readonly measured: number
  readonly horizon: Horizon
  readonly forecastEventId: string
  readonly issuedAt: string
  readonly phase: string | null
  readonly relativeError: number
  readonly covered: boolean
  readonly coveredWithAssayError?: boolean | undefined
}

export type DerivedWindowRow = {
  readonly position: bigint
  readonly batchId: string
  readonly eventId: string
  readonly from: string
  readonly to: string
  readonly recordedAt: string
  readonly inputFrom: string
  readonly inputTo: string
  readonly rulesVersion: string
  readonly phase: string | null
  readonly derived: Readonly<Record<string, unknown>>
  readonly corrections: readonly unknown[]
  readonly qualityScore: number
  readonly depletionConfirmed: boolean
}

export type ModelEventRow = {
  readonly position: bigint
  readonly modelId: string
  readonly eventId: string
  readonly type: string
  readonly occurredAt: string
  readonly recordedAt: string
  readonly actor: { readonly kind: string; readonly id: string; readonly role: string }
  readonly data: Readonly<Record<string, unknown>>
  readonly sentence: string
}

export type SampleRow = {
  readonly position: bigint
  readonly batchId: string
  readonly eventId: string
  readonly sampleId: string
  readonly sampleNumber: number
  readonly replicate: number | null
  readonly sampledAt: string
  readonly recordedAt: string
  readonly actorId: string
  readonly timepointHours: string
  readonly od600Raw: string
  readonly dilutionFactor: string
  readonly od600: string
  readonly contaminationDetected: boolean
  readonly lateEntry: boolean
}

/** In position order, as a page of a stream adds them. */
export type EvidenceRows = {
  readonly forecasts: ForecastRow[]
  readonly scores: ScoreRow[]
  readonly derivedWindows: DerivedWindowRow[]
  readonly modelEvents: ModelEventRow[]
  readonly samples: SampleRow[]
}

export const noEvidence = (): EvidenceRows => ({
  forecasts: [],
  scores: [],
  derivedWindows: [],
  modelEvents: [],
  samples: [],
})

/** Adds the rows of one event, whose data its type allows. Throws when it names another batch or model than its stream. */
export function foldEvidence(rows: EvidenceRows, event: RecordedEvent, batchId: string | undefined): void {
  switch (event.type) {
    case 'OdForecastIssued':
    case 'ForecastWithheld':
      requireSame('batch', event.data.batchId, batchId)
      rows.forecasts.push(
        event.type === 'OdForecastIssued'
          ? issuedRow(event, event.data as z.infer<typeof odForecastIssued.data>)
          : withheldRow(event, event.data as z.infer<typeof forecastWithheld.data>),
      )
      return
    case 'ForecastScored':
      requireSame('batch', event.data.batchId, batchId)
      rows.scores.push(...scoreRows(event, event.data as z.infer<typeof forecastScored.data>))
      return
    case 'ProcessWindowDerived':
      requireSame('batch', event.data.batchId, batchId)
      rows.derivedWindows.push(derivedRow(event, event.data as z.infer<typeof processWindowDerived.data>))
      return
    case 'ModelRegistered':
    case 'ModelApproved':
    case 'ModelActivated':
    case 'ModelSuspended':
    case 'ModelRetired':
      requireSame('stream', event.stream, streams.model(String(event.data.modelId)))
      rows.modelEvents.push(modelRow(event, String(event.data.modelId)))
      return
    case 'SealedSetRead':
      if (event.stream.startsWith(streams.model('')))
        rows.modelEvents.push(modelRow(event, event.stream.slice(streams.model('').length)))
      return
    case 'SampleTaken':
      rows.samples.push(sampleRow(event, event.data as z.infer<typeof sampleTaken.data>))
  }
}

function requireSame(what: string, named: unknown, expected: string | undefined): void {
  if (named !== expected)
    throw new Error(
      `it names the ${what} ${String(named)} where its stream is of ${expected ?? `no ${what}`}`,
    )
}

type Basis = Omit<
  z.infer<typeof odForecastIssued.data>,
  'lastValue' | 'lastMu' | 'horizons' | 'depletionMinutes' | 'inDomainScore' | 'attributions'
>

const basisRow = (event: RecordedEvent, data: Basis) => ({
  position: event.position,
  batchId: data.batchId,
  eventId: event.id,
  windowFrom: data.window.from,
  issuedAt: data.window.to,
  recordedAt: event.recordedAt,
  origin: event.origin,
  modelId: data.modelId,
  modelVersion: data.modelVersion,
  modelHash: data.modelHash,
  featureSchemaHash: data.featureSchemaHash,
  inputHash: data.inputHash,
  inputFrom: data.inputPositions.from,
  inputTo: data.inputPositions.to,
  phase: data.phase,
  hours: data.hoursSinceInoculation,
  runtime: data.runtime,
})

const issuedRow = (event: RecordedEvent, data: z.infer<typeof odForecastIssued.data>): ForecastRow => ({
  ...basisRow(event, data),
  kind: 'issued',
  inDomainScore: data.inDomainScore,
  lastValue: data.lastValue,
  lastMu: data.lastMu,
  horizons: data.horizons,
  depletion: data.depletionMinutes ?? null,
  attributions: data.attributions,
  reason: null,
  detail: null,
})

const withheldRow = (event: RecordedEvent, data: z.infer<typeof forecastWithheld.data>): ForecastRow => ({
  ...basisRow(event, data),
  kind: 'withheld',
  inDomainScore: data.inDomainScore,
  lastValue: null,
  lastMu: null,
  horizons: null,
  depletion: null,
  attributions: null,
  reason: data.reason,
  detail: data.detail,
})

const scoreRows = (event: RecordedEvent, data: z.infer<typeof forecastScored.data>): ScoreRow[] =>
  data.scores.map((score, place) => ({
    ...score,
    position: event.position,
    place,
    batchId: data.batchId,
    eventId: event.id,
    modelHash: data.modelHash,
    sampleEventId: data.sampleEventId,
    sampledAt: data.sampledAt,
    measured: data.measured,
  }))

const derivedRow = (
  event: RecordedEvent,
  data: z.infer<typeof processWindowDerived.data>,
): DerivedWindowRow => ({
  position: event.position,
  batchId: data.batchId,
  eventId: event.id,
  from: data.window.from,
  to: data.window.to,
  recordedAt: event.recordedAt,
  inputFrom: data.inputPositions.from,
  inputTo: data.inputPositions.to,
  rulesVersion: data.rulesVersion,
  phase: data.phase,
  derived: data.derived,
  corrections: data.corrections,
  qualityScore: data.qualityScore,
  depletionConfirmed: data.depletionConfirmed ?? false,
})

const modelRow = (event: RecordedEvent, modelId: string): ModelEventRow => ({
  position: event.position,
  modelId,
  eventId: event.id,
  type: event.type,
  occurredAt: event.occurredAt,
  recordedAt: event.recordedAt,
  actor: event.actor,
  data: event.data,
  sentence: sentenceOf(event),
})

const sampleRow = (event: RecordedEvent, data: z.infer<typeof sampleTaken.data>): SampleRow => ({
  position: event.position,
  batchId: data.batchId,
  eventId: event.id,
  sampleId: data.sampleId,
  sampleNumber: data.sampleNumber,
  replicate: data.replicate ?? null,
  sampledAt: event.occurredAt,
  recordedAt: event.recordedAt,
  actorId: event.actor.id,
  timepointHours: data.timepointHours,
  od600Raw: data.od600Raw,
  dilutionFactor: data.dilutionFactor,
  od600: data.od600,
  contaminationDetected: data.contaminationDetected,
  lateEntry: data.lateEntry,
})
