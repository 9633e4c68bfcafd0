import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { clientEnvelope } from '../../schemas/event.ts'
import { processWindowDerived } from '../../schemas/events/process-events.ts'
import { simulateBatch } from '../process-model/batch-run.ts'
import { presets } from '../process-model/settings.ts'
import { findDerivedQuantity } from './derived-quantities.ts'
import { windowFold } from './fold-windows.ts'
import type { ProcessWindow } from './process-window.ts'
import { runEvents } from './testing/vessel-events.ts'
import { toProcessWindowEvent } from './window-event.ts'

const startMs = Date.parse('2026-11-01T08:00:00.000Z')

/** The windows of two noisy hours of a batch, with a drop-out and an outlier in them. */
function twoHours(): ProcessWindow[] {
  const settings = {
    ...presets.N,
    limitHours: 2,
    disturbances: [
      { kind: 'drop-out', fromHours: 0.5, toHours: 0.64 },
      { kind: 'spike', fromHours: 1, tag: 'Off_Gas_O2', by: -5 },
      { kind: 'out-of-range', fromHours: 1.2, toHours: 1.3, tag: 'pH', value: 14.5 },
    ] as const,
  }
  const fold = windowFold({ vessel: 'V-01' })
  const run = simulateBatch({ settings, noise: 'realistic', seed: 3 })
  return [...runEvents(run, { vessel: 'V-01', startMs })].flatMap((event) => [...fold.apply(event)])
}

test('each window becomes an event that its schema accepts, with keys that have a name and a unit', () => {
  const windows = twoHours()
  assert.ok(windows.length >= 240)
  for (const window of windows) {
    const event = toProcessWindowEvent(window)
    clientEnvelope.parse(event)
    const data = processWindowDerived.data.parse(event.data)
    for (const key of Object.keys(data.derived)) assert.ok(findDerivedQuantity(key), `${key} has no name`)
    assert.equal(event.occurredAt, data.window.to)
    assert.equal(event.receivedAt, window.closedAt)
    assert.ok(canonicalJson(event).length < 8_000)
  }
})

test('recomputing gives the same bytes, and no two windows share an id', () => {
  const bytes = () => twoHours().map((window) => canonicalJson(toProcessWindowEvent(window)))
  const once = bytes()
  assert.deepEqual(bytes(), once)
  assert.equal(new Set(twoHours().map((window) => toProcessWindowEvent(window).id)).size, once.length)
})

test('the window of the confirmation says so, and no other', () => {
  const [window] = twoHours()
  assert.ok(window)
  const at = (depletionConfirmedMs: number | undefined) =>
    toProcessWindowEvent({ ...window, depletionConfirmedMs }).data.depletionConfirmed
  assert.equal(at(window.toMs), true)
  assert.equal(at(window.fromMs), undefined)
  assert.equal(at(undefined), undefined)
})
