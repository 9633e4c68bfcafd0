/** JSON answers whose bytes are ours to keep, and how the description of the interface tells of them. */
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'

/** The answer is written as text (so that its bytes are ours to keep); the schema describes it. */
export const described = <Schema extends z.ZodType>(schema: Schema) => ({
  description: 'The answer; its asOf names where it stands',
  content: { 'application/json': { schema } },
})

export function sendJson(reply: FastifyReply, body: unknown) {
  return reply
    .type('application/json; charset=utf-8')
    .serializer((text: string) => text)
    .send(JSON.stringify(body))
}
