/**
 * Connections of the adapter: every value comes back as the server's text, floats with all their digits and times in
 * UTC whatever the server's own settings are. What breaks a connection becomes `StoreUnavailableError`.
 */
import pg from 'pg'
import { StoreReplacedError } from '../checkpoint.ts'
import { StoreUnavailableError } from '../event-store.ts'
import type { Statement } from './statements.ts'
import { statements } from './statements.ts'

/** One row: the columns' text, in the statement's order. */
export type Row = readonly (string | null)[]

export type SessionSettings = { readonly url: string; readonly name: string; readonly timeoutMs: number }

const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig

function clientConfig(settings: SessionSettings): pg.ClientConfig {
  const url = new URL(settings.url)
  const given = url.searchParams.get('options')
  url.searchParams.set(
    'options',
    `${given ? `${given} ` : ''}-c extra_float_digits=1 -c datestyle=ISO,YMD -c timezone=UTC -c synchronous_commit=on`,
  )
  return {
    connectionString: url.toString(),
    application_name: `bioledger-${settings.name}`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    statement_timeout: settings.timeoutMs,
    // The server's own deadline comes first; this one is for a server that does not answer at all.
    query_timeout: settings.timeoutMs + 5_000,
    idle_in_transaction_session_timeout: 10_000,
  }
}

export async function runStatement(
  client: Pick<pg.ClientBase, 'query'>,
  statement: Statement,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const result = await client.query({
    name: statement.name,
    text: statement.text,
    values: [...values],
    rowMode: 'array',
    types: asText,
  })
  return result.rows as unknown as Row[]
}

/** A reading connection pool; a read that lost its connection is tried again, for a read changes nothing. */
export type Reads = {
  run(statement: Statement, values?: readonly unknown[]): Promise<readonly Row[]>
  close(): Promise<void>
}

const readAttempts = 3

export function openReads(settings: SessionSettings, connections: number): Reads {
  const pool = new pg.Pool({ ...clientConfig(settings), max: connections })
  pool.on('error', () => {})
  return {
    async run(statement, values) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await runStatement(pool, statement, values)
        } catch (error) {
          if (isDataError(error)) throw error
          if (attempt >= readAttempts) throw unavailable(`read (${statement.name})`, error)
          await new Promise((settle) => setTimeout(settle, 25 * 2 ** attempt))
        }
      }
    },
    close: () => pool.end(),
  }
}

/** A value that Postgres cannot take (class 22): asking again would not help. */
const isDataError = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code?.startsWith('22') === true

/** One connection that is opened when it is needed and opened anew after it broke. */
export type Session = {
  /** Throws what `connect` or `onConnected` throws; attempts that fail are at least a back-off apart. */
  client(): Promise<pg.Client>
  /** The connection is not to be used again: a query on it did not answer. */
  abandon(): void
  close(): Promise<void>
}

const longestBackoffMs = 1_000

export function openSession(
  settings: SessionSettings,
  onConnected: (client: pg.Client) => Promise<void>,
  onLost: () => void = () => {},
): Session {
  let current: pg.Client | undefined
  let failures = 0
  let closed = false

  function drop(client: pg.Client): void {
    if (current !== client) return
    current = undefined
    client.end().catch(() => {})
    if (!closed) onLost()
  }

  return {
    async client() {
      if (current) return current
      if (closed) throw new Error('the store is closed')
      if (failures > 0)
        await new Promise((settle) =>
          setTimeout(settle, Math.min(longestBackoffMs, 25 * 2 ** Math.min(failures, 8))),
        )
      const client = new pg.Client(clientConfig(settings))
      client.on('error', () => drop(client))
      client.on('end', () => drop(client))
      try {
        await client.connect()
        await onConnected(client)
      } catch (error) {
        failures++
        client.end().catch(() => {})
        throw error
      }
      failures = 0
      current = client
      return client
    },
    abandon() {
      if (current) drop(current)
    },
    async close() {
      closed = true
      const client = current
      current = undefined
      await client?.end().catch(() => {})
    },
  }
}

export async function readStoreId(run: Reads['run']): Promise<string> {
  const [row] = await run(statements.storeId)
  const storeId = row?.[0]
  if (!storeId)
    throw new StoreUnavailableError('the event store has no identity: its tables are not made yet')
  return storeId
}

/** Throws when the connection leads to another store than the one that was opened. */
export async function assertStoreId(client: Pick<pg.ClientBase, 'query'>, storeId: string): Promise<void> {
  const found = await readStoreId((statement, values) => runStatement(client, statement, values))
  if (found !== storeId)
    throw new StoreReplacedError(
      { storeId, position: 0n, eventId: 'none' },
      `the store's identity is now ${found}`,
    )
}

export function unavailable(what: string, cause: unknown): StoreUnavailableError {
  if (cause instanceof StoreUnavailableError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StoreUnavailableError(`the event store did not complete the ${what}: ${reason}`, { cause })
}
