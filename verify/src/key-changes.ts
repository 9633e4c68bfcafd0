/**
 * From a pinned key to the present one: each change of key was signed, over one checkpoint, by the old and the new key, the
 * new one stands in the log below that checkpoint, and the extract's checkpoint continues it (RFC 9162 2.1.4.2).
 */
import { equalBytes, fromBase64, fromUtf8, utf8 } from './bytes.ts'
import type { Context } from './context.ts'
import type { KeyHistory } from './keys.ts'
import { type Key, parseCheckpoint, parseKey, parseNote, signersOf } from './note.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'

const member = /^key-change-([1-9]\d{0,15})\.txt$/
const formatLine = 'bioledger-key-change/v1'

/** The pinned keys, and those that they vouch for. Throws `Refusal` where a change that one of them signed is not proven. */
export async function trustedKeys(context: Context, history: KeyHistory): Promise<readonly Key[]> {
  const { extract, pinned, checkpoint, platform } = context
  const trusted = pinned.logKeys.filter(({ name }) => name === checkpoint.origin)
  const changes = extract.names.filter((name) => member.test(name))
  const sizeOf = (name: string) => Number(member.exec(name)?.[1])
  for (const name of changes.sort((a, b) => sizeOf(a) - sizeOf(b))) {
    const whole = fromUtf8(await extract.whole(name)) ?? ''
    const split = whole.indexOf('\n\n')
    const [format, ...hashes] = whole.slice(0, Math.max(split, 0)).split('\n')
    if (format !== formatLine) throw new Refusal(`${name} has an unknown format`)
    const note = parseNote(utf8(whole.slice(split + 2)), name)
    const { origin, size, root } = parseCheckpoint(note.text)
    if (origin !== checkpoint.origin || size !== sizeOf(name) || size > checkpoint.size)
      throw new Refusal(`${name} is not of this log`)
    const vouching = await signersOf(note, trusted, name, platform)
    if (!vouching.some(({ verifierKey }) => history.objection(verifierKey, 'log', size) === undefined))
      continue
    const path = hashes.map((hash) => fromBase64(hash) ?? new Uint8Array())
    if (!isConsistent(size, root, checkpoint.size, checkpoint.root, path, platform))
      throw new Refusal(`the checkpoint of the extract does not continue the one in ${name}`)
    const added = history.logKeysAddedBefore(size).map((key) => parseKey(key, platform))
    const unknown = added.filter((key) => !trusted.some(({ verifierKey }) => verifierKey === key.verifierKey))
    trusted.push(...(await signersOf(note, unknown, name, platform)))
  }
  return trusted
}

/** Whether the tree (`first`, `firstRoot`) is the beginning of (`second`, `secondRoot`). */
export function isConsistent(
  first: number,
  firstRoot: Uint8Array,
  second: number,
  secondRoot: Uint8Array,
  path: readonly Uint8Array[],
  platform: Platform,
): boolean {
  if (path.some((hash) => hash.length !== 32) || first < 1 || first > second) return false
  if (first === second) return path.length === 0 && equalBytes(firstRoot, secondRoot)
  const node = (left: Uint8Array, right: Uint8Array) => {
    const input = new Uint8Array(65)
    input[0] = 1
    input.set(left, 1)
    input.set(right, 33)
    return platform.hash(input)
  }
  const isPowerOfTwo = Number.isInteger(Math.log2(first)) && 2 ** Math.log2(first) === first
  const [start, ...rest] = isPowerOfTwo ? [firstRoot, ...path] : path
  if (!start) return false
  let [fn, sn] = [first - 1, second - 1]
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  let [fr, sr] = [start, start]
  for (const hash of rest) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      fr = node(hash, fr)
      sr = node(hash, sr)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
    } else sr = node(sr, hash)
    ;[fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  }
  return sn === 0 && equalBytes(fr, firstRoot) && equalBytes(sr, secondRoot)
}
