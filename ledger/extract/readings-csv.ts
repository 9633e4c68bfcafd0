/** Rows of `readings.csv` (RFC 4180; docs/formats/extract.md). A text that a spreadsheet would run gets an apostrophe. */
export const csvColumns = [
  'at',
  'tag',
  'value',
  'unit',
  'quality',
  'flags',
  'vessel',
  'receivedAt',
  'recordedAt',
  'origin',
  'stream',
  'revision',
  'index',
  'id',
] as const

export type ReadingRow = {
  readonly at: string
  readonly tag: string
  readonly value: number
  readonly unit: string
  readonly quality: string
  readonly flags: string
  readonly vessel: string
  readonly receivedAt: string
  readonly recordedAt: string
  readonly origin: string
  readonly stream: string
  readonly revision: string
  readonly index: string
  readonly id: string
}

export const csvHeader = `${csvColumns.join(',')}\r\n`

export function csvRow(row: ReadingRow): string {
  let text = ''
  for (const column of csvColumns)
    text += (text === '' ? '' : ',') + (column === 'value' ? JSON.stringify(row.value) : cell(row[column]))
  return `${text}\r\n`
}

function cell(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9 .:_%/-]*$/.test(text)) return text
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
