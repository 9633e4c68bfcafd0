/**
 * What people and programs read instead of the events: tables and report are written anew from the events and compared,
 * the text on how to verify must be one that this verifier knows.
 */
import { toHex } from './bytes.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import { checkReport } from './report-check.ts'

/** SHA-256 of every wording of `VERIFY.txt` that an extract may carry, oldest first. */
export const knownVerifyTexts: readonly string[] = [
  '609ad441e988c4e2e8b94ca0f2992996d1267a9e838af17a3ba92a86dbc8513d',
]

export async function checkRenderings(context: Context, reading: Reading): Promise<void> {
  const { manifest, extract, findings, platform } = context
  const { csv, parquet } = reading.tables
  const rows = csv.rows
  for (const [name, table] of [
    ['readings.csv', csv],
    ['readings.parquet', parquet],
  ] as const) {
    const member = manifest.members.find((one) => one.name === name)
    if (rows !== manifest.readings || member?.sha256 !== table.sha256 || extract.sizeOf(name) !== table.size)
      findings.fail('renderings', 'it is not what the events say', { member: name })
  }
  const digest = toHex(platform.hash(await extract.whole('VERIFY.txt')))
  if (!knownVerifyTexts.includes(digest))
    findings.fail('renderings', 'it is no text of this format: do not do what it says', {
      member: 'VERIFY.txt',
    })
  await checkReport(context, reading)
  if (!findings.has('renderings'))
    findings.note(
      'renderings',
      `written anew from the events, ${rows} rows and the report give the same bytes; VERIFY.txt is the known one`,
    )
}
