/**
 * The card and the validation report of a model version, out of the folder of artefacts (`<folder>/<any>/<any>/`, told by
 * their `manifest.json`). What is served is what was registered: a file whose SHA-256 is not the registered one is
 * refused, not shown.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Registration } from '../../domain/models/governance.ts'
import { ProblemError } from '../../infra/http/problem.ts'

export type ArtefactPart = 'card' | 'report'
export type Artefact = {
  readonly name: string
  readonly form: 'html' | 'md' | 'json'
  readonly text: string
  readonly sha256: string
}

/** In the order of preference: what can be shown as a page comes first. */
const forms = ['html', 'json', 'md'] as const
const identity = z.object({ modelId: z.string(), version: z.string() })

/** `folder` undefined: this installation holds no artefacts. Throws a 404 or 409 problem. */
export async function readArtefact(
  folder: string | undefined,
  modelId: string,
  version: string,
  part: ArtefactPart,
  registration: Registration,
): Promise<Artefact> {
  const expected = part === 'card' ? registration.cardSha256 : registration.reportSha256
  const differing: string[] = []
  const place = folder === undefined ? undefined : await folderOf(folder, modelId, version)
  for (const form of place === undefined ? [] : forms) {
    const name = `${part}.${form}`
    const bytes = await readIfThere(join(place ?? '', name))
    if (!bytes) continue
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const isRegistered =
      sha256 === expected || registration.files.some((file) => file.name === name && file.sha256 === sha256)
    if (isRegistered) return { name, form, text: bytes.toString('utf8'), sha256 }
    differing.push(`${name} (${sha256})`)
  }
  if (differing.length > 0)
    throw new ProblemError({
      status: 409,
      code: 'artefact-changed',
      detail: `the ${part} of ${modelId} ${version} was registered with SHA-256 ${expected}; what lies here is ${differing.join(', ')}`,
      rule: 'what is shown of a model is what was registered',
    })
  throw new ProblemError({
    status: 404,
    code: 'no-artefact',
    detail: `this installation holds no ${part} of ${modelId} ${version}`,
    rule: 'the artefacts of a model lie with the installation that serves it',
  })
}

/** Folders may have any name: the manifest says whose they are. */
async function folderOf(folder: string, modelId: string, version: string): Promise<string | undefined> {
  for (const outer of await foldersIn(folder))
    for (const inner of await foldersIn(outer)) {
      const manifest = await readIfThere(join(inner, 'manifest.json'))
      const named = manifest && identity.safeParse(parsed(manifest))
      if (named?.success && named.data.modelId === modelId && named.data.version === version) return inner
    }
  return undefined
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(nothingThere)
  return (entries ?? [])
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .sort()
}

const readIfThere = (path: string): Promise<Buffer | undefined> => readFile(path).catch(nothingThere)

function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
