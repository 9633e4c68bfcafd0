/** The metrics of all parts as Prometheus text, with those of the process; what `registerHealth` wants as `metrics`. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Metric } from '../../infra/telemetry/metric.ts'

/** `parts` is asked at every scrape, so parts may come and go. Names must follow Prometheus rules (`_total` for counters). */
export function prometheusText(
  parts: () => readonly Readonly<Record<string, Metric>>[],
): () => Promise<{ readonly contentType: string; readonly text: string }> {
  const ofProcess = new Registry()
  collectDefaultMetrics({ register: ofProcess })
  return async () => {
    const scrape = new Registry()
    for (const part of parts()) for (const [name, metric] of Object.entries(part)) add(scrape, name, metric)
    return {
      contentType: scrape.contentType,
      text: `${await scrape.metrics()}\n${await ofProcess.metrics()}`,
    }
  }
}

function add(scrape: Registry, name: string, metric: Metric): void {
  const reading = metric.read()
  if (reading === undefined) return
  const values = typeof reading === 'number' ? [{ value: reading, attributes: {} }] : reading
  const labelNames = [...new Set(values.flatMap(({ attributes }) => Object.keys(attributes)))]
  const settings = { name, help: metric.description, labelNames, registers: [scrape] }
  if (metric.kind === 'gauge') {
    const gauge = new Gauge(settings)
    for (const { value, attributes } of values) gauge.set(texts(attributes), value)
  } else {
    const counter = new Counter(settings)
    for (const { value, attributes } of values) counter.inc(texts(attributes), value)
  }
}

const texts = (attributes: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]))
