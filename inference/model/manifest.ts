/**
 * What a model's folder holds: its files with size and SHA-256, its heads, and the features it was trained on. The
 * model hash covers everything that decides a forecast; card and report are documents beside it with hashes of
 * their own.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { sha256Hex } from '../../schemas/events/forecast-events.ts'

const fileEntry = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'a plain file name'),
  bytes: z.int().positive(),
  sha256: sha256Hex,
})
export type FileEntry = z.infer<typeof fileEntry>

export const manifestSchema = z.strictObject({
  modelId: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,49}$/),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  modelHash: sha256Hex,
  featureSchemaHash: sha256Hex,
  heads: z.array(z.strictObject({ name: z.string(), file: z.string(), columns: z.int().positive() })).min(1),
  files: z.array(fileEntry).min(1),
  documents: z.array(fileEntry),
})
export type Manifest = z.infer<typeof manifestSchema>

/** SHA-256 of the canonical JSON of what decides a forecast. */
export function modelHashOf(manifest: Omit<Manifest, 'modelHash' | 'documents'>): string {
  const { modelId, version, featureSchemaHash, heads, files } = manifest
  return hash('sha256', canonicalJson({ modelId, version, featureSchemaHash, heads, files }))
}
