/** What the windows say when instruments fail: the same two and a half noisy hours with one fault each. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordedEvent } from '../../schemas/event.ts'
import { simulateBatch } from '../process-model/batch-run.ts'
import type { Disturbance } from '../process-model/disturbances.ts'
import { presets } from '../process-model/settings.ts'
import { rules } from '../signal-cleaning/cleaning-rules.ts'
import { windowFold } from './fold-windows.ts'
import type { ProcessWindow } from './process-window.ts'
import { runEvents } from './testing/vessel-events.ts'

const startMs = Date.parse('2026-11-01T08:00:00.000Z')
const perHour = 120

function eventsWith(...disturbances: Disturbance[]): RecordedEvent[] {
  // A thick inoculum, so that the gas rates stand above their noise.
  const settings = { ...presets.N, start: { ...presets.N.start, od: 8 }, limitHours: 2.5, disturbances }
  return [...runEvents(simulateBatch({ settings, noise: 'kind', seed: 5 }), { vessel: 'V-01', startMs })]
}

function windowsOf(events: readonly RecordedEvent[]): ProcessWindow[] {
  const fold = windowFold({ vessel: 'V-01' })
  return events.flatMap((event) => [...fold.apply(event)])
}

const sound = windowsOf(eventsWith())
const valueAt = (window: ProcessWindow | undefined, key: string): number => {
  const value = window?.derived[key]?.value
  assert.ok(value != null, `${key}: ${window?.derived[key]?.reason}`)
  return value
}

test('a vessel that falls silent for 45 min holds its values, then has none, and comes back', () => {
  const windows = windowsOf(eventsWith({ kind: 'drop-out', fromHours: 1, toHours: 1.75 }))
  assert.equal(windows.length, sound.length)
  const at = (minutes: number) => windows[perHour + 2 * minutes]
  assert.equal(at(3)?.tags.OD?.quality, 'stale')
  assert.ok(at(3)?.derived.CER?.value != null)
  assert.deepEqual(at(6)?.derived.CER, { value: null, reason: 'missing_input' })
  assert.equal(at(29)?.tags.OD?.quality, 'stale')
  assert.equal(at(31)?.tags.OD, undefined)
  assert.deepEqual(new Set(at(31)?.corrections.map(({ rule }) => rule)), new Set([rules.noFill]))
  assert.ok((at(31)?.qualityScore ?? 100) <= 40)
  assert.equal(at(46)?.tags.OD?.quality, 'good')
  assert.ok(valueAt(at(46), 'CER') > 0)
  // Five minutes are held, the rest is not in the integral and says so.
  const uncovered = valueAt(windows.at(-1), 'uncoveredCO2')
  assert.ok(uncovered > 38 * 60 && uncovered < 45 * 60, String(uncovered))
  const lost = 1 - valueAt(windows.at(-1), 'cumulativeCO2') / valueAt(sound.at(-1), 'cumulativeCO2')
  assert.ok(lost > 0.2 && lost < 0.4, String(lost))
})

test('one wild reading moves no derived value, and is named', () => {
  const windows = windowsOf(eventsWith({ kind: 'spike', fromHours: 1.5, tag: 'Off_Gas_O2', by: 9 }))
  const spiked = windows.findIndex(
    (window, nth) =>
      Math.abs((window.tags.Off_Gas_O2?.max ?? 0) - (sound[nth]?.tags.Off_Gas_O2?.max ?? 0)) > 0.005,
  )
  assert.equal(spiked, 1.5 * perHour)
  const clipped = windows[spiked]?.corrections.find(
    ({ tag, rule }) => tag === 'Off_Gas_O2' && rule === rules.hampel,
  )
  assert.ok(clipped?.positions)
  const moved = Math.abs(valueAt(windows[spiked], 'OUR') - valueAt(sound[spiked], 'OUR'))
  assert.ok(moved < 0.0003, String(moved))
})

test('impossible dissolved oxygen is no value: kLa is withheld, CER and OUR go on', () => {
  const windows = windowsOf(
    eventsWith({ kind: 'out-of-range', fromHours: 1, toHours: 1.5, tag: 'DO', value: -50 }),
  )
  const during = windows[1.25 * perHour]
  assert.deepEqual(during?.derived.kLa, { value: null, reason: 'missing_input' })
  assert.ok(valueAt(during, 'CER') > 0 && valueAt(during, 'OUR') > 0)
  assert.equal(during?.corrections.find(({ tag }) => tag === 'DO')?.rule, rules.hardBounds)
  for (const window of windows) assert.ok((window.tags.DO?.min ?? 0) >= -5)
})

test('a stuck sensor is remarked upon after 5 min', () => {
  const windows = windowsOf(eventsWith({ kind: 'stuck', fromHours: 1, toHours: 2, tag: 'OD' }))
  const remarked = (window: ProcessWindow | undefined) =>
    window?.corrections.some(({ tag, rule }) => tag === 'OD' && rule === rules.unchanged) ?? false
  assert.equal(windows.findIndex(remarked), perHour + 9)
  assert.equal(remarked(windows[1.9 * perHour]), true)
  assert.equal(remarked(windows[2.1 * perHour]), false)
})

test('messages that overtake one another by less than a second change no value', () => {
  const events = eventsWith()
  const seconds = new Map<string, RecordedEvent[]>()
  for (const event of events) seconds.set(event.occurredAt, [...(seconds.get(event.occurredAt) ?? []), event])
  const turned = [...seconds.values()].flatMap((group) =>
    group[0]?.type === 'SensorReadingRecorded' ? [...group].reverse() : group,
  )
  const renumbered = turned.map((event, nth) => ({ ...event, position: BigInt(nth + 1) }))
  const values = (windows: readonly ProcessWindow[]) =>
    windows.map(({ tags, derived }) => ({ tags, derived }))
  assert.deepEqual(values(windowsOf(renumbered)), values(sound))
})

test('a back-filled span is late: its windows stay as they were known', () => {
  const held = (event: RecordedEvent) =>
    event.type === 'SensorReadingRecorded' &&
    event.data.tag === 'OD' &&
    event.occurredAt >= new Date(startMs + 3_600_000).toISOString() &&
    event.occurredAt < new Date(startMs + 4_200_000).toISOString()
  const events = eventsWith()
  const withoutOd = windowsOf(events.filter((event) => !held(event)))
  const later = events.findIndex((event) => event.occurredAt > new Date(startMs + 5_400_000).toISOString())
  const order = [
    ...events.slice(0, later).filter((event) => !held(event)),
    ...events.filter(held),
    ...events.slice(later),
  ]
  const windows = windowsOf(order)
  assert.deepEqual(
    windows.map(({ tags }) => tags),
    withoutOd.map(({ tags }) => tags),
  )
  const counted = windows.flatMap((window) =>
    window.corrections.filter(({ rule }) => rule === rules.lateReading),
  )
  assert.deepEqual(
    counted.map(({ tag, count }) => [tag, count]),
    [['OD', 600]],
  )
})
