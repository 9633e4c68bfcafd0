/** Where the committed model of the product lies. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const committedModel = { modelId: 'od600-hybrid', version: '1.1.0' } as const

export const committedModelFolder: string = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'models',
  'od600',
  committedModel.version,
)
