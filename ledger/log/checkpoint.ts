/**
 * Checkpoints (C2SP tlog-checkpoint v1.0.0): what a log signs. Origin, size in decimal, root in base64, one a
 * line; the key that signs it carries the origin as its name. We write no extension lines and keep those of others.
 */
import { strictBase64 } from './note.ts'
import { hashSize } from './tree-hash.ts'

export type Checkpoint = {
  readonly origin: string
  readonly size: bigint
  readonly root: Buffer
  readonly extensions: readonly string[]
}

export class CheckpointError extends Error {
  readonly code = 'checkpoint'
  constructor(readonly rule: string) {
    super(`checkpoint refused: ${rule}`)
  }
}

export function checkpointText({
  origin,
  size,
  root,
}: {
  origin: string
  size: bigint
  root: Uint8Array
}): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`
}

/** Throws `CheckpointError` for anything but the one spelling of a checkpoint. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw new CheckpointError('the last line has no line feed')
  const [origin, spelt, encoded, ...extensions] = text.slice(0, -1).split('\n')
  if (!origin || spelt === undefined || encoded === undefined)
    throw new CheckpointError('fewer than three lines')
  if (extensions.some((line) => line === '')) throw new CheckpointError('an empty line')
  if (!/^(0|[1-9]\d{0,18})$/.test(spelt) || BigInt(spelt) >= 1n << 63n)
    throw new CheckpointError(`size ${spelt} is no decimal below 2^63`)
  const root = strictBase64(encoded)
  if (root?.length !== hashSize)
    throw new CheckpointError(`root ${encoded} is not canonical base64 of ${hashSize} bytes`)
  return { origin, size: BigInt(spelt), root, extensions }
}
