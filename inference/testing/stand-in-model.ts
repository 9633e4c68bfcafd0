/**
 * A model without files: carries the last µ on. For tests of what happens around a model (order, restarts, governance),
 * where a trained one would only be slower.
 */
import type { ForecastInput, ForecastOutcome } from '../../domain/forecast/outcome.ts'
import type { Horizon } from '../../schemas/events/forecast-events.ts'
import type { InstalledModel } from '../installed-model.ts'
import type { ModelCatalogue } from '../model-catalogue.ts'
import { horizonMs } from '../scoring.ts'

export function standInModel(version = '1.0.0', digit = 'a', bias = 1): InstalledModel {
  return {
    modelId: 'stand-in',
    version,
    use: 'od600-forecast',
    modelHash: digit.repeat(64),
    featureSchemaHash: 'f'.repeat(64),
    runtime: 'none, a test',
    files: [{ name: 'stand-in', bytes: 1, sha256: digit.repeat(64) }],
    cardSha256: digit.repeat(64),
    reportSha256: digit.repeat(64),
    criteria: { 'mre-30min': 0.025 },
    trainingData: 'none',
    predict: async (inputs: readonly ForecastInput[]) =>
      inputs.map(({ lastValue, lastMu }) => ({ od: lastValue ?? 1, mu: lastMu ?? 0 })),
    compose: (_input: ForecastInput, { od = 1, mu = 0 }): ForecastOutcome => ({
      kind: 'issued',
      horizons: (Object.keys(horizonMs) as Horizon[]).map((horizon) => {
        const p50 = bias * od * Math.exp((mu * horizonMs[horizon]) / 3_600_000)
        return { horizon, p5: 0.95 * p50, p50, p95: 1.05 * p50 }
      }),
      attributions: [{ feature: 'mu', contribution: mu }],
    }),
  }
}

export type StandInCatalogue = ModelCatalogue & {
  /** As if the files had been changed behind the product's back. */
  breakFiles(): void
}

export function standInCatalogue(...models: readonly InstalledModel[]): StandInCatalogue {
  let isBroken = false
  return {
    find: (modelHash) => (isBroken ? undefined : models.find((model) => model.modelHash === modelHash)),
    installed: () => (isBroken ? [] : models),
    broken: () =>
      isBroken
        ? models.map(({ modelId, version }) => ({ folder: `${modelId}/${version}`, finding: 'changed' }))
        : [],
    check: async () => {},
    close: async () => {},
    breakFiles: () => {
      isBroken = true
    },
  }
}
