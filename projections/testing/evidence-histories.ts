/** What the inference service, the monitoring and people might record beside readings: for tests of the read side. */
import { derivedId } from '../../schemas/ids.ts'
import { streams } from '../../schemas/streams.ts'
import { clientEvent, type Entry, testStartMs } from './client-event.ts'

const sha = (digit: string) => digit.repeat(64)
const at = (ms: number) => new Date(ms).toISOString()
const byModel = { actor: { kind: 'model', id: 'od600', role: 'forecaster' } } as const

/** The window that ends at `endMs`. */
const basis = (batchId: string, endMs: number) => ({
  batchId,
  vessel: 'V-01',
  window: { from: at(endMs - 30_000), to: at(endMs) },
  modelId: 'od600',
  modelVersion: '1.0.0',
  modelHash: sha('a'),
  featureSchemaHash: sha('b'),
  inputHash: sha('c'),
  inputPositions: { from: '1', to: '9' },
  phase: 'exponential',
  hoursSinceInoculation: (endMs - testStartMs) / 3_600_000,
  runtime: 'onnxruntime-node 1.30.0 cpu',
})

const quantiles = (p50: number) => ({ p5: p50 * 0.9, p50, p95: p50 * 1.1 })

export const forecastIssued = (batchId: string, endMs: number, od = 4, extra: object = {}): Entry => ({
  stream: streams.forecast(batchId),
  event: clientEvent(
    'OdForecastIssued',
    endMs,
    {
      ...basis(batchId, endMs),
      lastValue: od,
      lastMu: 0.21,
      horizons: [
        { horizon: 'PT0S', ...quantiles(od * 1.02) },
        { horizon: 'PT30S', ...quantiles(od) },
        { horizon: 'PT30M', ...quantiles(od * 1.11) },
        { horizon: 'PT1H', ...quantiles(od * 1.23) },
        { horizon: 'PT2H', ...quantiles(od * 1.52) },
      ],
      depletionMinutes: quantiles(300),
      inDomainScore: 0.8,
      attributions: [{ feature: 'OUR', contribution: 0.1 / 3 }],
      ...extra,
    },
    byModel,
  ),
})

export const forecastWithheld = (
  batchId: string,
  endMs: number,
  reason = 'outside-trained-range',
  detail = 'temperature 34.1 °C, trained up to 32 °C',
): Entry => ({
  stream: streams.forecast(batchId),
  event: clientEvent(
    'ForecastWithheld',
    endMs,
    { ...basis(batchId, endMs), reason, detail, inDomainScore: null },
    byModel,
  ),
})

export const forecastScored = (
  batchId: string,
  sampledMs: number,
  covered: readonly boolean[],
  sampleEventId = derivedId(sampledMs, 'sample', batchId),
): Entry => ({
  stream: streams.forecast(batchId),
  event: clientEvent('ForecastScored', sampledMs, {
    batchId,
    vessel: 'V-01',
    modelHash: sha('a'),
    sampleEventId,
    sampledAt: at(sampledMs),
    measured: 4.2,
    scores: covered.map((isCovered, index) => ({
      horizon: (['PT30M', 'PT1H', 'PT2H'] as const)[index % 3],
      forecastEventId: derivedId(sampledMs, 'forecast', batchId, index),
      issuedAt: at(sampledMs - 1_800_000),
      phase: 'exponential',
      ...quantiles(4),
      relativeError: 0.05,
      // What counts is the interval with the assay's error; the plain comparison says something else here.
      covered: false,
      coveredWithAssayError: isCovered,
    })),
  }),
})

export const windowDerived = (
  batchId: string,
  endMs: number,
  derived: Record<string, { value: number | null; reason?: string }> = {
    CER: { value: 0.0123 },
    RQ: { value: null, reason: 'low_signal' },
  },
): Entry => ({
  stream: streams.derived(batchId),
  event: clientEvent('ProcessWindowDerived', endMs, {
    batchId,
    vessel: 'V-01',
    window: { from: at(endMs - 30_000), to: at(endMs) },
    inputPositions: { from: '1', to: '9' },
    rulesVersion: '1',
    phase: 'lag',
    derived,
    corrections: [{ tag: 'pH', quality: 'stale', rule: 'gap', count: 2 }],
    qualityScore: 96,
  }),
})

const model = (version: string) => ({
  modelId: 'od600',
  version,
  modelHash: sha(version[0] ?? '0'),
  use: 'od600-forecast',
})

export const modelRegistered = (version: string, extra: object = {}): Entry => ({
  stream: streams.model('od600'),
  event: clientEvent('ModelRegistered', testStartMs, {
    ...model(version),
    featureSchemaHash: sha('b'),
    cardSha256: sha('d'),
    reportSha256: sha('e'),
    files: [{ name: 'od-30m-p50.onnx', bytes: 1234, sha256: sha('f') }],
    criteria: { mre30m: 0.05, coverage90: 0.85 },
    trainingData: '15 simulated batches',
    ...extra,
  }),
})
export const modelApproved = (version: string, origins: readonly string[]): Entry => ({
  stream: streams.model('od600'),
  event: clientEvent('ModelApproved', testStartMs, {
    ...model(version),
    origins,
    justification: 'reviewed the validation report',
  }),
})
export const modelActivated = (version: string): Entry => ({
  stream: streams.model('od600'),
  event: clientEvent('ModelActivated', testStartMs, model(version)),
})
export const modelSuspended = (version: string): Entry => ({
  stream: streams.model('od600'),
  event: clientEvent('ModelSuspended', testStartMs, {
    ...model(version),
    automatic: true,
    rule: 'coverage',
    finding: '12 of 20 covered',
  }),
})
