/**
 * Reads a CSV file of measurements completely and checks every cell before anything is done with it. Values stay
 * exactly the numbers of the file, in the file's units; an empty cell is no reading; the sequence of a reading is
 * the number of its row among the data rows, from 1.
 *
 * T = 0 from a column of hours after inoculation: time minus hours of the first row that has hours, rounded to the
 * whole second (the files' times are whole seconds, their hours 0.36-s steps). The first row, because the hours of a
 * file may drift against its clock (20 s over 36 days in C030). Every other row must agree within 60 s: a wrong time
 * zone or a missed clock change shows here.
 */
import { CsvError, parse } from 'csv-parse/sync'
import { findTag } from '../../schemas/tags.ts'
import { SimulationError } from '../simulation-error.ts'
import { type ColumnMap, recognise } from './column-map.ts'
import { timeFormat, timeResolver } from './local-time.ts'

export type ReplayValue = { readonly tag: string; readonly unit: string; readonly value: number }
export type ReplayRow = {
  readonly line: number
  /** Row number among the data rows, from 1. */
  readonly sequence: number
  readonly atMs: number
  readonly values: readonly ReplayValue[]
}
export type ReplayFile = {
  readonly rows: readonly ReplayRow[]
  readonly inoculatedAtMs: number
  readonly readings: number
}

export type CsvOptions = {
  /** Name of the file for messages. */
  readonly name: string
  readonly timeZone: string
  /** Without a map the header decides. */
  readonly map?: ColumnMap
  /** Rows later than this are refused. */
  readonly latestMs: number
}

type Line = { readonly info: { readonly lines: number }; readonly record: readonly string[] }

const agreementMs = 60_000
const plainNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** Throws `bad-file` with line, column and rule (the first broken one). */
export function parseReplayCsv(bytes: Uint8Array, options: CsvOptions): ReplayFile {
  const { name } = options
  const text = decode(bytes, name)
  const map = options.map ?? recognise(headerOf(text)) ?? undefined
  if (!map)
    throw badCell(
      name,
      1,
      undefined,
      headerOf(text).join(','),
      'a header of a known shape; for another shape give a map file',
    )
  const lines = records(text, map, name)
  const { header, rows } = headed(lines, map, name)
  const columns = columnsOf(header, map, name)
  const format = timeFormat(map.timestamp.format)
  if (!format) throw badCell(name, 1, undefined, map.timestamp.format, 'a known time format')
  const resolve = timeResolver(format, options.timeZone)
  const missing = new Set(['', ...map.missing])

  const numberIn = (cell: string, line: number, column: string): number => {
    const written = map.decimal === ',' ? cell.replace(',', '.') : cell
    const value =
      plainNumber.test(written) && !(map.decimal === ',' && cell.includes('.')) ? Number(written) : Number.NaN
    if (!Number.isFinite(value))
      throw badCell(name, line, column, cell, 'a finite number, or an empty cell for no reading')
    return value
  }

  const parsed: ReplayRow[] = []
  const stated: { atMs: number; hours: number; line: number; cell: string }[] = []
  let readings = 0
  for (const [index, { info, record }] of rows.entries()) {
    const line = info.lines
    if (record.length !== header.length)
      throw badCell(
        name,
        line,
        undefined,
        `${record.length} cells`,
        `a row of ${header.length} cells, as many as the header`,
      )
    const cell = (position: number) => (record[position] ?? '').trim()
    const time = resolve(cell(columns.timestamp))
    if ('rule' in time) throw badCell(name, line, map.timestamp.column, cell(columns.timestamp), time.rule)
    if (time.ms > options.latestMs)
      throw badCell(name, line, map.timestamp.column, cell(columns.timestamp), 'not in the future')
    const values: ReplayValue[] = []
    for (const { position, column, tag, unit } of columns.values)
      if (!missing.has(cell(position)))
        values.push({ tag, unit, value: numberIn(cell(position), line, column) })
    if (columns.hours && !missing.has(cell(columns.hours.position)))
      stated.push({
        atMs: time.ms,
        hours: numberIn(cell(columns.hours.position), line, columns.hours.column),
        line,
        cell: cell(columns.hours.position),
      })
    readings += values.length
    parsed.push({ line, sequence: index + 1, atMs: time.ms, values })
  }
  const first = parsed[0]
  if (!first || readings === 0)
    throw badCell(name, lines.at(-1)?.info.lines ?? 1, undefined, '', 'a file with at least one reading')
  return { rows: parsed, inoculatedAtMs: inoculation(map, options, stated, first), readings }
}

