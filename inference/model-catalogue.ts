/** The models whose files came with the installation, one folder a version: `<folder>/<modelId>/<version>/`. */
import type { ModelsAtHand } from './forecast-model.ts'
import type { InstalledModel } from './installed-model.ts'

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
