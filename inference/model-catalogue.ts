/** The models whose files came with the installation, one folder a version: `<folder>/<modelId>/<version>/`. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { TrainingReference } from '../domain/models/input-drift.ts'
import type { Logger } from '../infra/log.ts'
import type { ForecastModel, ModelsAtHand } from './forecast-model.ts'
import type { InstalledModel } from './installed-model.ts'
import { type LoadedModel, loadModel } from './model/load-model.ts'
import { type Manifest, manifestSchema } from './model/manifest.ts'

export type BrokenFiles = { readonly folder: string; readonly finding: string }

export type ModelCatalogue = ModelsAtHand & {
  /** Those whose files are intact. */
  installed(): readonly InstalledModel[]
  /** Folders whose files are not what their manifest says. */
  broken(): readonly BrokenFiles[]
  /** Reads and hashes every file again; a model whose files have changed is no longer at hand. */
  check(): Promise<void>
  close(): Promise<void>
}

/** Models that cannot be loaded are named in `broken`, and at hand are the others; an empty folder holds none. */
export async function openCatalogue(folder: string, log: Logger): Promise<ModelCatalogue> {
  let models = new Map<string, { readonly model: InstalledModel; readonly loaded: LoadedModel }>()
  let broken: BrokenFiles[] = []

  /** Also the first load: sessions are kept where nothing has changed. */
  async function check(): Promise<void> {
    const found: typeof models = new Map()
    const findings: BrokenFiles[] = []
    for (const path of await versionFolders(folder)) {
      try {
        const loaded = await loadModel(path)
        const known = models.get(loaded.modelHash)
        if (known) await loaded.close()
        found.set(loaded.modelHash, known ?? { loaded, model: await installedModel(path, loaded) })
      } catch (error) {
        const finding = error instanceof Error ? error.message : String(error)
        log.error({ folder: path, finding }, 'a model cannot be used as it lies there')
        findings.push({ folder: path, finding })
      }
    }
    for (const [modelHash, { loaded }] of models) if (!found.has(modelHash)) await loaded.close()
    models = found
    broken = findings
  }

  await check()
  return {
    find: (modelHash): ForecastModel | undefined => models.get(modelHash)?.model,
    installed: () => [...models.values()].map(({ model }) => model),
    broken: () => broken,
    check,
    close: async () => {
      for (const { loaded } of models.values()) await loaded.close()
    },
  }
}

async function versionFolders(folder: string): Promise<readonly string[]> {
  const paths: string[] = []
  for (const modelId of await foldersIn(folder))
    for (const version of await foldersIn(join(folder, modelId))) paths.push(join(folder, modelId, version))
  return paths
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
}

async function installedModel(folder: string, loaded: LoadedModel): Promise<InstalledModel> {
  const manifest = manifestSchema.parse(await json(folder, 'manifest.json'))
  const { modelId, version, modelHash, featureSchemaHash, runtime, predict, compose, card } = loaded
  return {
    modelId,
    version,
    modelHash,
    featureSchemaHash,
    runtime,
    predict,
    compose,
    use: 'od600-forecast',
    files: [...manifest.files, ...manifest.documents],
    cardSha256: documentHash(manifest, 'card.json'),
    reportSha256: documentHash(manifest, 'report.html'),
    criteria: numbersOf(card.criteria),
    trainingData: typeof card.trainingData === 'string' ? card.trainingData : 'see the card',
    ...(await watchedInputs(folder)),
  }
}

/** What training wrote about its inputs; a model without it forecasts all the same. */
async function watchedInputs(
  folder: string,
): Promise<Pick<InstalledModel, 'trainingReference' | 'watchedFeatures'>> {
  const reference = referenceSchema.safeParse(await jsonIfThere(folder, 'training-reference.json'))
  const training = trainingSchema.safeParse(await jsonIfThere(folder, 'training.json'))
  if (!reference.success || !training.success) return {}
  return {
    trainingReference: reference.data as TrainingReference,
    watchedFeatures: (training.data.importance[watchedHorizon] ?? []).map(({ feature }) => feature),
  }
}

const json = async (folder: string, name: string): Promise<unknown> =>
  JSON.parse(await readFile(join(folder, name), 'utf8'))

const jsonIfThere = (folder: string, name: string): Promise<unknown> =>
  json(folder, name).catch(() => undefined)

const referenceSchema = z.object({
  bins: z.int().positive(),
  phases: z.record(
    z.string(),
    z.object({ features: z.record(z.string(), z.object({ edges: z.array(z.number()).optional() })) }),
  ),
})
/** The forecast that people look at first. */
const watchedHorizon = 'PT30M'
const trainingSchema = z.object({
  importance: z.record(z.string(), z.array(z.object({ feature: z.string() }))).default({}),
})
const noDocument = '0'.repeat(64)

const documentHash = ({ documents }: Manifest, name: string): string =>
  documents.find((document) => document.name === name)?.sha256 ?? noDocument

const numbersOf = (value: unknown): Readonly<Record<string, number>> =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
      )
    : {}
