/**
 * `healthz` (the process answers), `readyz` (what it needs answers too), `metrics` (Prometheus text). All three are
 * public: probes and scrapers carry no token, and nothing in them speaks of records.
 */
import { z } from 'zod'
import type { HttpServer } from './server.ts'

export type Readiness = Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>

export type HealthSources = {
  /** One entry a part; ready when all are `ok`. A rejection counts as not ready. */
  readonly readiness: () => Promise<Readiness>
  /** Prometheus text exposition, with its media type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

const check = z.object({ ok: z.boolean(), detail: z.string().optional() })
const readinessAnswer = z.object({
  status: z.enum(['ready', 'not-ready']),
  checks: z.record(z.string(), check),
})

export function registerHealth(server: HttpServer, sources: HealthSources): void {
  server.route({
    method: 'GET',
    url: '/healthz',
    config: { access: 'public' },
    schema: { summary: 'The process answers', response: { 200: z.object({ status: z.literal('ok') }) } },
    handler: async () => ({ status: 'ok' as const }),
  })
  server.route({
    method: 'GET',
    url: '/readyz',
    config: { access: 'public' },
    schema: {
      summary: 'Everything that the product needs answers',
      response: { 200: readinessAnswer, 503: readinessAnswer },
    },
    handler: async (_request, reply) => {
      const checks = await sources
        .readiness()
        .catch(() => ({ readiness: { ok: false, detail: 'no answer' } }))
      const ready = Object.values(checks).every((part) => part.ok)
      return reply
        .code(ready ? 200 : 503)
        .send({ status: ready ? 'ready' : 'not-ready', checks: { ...checks } })
    },
  })
  server.route({
    method: 'GET',
    url: '/metrics',
    config: { access: 'public' },
    schema: { summary: 'Metrics in Prometheus text form', produces: ['text/plain'] },
    handler: async (_request, reply) => {
      const { contentType, text } = await sources.metrics()
      return reply.type(contentType).send(text)
    },
  })
}
