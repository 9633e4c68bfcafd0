/** Tampering with what is rendered from the events: report, tables, and how to verify. */
import { reseal } from './extract-file.ts'
import { bytesIn, changed, flipped, resealed, textIn } from './member-edits.ts'
import type { TamperCase } from './tamper-case.ts'

export const tamperedRenderings: readonly TamperCase[] = [
  changed(
    'the report',
    'manifest',
    textIn('report.html', (text) => text.replace('Batch record', 'Batch Record')),
  ),
  changed('the report, with a new manifest', 'manifest', (members) => {
    textIn('report.html', (text) => text.replace('p-002', 'p-003'))(members)
    reseal(members)
  }),
  changed(
    'how to verify',
    'manifest',
    textIn('VERIFY.txt', (text) => text.replace('proves nothing', 'is fine')),
  ),
  changed(
    'a value in the table',
    'manifest',
    textIn('readings.csv', (text) => text.replace(/,(\d)\./, ',9.')),
  ),
  changed(
    'a value in the table, under the export key',
    'renderings',
    resealed(textIn('readings.csv', (text) => text.replace(/\r\n([^,]+,[^,]+),(\d)/, '\r\n$1,9$2'))),
  ),
  changed(
    'a row left out of the table, under the export key',
    'renderings',
    resealed(textIn('readings.csv', (text) => text.split('\r\n').toSpliced(5, 1).join('\r\n'))),
  ),
  changed(
    'a byte of the Parquet table',
    'manifest',
    bytesIn(
      'readings.parquet',
      flipped((bytes) => bytes.length >> 1),
    ),
  ),
]
