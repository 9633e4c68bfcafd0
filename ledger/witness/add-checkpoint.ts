/**
 * The body of `add-checkpoint` (C2SP tlog-witness v1.0.0): which size the witness is thought to know, a consistency
 * proof from there (RFC 6962 2.1.2), an empty line, and the log's signed checkpoint.
 */
import { strictBase64 } from '../log/note.ts'
import { hashSize } from '../log/tree-hash.ts'

export type AddCheckpoint = {
  readonly oldSize: bigint
  /** At most 63 hashes of 32 bytes. */
  readonly proof: readonly Uint8Array[]
  /** The checkpoint as a signed note. */
  readonly note: string
}

export class AddCheckpointError extends Error {
  readonly code = 'add-checkpoint'
  constructor(readonly rule: string) {
    super(`add-checkpoint refused: ${rule}`)
  }
}

const maximumProof = 63

export function addCheckpointText({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')}\n${note}`
}

/** Throws `AddCheckpointError` for anything but the one spelling; the note is not looked into. */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw new AddCheckpointError('the body is not UTF-8')
  }
  const end = text.indexOf('\n\n')
  if (end < 0) throw new AddCheckpointError('no empty line before the checkpoint')
  const [first = '', ...lines] = text.slice(0, end).split('\n')
  const spelt = /^old (0|[1-9]\d{0,18})$/.exec(first)?.[1]
  if (spelt === undefined || BigInt(spelt) >= 1n << 63n)
    throw new AddCheckpointError('the first line is not "old" and a size in decimal below 2^63')
  if (lines.length > maximumProof) throw new AddCheckpointError(`more than ${maximumProof} hashes`)
  const proof = lines.map((line, at) => {
    const hash = strictBase64(line)
    if (hash?.length !== hashSize)
      throw new AddCheckpointError(`hash ${at + 1} is not canonical base64 of ${hashSize} bytes`)
    return hash
  })
  return { oldSize: BigInt(spelt), proof, note: text.slice(end + 2) }
}
