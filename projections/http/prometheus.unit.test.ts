import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prometheusText } from './prometheus.ts'

test('metrics of every part and of the process stand in one text, each with help, type and labels', async () => {
  let asked = 0
  const text = prometheusText(() => [
    {
      bioledger_events_total: {
        kind: 'counter',
        unit: '{event}',
        description: 'Events so far',
        read: () => ++asked,
      },
      bioledger_nothing_yet: {
        kind: 'gauge',
        unit: 's',
        description: 'Not known yet',
        read: () => undefined,
      },
    },
    {
      bioledger_queue_events: {
        kind: 'gauge',
        unit: '{event}',
        description: 'Waiting',
        read: () => [
          { value: 3, attributes: { queue: 'append' } },
          { value: 0, attributes: { queue: 'a "quoted" one' } },
        ],
      },
    },
  ])
  await text()
  const scraped = await text()
  assert.match(scraped.contentType, /^text\/plain; version=0\.0\.4/)
  const lines = scraped.text.split('\n')
  assert.ok(lines.includes('# TYPE bioledger_events_total counter'))
  assert.ok(
    lines.includes('bioledger_events_total 2'),
    'a counter is as its part says, not the sum of scrapes',
  )
  assert.ok(lines.includes('bioledger_queue_events{queue="append"} 3'))
  assert.ok(lines.includes('bioledger_queue_events{queue="a \\"quoted\\" one"} 0'))
  assert.ok(!scraped.text.includes('bioledger_nothing_yet{'))
  assert.match(scraped.text, /process_resident_memory_bytes \d+/)
  const names = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2])
  assert.equal(new Set(names).size, names.length, 'no metric is declared twice')
})
