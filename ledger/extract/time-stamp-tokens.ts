/** Answers of time-stamping authorities for an extract, from where the ledger keeps them. */
import { createHash } from 'node:crypto'
import type { Pool } from '../../infra/postgres/pool.ts'
import { postgresTimeStamps } from '../time-stamp/stamped.ts'
import type { ExtractDeps } from './write-extract.ts'

/** Several authorities may have stamped the same checkpoint: the digest says which answer is meant. */
export function timeStampTokens(pool: Pool): NonNullable<ExtractDeps['tokenOf']> {
  const { timeStampsFor } = postgresTimeStamps(pool)
  return async (size, sha256) => {
    const stamps = await timeStampsFor(BigInt(size))
    return stamps.find(
      (stamp) =>
        stamp.size === BigInt(size) &&
        createHash('sha256').update(stamp.response).digest('base64') === sha256,
    )?.response
  }
}
