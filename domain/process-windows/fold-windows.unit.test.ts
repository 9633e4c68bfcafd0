import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordedEvent } from '../../schemas/event.ts'
import { tagDefinitions } from '../../schemas/tags.ts'
import { rules } from '../signal-cleaning/cleaning-rules.ts'
import { silentWindowsEmitted } from './batch-windows.ts'
import { type WindowFold, windowFold } from './fold-windows.ts'
import type { ProcessWindow } from './process-window.ts'
import { type VesselEvents, vesselEvents } from './testing/vessel-events.ts'

const startMs = Date.parse('2026-11-01T08:00:00.000Z')
const minute = 60_000

/** A fold with an open batch, and what it gives for readings `second` seconds after the start. */
function opened(): {
  events: VesselEvents
  fold: WindowFold
  read: (second: number, tag?: string, value?: number) => readonly ProcessWindow[]
} {
  const events = vesselEvents({ vessel: 'V-01', startMs })
  const fold = windowFold({ vessel: 'V-01' })
  fold.apply(events.created(startMs - 1000))
  return {
    events,
    fold,
    read: (second, tag = 'pH', value = 5) => fold.apply(events.reading(startMs + second * 1000, tag, value)),
  }
}

test('a window closes with the first reading one second after its end, and not before', () => {
  const { read } = opened()
  for (let second = 0; second <= 30; second++) assert.deepEqual(read(second), [])
  const [window, ...others] = read(31)
  assert.equal(others.length, 0)
  assert.ok(window)
  assert.deepEqual([window.fromMs, window.toMs], [startMs, startMs + 30_000])
  assert.deepEqual(window.tags.pH, {
    mean: 5,
    min: 5,
    max: 5,
    last: 5,
    goodCount: 30,
    expectedCount: 30,
    quality: 'good',
  })
  assert.equal(window.qualityScore, 100)
  assert.deepEqual(window.corrections, [])
})

test('a window names the positions it rests on and the store’s clock of the event that closed it', () => {
  const { fold, events, read } = opened()
  for (let second = 0; second <= 30; second++) read(second)
  const closing = events.reading(startMs + 31_000, 'pH', 5)
  const [window] = fold.apply(closing)
  // Position 1 is the batch's creation; 2 to 31 are the readings of the window.
  assert.deepEqual(window?.inputPositions, { from: 2n, to: 31n })
  assert.equal(window?.closedAt, closing.recordedAt)
})

test('readings within a window may come in any order', () => {
  const { read } = opened()
  const shuffled = Array.from({ length: 30 }, (_, nth) => (nth * 7) % 30)
  for (const second of shuffled) read(second, 'pH', 4 + second / 100)
  const [window] = read(31)
  assert.ok(window?.tags.pH)
  assert.ok(Math.abs(window.tags.pH.mean - 4.145) < 1e-12)
  assert.deepEqual(
    [window.tags.pH.last, window.tags.pH.goodCount, window.tags.pH.quality],
    [4.29, 30, 'good'],
  )
})

test('a reading of the next window does not enter the one that is still open', () => {
  const { read } = opened()
  for (let second = 0; second < 30; second++) read(second)
  read(30, 'pH', 9)
  const [window] = read(31, 'pH', 9)
  assert.equal(window?.tags.pH?.max, 5)
})

test('a reading for a closed window is counted as late and changes nothing', () => {
  const { read, fold } = opened()
  for (let second = 0; second <= 31; second++) read(second)
  assert.deepEqual(read(29, 'pH', 9), [])
  assert.equal(fold.lateReadings(), 1)
  for (let second = 32; second <= 60; second++) read(second)
  const [window] = read(61)
  assert.equal(window?.tags.pH?.max, 5)
  assert.deepEqual(
    window?.corrections.map(({ tag, rule, count }) => [tag, rule, count]),
    [['pH', rules.lateReading, 1]],
  )
})

test('windows without readings are emitted: the last value holds for 30 min, then nothing stands in', () => {
  const { read } = opened()
  for (let second = 0; second < 30; second++) read(second, 'pH', 5)
  const windows = read(40 * 60 + 1)
  assert.equal(windows.length, 80)
  const qualities = windows.map((window) => window.tags.pH?.quality)
  assert.deepEqual(
    [qualities[0], qualities[1], qualities[59], qualities[60], qualities[61]],
    ['good', 'stale', 'stale', undefined, undefined],
  )
  assert.deepEqual(windows[5]?.tags.pH, {
    mean: 5,
    min: 5,
    max: 5,
    last: 5,
    goodCount: 0,
    expectedCount: 30,
    quality: 'stale',
  })
  assert.deepEqual(windows[5]?.corrections, [
    { tag: 'pH', quality: 'stale', rule: rules.holdLast, count: 30, positions: { from: 31n, to: 31n } },
  ])
  assert.equal(windows[70]?.corrections[0]?.rule, rules.noFill)
  assert.equal(windows[5]?.qualityScore, 40)
})

