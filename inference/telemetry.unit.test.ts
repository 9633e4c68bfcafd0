import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateBatch } from '../domain/process-model/batch-run.ts'
import { presets } from '../domain/process-model/settings.ts'
import { windowFold } from '../domain/process-windows/fold-windows.ts'
import type { ProcessWindow } from '../domain/process-windows/process-window.ts'
import { runEvents } from '../domain/process-windows/testing/vessel-events.ts'
import { toProcessWindowEvent } from '../domain/process-windows/window-event.ts'
import { type TelemetryPayload, telemetryKinds, telemetryPayload } from '../schemas/mqtt.ts'
import type { SettledWindow } from './settle.ts'
import { publishWindow, telemetryOutlet } from './telemetry.ts'

const startMs = Date.parse('2026-11-01T08:00:00.000Z')

/** One hour of a batch in which the analyser of oxygen was silent for ten minutes. */
function hourOfWindows(): ProcessWindow[] {
  const settings = {
    ...presets.N,
    limitHours: 1,
    disturbances: [
      { kind: 'drop-out', fromHours: 0.5, toHours: 0.67, tag: 'Off_Gas_O2' },
      { kind: 'drop-out', fromHours: 0.5, toHours: 0.67, tag: 'OD' },
    ] as const,
  }
  const fold = windowFold({ vessel: 'V-01' })
  const run = simulateBatch({ settings, noise: 'realistic', seed: 3 })
  return [...runEvents(run, { vessel: 'V-01', startMs })].flatMap((event) => [...fold.apply(event)])
}

function published(window: ProcessWindow): Map<string, TelemetryPayload> {
  const messages = new Map<string, TelemetryPayload>()
  publishWindow(
    {
      publish: (vessel, kind, payload) => {
        assert.equal(vessel, window.vessel)
        assert.ok(!messages.has(kind), `${kind} twice`)
        messages.set(kind, payload)
      },
      dropped: () => 0,
      close: async () => {},
    },
    settledOf(window),
  )
  return messages
}

const settledOf = (window: ProcessWindow): SettledWindow => ({
  step: { kind: 'window', window, input: undefined, closing: { id: 'closing', position: 1n } },
  derived: toProcessWindowEvent(window),
  forecast: undefined,
})

test('every window gives one message of each kind but the prediction, as the contract describes it', () => {
  const windows = hourOfWindows()
  assert.ok(windows.length > 100)
  for (const window of windows) {
    const messages = published(window)
    assert.deepEqual(
      [...messages.keys()].toSorted(),
      telemetryKinds.filter((kind) => kind !== 'prediction').toSorted(),
    )
    for (const [kind, payload] of messages) {
      telemetryPayload.parse(payload)
      assert.equal(payload.at, new Date(window.toMs).toISOString())
      assert.equal(payload.quality, payload.value === null ? 'bad' : 'good', kind)
      if (payload.value === null) assert.ok(payload.reason, `${kind} without a reason`)
    }
  }
})

test('a cumulative sum says how many seconds it does not hold, and no other quantity does', () => {
  const window = hourOfWindows().at(-1)
  assert.ok(window)
  const messages = published(window)
  for (const [kind, { uncoveredSeconds }] of messages)
    assert.equal(uncoveredSeconds !== undefined, kind.startsWith('cumulative-'), kind)
  assert.equal(messages.get('cumulative-od')?.uncoveredSeconds, window.derived.uncoveredOD?.value)
  assert.ok((messages.get('cumulative-o2')?.uncoveredSeconds ?? 0) > 0)
  assert.equal(messages.get('cumulative-co2')?.unit, 'mol/L')
  assert.equal(messages.get('volume')?.value, window.derived.volume?.value)
})

test('the phase of growth is a word, and before inoculation a reason', () => {
  const window = hourOfWindows().at(-1)
  assert.ok(window)
  assert.equal(published(window).get('phase')?.value, 'lag')
  const before = published({ ...window, phase: undefined }).get('phase')
  assert.equal(before?.value, null)
  assert.equal(before?.reason, 'not_inoculated')
})

test('windows that close together are published in turns, in their order, and none is lost when inference stops', async () => {
  const windows = hourOfWindows()
  const seen: string[] = []
  const outlet = telemetryOutlet({
    publish: (_vessel, kind, { at }) => {
      if (kind === 'phase') seen.push(at)
    },
    dropped: () => 2,
    close: async () => {},
  })
  for (const window of windows) outlet.take(settledOf(window))
  assert.deepEqual(seen, [], 'nothing is published before what is due has had its turn')
  await new Promise((settle) => setImmediate(settle))
  assert.ok(seen.length > 0 && seen.length < windows.length, `${seen.length} in the first turn`)
  outlet.flush()
  assert.deepEqual(
    seen,
    windows.map(({ toMs }) => new Date(toMs).toISOString()),
  )
  assert.equal(outlet.dropped(), 2)
})

test('windows beyond the bound are given up and counted', () => {
  const [window] = hourOfWindows()
  assert.ok(window)
  let published = 0
  const outlet = telemetryOutlet({
    publish: () => {
      published += 1
    },
    dropped: () => 0,
    close: async () => {},
  })
  for (let count = 0; count < 5_003; count += 1) outlet.take(settledOf(window))
  assert.equal(outlet.dropped(), 3 * telemetryKinds.length)
  outlet.flush()
  assert.equal(published, 5_000 * (telemetryKinds.length - 1))
})
