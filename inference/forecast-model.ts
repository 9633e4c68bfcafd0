/** A model as forecasting needs it; `model/` loads one from its committed files. */
import type { ForecastInput, ForecastOutcome, HeadOutputs } from '../domain/forecast/outcome.ts'

export type ForecastModel = {
  readonly modelId: string
  readonly version: string
  /** SHA-256 over the model's files, and over the names, order and versions of its features. */
  readonly modelHash: string
  readonly featureSchemaHash: string
  /** What computed the forecast: library, version, provider, threads. */
  readonly runtime: string
  /** One row or many: the same bits. */
  predict(inputs: readonly ForecastInput[]): Promise<readonly HeadOutputs[]>
  compose(input: ForecastInput, outputs: HeadOutputs): ForecastOutcome
}

/** The models whose files are here and intact, by their hash. */
export type ModelsAtHand = {
  find(modelHash: string): ForecastModel | undefined
}

/** Stands as `runtime` where no model computed anything. */
export const noRuntime = 'none'