test('a single reading in a window is enough to hold', () => {
  const { read } = opened()
  read(0, 'pH', 5)
  read(31, 'pH', 6)
  assert.equal(read(91, 'pH', 7)[1]?.tags.pH?.mean, 6)
})

test('a silence above an hour is cut short, and the next window says how much was left out', () => {
  const { read } = opened()
  for (let second = 0; second < 30; second++) read(second)
  const windows = [...read(10 * 3600)]
  for (let second = 1; second <= 31; second++) windows.push(...read(10 * 3600 + second))
  assert.equal(windows.length, 1 + silentWindowsEmitted + 2)
  const [empty, next] = windows.slice(-2)
  // The window that the silence ended in was still open when it ended.
  assert.deepEqual([empty?.toMs, next?.fromMs], [startMs + 36_000_000, startMs + 36_000_000])
  const skip = empty?.corrections.find((correction) => correction.rule === rules.silence)
  assert.equal(skip?.count, 1200 - windows.length + 1)
  assert.ok(!next?.corrections.some((correction) => correction.rule === rules.silence))
})

test('a dropout within a window is filled by a line, and what is missing at its end is not', () => {
  const { read } = opened()
  for (let second = 0; second < 30; second++)
    if (second < 10 || second >= 15) read(second, 'pH', 5 + second / 10)
  const [window] = read(31)
  assert.ok(window?.tags.pH)
  assert.ok(Math.abs(window.tags.pH.mean - (5 + 14.5 / 10)) < 0.02, String(window.tags.pH.mean))
  assert.deepEqual([window.tags.pH.quality, window.tags.pH.goodCount], ['interpolated', 25])
  assert.equal(window.qualityScore, 90)
  for (let second = 30; second < 40; second++) if (second !== 31) read(second, 'pH', 8)
  const [open] = read(61)
  assert.deepEqual([open?.tags.pH?.quality, open?.tags.pH?.goodCount], ['good', 10])
})

test('an impossible reading is invalid, counts against the score, and never enters a value', () => {
  const { read, fold, events } = opened()
  for (let second = 0; second < 30; second++) read(second, 'pH', second === 10 ? -999 : 5)
  fold.apply(events.reading(startMs + 30_000, 'pH', 5, { quality: 'bad' }))
  const [window] = read(31)
  assert.deepEqual([window?.tags.pH?.min, window?.tags.pH?.goodCount], [5, 29])
  assert.equal(window?.qualityScore, 95)
  assert.deepEqual(window?.corrections, [
    { tag: 'pH', quality: 'invalid', rule: rules.hardBounds, count: 1, positions: { from: 12n, to: 12n } },
    {
      tag: 'pH',
      quality: 'interpolated',
      rule: rules.linearGap,
      count: 1,
      positions: { from: 11n, to: 13n },
    },
  ])
  for (let second = 32; second < 60; second++) read(second)
  const [next] = read(61)
  assert.equal(next?.corrections[0]?.rule, rules.badAtSource)
})

test('an outlier is clipped and named', () => {
  const { read } = opened()
  let windows: ProcessWindow[] = []
  for (let second = 0; second <= 121; second++) {
    const value = second === 100 ? 9 : 5 + (second % 3) / 100
    windows = [...windows, ...read(second, 'pH', value)]
  }
  const window = windows[3]
  assert.equal(window?.tags.pH?.quality, 'clipped')
  assert.ok((window?.tags.pH?.max ?? 9) < 5.2)
  assert.deepEqual(window?.corrections, [
    { tag: 'pH', quality: 'clipped', rule: rules.hampel, count: 1, positions: { from: 102n, to: 102n } },
  ])
  assert.equal(window?.qualityScore, 99)
})

test('a sensor that shows one value for 5 min is remarked upon', () => {
  const { read } = opened()
  const windows: ProcessWindow[] = []
  for (let second = 0; second <= 400; second++) windows.push(...read(second, 'Temp_Broth', 30))
  const remarked = windows.map((window) => window.corrections.some(({ rule }) => rule === rules.unchanged))
  assert.deepEqual(remarked.indexOf(true), 9)
  const { read: readSetpoint } = opened()
  for (let second = 0; second <= 400; second++)
    for (const window of readSetpoint(second, 'Stir_SP', 500)) assert.deepEqual(window.corrections, [])
})

