import assert from 'node:assert/strict'
import { test } from 'node:test'
import { campaignBatch, plannedBatch } from '../../domain/campaign.ts'
import { clientPart, type RecordedEvent } from '../../schemas/event.ts'
import { validateForAppend } from '../../schemas/events/registry.ts'
import { simulatedEvents } from './simulated-events.ts'

const planned = plannedBatch(17)
assert.ok(planned)
const drawn = campaignBatch(planned, { seed: 5 })

test('a simulated batch is made of events that the store would take, in order, readings under their own ids', () => {
  const short = { ...drawn, settings: { ...drawn.settings, limitHours: 2.3 } }
  const events: RecordedEvent[] = []
  const { odEvery30s } = simulatedEvents(short, planned).play((event) => events.push(event))
  assert.deepEqual(
    events.slice(0, 2).map(({ type }) => type),
    ['BatchCreated', 'BatchInoculated'],
  )
  const samples = events.filter(({ type }) => type === 'SampleTaken')
  assert.equal(samples.length, 3, 'duplicates at 0 h, one at 2 h')
  for (const event of [...events.slice(0, 200), ...samples]) validateForAppend(clientPart(event))
  assert.ok(events.every(({ position }, index) => position === BigInt(index + 1)))
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length)
  assert.equal(odEvery30s.length, 2.3 * 120 + 1)
})

test('a sample is known 10 min after it was drawn, not before', () => {
  const short = { ...drawn, settings: { ...drawn.settings, limitHours: 0.3 } }
  let newestReading = ''
  simulatedEvents(short, planned).play((event) => {
    if (event.type === 'SensorReadingRecorded') newestReading = event.occurredAt
    if (event.type !== 'SampleTaken') return
    assert.equal(Date.parse(newestReading) - Date.parse(event.occurredAt), 600_000)
    assert.ok(Date.parse(event.recordedAt) - Date.parse(event.occurredAt) === 600_000)
  })
})

test('delivery faults have no meaning here and are refused', () => {
  const faulty = {
    ...drawn,
    settings: { ...drawn.settings, disturbances: [{ kind: 'duplicate', fromHours: 1, toHours: 2 } as const] },
  }
  assert.throws(() => simulatedEvents(faulty, planned), /delivery faults/)
})
