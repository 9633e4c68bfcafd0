/** Turns a folder of trained files into an artefact: the manifest with every hash, written last. */
import { hash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { headName, quantiles, targets } from '../../domain/forecast/calibration.ts'
import { featureNames, featureSchemaHash, softFeatures } from '../../domain/forecast/feature-schema.ts'
import { type FileEntry, type Manifest, modelHashOf } from '../model/manifest.ts'

export const modelHeads: Manifest['heads'] = targets.flatMap((target) =>
  quantiles.map((quantile) => ({
    name: headName(target, quantile),
    file: `${headName(target, quantile)}.onnx`,
    columns: target === 'PT0S' ? softFeatures.length : featureNames.length,
  })),
)

const modelFiles = [...modelHeads.map(({ file }) => file), 'calibration.json', 'training-reference.json']

export type ModelName = { readonly modelId: string; readonly version: string }

/** The hash that the model will have: card and report name it before the manifest is written. */
export async function modelHashOfFolder(folder: string, name: ModelName): Promise<string> {
  return modelHashOf(await described(folder, name))
}

/** Writes `manifest.json`; `documents` are file names in the folder. */
export async function sealArtefact(
  folder: string,
  name: ModelName,
  documents: readonly string[],
): Promise<Manifest> {
  const model = await described(folder, name)
  const manifest: Manifest = {
    ...model,
    modelHash: modelHashOf(model),
    documents: await entries(folder, documents),
  }
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
  return manifest
}

async function described(
  folder: string,
  name: ModelName,
): Promise<Omit<Manifest, 'modelHash' | 'documents'>> {
  return { ...name, featureSchemaHash, heads: modelHeads, files: await entries(folder, modelFiles) }
}

async function entries(folder: string, names: readonly string[]): Promise<FileEntry[]> {
  return Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(folder, name))
      return { name, bytes: content.length, sha256: hash('sha256', content) }
    }),
  )
}
