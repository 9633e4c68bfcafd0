/**
 * Answers of time-stamping authorities in an extract: the token, and beside it the checkpoint that it is over with the proof
 * that the extract's checkpoint continues it (RFC 9162 2.1.4.2), without which a token is over some digest.
 */
import { createHash } from 'node:crypto'
import type { Pool } from '../../infra/postgres/pool.ts'
import { streams as names } from '../../schemas/streams.ts'
import { consistencyProof } from '../log/proof.ts'
import { postgresTimeStamps } from '../time-stamp/stamped.ts'
import type { ExtractLog, Selection } from './selection.ts'
import type { MemberSource } from './zip-members.ts'

/** The RFC 3161 answer over the checkpoint of that size with that SHA-256 (base64), DER, and the text that it stamped. */
export type TokenReader = (
  size: string,
  sha256: string,
) => Promise<{ readonly response: Buffer; readonly checkpoint: string } | undefined>

/** Several authorities may have stamped the same checkpoint: the digest says which answer is meant. */
export function timeStampTokens(pool: Pool): TokenReader {
  const { timeStampsFor } = postgresTimeStamps(pool)
  return async (size, sha256) => {
    const stamps = await timeStampsFor(BigInt(size))
    const kept = stamps.find(
      (stamp) =>
        stamp.size === BigInt(size) &&
        createHash('sha256').update(stamp.response).digest('base64') === sha256,
    )
    return kept && { response: kept.response, checkpoint: kept.checkpoint }
  }
}

/** Tokens of the stamps in the extract, as far as they are kept; one a checkpoint. */
export async function tokenMembers(
  { log, tokenOf }: { readonly log: ExtractLog; readonly tokenOf?: TokenReader },
  { bound }: Selection,
  size: bigint,
): Promise<MemberSource[]> {
  if (!tokenOf) return []
  const found = new Map<string, readonly MemberSource[]>()
  const runs = log.indexesOf(names.ledgerTimeStamps, { size: bound })
  for await (const { leaf } of log.entriesOf(runs)) {
    const { data } = JSON.parse(leaf.toString()) as { data: { size: string; tokenSha256: string } }
    const token = found.has(data.size) ? undefined : await tokenOf(data.size, data.tokenSha256)
    if (!token) continue
    const path = await consistencyProof(BigInt(data.size), size, log.subtrees(size))
    const lines = ['bioledger-time-stamp/v1', ...path.map((hash) => hash.toString('base64'))]
    const text = `${lines.join('\n')}\n\n${token.checkpoint}`
    found.set(data.size, [
      { name: `timestamp-${data.size}.tsr`, bytes: () => [token.response] },
      { name: `timestamp-${data.size}.txt`, bytes: () => [Buffer.from(text)] },
    ])
  }
  return [...found.values()].flat()
}
