import assert from 'node:assert/strict'
import test from 'node:test'
import { sampleTaken } from '../../../schemas/events/batch-events.ts'
import type { TimelineItem } from '../api/answers.ts'
import { offlineSamples } from './samples.ts'

const item = (type: string, sentence: string): TimelineItem => ({
  position: '1',
  eventId: 'e',
  stream: 's',
  revision: '0',
  type,
  occurredAt: '2026-11-21T12:00:00.000Z',
  receivedAt: '2026-11-21T12:00:00.000Z',
  recordedAt: '2026-11-21T12:00:00.000Z',
  actor: { kind: 'human', id: 'a', role: 'technician' },
  origin: 'live',
  sentence,
})

test('an offline sample is read from the sentence that the contract renders', () => {
  const data = {
    batchId: '019aa6f2-5f00-7000-8000-000000000001',
    sampleId: '019aa6f2-5f00-7000-8000-000000000002',
    sampleNumber: 3,
    timepointHours: '8.00',
    od600Raw: '0.375',
    dilutionFactor: '50',
    od600: '18.8',
    contaminationDetected: false,
    lateEntry: false,
  }
  const sentence = sampleTaken.sentence(data, { who: 'A. Kovács' } as Parameters<
    typeof sampleTaken.sentence
  >[1])
  assert.deepEqual(offlineSamples([item('SampleTaken', sentence)]), [
    { at: Date.parse('2026-11-21T12:00:00.000Z'), number: 3, od600: 18.8, sentence },
  ])
})

test('other sentences draw no sample', () => {
  assert.deepEqual(offlineSamples([item('BatchCreated', 'X recorded sample 3 at 8.00 h: OD600 18.8')]), [])
  assert.deepEqual(offlineSamples([item('SampleTaken', 'X recorded something')]), [])
})
