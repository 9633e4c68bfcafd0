/**
 * A simulated batch as its instruments and its technician see it: readings second by second with the truth beside
 * them, and the samples with their offline OD600. Deterministic: settings, noise and seed give the same bytes.
 */
import { isSignalFault } from './disturbances.ts'
import { type NoiseKind, type NoiseOptions, noiseModel } from './noise.ts'
import { simulateProcess, type Truth } from './process.ts'
import { randomStream } from './random.ts'
import { assayOd, type Sample, sampleMl } from './sample-plan.ts'
import type { BatchSettings } from './settings.ts'
import { transmitters, type Values } from './signals.ts'

export type BatchRun = {
  readonly settings: BatchSettings
  readonly noise: NoiseKind
  readonly seed: number
  readonly noiseOptions?: NoiseOptions
  /** Scheduled points assayed twice (0 h, 8 h and depletion in the hold-out batches). */
  readonly duplicatePoints?: readonly string[]
}

export type SimulatedSecond = {
  readonly second: number
  readonly values: Values
  readonly truth: Truth
  /** Samples drawn in this second. */
  readonly samples: readonly Sample[]
}

const noSamples: readonly Sample[] = []

/** Every second from inoculation to the end of the run. */
export function* simulateBatch(run: BatchRun): Generator<SimulatedSecond, void, undefined> {
  const noise = noiseModel(run.noise, run.seed, run.noiseOptions)
  const show = transmitters(run.settings.disturbances.filter(isSignalFault), noise)
  const assays = randomStream(run.seed, 'offline-assay')
  const draw = (point: string, truth: Truth): readonly Sample[] =>
    (run.duplicatePoints?.includes(point) ? [1, 2] : [1]).map((replicate) => ({
      scheduledPoint: point,
      second: truth.second,
      hours: truth.hours,
      replicate,
      trueOd: truth.od,
      ...assayOd(truth.od, noise.assay, assays),
      volumeMl: String(sampleMl),
    }))

  for (const truth of simulateProcess(run.settings)) {
    const samples = truth.sampled === undefined ? noSamples : draw(truth.sampled, truth)
    yield { second: truth.second, values: show(truth), truth, samples }
  }
}
