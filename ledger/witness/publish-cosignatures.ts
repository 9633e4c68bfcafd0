/** Puts cosignatures under a published checkpoint; a newer line of the same witness takes the place of the older. */
import type { Pool } from '../../infra/postgres/pool.ts'
import { parseNote, signatureLine } from '../log/note.ts'

/** Retried when somebody else added lines meanwhile. Throws when there is no checkpoint of that size. */
export async function publishCosignatures(pool: Pool, size: bigint, lines: readonly string[]): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ note: string }>(
      'SELECT note FROM ledger.checkpoint WHERE size = $1',
      [size],
    )
    const [published] = rows
    if (!published) throw new Error(`there is no checkpoint of size ${size}`)
    const { rowCount } = await pool.query(
      'UPDATE ledger.checkpoint SET note = $1 WHERE size = $2 AND note = $3',
      [withLines(published.note, lines), size, published.note],
    )
    if (rowCount === 1) return
  }
}

function withLines(note: string, lines: readonly string[]): string {
  const { text, signatures } = parseNote(note)
  const added = parseNote(`${text}\n${lines.join('')}`).signatures
  const kept = signatures.filter(
    ({ name, keyId }) => !added.some((other) => other.name === name && other.keyId === keyId),
  )
  return `${text}\n${[...kept, ...added].map(signatureLine).join('')}`
}
