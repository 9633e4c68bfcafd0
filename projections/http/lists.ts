/** A page of a list as JSON, NDJSON or CSV, with a cursor to the next. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Column, type Format, negotiateFormat, sendRows } from '../../infra/http/formats.ts'
import { writeCursor } from '../query/cursor.ts'
import type { Standing } from '../query/standing.ts'
import type { ParkedKey } from '../tables/parked.ts'
import { asOfAnswer } from './as-of.ts'

export type ListPage<Row> = {
  /** At most `limit + 1` rows: one more than asked for says that there is a next page. */
  readonly rows: readonly Row[]
  readonly limit: number
  readonly standing: Standing
  readonly keyOf: (row: Row) => readonly string[]
  readonly columns: readonly Column<Row>[]
  readonly fileName: string
  /** Of a list over many streams: those that stopped, so that nobody takes the list for complete. */
  readonly stopped?: readonly ParkedKey[]
}

export function sendList<Row>(
  request: FastifyRequest,
  reply: FastifyReply,
  format: Format | undefined,
  page: ListPage<Row>,
): FastifyReply {
  const items = page.rows.slice(0, page.limit)
  const last = items.at(-1)
  const next =
    page.rows.length > page.limit && last !== undefined
      ? writeCursor({ position: page.standing.position, key: page.keyOf(last) })
      : null
  if (next !== null) {
    const url = new URL(request.url, 'http://localhost')
    url.searchParams.set('after', next)
    reply.header('link', `<${url.pathname}${url.search}>; rel="next"`)
  }
  const stopped = (page.stopped ?? []).map(({ stream, position }) => ({
    stream,
    position: position.toString(),
  }))
  if (stopped.length > 0) reply.header('projection-stopped', String(stopped.length))
  return sendRows(reply, {
    format: negotiateFormat(request, format),
    rows: items,
    columns: page.columns,
    fileName: page.fileName,
    json: {
      name: 'items',
      after: () => ({ next, ...(stopped.length > 0 ? { stopped } : {}), asOf: asOfAnswer(page.standing) }),
    },
  })
}

/** Columns in the order of the names; a value that is no scalar is not offered. */
export const text = <Row>(name: string, value: Column<Row>['value']): Column<Row> => ({
  name,
  kind: 'text',
  value,
})
export const number = <Row>(name: string, value: Column<Row>['value']): Column<Row> => ({
  name,
  kind: 'number',
  value,
})
