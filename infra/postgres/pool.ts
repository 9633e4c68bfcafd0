/** Connection pool with the settings every role of ours wants: bigint for int8, bounded waiting, named sessions. */
import pg from 'pg'

export type Pool = pg.Pool
export type PoolClient = pg.PoolClient

const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 && format !== 'binary'
      ? (text: string) => BigInt(text)
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

/** `url` is a postgres:// URL; `role` (optional) is assumed on each connection with SET ROLE semantics through the URL's user. */
export function createPool(
  url: string,
  options: {
    name: string
    max?: number /** 0: a connection stays however long it is not used. */
    idleMs?: number
  },
): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `bioledger-${options.name}`,
    max: options.max ?? 4,
    connectionTimeoutMillis: 10_000,
    ...(options.idleMs === undefined ? {} : { idleTimeoutMillis: options.idleMs }),
    idle_in_transaction_session_timeout: 60_000,
    types,
  })
  // An idle connection that breaks must not end the process; the next query gets a new one or its error.
  pool.on('error', () => {})
  // Nor may one that breaks while it is lent out, between two queries: the next query on it gets the error.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Runs `work` in one transaction: commits its result, or rolls back and rethrows. */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error))
    await client.query('ROLLBACK').then(
      () => {
        broken = undefined
      },
      () => {},
    )
    throw error
  } finally {
    client.release(broken)
  }
}
