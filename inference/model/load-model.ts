/**
 * The committed model, ready to forecast: hashes checked, one ONNX session a head on one CPU thread. One row or many
 * at a time give the same bits; two threads would not.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import onnxruntime from 'onnxruntime-node/package.json' with { type: 'json' }
import { composeOutcome } from '../../domain/forecast/compose-outcome.ts'
import { featureNames } from '../../domain/forecast/feature-schema.ts'
import type { ForecastInput, ForecastOutcome, HeadOutputs } from '../../domain/forecast/outcome.ts'
import { ModelError } from './model-error.ts'
import { readArtefact } from './read-artefact.ts'

export type LoadedModel = {
  readonly modelId: string
  readonly version: string
  readonly modelHash: string
  readonly featureSchemaHash: string
  /** Library, version, execution provider and threads; recorded with each forecast. */
  readonly runtime: string
  readonly card: Readonly<Record<string, unknown>>
  /** Raw head outputs by head name, one record an input; empty for an input that is withheld. */
  readonly predict: (inputs: readonly ForecastInput[]) => Promise<readonly HeadOutputs[]>
  readonly compose: (input: ForecastInput, outputs: HeadOutputs) => ForecastOutcome
  readonly close: () => Promise<void>
}

const sessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  executionProviders: ['cpu'],
} as const

const none: HeadOutputs = {}

/** Throws `ModelError` when a file is missing, does not parse or is not what the manifest states. */
export async function loadModel(folder: string): Promise<LoadedModel> {
  const artefact = await readArtefact(folder)
  const { manifest, calibration } = artefact
  const heads = await Promise.all(
    artefact.heads.map(async ({ name, columns, onnx }) => {
      const session = await InferenceSession.create(onnx, { ...sessionOptions, executionProviders: ['cpu'] })
      const [input] = session.inputNames
      const [output] = session.outputNames
      if (input === undefined || output === undefined)
        throw new ModelError('shape', `head ${name}: has no input or no output`, { head: name })
      return { name, columns, session, input, output }
    }),
  )

  const predict = async (inputs: readonly ForecastInput[]): Promise<readonly HeadOutputs[]> => {
    const asked = inputs.filter((input) => input.withhold === undefined)
    if (asked.length === 0) return inputs.map(() => none)
    const tensors = new Map<number, Tensor>()
    const results: Record<string, number>[] = asked.map(() => ({}))
    const tensorOf = (columns: number): Tensor => {
      const tensor =
        tensors.get(columns) ?? new Tensor('float32', firstColumns(asked, columns), [asked.length, columns])
      tensors.set(columns, tensor)
      return tensor
    }
    // All heads in one turn of the event loop: in a busy process each turn costs more than the head itself.
    const outputs = await Promise.all(
      heads.map(async ({ name, columns, session, input, output }) => ({
        name,
        values: (await session.run({ [input]: tensorOf(columns) }))[output]?.data,
      })),
    )
    for (const { name, values } of outputs) {
      if (!(values instanceof Float32Array) || values.length !== asked.length)
        throw new ModelError(
          'shape',
          `head ${name}: gave ${values?.length} values for ${asked.length} rows`,
          {
            head: name,
          },
        )
      results.forEach((result, row) => {
        result[name] = values[row] ?? Number.NaN
      })
    }
    let next = 0
    return inputs.map((input) => (input.withhold === undefined ? (results[next++] ?? none) : none))
  }

  return {
    modelId: manifest.modelId,
    version: manifest.version,
    modelHash: manifest.modelHash,
    featureSchemaHash: manifest.featureSchemaHash,
    runtime: `onnxruntime-node ${onnxruntime.version}, cpu, 1 thread`,
    card: artefact.card,
    predict,
    compose: (input, outputs) => composeOutcome(input, outputs, calibration),
    close: async () => {
      for (const { session } of heads) await session.release()
    },
  }
}

function firstColumns(inputs: readonly ForecastInput[], columns: number): Float32Array {
  const rows = new Float32Array(inputs.length * columns)
  inputs.forEach(({ features }, index) => {
    if (features.length !== featureNames.length)
      throw new ModelError(
        'shape',
        `an input has ${features.length} features, the schema ${featureNames.length}`,
      )
    rows.set(features.subarray(0, columns), index * columns)
  })
  return rows
}
