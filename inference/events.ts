/**
 * The events that inference writes. Ids, times and contents follow from the window and the model alone, so that the same
 * window recomputed at any time on any worker is the same event.
 */
import { featureHash } from '../domain/forecast/feature-schema.ts'
import type { ForecastInput, ForecastOutcome, Quantiles } from '../domain/forecast/outcome.ts'
import type { GovernedModel } from '../domain/models/governance.ts'
import type { Actor, ClientEvent, RecordedEvent } from '../schemas/event.ts'
import type { WithholdReason } from '../schemas/events/forecast-events.ts'
import { derivedId } from '../schemas/ids.ts'
import { streams } from '../schemas/streams.ts'
import type { BatchRun, WindowStep } from './batch-run.ts'
import { noRuntime } from './forecast-model.ts'

export const inferenceActor: Actor = { kind: 'service', id: 'inference', role: 'inference' }

/** Which model a forecast event speaks of, and what computed it. */
export type Basis = Pick<GovernedModel, 'modelId' | 'version' | 'modelHash' | 'featureSchemaHash'> & {
  readonly runtime: string
}

const zeroHash = '0'.repeat(64)

/** Where no model is active there is none to name. */
export const noModel: Basis = {
  modelId: 'none',
  version: '0.0.0',
  modelHash: zeroHash,
  featureSchemaHash: zeroHash,
  runtime: noRuntime,
}

export const forecastId = (batchId: string, windowEndMs: number, modelHash: string): string =>
  derivedId(windowEndMs, 'forecast/v1', batchId, windowEndMs, modelHash)

export type Withheld = {
  readonly kind: 'withheld'
  readonly reason: WithholdReason
  readonly detail: string
  readonly inDomainScore: number | null
}

/** `OdForecastIssued` or `ForecastWithheld` for one window and one model. */
export function forecastEvent(
  { window, closing }: WindowStep,
  input: ForecastInput,
  basis: Basis,
  outcome: Extract<ForecastOutcome, { kind: 'issued' }> | Withheld,
): ClientEvent {
  const shared = {
    batchId: window.batchId,
    vessel: window.vessel,
    window: { from: instantOf(window.fromMs), to: instantOf(window.toMs) },
    modelId: basis.modelId,
    modelVersion: basis.version,
    modelHash: basis.modelHash,
    featureSchemaHash: basis.featureSchemaHash,
    inputHash: featureHash(input.features),
    inputPositions: {
      from: String(window.inputPositions.from),
      to: String(window.inputPositions.to),
    },
    phase: window.phase ?? null,
    hoursSinceInoculation: window.hours ?? 0,
    runtime: basis.runtime,
  }
  return {
    id: forecastId(window.batchId, window.toMs, basis.modelHash),
    type: outcome.kind === 'issued' ? 'OdForecastIssued' : 'ForecastWithheld',
    schemaVersion: 1,
    occurredAt: instantOf(window.toMs),
    receivedAt: window.closedAt,
    actor: { kind: 'model', id: basis.modelId, role: 'forecaster' },
    origin: window.origin,
    site: window.site,
    causationId: closing.id,
    data:
      outcome.kind === 'issued'
        ? {
            ...shared,
            lastValue: rounded(input.lastValue),
            lastMu: rounded(input.lastMu),
            horizons: outcome.horizons.map((one) => ({ horizon: one.horizon, ...quantiles(one) })),
            ...(outcome.depletionMinutes && { depletionMinutes: quantiles(outcome.depletionMinutes) }),
            inDomainScore: rounded(input.inDomainScore),
            attributions: outcome.attributions.map(({ feature, contribution }) => ({
              feature,
              contribution: rounded(contribution),
            })),
          }
        : {
            ...shared,
            reason: outcome.reason,
            detail: outcome.detail,
            inDomainScore: rounded(outcome.inDomainScore),
          },
  }
}

/** The last event of a batch's derived or forecast stream. `count`: events before it. */
export function sealedEvent(run: BatchRun, stream: string, count: bigint, ended: RecordedEvent): ClientEvent {
  return {
    id: derivedId(Date.parse(ended.occurredAt), 'sealed/v1', stream),
    type: 'StreamSealed',
    schemaVersion: 1,
    occurredAt: ended.occurredAt,
    receivedAt: ended.recordedAt,
    actor: inferenceActor,
    origin: run.origin,
    site: run.site,
    causationId: ended.id,
    data: { count: Number(count) },
  }
}

/** Both streams of a batch that inference writes. */
export const ownStreams = (batchId: string) => ({
  derived: streams.derived(batchId),
  forecast: streams.forecast(batchId),
})

/** More digits than a float32 model has, and half the bytes. */
const significantDigits = 9

function rounded(value: number | null): number | null {
  if (value === null || !Number.isFinite(value)) return null
  // Adding 0 leaves no −0, which JSON does not know.
  return Number(value.toPrecision(significantDigits)) + 0
}

const quantiles = ({ p5, p50, p95 }: Quantiles) => ({ p5: rounded(p5), p50: rounded(p50), p95: rounded(p95) })

const instantOf = (ms: number): string => new Date(ms).toISOString()
