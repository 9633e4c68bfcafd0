/**
 * The card and the validation report of a model version, out of the folder of artefacts (`<model>/<version>/…`). What is
 * served is what was registered: a file whose SHA-256 is not the registered one is refused, not shown.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ProblemError } from '../../infra/http/problem.ts'
import type { Registration } from '../fold/fold-models.ts'

export type ArtefactPart = 'card' | 'report'
export type Artefact = {
  readonly name: string
  readonly mediaType: string
  readonly bytes: Buffer
  readonly sha256: string
}

const forms = [
  ['html', 'text/html; charset=utf-8'],
  ['md', 'text/markdown; charset=utf-8'],
  ['json', 'application/json; charset=utf-8'],
] as const

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
  for (const [extension, mediaType] of folder === undefined ? [] : forms) {
    const name = `${part}.${extension}`
    const bytes = await readIfThere(join(folder as string, modelId, version, name))
    if (!bytes) continue
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const isRegistered =
      sha256 === expected || registration.files.some((file) => file.name === name && file.sha256 === sha256)
    if (isRegistered) return { name, mediaType, bytes, sha256 }
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

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
