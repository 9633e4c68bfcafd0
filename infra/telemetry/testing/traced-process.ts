/**
 * A process that reports what a role would report, for one message: three spans and three metrics. Its
 * settings are the `OTEL_*` variables that the test gives it; what it prints is what the test compares.
 */
import { createRequire } from 'node:module'
import { createLogger } from '../../log.ts'
import { startTelemetry } from '../start-telemetry.ts'

const log = createLogger('warn')
const telemetry = await startTelemetry({ role: 'ingest', environment: process.env, log })
const { tracer } = telemetry

telemetry.registerMetrics({
  'bioledger.projection.lag': {
    kind: 'gauge',
    unit: '{event}',
    description: 'events not yet projected',
    read: () => 41,
  },
  'bioledger.ingest.readings': {
    kind: 'counter',
    unit: '{reading}',
    description: 'readings by outcome',
    read: () => [
      { value: 990, attributes: { outcome: 'stored' } },
      { value: 10, attributes: { outcome: 'duplicate' } },
    ],
  },
  'bioledger.broken': {
    kind: 'gauge',
    unit: '1',
    description: 'a value that cannot be read',
    read: () => {
      throw new Error('no value')
    },
  },
})

const message = tracer.startSpan('ingest.message', {
  parentTraceparent: process.env.TEST_TRACEPARENT,
  attributes: { vessel: 'V-01' },
})
const append = tracer.startSpan('store.append', { parent: message, attributes: { events: 20 } })
const appended = tracer.traceparentOf(append)
tracer.endSpan(append)
tracer.endSpan(message, { error: Object.assign(new Error('value 5.01'), { code: 'store-unavailable' }) })
const page = tracer.startSpan('projection.page', { links: [appended, appended, 'nonsense', undefined] })
tracer.endSpan(page, { attributes: { events: 1 } })

await telemetry.stop()
const loaded = Object.keys(createRequire(import.meta.url).cache)
process.stdout.write(
  JSON.stringify({
    enabled: telemetry.enabled,
    message: tracer.traceparentOf(message),
    append: appended,
    openTelemetryModules: loaded.filter((file) => file.includes('@opentelemetry')).length,
  }),
)
