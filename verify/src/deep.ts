/**
 * The whole log, read entry by entry (C2SP tlog-tiles): its root must be the signed one, at the size of the extract and at
 * every checkpoint that the person who verifies kept from before; and it must hold no event of the batch that the extract
 * does not. This is what no statement of the operator can hide from.
 */
import { equalBytes, fromUtf8 } from './bytes.ts'
import { isObject, parseJson } from './canonical.ts'
import { followAll } from './deep-streams.ts'
import type { Place } from './findings.ts'
import { type Checkpoint, type Key, parseCheckpoint, parseNote, signersOf } from './note.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'
import { streamsOfBatch } from './streams.ts'
import { growingTree } from './tree.ts'
import type { Examined } from './verify.ts'

/** Bytes below the log's prefix, e.g. `tile/entries/x001/002`; undefined where there is nothing. */
export type LogFetcher = (path: string) => Promise<Uint8Array | undefined>

const width = 256
const maximumBundleBytes = width * (65_535 + 2)

/** Checkpoints kept from before; each must be signed by one of the keys. Throws `Refusal`. */
export async function keptCheckpoints(
  notes: readonly Uint8Array[],
  keys: readonly Key[],
  platform: Platform,
): Promise<Checkpoint[]> {
  return await Promise.all(
    notes.map(async (bytes) => {
      const note = parseNote(bytes, 'the kept checkpoint')
      const checkpoint = parseCheckpoint(note.text)
      const mine = keys.filter(({ name }) => name === checkpoint.origin)
      if ((await signersOf(note, mine, 'the kept checkpoint', platform)).length === 0)
        throw new Refusal('no key that you gave signed the kept checkpoint')
      return checkpoint
    }),
  )
}

export async function checkWholeLog(
  examined: Examined,
  fetchLog: LogFetcher,
  kept: readonly Checkpoint[],
  platform: Platform,
): Promise<void> {
  const { manifest, checkpoint, reading, findings } = examined
  const fail = (message: string, event?: Place) => findings.fail('deep', message, event ? { event } : {})
  const { size } = checkpoint
  const wanted = new Map<number, Checkpoint[]>()
  for (const one of [checkpoint, ...kept]) {
    if (one.origin !== checkpoint.origin) fail(`a kept checkpoint is of ${one.origin}`)
    else if (one.size > size)
      fail(`a kept checkpoint is of size ${one.size}, larger than the extract's ${size}`)
    else wanted.set(one.size, [...(wanted.get(one.size) ?? []), one])
  }
  const bound = manifest.heads?.size ?? size
  const streams = followAll(examined, platform)
  const tree = growingTree(platform)
  const ofBatch = streamsOfBatch(manifest.batchId)
  const seen = new Map<string, number>()
  try {
    for (let bundle = 0; bundle * width < size; bundle++) {
      const entries = await bundleOf(fetchLog, bundle, Math.min(width, size - bundle * width))
      for (const entry of entries) {
        const text = fromUtf8(entry)
        if (text === undefined) throw new Refusal(`entry ${tree.size} is not valid UTF-8`)
        const hash = platform.leafHash(text)
        follow(text, tree.size, hash)
        tree.appendLeaf(hash)
        if (tree.size === bound) for (const one of await streams.compare()) fail(one.message, one.event)
        for (const one of wanted.get(tree.size) ?? [])
          if (!equalBytes(tree.root(), one.root))
            fail(`the log has another root at size ${one.size} than the checkpoint that was signed`)
      }
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    fail(error.message)
    return
  }
  compare()
  if (!findings.has('deep'))
    findings.note(
      'deep',
      `${size} entries read, ${kept.length} kept checkpoints found again; every stream is a chain, counted as stated; the batch has no other event`,
    )

  function follow(text: string, index: number, hash: Uint8Array): void {
    const leaf = parseJson(text, `entry ${index}`)
    if (!isObject(leaf)) throw new Refusal(`entry ${index} is no object`)
    const { stream, revision, prev } = leaf
    if (
      typeof stream !== 'string' ||
      typeof revision !== 'string' ||
      (prev !== null && typeof prev !== 'string')
    )
      throw new Refusal(`entry ${index} names no stream and revision`)
    const objection = streams.apply({ stream, revision, prev, index, hash })
    if (objection) fail(objection, { stream, revision: Number(revision), index })
    const { recordedUpTo } = reading.statement?.data ?? {}
    if (index === bound - 1 && recordedUpTo !== undefined && leaf.recordedAt !== recordedUpTo)
      fail(`the heads statement says that it was recorded at ${JSON.stringify(recordedUpTo)}`, {
        ...{ stream, revision: Number(revision), index },
      })
    // What came after the heads statement is of a later extract.
    if (index < bound && ofBatch.has(stream)) count(stream, Number(revision), index)
  }

  /** One that stands in the log and not in the extract names itself. */
  function count(stream: string, revision: number, index: number): void {
    seen.set(stream, (seen.get(stream) ?? 0) + 1)
    const state = reading.streams.states.get(stream)
    const { scope, asOf } = manifest.request
    const isLeftOut = scope === 'range' || asOf !== undefined || manifest.omitted.includes(stream)
    if (isLeftOut || (state && revision <= state.last)) return
    fail('the log has it, the extract has not', { stream, revision, index })
  }

  function compare(): void {
    if (manifest.request.scope === 'range' || manifest.request.asOf !== undefined) return
    for (const [stream, state] of reading.streams.states)
      if (ofBatch.has(stream) && seen.get(stream) !== state.events)
        fail(`the log has ${seen.get(stream) ?? 0} events of its stream, the extract ${state.events}`, {
          stream,
          revision: state.last,
        })
  }
}

async function bundleOf(fetchLog: LogFetcher, bundle: number, needed: number): Promise<Uint8Array[]> {
  const path = `tile/entries/${spelt(bundle)}`
  const bytes = (needed < width ? await fetchLog(`${path}.p/${needed}`) : undefined) ?? (await fetchLog(path))
  if (!bytes) throw new Refusal(`the log has no ${path}`)
  if (bytes.length > maximumBundleBytes) throw new Refusal(`${path} is too large`)
  const entries: Uint8Array[] = []
  for (let at = 0; entries.length < needed; ) {
    if (at + 2 > bytes.length) throw new Refusal(`${path} holds too few entries`)
    const length = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    at += 2
    if (at + length > bytes.length) throw new Refusal(`${path} is cut off`)
    entries.push(bytes.subarray(at, at + length))
    at += length
  }
  return entries
}

/** 1234067 → x001/x234/067. */
function spelt(index: number): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
}
