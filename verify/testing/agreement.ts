/** Runs the verifier in TypeScript and the one in Python on the same file. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Key, parseKey } from '../src/note.ts'
import { nodePlatform } from '../src/platform-node.ts'
import { type Verdict, verifyExtract } from '../src/verify.ts'
import { inMemory } from './extract-file.ts'
import type { PythonVerdict, pythonVerifier } from './python.ts'

export async function verifyHere(
  zip: Buffer,
  key?: string,
  witnesses: readonly string[] = [],
): Promise<Verdict> {
  const parse = (text: string): Key => parseKey(text, nodePlatform)
  const pinned = {
    logKeys: key === undefined ? [] : [parse(key)],
    exportKeys: [],
    witnesses: witnesses.map(parse),
  }
  return await verifyExtract(inMemory(zip), pinned, nodePlatform)
}

export async function verifyThere(
  python: ReturnType<typeof pythonVerifier>,
  folder: string,
  zip: Buffer,
  key?: string,
): Promise<PythonVerdict> {
  const path = join(folder, 'extract.zip')
  writeFileSync(path, zip)
  return await python.verify({ path, ...(key === undefined ? {} : { key }) })
}
