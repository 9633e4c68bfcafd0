/** A small OTLP/HTTP receiver for tests: keeps what exporters send. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'

type Delivery = { readonly path: string; readonly type: string; readonly body: Buffer }
export type Attribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> }
export type SentSpan = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: readonly Attribute[]
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status?: { readonly code?: number; readonly message?: string }
}
export type Point = {
  readonly asInt?: number
  readonly asDouble?: number
  readonly attributes: readonly Attribute[]
}
export type SentMetric = {
  readonly name: string
  readonly unit: string
  readonly gauge?: { readonly dataPoints: readonly Point[] }
  readonly sum?: { readonly dataPoints: readonly Point[]; readonly isMonotonic: boolean }
}

/** Takes what an OTLP/HTTP exporter sends and answers as a collector does. */
export async function startCollector() {
  const deliveries: Delivery[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const raw = Buffer.concat(parts)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      deliveries.push({ path: request.url ?? '', type: request.headers['content-type'] ?? '', body })
      response.setHeader('content-type', request.headers['content-type'] ?? '')
      response.end(request.headers['content-type'] === 'application/json' ? '{}' : '')
    })
  })
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const json = (path: string) =>
    deliveries.filter((delivery) => delivery.path === path).map(({ body }) => JSON.parse(body.toString()))
  return {
    url: `http://127.0.0.1:${address.port}`,
    deliveries,
    spans: (): SentSpan[] =>
      json('/v1/traces').flatMap((sent) =>
        sent.resourceSpans.flatMap((resource: { scopeSpans: { spans: SentSpan[] }[] }) =>
          resource.scopeSpans.flatMap((scope) => scope.spans),
        ),
      ),
    metrics: (): SentMetric[] =>
      json('/v1/metrics').flatMap((sent) =>
        sent.resourceMetrics.flatMap((resource: { scopeMetrics: { metrics: SentMetric[] }[] }) =>
          resource.scopeMetrics.flatMap((scope) => scope.metrics),
        ),
      ),
    serviceNames: (): unknown[] =>
      json('/v1/traces').flatMap((sent) =>
        sent.resourceSpans.map(
          (resource: { resource: { attributes: Attribute[] } }) =>
            resource.resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue,
        ),
      ),
    stop: () => {
      server.closeAllConnections()
      return new Promise((settle) => server.close(settle))
    },
  }
}
