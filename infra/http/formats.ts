/**
 * One answer in three forms: JSON, NDJSON, CSV (RFC 4180), chosen by `?format=` or else by `Accept`, written as a
 * stream whatever its length. Text cells of a CSV that a spreadsheet would run as a formula get a leading
 * apostrophe; numeric columns never do, so that `-0.12` stays a number.
 */
import { pipeline, Readable } from 'node:stream'
import { stringify } from 'csv-stringify'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { ProblemError } from './problem.ts'

const formats = ['json', 'ndjson', 'csv'] as const
export type Format = (typeof formats)[number]

const mediaTypes: Readonly<Record<Format, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
}

/** For the querystring schema of a route that offers more than one form. */
export const formatParameter = z
  .enum(formats)
  .optional()
  .describe('Form of the answer; without it the Accept header decides')

/** The form to answer in; 406 when `Accept` allows none of those offered. Without both: the first one offered. */
export function negotiateFormat(
  request: FastifyRequest,
  asked: Format | undefined,
  offered: readonly [Format, ...Format[]] = formats,
): Format {
  if (asked !== undefined && offered.includes(asked)) return asked
  const accepted = asked === undefined ? preferred(request.headers.accept ?? '*/*', offered) : undefined
  if (accepted) return accepted
  const allowed = offered.map((format) => mediaTypes[format])
  throw new ProblemError({
    status: 406,
    code: 'not-acceptable',
    detail: `this comes as ${allowed.join(', ')}; asked for was ${JSON.stringify(asked ?? request.headers.accept)}`,
    rule: 'Accept (or format) names a form that is offered',
    allowed,
  })
}

export type Column<Row> = {
  readonly name: string
  /** `number`: written as it is; `text`: guarded against formulas. */
  readonly kind: 'text' | 'number'
  readonly value: (row: Row) => string | number | bigint | boolean | null | undefined
}

export type RowAnswer<Row> = {
  readonly format: Format
  readonly rows: AsyncIterable<Row> | Iterable<Row>
  /** Of the CSV form. */
  readonly columns: readonly Column<Row>[]
  /** Without extension; offered to browsers that save the answer. */
  readonly fileName: string
  /** JSON form: members before the rows, the rows' own name, members after the rows (asked for when all rows are out). */
  readonly json: {
    readonly before?: Readonly<Record<string, unknown>>
    readonly name: string
    readonly after?: () => Readonly<Record<string, unknown>>
  }
}

/** Streams rows; an error on the way breaks the connection, so that a cut answer never looks whole. */
export function sendRows<Row>(reply: FastifyReply, answer: RowAnswer<Row>): FastifyReply {
  reply.header('vary', 'Accept')
  if (answer.format !== 'json')
    reply.header(
      'content-disposition',
      `attachment; filename="${safeName(answer.fileName)}.${answer.format}"`,
    )
  switch (answer.format) {
    case 'json':
      return reply.type('application/json; charset=utf-8').send(Readable.from(chunked(jsonText(answer))))
    case 'ndjson':
      return reply
        .type('application/x-ndjson; charset=utf-8')
        .send(Readable.from(chunked(ndjsonText(answer.rows))))
    case 'csv':
      return reply.type('text/csv; charset=utf-8; header=present').send(csvStream(answer))
  }
}

function csvStream<Row>(answer: RowAnswer<Row>): Readable {
  const rows = Readable.from(cells(answer))
  const csv = stringify({ record_delimiter: '\r\n' })
  return pipeline(rows, csv, () => {})
}

function* header<Row>(columns: readonly Column<Row>[]) {
  yield columns.map((column) => column.name)
}

async function* cells<Row>(answer: RowAnswer<Row>): AsyncGenerator<string[]> {
  yield* header(answer.columns)
  for await (const row of answer.rows)
    yield answer.columns.map((column) => {
      const value = column.value(row)
      const text = value === null || value === undefined ? '' : String(value)
      return column.kind === 'text' ? withoutFormula(text) : text
    })
}

/** OWASP's list of what starts a formula (CSV injection): = + - @ tab carriage return. */
export function withoutFormula(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
}

async function* ndjsonText<Row>(rows: AsyncIterable<Row> | Iterable<Row>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`
}

async function* jsonText<Row>({ rows, json }: RowAnswer<Row>): AsyncGenerator<string> {
  const members = (values: Readonly<Record<string, unknown>>) =>
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  yield `{${members(json.before ?? {})
    .map((member) => `${member},`)
    .join('')}${JSON.stringify(json.name)}:[`
  let first = true
  for await (const row of rows) {
    yield first ? JSON.stringify(row) : `,${JSON.stringify(row)}`
    first = false
  }
  yield `]${members(json.after?.() ?? {})
    .map((member) => `,${member}`)
    .join('')}}`
}

/** Few large writes instead of one a row. */
async function* chunked(parts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let held = ''
  for await (const part of parts) {
    held += part
    if (held.length >= 64 * 1024) {
      yield Buffer.from(held)
      held = ''
    }
  }
  if (held) yield Buffer.from(held)
}

/** The offered form with the highest quality (RFC 9110 12.5.1); ties go to the one offered first. */
function preferred(accept: string, offered: readonly Format[]): Format | undefined {
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    return { type, quality: quality === undefined ? 1 : Number(quality) || 0 }
  })
  let best: { format: Format; quality: number } | undefined
  for (const format of offered) {
    const [family] = mediaTypes[format].split('/')
    const match =
      ranges.find((range) => range.type === mediaTypes[format]) ??
      ranges.find((range) => range.type === `${family}/*`) ??
      ranges.find((range) => range.type === '*/*')
    if (match && match.quality > (best?.quality ?? 0)) best = { format, quality: match.quality }
  }
  return best?.format
}

function safeName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 100)
}
