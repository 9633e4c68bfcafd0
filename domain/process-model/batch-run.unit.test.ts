import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findTag, type Tag } from '../../schemas/tags.ts'
import { type BatchRun, type SimulatedSecond, simulateBatch } from './batch-run.ts'
import type { Disturbance } from './disturbances.ts'
import { presets } from './settings.ts'
import { simulatedTags } from './signals.ts'

const short = (
  run: Partial<BatchRun> & { disturbances?: readonly Disturbance[]; hours?: number },
): BatchRun => ({
  settings: {
    ...presets.N,
    ...run.settings,
    limitHours: run.hours ?? 0.2,
    disturbances: run.disturbances ?? [],
  },
  noise: run.noise ?? 'none',
  seed: run.seed ?? 7,
})
const all = (run: BatchRun): SimulatedSecond[] => [...simulateBatch(run)]
const shown = (seconds: readonly SimulatedSecond[], tag: Tag) => seconds.map(({ values }) => values[tag])

test('the same seed gives the same readings, another seed others', () => {
  const text = (seed: number) =>
    JSON.stringify(all(short({ noise: 'realistic', seed })).map(({ values, samples }) => [values, samples]))
  assert.equal(text(3), text(3))
  assert.notEqual(text(3), text(4))
})

test('every second has 18 tags, every tenth the weight too', () => {
  const seconds = all(short({}))
  for (const { second, values } of seconds) {
    assert.equal(Object.keys(values).length, second % 10 === 0 ? 19 : 18)
    assert.equal('Weight' in values, second % 10 === 0)
  }
  assert.equal(new Set(simulatedTags).size, 19)
})

test('with kind and realistic noise no reading of a whole nominal batch leaves its hard bounds', () => {
  for (const noise of ['kind', 'realistic'] as const)
    for (const { values } of simulateBatch({ settings: presets.N, noise, seed: 11 }))
      for (const tag of simulatedTags) {
        const value = values[tag]
        const bounds = findTag(tag)?.hardBounds
        if (value === undefined || !bounds) continue
        assert.ok(value >= bounds[0] && value <= bounds[1], `${tag} ${value}`)
        assert.ok(!Object.is(value, -0))
      }
})

test('kind noise has the SD of the process description', () => {
  const seconds = all(short({ noise: 'kind', hours: 1 }))
  const truth = all(short({ hours: 1 }))
  for (const [tag, sd, tolerance] of [
    ['pH', 0.01, 0.1],
    ['DO', 0.5, 0.1],
    ['Temp_Broth', 0.03, 0.1],
    ['Off_Gas_O2', 0.03, 0.1],
    ['Gas_MFC_air', 0.005, 0.1],
    ['Reactor_Pressure', 0.001, 0.1],
    ['OD', 0.024, 0.1],
  ] as const) {
    const noise = seconds.map(({ values }, index) => (values[tag] ?? 0) - (truth[index]?.values[tag] ?? 0))
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length
    const found = Math.sqrt(noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length)
    assert.ok(Math.abs(found / sd - 1) < tolerance, `${tag}: ${found} against ${sd}`)
  }
})

test('realistic noise draws probe gains once a batch and correlates OD over minutes', () => {
  const gains = Array.from({ length: 24 }, (_, seed) => {
    const seconds = all(
      short({
        noise: 'realistic',
        seed,
        hours: 0.05,
        settings: { ...presets.N, start: { ...presets.N.start, od: 40 } },
      }),
    )
    return (
      shown(seconds, 'Gas_MFC_air').reduce((sum: number, value) => sum + (value ?? 0), 0) / seconds.length
    )
  })
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length
  const sd = Math.sqrt(gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / (gains.length - 1))
  assert.ok(sd > 0.005 && sd < 0.016, String(sd))

  const settings = { ...presets.N, start: { ...presets.N.start, od: 40 } }
  const noisy = all(short({ noise: 'realistic', hours: 2, settings }))
  const exact = all(short({ hours: 2, settings }))
  // Means of 30 s: white noise is down to 0.2 %, what stays is correlated.
  const means = Array.from({ length: 240 }, (_, window) => {
    let sum = 0
    for (let second = window * 30; second < window * 30 + 30; second++)
      sum += (noisy[second]?.values.OD ?? 0) / (exact[second]?.values.OD ?? 1)
    return sum / 30
  })
  const centre = means.reduce((sum, value) => sum + value, 0) / means.length
  const variance = means.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  const next = means
    .slice(1)
    .reduce((sum, value, index) => sum + (value - centre) * ((means[index] ?? 0) - centre), 0)
  assert.ok(next / variance > 0.7, `autocorrelation ${next / variance}`)
})

