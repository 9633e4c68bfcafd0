/** What a database superuser can do behind the product's back. */
import pg from 'pg'

export type Superuser = {
  /** Runs one statement with every trigger of `table` switched off, and expects it to change something. */
  tamper(table: string, sql: string, values?: readonly unknown[]): Promise<void>
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  end(): Promise<void>
}

export async function superuser(adminUrl: string): Promise<Superuser> {
  const client = new pg.Client({ connectionString: adminUrl })
  // The server may go before it: that is no failure of a test.
  client.on('error', () => {})
  await client.connect()
  return {
    tamper: async (table, sql, values = []) => {
      await client.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`)
      try {
        await client.query('SET session_replication_role = replica')
        const { rowCount } = await client.query(sql, [...values])
        if (!rowCount) throw new Error(`nothing was changed by: ${sql}`)
      } finally {
        await client.query('RESET session_replication_role')
        await client.query(`ALTER TABLE ${table} ENABLE TRIGGER ALL`)
      }
    },
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) =>
      (await client.query<Row>(sql, [...values])).rows,
    end: () => client.end(),
  }
}