test('readings outside the batch, of other tags and other events are ignored', () => {
  const { fold, events, read } = opened()
  read(0)
  const idle = events.reading(startMs + 90_000, 'pH', 5, { stream: 'reading-V-01-idle-20261101' })
  assert.deepEqual(fold.apply(idle), [])
  assert.deepEqual(fold.apply({ ...idle, type: 'SensorGapDetected' }), [])
  const unknown = { ...events.reading(startMs + 1000, 'pH', 5), data: { ...idle.data, tag: 'Foam' } }
  assert.deepEqual(fold.apply(unknown), [])
})

test('before a batch and after it there are no windows; an event of another vessel is refused', () => {
  const events = vesselEvents({ vessel: 'V-01', startMs })
  const fold = windowFold({ vessel: 'V-01' })
  for (let second = 0; second < 90; second++)
    assert.deepEqual(fold.apply(events.reading(startMs + second * 1000, 'pH', 5)), [])
  const other = vesselEvents({ vessel: 'V-02', startMs })
  assert.throws(() => fold.apply(other.created(startMs)), /vessel is V-02/)
  fold.apply(events.created(startMs))
  assert.equal(fold.batchId(), events.batchId)
  fold.apply(events.closed(startMs + minute))
  assert.equal(fold.batchId(), undefined)
  for (let second = 100; second < 190; second++)
    assert.deepEqual(fold.apply(events.reading(startMs + second * 1000, 'pH', 5)), [])
})

test('the end of the batch closes what is still open, with readings in it', () => {
  const { fold, events, read } = opened()
  for (let second = 0; second <= 30; second++) read(second)
  const closed = events.closed(startMs + 30_500)
  const windows = fold.apply(closed)
  assert.deepEqual(
    windows.map((window) => [window.toMs - startMs, window.tags.pH?.goodCount, window.closedAt]),
    [
      [30_000, 30, closed.recordedAt],
      [60_000, 1, closed.recordedAt],
    ],
  )
  const { fold: silent, events: others } = opened()
  assert.deepEqual(silent.apply(others.closed(startMs)), [])
})

test('time counts from inoculation, also before it; the inoculum’s OD is diluted into the working volume', () => {
  const { fold, events, read } = opened()
  const windows = [...read(0), ...read(31)]
  fold.apply(events.inoculated(startMs + 90_000, { od600: '4.2', volumeMl: '100' }))
  for (let second = 32; second <= 200; second++) windows.push(...read(second))
  assert.deepEqual(
    windows.map((window) => window.hours?.toFixed(4)),
    [undefined, '-0.0083', '0.0000', '0.0083', '0.0167', '0.0250'],
  )
  assert.deepEqual(
    windows.map((window) => window.phase),
    [undefined, undefined, undefined, 'lag', 'lag', 'lag'],
  )
  assert.equal(windows[0]?.inoculumOd, undefined)
  assert.equal(windows[1]?.inoculumOd?.toFixed(6), '0.420000')
  assert.equal(windows[1]?.derived.volume?.value?.toFixed(2), '0.90')
  assert.equal(windows[4]?.derived.volume?.value?.toFixed(2), '1.00')
})

test('a sample is known from the window on in which it was recorded, never before, and takes its volume', () => {
  const { fold, events, read } = opened()
  fold.apply(events.inoculated(startMs))
  const before = [...read(0), ...read(31)]
  const sample = events.sample(startMs + 5_000, '0.412', '10')
  fold.apply(sample)
  const after = read(61)
  assert.deepEqual(before[0]?.samples, [])
  assert.deepEqual(after[0]?.samples, [
    { sampleEventId: sample.id, sampledMs: startMs + 5_000, od600: 0.412 },
  ])
  const second = events.sample(startMs + 65_000, '0.5')
  fold.apply(second)
  assert.deepEqual(
    read(91)[0]?.samples.map(({ sampleEventId }) => sampleEventId),
    [sample.id, second.id],
  )
  const volumes = [...before, ...after].map((window) => window.derived.volume?.value ?? 0)
  assert.ok(Math.abs(volumes[0]! - volumes[1]! - 0.01) < 1e-4, String(volumes))
})

test('a replicate is another assay of the same broth: it takes no volume of its own', () => {
  const volumeAfter = (replicates: number) => {
    const { fold, events, read } = opened()
    fold.apply(events.inoculated(startMs))
    read(0)
    for (let replicate = 1; replicate <= replicates; replicate++) {
      const sample = events.sample(startMs + 5_000, '0.412', '10')
      fold.apply({ ...sample, data: { ...sample.data, replicate } })
    }
    const [window] = read(31)
    assert.equal(window?.samples.length, replicates)
    return window.derived.volume?.value
  }
  assert.equal(volumeAfter(2), volumeAfter(1))
})

