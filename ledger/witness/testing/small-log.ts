/** A log in memory for tests: leaves `0 … n − 1`, signed checkpoints and proofs of any size. */
import { checkpointText } from '../../log/checkpoint.ts'
import { noteSigner, parseVerifierKey, signNote } from '../../log/note.ts'
import { consistencyProof, rootOf, type SubtreeReader } from '../../log/proof.ts'
import { emptyRoot, leafHash, nodeHash } from '../../log/tree-hash.ts'

export type SmallLog = ReturnType<typeof smallLog>

/** `variant` from leaf `splitsAt` on gives another history under the same key. */
export function smallLog(origin: string, variant = '', splitsAt = 0) {
  const signer = noteSigner(origin, Buffer.alloc(32, 7))
  const hashes = new Map<string, Buffer>()
  const read: SubtreeReader = async (level, index) => subtree(level, Number(index))
  function subtree(level: number, index: number): Buffer {
    const key = `${level}/${index}`
    const known = hashes.get(key)
    if (known) return known
    const made =
      level === 0
        ? leafHash(Buffer.from(`${index >= splitsAt ? variant : ''}${index}`))
        : nodeHash(subtree(level - 1, index * 2), subtree(level - 1, index * 2 + 1))
    hashes.set(key, made)
    return made
  }
  const root = async (size: bigint) => (size === 0n ? emptyRoot : await rootOf(size, read))
  return {
    origin,
    signer,
    verifiers: [parseVerifierKey(signer.verifierKey)],
    root,
    text: async (size: bigint) => checkpointText({ origin, size, root: await root(size) }),
    note: async (size: bigint) =>
      signNote(checkpointText({ origin, size, root: await root(size) }), [signer]),
    proof: (from: bigint, to: bigint) => consistencyProof(from, to, read),
  }
}
