/** A page of a list as JSON, NDJSON or CSV, with a cursor to the next. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  type Column,
  type Format,
  formatParameter,
  negotiateFormat,
  sendRows,
} from '../../infra/http/formats.ts'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import { readCursor, writeCursor } from '../query/cursor.ts'
import type { AsOfQuestion, QueryDeps, Standing } from '../query/standing.ts'
import type { ParkedKey } from '../tables/parked.ts'
import { answer, asOfAnswer, asOfParameters, pageParameters } from './as-of.ts'

export const listParameters = { ...pageParameters, ...asOfParameters, format: formatParameter }

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

type PageQuery = Pick<AsOfQuestion, 'asOf' | 'asOfPosition'> & {
  readonly limit: number
  readonly after?: string | undefined
}

/**
 * A page of a list in the order of recording. `read` gives the rows beyond position `after` (all, where it is undefined),
 * at most `limit` of them, which is one more than the page holds.
 */
export async function readPage<Row extends { readonly position: string }>(
  deps: QueryDeps,
  reply: FastifyReply,
  { limit, after, asOf, asOfPosition }: PageQuery,
  read: (
    client: PoolClient,
    at: Standing,
    page: { readonly after: bigint | undefined; readonly limit: number },
  ) => Promise<Pick<ListPage<Row>, 'rows' | 'stopped'>>,
): Promise<Omit<ListPage<Row>, 'columns' | 'fileName'>> {
  const cursor = readCursor(after, [z.string().regex(/^\d{1,19}$/)])
  const key = cursor?.key[0]
  const page = { after: key === undefined ? undefined : BigInt(key), limit: limit + 1 }
  const question = { asOf, asOfPosition, cursorPosition: cursor?.position }
  const { result, standing } = await answer(deps, reply, question, (client, at) => read(client, at, page))
  return { ...result, limit, standing, keyOf: ({ position }) => [position] }
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