test('a run so long that evaporation would have emptied the vessel goes on without volume and rates', () => {
  const { fold, events } = opened()
  fold.apply(events.inoculated(startMs))
  const at = (hours: number, second = 0) =>
    ['Gas_MFC_air', 'Off_Gas_O2', 'Off_Gas_CO2'].flatMap((tag, nth) => [
      ...fold.apply(events.reading(startMs + hours * 3_600_000 + second * 1000, tag, [1, 19, 1.4][nth] ?? 0)),
    ])
  at(899)
  const last = at(899, 60)[0]
  assert.ok(last?.derived.CER?.value != null)
  at(1030)
  const beyond = at(1030, 60).at(-1)
  assert.deepEqual(
    [beyond?.derived.volume, beyond?.derived.CER],
    [
      { value: null, reason: 'implausible_volume' },
      { value: null, reason: 'implausible_volume' },
    ],
  )
})

test('mixed origins show the one furthest from the process', () => {
  const { fold, events } = opened()
  const as = (second: number, origin: RecordedEvent['origin']) =>
    fold.apply({ ...events.reading(startMs + second * 1000, 'pH', 5), origin })
  as(0, 'live')
  as(1, 'replayed')
  assert.equal(as(31, 'live')[0]?.origin, 'replayed')
  as(32, 'simulated')
  assert.equal(as(61, 'live')[0]?.origin, 'simulated')
  assert.equal(as(91, 'live')[0]?.origin, 'live')
})

/** Rules that speak of one reading itself. */
const ownRules = new Set<string>([rules.hardBounds, rules.badAtSource, rules.uncertainAtSource, rules.hampel])

const arbitraryReadings = fc.array(
  fc.record({
    stepMs: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: -2000, max: 3000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 90 * minute }) },
    ),
    tag: fc.constantFrom(...tagDefinitions.map(({ tag }) => tag)),
    value: fc.oneof(fc.double({ min: -10, max: 110, noNaN: true }), fc.constantFrom(5, 20, 1, 0.04, 0)),
    quality: fc.constantFrom('good', 'good', 'uncertain', 'bad'),
  }),
  { maxLength: 200 },
)

test('any readings give whole windows in order, each reading in one of them or late, the same each time', () => {
  fc.assert(
    fc.property(arbitraryReadings, (readings) => {
      const given: RecordedEvent[] = []
      const events = vesselEvents({ vessel: 'V-01', startMs })
      given.push(events.created(startMs), events.inoculated(startMs))
      let atMs = startMs
      for (const { stepMs, tag, value, quality } of readings) {
        atMs = Math.max(startMs, atMs + stepMs)
        given.push(events.reading(atMs, tag, value, { quality: quality as 'good' }))
      }
      given.push(events.closed(atMs + 1000))

      let late = 0
      const run = (): ProcessWindow[] => {
        const fold = windowFold({ vessel: 'V-01' })
        return given.flatMap((event) => {
          const windows = fold.apply(event)
          late = fold.batchId() === undefined ? late : fold.lateReadings()
          for (const window of windows) assert.ok(window.inputPositions.to <= event.position, 'no look ahead')
          return windows
        })
      }
      const windows = run()
      assert.deepEqual(run(), windows)
      windows.forEach((window, nth) => {
        assert.equal(window.fromMs % 30_000, 0)
        assert.equal(window.toMs - window.fromMs, 30_000)
        const next = windows[nth + 1]
        if (next) assert.ok(next.fromMs >= window.toMs)
        assert.ok(window.qualityScore >= 0 && window.qualityScore <= 100)
        for (const derived of Object.values(window.derived)) {
          assert.equal(derived.value === null, derived.reason !== undefined, JSON.stringify(derived))
          if (derived.value !== null)
            assert.ok(Number.isFinite(derived.value), JSON.stringify(window.derived))
        }
      })
      const used = windows.reduce(
        (sum, window) =>
          sum + Object.values(window.tags).reduce((good, tag) => good + (tag?.goodCount ?? 0), 0),
        0,
      )
      const noted = windows.reduce(
        (sum, window) =>
          sum +
          window.corrections.reduce(
            (count, { rule, count: here }) => (ownRules.has(rule) ? count + here : count),
            0,
          ),
        0,
      )
      assert.equal(used + noted + late, readings.length)
    }),
    { numRuns: 200 },
  )
})
