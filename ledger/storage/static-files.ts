/**
 * The log as files that any web server can serve (C2SP tlog-tiles): each file is whole and on the disk before the
 * checkpoint that covers it replaces the last one. A partial tile goes when a later one holds all of it.
 */
import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Checkpoint, parseCheckpoint } from '../log/checkpoint.ts'
import { parseNote } from '../log/note.ts'
import { consistencyProof, verifyConsistency } from '../log/proof.ts'
import { type Tile, tilePath, tilesBetween } from '../log/tile.ts'
import { emptyRoot } from '../log/tree-hash.ts'
import { syncFolder, writeDurably } from './durable-file.ts'
import type { LogReader } from './log-reader.ts'

export class StaticFilesError extends Error {
  readonly code = 'static-files'
  constructor(
    readonly folder: string,
    readonly rule: string,
  ) {
    super(`${folder}: ${rule}`)
  }
}

/**
 * Brings the folder to the newest published checkpoint. Throws `StaticFilesError`, and leaves everything as it is, when
 * the folder holds another log, or one that this log does not contain.
 */
export async function publishFiles(reader: LogReader, folder: string): Promise<void> {
  const head = await reader.head()
  if (!head) return
  const held = await heldCheckpoint(folder)
  if (held) await assertContains(reader, folder, held, { ...head, origin: await reader.origin() })
  const before = held?.size ?? 0n
  // The same size may have got cosignatures since.
  for (const tile of tilesBetween(before, head.size)) await writeTile(reader, folder, tile)
  await writeDurably(join(folder, 'checkpoint'), head.note, 0o644)
  for (const tile of tilesBetween(before, head.size))
    if (tile.width === 256) await rm(partials(folder, tile), { recursive: true, force: true })
}

/**
 * What the folder holds of this very log and the published log does not contain, as a sentence; undefined when nothing.
 * A folder that cannot be read, or holds something else, contradicts nothing: `publishFiles` tells it.
 */
export async function filesContradiction(reader: LogReader, folder: string): Promise<string | undefined> {
  const held = await heldCheckpoint(folder).catch(() => undefined)
  const origin = await reader.origin()
  if (!held || held.origin !== origin) return undefined
  const head = (await reader.head()) ?? { size: 0n, root: emptyRoot }
  try {
    await assertContains(reader, folder, held, { ...head, origin })
    return undefined
  } catch (error) {
    if (error instanceof StaticFilesError) return `the static files in ${error.message}`
    throw error
  }
}

async function writeTile(reader: LogReader, folder: string, tile: Tile): Promise<void> {
  const bytes = await reader.tile(tile)
  if (!bytes) throw new StaticFilesError(folder, `${tilePath(tile)} is not published`)
  const file = join(folder, tilePath(tile))
  const made = await mkdir(dirname(file), { recursive: true, mode: 0o755 })
  await writeDurably(file, bytes, 0o644)
  if (made !== undefined) await syncFolder(dirname(made))
}

const partials = (folder: string, tile: Tile): string => join(folder, `${tilePath(tile)}.p`)

async function heldCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  const file = join(folder, 'checkpoint')
  let note: string
  try {
    note = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return parseCheckpoint(parseNote(note).text)
  } catch {
    throw new StaticFilesError(folder, 'its checkpoint is none: choose an empty folder')
  }
}

async function assertContains(
  reader: LogReader,
  folder: string,
  held: Checkpoint,
  head: { readonly origin: string | undefined; readonly size: bigint; readonly root: Buffer },
): Promise<void> {
  if (held.origin !== head.origin)
    throw new StaticFilesError(folder, `it holds the log ${held.origin}, this one is ${head.origin}`)
  if (held.size === 0n) return
  const path =
    held.size < head.size ? await consistencyProof(held.size, head.size, reader.subtrees(head.size)) : []
  try {
    verifyConsistency({
      first: held.size,
      firstRoot: held.root,
      second: head.size,
      secondRoot: head.root,
      path,
    })
  } catch {
    throw new StaticFilesError(
      folder,
      `its checkpoint of ${held.size} entries is no part of this log of ${head.size}: one of them was changed or restored`,
    )
  }
}
