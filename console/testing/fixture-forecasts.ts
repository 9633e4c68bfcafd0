/** Forecasts, derived values, samples and models of the made-up batch. Nothing here is shipped. */
import type {
  Forecast,
  ForecastCoverage,
  LiveDerived,
  ModelRecord,
  ModelVersion,
  OfflineSampleAnswer,
  WithheldSpan,
} from '../src/api/answers.ts'
import { at, cleanValue, type Fixture } from './fixture-batch.ts'
import { derivedValues, windowSeconds } from './fixture-derived.ts'

const modelHash = `3fa4c1d2${'0'.repeat(56)}`
const basisOf = (fixture: Fixture, second: number) => ({
  issuedAt: at(fixture, second),
  window: { from: at(fixture, second - windowSeconds), to: at(fixture, second) },
  recordedAt: at(fixture, second),
  modelId: 'od600',
  modelVersion: '1.0.0',
  modelHash,
  featureSchemaHash: 'b'.repeat(64),
  inputHash: 'c'.repeat(64),
  inputPositions: { from: String(second * 20), to: String(second * 20 + 90) },
  phase: second < 3 * 3600 ? ('lag' as const) : ('exponential' as const),
  hoursSinceInoculation: second / 3600,
  inDomainScore: 0.83,
  position: String(second * 20 + 115),
  eventId: `forecast-${second}`,
})

/** None while the culture lags, and none while DO was silent. */
function withheldAt(second: number): { reason: WithheldSpan['reason']; detail: string } | undefined {
  if (second < 3600) return { reason: 'phase-not-covered', detail: 'lag, trained from 1 h after inoculation' }
  if (second > 5.5 * 3600 && second < 6 * 3600)
    return { reason: 'too-many-missing', detail: 'DO missing for 8 min' }
  return undefined
}

export function forecastAt(fixture: Fixture, second: number, withheldNow = false): Forecast {
  const withheld = withheldNow
    ? { reason: 'outside-trained-range' as const, detail: 'temperature 34.1 °C, trained up to 32 °C' }
    : withheldAt(second)
  if (withheld) return { kind: 'withheld', ...basisOf(fixture, second), ...withheld }
  const od = (ahead: number) => cleanValue('OD', (second + ahead) / 3600)
  const interval = (ahead: number, share: number) => ({
    p5: od(ahead) * (1 - share),
    p50: od(ahead) * (1 + 0.02 * Math.sin(second / 5000)),
    p95: od(ahead) * (1 + share),
  })
  return {
    kind: 'issued',
    ...basisOf(fixture, second),
    lastValue: od(0),
    lastMu: 0.252,
    horizons: [
      { horizon: 'PT0S', ...interval(0, 0.05) },
      { horizon: 'PT30S', ...interval(30, 0.03) },
      { horizon: 'PT30M', ...interval(1800, 0.06) },
      { horizon: 'PT1H', ...interval(3600, 0.09) },
      { horizon: 'PT2H', ...interval(7200, 0.16) },
    ],
    depletionMinutes: { p5: 160, p50: 198, p95: 236 },
    attributions: [
      { feature: 'OUR', contribution: 0.113 },
      { feature: 'mu', contribution: 0.041 },
      { feature: 'DO', contribution: -0.012 },
    ],
  }
}

const newestWindow = (fixture: Fixture) => Math.floor(fixture.seconds / windowSeconds) * windowSeconds

export function forecasts(fixture: Fixture, points: number, withheldNow: boolean): Forecast[] {
  const last = newestWindow(fixture)
  const stride = Math.max(1, Math.ceil(last / windowSeconds / points)) * windowSeconds
  const items: Forecast[] = []
  for (let second = last; second > 0; second -= stride)
    items.push(forecastAt(fixture, second, withheldNow && second > last - 600))
  return items.toReversed()
}

export function withheldSpans(fixture: Fixture, withheldNow: boolean): WithheldSpan[] {
  const last = newestWindow(fixture)
  const span = (from: number, to: number): WithheldSpan[] => {
    const item = forecastAt(fixture, to, withheldNow && to === last)
    return item.kind === 'withheld' && to <= last
      ? [
          {
            from: at(fixture, from),
            to: at(fixture, to),
            reason: item.reason,
            detail: item.detail,
            count: (to - from) / windowSeconds,
            modelId: 'od600',
            modelVersion: '1.0.0',
          },
        ]
      : []
  }
  return [...span(0, 3570), ...span(19_800, 21_570), ...(withheldNow ? span(last - 600, last) : [])]
}

