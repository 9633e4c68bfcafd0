/**
 * A self-contained proof that one entry is in a log (C2SP tlog-proof, draft): header, optional `extra`, index, audit path,
 * a blank line, and the checkpoint note. `extra` is not authenticated by the format; ours is the entry itself, whose
 * hash the path authenticates.
 */
import { strictBase64 } from './note.ts'
import { hashSize } from './tree-hash.ts'

export type TlogProof = {
  readonly extra: Buffer | undefined
  readonly index: bigint
  readonly path: readonly Buffer[]
  /** Signed note. */
  readonly checkpoint: string
}

export class TlogProofError extends Error {
  readonly code = 'tlog-proof'
  constructor(readonly rule: string) {
    super(`proof refused: ${rule}`)
  }
}

const header = 'c2sp.org/tlog-proof@v1'

export function tlogProofText({ extra, index, path, checkpoint }: TlogProof): string {
  const lines = [
    header,
    ...(extra === undefined ? [] : [`extra ${extra.toString('base64')}`]),
    `index ${index}`,
    ...path.map((hash) => hash.toString('base64')),
  ]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** Throws `TlogProofError` for anything but the one spelling; nothing is verified here. */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf('\n\n')
  if (split < 0) throw new TlogProofError('no blank line before the checkpoint')
  const [first, ...rest] = text.slice(0, split).split('\n')
  if (first !== header) throw new TlogProofError(`the first line is not ${header}`)
  const extraLine = rest[0]?.startsWith('extra ') ? rest.shift() : undefined
  const extra = extraLine === undefined ? undefined : strictBase64(extraLine.slice('extra '.length))
  if (extraLine !== undefined && extra === undefined)
    throw new TlogProofError('extra is not canonical base64')
  const index = /^index (0|[1-9]\d{0,18})$/.exec(rest.shift() ?? '')?.[1]
  if (index === undefined) throw new TlogProofError('no index in decimal digits')
  const path = rest.map((line) => {
    const hash = strictBase64(line)
    if (hash?.length !== hashSize)
      throw new TlogProofError(`a hash is not canonical base64 of ${hashSize} bytes`)
    return hash
  })
  if (path.length > 63) throw new TlogProofError('the path is longer than 63 hashes')
  return { extra, index: BigInt(index), path, checkpoint: text.slice(split + 2) }
}
