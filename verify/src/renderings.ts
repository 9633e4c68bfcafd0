/**
 * What people and programs read instead of the events: the table is written anew from the events and compared, the text on
 * how to verify must be one that this verifier knows; the report and the Parquet table are as the export key signed them.
 */
import { toHex } from './bytes.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'

/** SHA-256 of every wording of `VERIFY.txt` that an extract may carry, oldest first. */
export const knownVerifyTexts: readonly string[] = [
  '9727ae1608c88795d675b94f79023b11787eca9d31ed35af1db89a1b018e31ad',
]

export async function checkRenderings(
  { manifest, extract, findings, platform }: Context,
  reading: Reading,
): Promise<void> {
  const member = manifest.members.find(({ name }) => name === 'readings.csv')
  const { rows, sha256, size } = reading.table
  if (rows !== manifest.readings || member?.sha256 !== sha256 || extract.sizeOf('readings.csv') !== size)
    findings.fail('renderings', 'it is not what the events say', { member: 'readings.csv' })
  const digest = toHex(platform.hash(await extract.whole('VERIFY.txt')))
  if (!knownVerifyTexts.includes(digest))
    findings.fail('renderings', 'it is no text of this format: do not do what it says', {
      member: 'VERIFY.txt',
    })
  if (!findings.has('renderings'))
    findings.note('renderings', `${rows} rows of readings.csv; VERIFY.txt is the known one`)
  findings.skip(
    'uncompared',
    'not compared with the events: they are as the holder of the export key signed them; the events are the record',
  )
}
