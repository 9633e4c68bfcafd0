import assert from 'node:assert/strict'
import test from 'node:test'
import { forecastAt } from '../../testing/fixture-forecasts.ts'
import { phaseSpans, phaseWords } from './phase.ts'

const hour = 3_600_000
const at = (hours: number, phase: Parameters<typeof phaseSpans>[0][number]['phase']) => ({
  ...forecastAt({ startMs: 0, seconds: 20 * 3600 }, hours * 3600),
  phase,
})

test('phases are told in order with the time from which each held; a window without one changes nothing', () => {
  const spans = phaseSpans([
    at(0.5, null),
    at(1, 'lag'),
    at(2, 'lag'),
    at(3, 'exponential'),
    at(4, null),
    at(5, 'exponential'),
    at(20, 'stationary'),
  ])
  assert.deepEqual(spans, [
    { phase: 'lag', from: hour },
    { phase: 'exponential', from: 3 * hour },
    { phase: 'stationary', from: 20 * hour },
  ])
  assert.equal(
    phaseWords(spans, (ms) => `${ms / hour} h`),
    'lag, exponential from 3 h, stationary from 20 h',
  )
  assert.equal(
    phaseWords([], () => ''),
    '',
  )
})
