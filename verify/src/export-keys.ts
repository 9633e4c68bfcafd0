/**
 * Keys that may have signed the manifest: those that the log named as of the extract, and one that it named later, proven by
 * `export-key.txt` under a checkpoint of the same log (RFC 9162 2.1.3.2), as an extract as of an earlier time needs.
 */
import { equalBytes, fromBase64, fromUtf8, utf8 } from './bytes.ts'
import { isObject, parseCanonical } from './canonical.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import { trustedKeys } from './key-changes.ts'
import { count } from './manifest.ts'
import { type Key, parseCheckpoint, parseKey, parseNote, signersOf } from './note.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'

const member = 'export-key.txt'
const formatLine = 'bioledger-export-key/v1'

/** Keys of an algorithm that this verifier does not know are passed over: another one may have signed. */
export async function exportKeysOf(context: Context, reading: Reading): Promise<Key[]> {
  const { checkpoint, extract, platform } = context
  const named = reading.keys.holding('export', checkpoint.size).flatMap((key) => {
    try {
      return [parseKey(key, platform)]
    } catch (error) {
      if (error instanceof Refusal) return []
      throw error
    }
  })
  return extract.has(member) ? [...named, await laterKey(context, reading)] : named
}

async function laterKey(context: Context, { keys }: Reading): Promise<Key> {
  const { extract, checkpoint, pinned, platform } = context
  const whole = fromUtf8(await extract.whole(member)) ?? ''
  const [head = '', ...rest] = whole.split('\n\n')
  const [format, spelt, ...hashes] = head.split('\n')
  if (format !== formatLine) throw new Refusal(`${member} has an unknown format`)
  const after = rest.join('\n\n')
  const end = after.indexOf('\n')
  const text = after.slice(0, Math.max(end, 0))
  const note = parseNote(utf8(after.slice(end + 1)), member)
  const { origin, size, root } = parseCheckpoint(note.text)
  if (origin !== checkpoint.origin) throw new Refusal(`${member} is of another log`)
  if (pinned.logKeys.length > 0) {
    const signers = await signersOf(note, await trustedKeys(context, keys), member, platform)
    if (signers.length === 0) throw new Refusal(`no key that you gave signed the checkpoint in ${member}`)
  }
  const path = hashes.map((hash) => fromBase64(hash) ?? new Uint8Array())
  if (!isIncluded(platform.leafHash(text), count(spelt, 'the index'), size, root, path, platform))
    throw new Refusal(`the event in ${member} is not under its checkpoint`)
  const leaf = parseCanonical(text, 'the event')
  const data = isObject(leaf) ? leaf.data : undefined
  const isAdded =
    isObject(leaf) &&
    isObject(data) &&
    leaf.ledger === origin &&
    leaf.stream === 'ledger-keys' &&
    leaf.type === 'LedgerKeyAdded' &&
    data.purpose === 'export'
  if (!isAdded || typeof data.verifierKey !== 'string') throw new Refusal(`${member} adds no export key`)
  if (keys.has(data.verifierKey)) throw new Refusal(`${member} adds a key that the log named before`)
  return parseKey(data.verifierKey, platform)
}

/** RFC 9162 2.1.3.2. */
export function isIncluded(
  leafHash: Uint8Array,
  index: number,
  size: number,
  root: Uint8Array,
  path: readonly Uint8Array[],
  platform: Platform,
): boolean {
  if (index >= size || path.some((hash) => hash.length !== 32)) return false
  const input = new Uint8Array(65)
  input[0] = 1
  const node = (left: Uint8Array, right: Uint8Array) => {
    input.set(left, 1)
    input.set(right, 33)
    return platform.hash(input)
  }
  let [fn, sn, hash] = [index, size - 1, leafHash]
  for (const sibling of path) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = node(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else hash = node(hash, sibling)
    ;[fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  }
  return sn === 0 && equalBytes(hash, root)
}
