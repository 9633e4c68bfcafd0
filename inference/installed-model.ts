/** A model whose files were installed with the product: what registering it states, and what forecasting asks of it. */
import type { TrainingReference } from '../domain/models/input-drift.ts'
import type { ForecastModel } from './forecast-model.ts'

export type InstalledModel = ForecastModel & {
  readonly use: 'od600-forecast'
  /** Those that decide a forecast, and the documents beside them. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[]
  readonly cardSha256: string
  readonly reportSha256: string
  /** Acceptance criteria, stated before any test run. */
  readonly criteria: Readonly<Record<string, number>>
  readonly trainingData: string
  /** How the inputs were distributed in training; absent: their drift is not watched. */
  readonly trainingReference?: TrainingReference
  /** The features that matter most, by name. */
  readonly watchedFeatures?: readonly string[]
}
