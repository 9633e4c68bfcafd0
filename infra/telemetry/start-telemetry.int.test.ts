import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startTelemetry, wantedSignals } from './start-telemetry.ts'
import { type Point, startCollector } from './testing/collector.ts'

const run = promisify(execFile)

async function tracedProcess(settings: Readonly<Record<string, string>>) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_'))
  const { stdout, stderr } = await run(
    process.execPath,
    ['--import', 'tsx', new URL('./testing/traced-process.ts', import.meta.url).pathname],
    { env: { ...Object.fromEntries(kept), ...settings }, timeout: 60_000 },
  )
  const answer = JSON.parse(stdout) as {
    enabled: boolean
    message?: string
    append?: string
    openTelemetryModules: number
  }
  return { ...answer, stderr }
}

test('without an endpoint, or disabled, no module of OpenTelemetry is loaded', async () => {
  for (const settings of [
    { OTEL_TRACES_SAMPLER: 'always_on' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' },
  ]) {
    const answer = await tracedProcess(settings)
    assert.deepEqual(
      { enabled: answer.enabled, modules: answer.openTelemetryModules, append: answer.append },
      { enabled: false, modules: 0, append: undefined },
    )
  }
})

test('a message, its append and the page that projects it arrive at the collector as one connected story', async () => {
  const collector = await startCollector()
  try {
    const answer = await tracedProcess({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    })
    // The check of the first test can tell: here the modules are seen.
    assert.ok(answer.enabled && answer.openTelemetryModules > 0)
    assert.deepEqual(collector.serviceNames(), ['bioledger-ingest'])
    const spans = new Map(collector.spans().map((span) => [span.name, span]))
    const message = spans.get('ingest.message')
    const append = spans.get('store.append')
    const page = spans.get('projection.page')
    assert.ok(message && append && page && spans.size === 3, [...spans.keys()].join())
    assert.equal(append.traceId, message.traceId)
    assert.equal(append.parentSpanId, message.spanId)
    assert.equal(answer.append, `00-${append.traceId}-${append.spanId}-01`)
    assert.notEqual(page.traceId, message.traceId)
    assert.deepEqual(
      page.links?.map(({ traceId, spanId }) => ({ traceId, spanId })),
      [{ traceId: append.traceId, spanId: append.spanId }],
    )
    assert.deepEqual(message.attributes, [{ key: 'vessel', value: { stringValue: 'V-01' } }])
    assert.equal(message.status?.code, 2)
    assert.equal(message.status?.message, 'store-unavailable', "the error's code, never its text")
  } finally {
    await collector.stop()
  }
})

test('gauges and counters arrive with their values, and one that cannot be read harms no other', async () => {
  const collector = await startCollector()
  try {
    await tracedProcess({
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.url}/v1/metrics`,
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
    })
    const metrics = new Map(collector.metrics().map((metric) => [metric.name, metric]))
    const lag = metrics.get('bioledger.projection.lag')
    assert.equal(lag?.unit, '{event}')
    assert.equal(numberOf(lag?.gauge?.dataPoints[0]), 41)
    const readings = metrics.get('bioledger.ingest.readings')?.sum
    assert.equal(readings?.isMonotonic, true)
    assert.deepEqual(
      readings?.dataPoints.map((point) => [point.attributes[0]?.value.stringValue, numberOf(point)]),
      [
        ['stored', 990],
        ['duplicate', 10],
      ],
    )
    assert.deepEqual(
      collector.deliveries.filter(({ path }) => path === '/v1/traces'),
      [],
      'a signal without an endpoint is not sent',
    )
  } finally {
    await collector.stop()
  }
})

test('without a named protocol, protobuf is sent, as OpenTelemetry says', async () => {
  const collector = await startCollector()
  try {
    await tracedProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'plant-7' })
    const traces = collector.deliveries.filter(({ path }) => path === '/v1/traces')
    assert.ok(traces.length > 0 && traces.every(({ type }) => type === 'application/x-protobuf'))
    const sent = Buffer.concat(traces.map(({ body }) => body)).toString('latin1')
    assert.ok(sent.includes('ingest.message') && sent.includes('plant-7'))
  } finally {
    await collector.stop()
  }
})

test('a sampled parent is followed, an unsampled one leaves neither spans nor a traceparent', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const ratioOfNone = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }
  for (const { flags, names } of [
    { flags: '01', names: ['ingest.message', 'store.append'] },
    { flags: '00', names: [] },
  ]) {
    const collector = await startCollector()
    try {
      const answer = await tracedProcess({
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
        TEST_TRACEPARENT: `00-${traceId}-00f067aa0ba902b7-${flags}`,
        ...ratioOfNone,
      })
      const spans = collector.spans()
      assert.deepEqual(spans.map((span) => span.name).sort(), names)
      assert.ok(spans.every((span) => span.traceId === traceId))
      assert.equal(answer.append === undefined, flags === '00')
    } finally {
      await collector.stop()
    }
  }
})

test('a collector that is not there costs the process nothing but the telemetry', async () => {
  const answer = await tracedProcess({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
  })
  assert.equal(answer.enabled, true)
  assert.match(answer.stderr, /"msg":"telemetry could not be sent"/)
})

test('a signal is wanted when it has an endpoint, its own or the common one', async () => {
  const url = 'http://collector:4318'
  assert.deepEqual(wantedSignals({ OTEL_EXPORTER_OTLP_ENDPOINT: url }), { traces: true, metrics: true })
  assert.deepEqual(wantedSignals({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url }), {
    traces: true,
    metrics: false,
  })
  assert.deepEqual(wantedSignals({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }), { traces: false, metrics: false })
  assert.equal((await startTelemetry({ role: 'api', environment: {} })).enabled, false)
})

const numberOf = (point: Point | undefined) => Number(point?.asInt ?? point?.asDouble)