function inoculation(
  map: ColumnMap,
  options: CsvOptions,
  stated: readonly { atMs: number; hours: number; line: number; cell: string }[],
  first: ReplayRow,
): number {
  const { name, timeZone } = options
  if (!map.inoculation) return first.atMs
  if ('at' in map.inoculation) {
    const format = timeFormat(map.timestamp.format)
    const isoFormat = timeFormat('iso')
    const text = map.inoculation.at
    const resolved = [format, isoFormat]
      .map((candidate) => (candidate ? timeResolver(candidate, timeZone)(text) : { rule: 'a time' }))
      .find((answer) => 'ms' in answer)
    if (!resolved || !('ms' in resolved))
      throw new SimulationError(
        'bad-map',
        `inoculation.at ${JSON.stringify(text)}: must be a time that exists in ${timeZone}`,
        { field: 'inoculation.at', value: text },
      )
    return resolved.ms
  }
  const column = map.inoculation.hoursColumn
  const reference = stated[0]
  if (!reference) throw badCell(name, first.line, column, '', 'hours after inoculation in at least one row')
  const zeroMs = Math.round((reference.atMs - reference.hours * 3_600_000) / 1000) * 1000
  for (const { atMs, hours, line, cell } of stated)
    if (Math.abs(atMs - hours * 3_600_000 - zeroMs) > agreementMs)
      throw badCell(
        name,
        line,
        column,
        cell,
        `hours since ${new Date(zeroMs).toISOString()} (T = 0 by line ${reference.line}) to within a minute; is ${timeZone} the zone of the file?`,
      )
  return zeroMs
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new SimulationError('bad-file', `${name}: must be UTF-8 text`, { file: name, rule: 'UTF-8 text' })
  }
}

const headerOf = (text: string): string[] =>
  (text.split(/\r?\n/, 1)[0] ?? '').split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))

function records(text: string, map: ColumnMap, name: string): Line[] {
  try {
    return parse(text, {
      bom: true,
      info: true,
      delimiter: map.delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as Line[]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = typeof error.lines === 'number' ? error.lines : 1
    throw badCell(name, line, undefined, '', `CSV by RFC 4180 (${error.code})`)
  }
}

function headed(lines: Line[], map: ColumnMap, name: string): { header: readonly string[]; rows: Line[] } {
  if (map.headerRow === 0)
    return { header: (lines[0]?.record ?? []).map((_, index) => String(index + 1)), rows: lines }
  const at = lines.findIndex(({ info }) => info.lines >= map.headerRow)
  const header = lines[at]
  if (!header) throw badCell(name, map.headerRow, undefined, '', 'a header row')
  return { header: header.record.map((cell) => cell.trim()), rows: lines.slice(at + 1) }
}

function columnsOf(header: readonly string[], map: ColumnMap, name: string) {
  const headerLine = Math.max(1, map.headerRow)
  const positionOf = (column: string): number => {
    const position = header.indexOf(column)
    if (position < 0)
      throw badCell(
        name,
        headerLine,
        column,
        header.join(map.delimiter),
        `a header with the column ${JSON.stringify(column)}`,
      )
    if (header.indexOf(column, position + 1) >= 0)
      throw badCell(name, headerLine, column, column, 'a column name that occurs once')
    return position
  }
  const timestamp = positionOf(map.timestamp.column)
  const hoursColumn =
    map.inoculation && 'hoursColumn' in map.inoculation ? map.inoculation.hoursColumn : undefined
  const hours =
    hoursColumn === undefined ? undefined : { column: hoursColumn, position: positionOf(hoursColumn) }
  const values = map.columns.map(({ column, tag, unit }) => ({
    position: positionOf(column),
    column,
    tag: findTag(tag)?.tag ?? tag,
    unit,
  }))
  if (map.ignore !== 'others') {
    const known = new Set([
      map.timestamp.column,
      hoursColumn,
      ...map.ignore,
      ...map.columns.map(({ column }) => column),
    ])
    const unknown = header.find((column) => !known.has(column))
    if (unknown !== undefined)
      throw badCell(
        name,
        headerLine,
        unknown,
        unknown,
        'a column that the map names (as a tag, or under "ignore")',
      )
  }
  return { timestamp, hours, values }
}

function badCell(
  name: string,
  line: number,
  column: string | undefined,
  value: string,
  rule: string,
): SimulationError {
  const shown = value.length > 100 ? `${value.slice(0, 100)}…` : value
  return new SimulationError(
    'bad-file',
    `${name}, line ${line}${column === undefined ? '' : `, column ${column}`}: ${JSON.stringify(shown)}: must be ${rule}`,
    { file: name, line, column, value: shown, rule },
  )
}
