/** One trace from the sensor's message to the read model, through a real broker that carries its context. */
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import mqtt from 'mqtt'
import { startCollector } from '../infra/telemetry/testing/collector.ts'
import { skipUnless } from '../infra/toolchain/require.ts'
import { mosquittoAvailable, startMosquitto } from './support/mosquitto.ts'
import { eventually, startProduct } from './support/product.ts'

const skip = skipUnless('mosquitto', mosquittoAvailable, 'no mosquitto on this machine')

test("a message's trace goes on through append and projection, and the parts report their metrics", {
  skip,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-trace-'))
  await chmod(folder, 0o755)
  const broker = await startMosquitto(folder)
  const collector = await startCollector()
  try {
    const product = await startProduct({
      dataFolder: join(folder, 'data'),
      environment: {
        BIOLEDGER_MQTT_URL: broker.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_TRACES_SAMPLER: 'parentbased_always_on',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        OTEL_METRIC_EXPORT_INTERVAL: '500',
        OTEL_METRIC_EXPORT_TIMEOUT: '400',
      },
    })
    try {
      const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
      const device = await mqtt.connectAsync(broker.url, { protocolVersion: 5 })
      await device.publishAsync(
        'bioprocess/pichia/T-1/sensors/pH',
        JSON.stringify({ value: 5.01, at: new Date().toISOString(), seq: 1 }),
        {
          qos: 1,
          properties: { userProperties: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } },
        },
      )
      await device.endAsync()
      await eventually('message, append and the page that projected it arrive as one story', async () => {
        const spans = collector.spans()
        const message = spans.find((span) => span.traceId === traceId && span.name === 'ingest.message')
        const append = spans.find((span) => span.traceId === traceId && span.name === 'store.append')
        const page = spans.find(
          (span) =>
            span.name === 'projection.page' && span.links?.some((link) => link.spanId === append?.spanId),
        )
        return message?.parentSpanId === '00f067aa0ba902b7' && append?.parentSpanId === message.spanId && page
      })
      await eventually('the read model reports the reading', async () =>
        collector
          .metrics()
          .some(
            (metric) =>
              metric.name === 'bioledger_ingest_readings_total' &&
              metric.sum?.dataPoints.some((point) => (point.asInt ?? point.asDouble ?? 0) > 0),
          ),
      )
    } finally {
      await product.stop()
    }
    assert.ok(
      collector.metrics().some((metric) => metric.name.startsWith('bioledger_projection')),
      'the projector reports too',
    )
  } finally {
    await collector.stop()
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
