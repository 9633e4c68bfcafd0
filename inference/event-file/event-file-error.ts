/** Why an event file cannot be written or is refused: which file, where in it, which rule. */

export type EventFileFault = {
  readonly code:
    | 'not-a-parquet-file' // no footer: cut off, still being written, or something else
    | 'foreign-schema' // Parquet, but not with these columns or this format version
    | 'metadata' // a fact about the file is missing or does not hold
    | 'row' // a row breaks a rule
    | 'damaged' // the contents cannot be decoded, or are not those that were written
    | 'truth' // the truth beside the file is not of this file
  readonly file: string
  /** Zero-based row in the file, where one row is at fault. */
  readonly row?: number
  readonly field?: string
  readonly value?: string
  readonly rule: string
}

export class EventFileError extends Error {
  readonly code: EventFileFault['code']
  constructor(readonly fault: EventFileFault) {
    const { file, row, field, value, rule } = fault
    const at = [row === undefined ? '' : `row ${row}`, field ?? ''].filter((part) => part !== '').join(', ')
    super(`${file}: ${at === '' ? '' : `${at}${value === undefined ? '' : ` is ${value}`}: `}${rule}`)
    this.code = fault.code
  }
}

/** A value as an error names it: JSON, a whole number in digits, long text cut. */
export function spelt(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing')
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