test('eight samples are drawn as planned, the last after depletion', () => {
  const run: BatchRun = {
    settings: presets.N,
    noise: 'none',
    seed: 1,
    duplicatePoints: ['0h', '8h', 'depletion'],
  }
  const samples = [...simulateBatch(run)].flatMap((second) => second.samples)
  assert.deepEqual(
    samples.map(({ scheduledPoint, replicate }) => `${scheduledPoint}/${replicate}`),
    ['0h/1', '0h/2', '2h/1', '4h/1', '6h/1', '8h/1', '8h/2', '12h/1', '16h/1', 'depletion/1', 'depletion/2'],
  )
  for (const sample of samples) {
    const od = Number(sample.od600Raw) * Number(sample.dilutionFactor)
    assert.ok(Math.abs(od / sample.trueOd - 1) < 0.001)
    assert.ok(Number(sample.od600Raw) <= 0.9)
  }
  assert.equal(samples.at(-1)?.od600Raw, '0.5953')
})

test('samples, base and evaporation show in the weight', () => {
  const weights = new Map<number, number>()
  for (const { second, values } of simulateBatch({ settings: presets.N, noise: 'none', seed: 1 }))
    if (values.Weight !== undefined) weights.set(second, values.Weight)
  const first = weights.get(0) ?? 0
  const last = [...weights.values()].at(-1) ?? 0
  // 8 samples of 10 mL, 8.6 mL of ammonia, 1 g/h for 21.7 h
  const expected = first - 8 * 0.0104 + 8.63 * 0.000898 - 0.0217
  assert.ok(Math.abs(last - expected) < 0.001, `${last} against ${expected}`)
})

test('a drop-out silences its tags for its span and nothing else', () => {
  const span = { fromHours: 0.05, toHours: 0.1 }
  const some = all(short({ disturbances: [{ kind: 'drop-out', ...span, tags: ['DO'] }] }))
  for (const { truth, values } of some) {
    const inside = truth.hours >= 0.05 && truth.hours < 0.1
    assert.equal(values.DO === undefined, inside)
    assert.notEqual(values.pH, undefined)
  }
  const every = all(short({ disturbances: [{ kind: 'drop-out', ...span }] }))
  assert.deepEqual(every[Math.round(0.07 * 3600)]?.values, {})
})

test('spike, stuck, out-of-range and drift change what is shown and not what is true', () => {
  const clean = all(short({}))
  const span = { fromHours: 0.05, toHours: 0.1 }
  const faulty = all(
    short({
      disturbances: [
        { kind: 'spike', fromHours: 0.05, tag: 'DO', by: 40 },
        { kind: 'stuck', ...span, tag: 'OD' },
        { kind: 'out-of-range', ...span, tag: 'pH', value: -999 },
        { kind: 'drift', ...span, tag: 'Off_Gas_O2', by: 0.4 },
      ],
    }),
  )
  assert.deepEqual(
    faulty.map(({ truth }) => truth),
    clean.map(({ truth }) => truth),
  )
  const differing = (tag: Tag) =>
    faulty.flatMap(({ values, second }, index) => (values[tag] === clean[index]?.values[tag] ? [] : [second]))
  assert.deepEqual(differing('DO'), [180])
  assert.ok(Math.abs((faulty[180]?.values.DO ?? 0) - (clean[180]?.values.DO ?? 0) - 40) < 1e-9)
  assert.deepEqual(new Set(shown(faulty.slice(180, 360), 'OD')).size, 1)
  assert.deepEqual(new Set(shown(faulty.slice(180, 360), 'pH')), new Set([-999]))
  assert.equal(faulty[360]?.values.pH, 5)
  assert.ok(
    Math.abs((faulty.at(-1)?.values.Off_Gas_O2 ?? 0) - (clean.at(-1)?.values.Off_Gas_O2 ?? 0) - 0.4) < 1e-3,
  )
})