export const coverage = (fixture: Fixture, asOf: ForecastCoverage['asOf']): ForecastCoverage => ({
  stated: 0.9,
  items: [
    { horizon: 'PT0S', covered: 6, scored: 7, coverage: 6 / 7, meanRelativeError: 0.03 },
    { horizon: 'PT30M', covered: 17, scored: 20, coverage: 0.85, meanRelativeError: 0.031 },
    { horizon: 'PT1H', covered: 18, scored: 20, coverage: 0.9, meanRelativeError: 0.046 },
    { horizon: 'PT2H', covered: 19, scored: 20, coverage: 0.95, meanRelativeError: 0.083 },
  ],
  issued: Math.floor(fixture.seconds / windowSeconds) - 179,
  withheld: [
    { reason: 'phase-not-covered', count: 119 },
    { reason: 'too-many-missing', count: 60 },
  ],
  asOf,
})

/** What the windows closed since `fromSecond` add to the live feed. */
export function liveSince(
  fixture: Fixture,
  fromSecond: number,
  withheldNow: boolean,
): { forecasts: Forecast[]; windows: LiveDerived['windows'] } {
  const ends: number[] = []
  for (
    let second = (Math.floor(fromSecond / windowSeconds) + 1) * windowSeconds;
    second <= fixture.seconds;
    second += windowSeconds
  )
    ends.push(second)
  return {
    forecasts: ends.map((second) => forecastAt(fixture, second, withheldNow)),
    windows: ends.map((second) => ({
      at: at(fixture, second),
      phase: 'exponential' as const,
      derived: derivedValues(second),
      position: String(second * 20 + 114),
    })),
  }
}

export const samples = (fixture: Fixture): OfflineSampleAnswer[] =>
  [0, 2, 4, 6, 8, 12, 16].flatMap((hours, index) =>
    hours * 3600 > fixture.seconds
      ? []
      : [
          {
            sampleId: `sample-${index}`,
            sampleNumber: index + 1,
            replicate: null,
            sampledAt: at(fixture, hours * 3600),
            recordedAt: at(fixture, hours * 3600),
            takenBy: 'op-7',
            timepointHours: `${hours}.00`,
            od600Raw: (cleanValue('OD', hours) / 20).toFixed(3),
            dilutionFactor: '20',
            od600: (cleanValue('OD', hours) * 1.02).toFixed(2),
            contaminationDetected: false,
            lateEntry: false,
            position: String(hours * 72_000 + 110),
            eventId: `sample-event-${index}`,
          },
        ],
  )

export const models = (fixture: Fixture, suspended: boolean): ModelVersion[] => [
  {
    modelId: 'od600',
    version: '1.0.0',
    use: 'od600-forecast',
    state: suspended ? 'suspended' : 'active',
    stateSince: at(fixture, -7200),
    approvedFor: ['replayed', 'simulated'],
    activeFor: suspended ? [] : ['replayed', 'simulated'],
    suspension: suspended ? { rule: 'coverage', finding: '12 of 20 covered', automatic: true } : null,
    modelHash,
    featureSchemaHash: 'b'.repeat(64),
    registeredAt: at(fixture, -7300),
    cardSha256: 'd'.repeat(64),
    reportSha256: 'e'.repeat(64),
    files: [],
    criteria: {},
    trainingData: '15 simulated batches',
  },
]

export const modelHistory = (fixture: Fixture): ModelRecord['history'] =>
  [
    ['ModelRegistered', 'model od600 1.0.0 was registered (3fa4c1d2)'],
    ['ModelApproved', 'qa-2 approved model od600 1.0.0 for simulated, replayed data'],
    ['ModelActivated', 'qa-2 activated model od600 1.0.0 for od600-forecast'],
  ].map(([type = '', sentence = ''], index) => ({
    position: String(index + 1),
    eventId: `model-event-${index}`,
    type,
    version: '1.0.0',
    occurredAt: at(fixture, -7300 + index * 50),
    recordedAt: at(fixture, -7300 + index * 50),
    actor: { kind: 'human', id: 'qa-2', role: 'qa' },
    sentence,
  }))
