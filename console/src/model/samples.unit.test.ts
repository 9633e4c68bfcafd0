import assert from 'node:assert/strict'
import test from 'node:test'
import type { OfflineSampleAnswer } from '../api/answers.ts'
import { offlineSamples } from './samples.ts'

const sample = (sampleNumber: number, sampledAt: string, od600: string): OfflineSampleAnswer => ({
  sampleId: 's',
  sampleNumber,
  replicate: null,
  sampledAt,
  recordedAt: sampledAt,
  takenBy: 'op-7',
  timepointHours: '2.00',
  od600Raw: od600,
  dilutionFactor: '1',
  od600,
  contaminationDetected: false,
  lateEntry: false,
  position: '1',
  eventId: 'e',
})

test('samples stand in the order in which they were taken, with what was typed', () => {
  const placed = offlineSamples([
    sample(2, '2026-11-20T10:00:00.000Z', '4.50'),
    sample(1, '2026-11-20T08:00:00.000Z', '0.53'),
  ])
  assert.deepEqual(
    placed.map(({ number, text, od600 }) => [number, text, od600]),
    [
      [1, '0.53', 0.53],
      [2, '4.50', 4.5],
    ],
  )
})
