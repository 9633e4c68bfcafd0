/** Reads a model's folder and checks every byte of it against the manifest before anything is used. */
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Calibration, headNames, targets } from '../../domain/forecast/calibration.ts'
import { featureSchemaHash } from '../../domain/forecast/feature-schema.ts'
import { type FileEntry, type Manifest, manifestSchema, modelHashOf } from './manifest.ts'
import { ModelError } from './model-error.ts'

const shift = z.strictObject({ lower: z.number(), upper: z.number() })
const stretch = z.number().min(0.5).max(2)
const share = z.number().min(0).max(1)
const calibrationSchema = z.object({
  middle: z.object(Object.fromEntries(targets.map((target) => [target, share]))),
  widening: z.object(
    Object.fromEntries(
      targets.map((target) => [
        target,
        z.object({
          lag: stretch,
          exponential: stretch,
          decelerating: stretch,
          stationary: stretch,
          all: stretch,
        }),
      ]),
    ),
  ),
  offsets: z.object(
    Object.fromEntries(
      targets.map((target) => [
        target,
        z.object({ lag: shift, exponential: shift, decelerating: shift, stationary: shift, all: shift }),
      ]),
    ),
  ),
})

export type Artefact = {
  readonly manifest: Manifest
  readonly calibration: Calibration
  readonly card: Readonly<Record<string, unknown>>
  readonly heads: readonly { readonly name: string; readonly columns: number; readonly onnx: Buffer }[]
}

/** Throws `ModelError`: unreadable, schema, hash-mismatch (file or model), feature-schema, heads. */
export async function readArtefact(folder: string): Promise<Artefact> {
  const manifest = parse(manifestSchema, await read(folder, 'manifest.json'), 'manifest.json')
  const computed = modelHashOf(manifest)
  if (computed !== manifest.modelHash)
    throw new ModelError(
      'hash-mismatch',
      `manifest.json: the model hash is ${computed}, it states ${manifest.modelHash}`,
      {
        file: 'manifest.json',
        stated: manifest.modelHash,
        found: computed,
      },
    )
  if (manifest.featureSchemaHash !== featureSchemaHash)
    throw new ModelError(
      'feature-schema',
      `the model was trained on features ${manifest.featureSchemaHash}, this build computes ${featureSchemaHash}`,
      { stated: manifest.featureSchemaHash, found: featureSchemaHash },
    )
  const contents = new Map<string, Buffer>()
  for (const entry of [...manifest.files, ...manifest.documents])
    contents.set(entry.name, await checked(folder, entry))
  const missing = headNames.filter((name) => !manifest.heads.some((head) => head.name === name))
  if (missing.length > 0)
    throw new ModelError('heads', `manifest.json: heads ${missing.join(', ')} are missing`, { missing })
  const content = (name: string): Buffer => {
    const found = contents.get(name)
    if (!found) throw new ModelError('heads', `manifest.json: file ${name} is not listed`, { file: name })
    return found
  }
  return {
    manifest,
    calibration: parse(calibrationSchema, content('calibration.json'), 'calibration.json') as Calibration,
    card: contents.has('card.json')
      ? parse(z.record(z.string(), z.unknown()), content('card.json'), 'card.json')
      : {},
    heads: manifest.heads.map(({ name, file, columns }) => ({ name, columns, onnx: content(file) })),
  }
}

async function checked(folder: string, entry: FileEntry): Promise<Buffer> {
  const content = await read(folder, entry.name)
  const found = hash('sha256', content)
  if (content.length !== entry.bytes || found !== entry.sha256)
    throw new ModelError(
      'hash-mismatch',
      `${entry.name}: ${content.length} bytes with SHA-256 ${found}, the manifest states ${entry.bytes} with ${entry.sha256}`,
      { file: entry.name, stated: entry.sha256, found },
    )
  return content
}

async function read(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name))
  } catch (error) {
    throw new ModelError('unreadable', `${name}: ${error instanceof Error ? error.message : String(error)}`, {
      file: name,
    })
  }
}

function parse<T>(schema: z.ZodType<T>, content: Buffer, file: string): T {
  let value: unknown
  try {
    value = JSON.parse(content.toString('utf8'))
  } catch {
    throw new ModelError('schema', `${file}: is not JSON`, { file })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new ModelError('schema', `${file}: ${issue?.path.join('.')}: ${issue?.message}`, { file })
}
