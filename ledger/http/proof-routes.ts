/** `ledger/proofs/inclusion`, `ledger/proofs/consistency`, and `batches/{id}/events/{position}/proof`. */
import { z } from 'zod'
import { ProblemError } from '../../infra/http/problem.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { streams } from '../../schemas/streams.ts'
import { parseLeaf } from '../leaf/leaf.ts'
import { consistencyProof, inclusionProof } from '../log/proof.ts'
import { tlogProofText } from '../log/tlog-proof.ts'
import { leafHash } from '../log/tree-hash.ts'
import type { LogReader } from '../storage/log-reader.ts'
import { NotAsSealedError } from '../storage/not-as-sealed.ts'
import { asSealed } from './as-sealed.ts'
import { nothingPublished } from './tile-routes.ts'

const count = z.string().regex(/^(0|[1-9]\d{0,18})$/, 'a whole number in decimal digits')
const hash = z.string()
const inclusion = z.object({
  index: count,
  size: count,
  leafHash: hash,
  path: z.array(hash),
  root: hash,
})
const consistency = z.object({
  from: count,
  to: count,
  fromRoot: hash,
  toRoot: hash,
  path: z.array(hash),
})

export function registerProofRoutes(server: HttpServer, reader: LogReader): void {
  server.route({
    method: 'GET',
    url: '/api/v1/ledger/proofs/inclusion',
    config: { access: 'read' },
    schema: {
      summary: 'Audit path of an entry in the log of a size (RFC 6962 2.1.1)',
      querystring: z.object({ index: count, size: count.optional() }),
      response: { 200: inclusion, ...problemResponses },
    },
    handler: async (request) => {
      const published = await publishedSize(reader)
      const size = BigInt(request.query.size ?? published)
      const index = BigInt(request.query.index)
      if (size > published) throw notPublished('size', size, published)
      if (index >= size) throw outside('index', index, `a whole number below the size ${size}`)
      const read = reader.subtrees(size)
      return await asSealed(async () => ({
        index: String(index),
        size: String(size),
        leafHash: spelt(await read(0, index)),
        path: (await inclusionProof(index, size, read)).map(spelt),
        root: spelt(await reader.rootAt(size)),
      }))
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/ledger/proofs/consistency',
    config: { access: 'read' },
    schema: {
      summary: 'Proof that the log of one size is the beginning of that of another (RFC 6962 2.1.2)',
      querystring: z.object({ from: count, to: count.optional() }),
      response: { 200: consistency, ...problemResponses },
    },
    handler: async (request) => {
      const published = await publishedSize(reader)
      const to = BigInt(request.query.to ?? published)
      const from = BigInt(request.query.from)
      if (to > published) throw notPublished('to', to, published)
      if (from < 1n || from > to) throw outside('from', from, `a whole number 1 to ${to}`)
      return await asSealed(async () => ({
        from: String(from),
        to: String(to),
        fromRoot: spelt(await reader.rootAt(from)),
        toRoot: spelt(await reader.rootAt(to)),
        path: (await consistencyProof(from, to, reader.subtrees(to))).map(spelt),
      }))
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/events/:position/proof',
    config: { access: 'read' },
    schema: {
      summary: "An event's leaf with the proof that the log holds it (C2SP tlog-proof; `extra` is the leaf)",
      params: z.object({ id: z.string().min(1).max(100).toLowerCase(), position: count }),
      response: {
        200: { description: 'The text', content: { 'text/plain': { schema: z.string() } } },
        ...problemResponses,
      },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const position = BigInt(request.params.position)
      const checkpoint = await reader.head()
      if (!checkpoint) throw nothingPublished()
      const index = await reader.indexOf(position)
      const leaf = index === undefined ? undefined : await leafAt(reader, index)
      if (index === undefined || leaf === undefined || !isOfBatch(leaf, id))
        throw new ProblemError({
          status: 404,
          code: 'unknown-event',
          detail:
            position > checkpoint.position
              ? `the log does not cover position ${position} yet: its newest checkpoint ends at ${checkpoint.position}`
              : `batch ${id} has no event at position ${position}`,
          rule: 'the position of an event of this batch that the newest checkpoint covers',
        })
      const path = await asSealed(async () => {
        const read = reader.subtrees(checkpoint.size)
        if (!leafHash(leaf).equals(await read(0, index)))
          throw new NotAsSealedError(`entry ${index}`, 'the leaf is not the one that was hashed')
        return await inclusionProof(index, checkpoint.size, read)
      })
      return reply
        .type('text/plain; charset=utf-8')
        .send(tlogProofText({ extra: leaf, index, path, checkpoint: checkpoint.note }))
    },
  })
}

async function publishedSize(reader: LogReader): Promise<bigint> {
  const head = await reader.head()
  if (!head) throw nothingPublished()
  return head.size
}

async function leafAt(reader: LogReader, index: bigint): Promise<Buffer | undefined> {
  for await (const { leaf } of reader.entries(index, index + 1n)) return leaf
  return undefined
}

function isOfBatch(leaf: Buffer, batchId: string): boolean {
  const { stream } = parseLeaf(leaf)
  return [
    streams.batch(batchId),
    streams.reading(batchId),
    streams.forecast(batchId),
    streams.derived(batchId),
  ].includes(stream)
}

const spelt = (hash: Uint8Array): string => Buffer.from(hash).toString('base64')

const notPublished = (field: string, value: bigint, published: bigint): ProblemError =>
  outside(field, value, `at most the published size ${published}`)

const outside = (field: string, value: bigint, rule: string): ProblemError =>
  new ProblemError({
    status: 422,
    code: 'outside-the-log',
    detail: `${field} is ${value}, expected ${rule}`,
    rule,
    errors: [{ in: 'query', pointer: `/${field}`, value: String(value), rule }],
  })
