/**
 * What the windows say, against what the simulator knows: whole batches without noise, volumes changing with samples,
 * base and evaporation. The gas shows the process a minute late (gas line), the growth rate the middle of 30 min.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateBatch } from '../process-model/batch-run.ts'
import type { Truth } from '../process-model/process.ts'
import { type PresetName, presets } from '../process-model/settings.ts'
import { windowFold } from './fold-windows.ts'
import type { ProcessWindow } from './process-window.ts'
import { runEvents } from './testing/vessel-events.ts'

const startMs = Date.parse('2026-11-01T08:00:00.000Z')
const gasLineSeconds = 60
const middleSeconds = 15

type Batch = {
  readonly windows: readonly ProcessWindow[]
  readonly truths: readonly Truth[]
  readonly depletionHours: number
}

const batches = new Map<PresetName, Batch>()

function wholeBatch(preset: PresetName): Batch {
  const batch = batches.get(preset) ?? simulated(preset)
  batches.set(preset, batch)
  return batch
}

function simulated(preset: PresetName): Batch {
  const settings = {
    ...presets[preset],
    vessel: { ...presets[preset].vessel, volumeEffects: 'full' as const },
  }
  const truths: Truth[] = []
  function* remembered() {
    for (const second of simulateBatch({ settings, noise: 'none', seed: 1 })) {
      truths.push(second.truth)
      yield second
    }
  }
  const fold = windowFold({ vessel: 'V-01' })
  const windows: ProcessWindow[] = []
  for (const event of runEvents(remembered(), { vessel: 'V-01', startMs })) windows.push(...fold.apply(event))
  const depletionHours = truths.find((truth) => truth.depleted)?.hours
  assert.ok(depletionHours !== undefined)
  return { windows, truths, depletionHours }
}

/** Relative errors of `key` against the truth so many seconds before the window's end, from 4 h to depletion. */
function errors(batch: Batch, key: string, truthOf: (truth: Truth) => number, secondsBack: number): number[] {
  const found: number[] = []
  for (const { derived, hours, toMs } of batch.windows) {
    if (hours === undefined || hours < 4 || hours > batch.depletionHours - 0.05) continue
    const value = derived[key]?.value
    const truth = batch.truths[(toMs - startMs) / 1000 - secondsBack]
    if (value === null || value === undefined || truth === undefined) continue
    found.push(Math.abs(value / truthOf(truth) - 1))
  }
  return found.sort((left, right) => left - right)
}
const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN

function follows(
  batch: Batch,
  key: string,
  truthOf: (truth: Truth) => number,
  options: { secondsBack: number; median: number; p99: number; atLeast: number },
): void {
  const found = errors(batch, key, truthOf, options.secondsBack)
  assert.ok(found.length >= options.atLeast, `${key}: ${found.length} windows`)
  const [median, p99] = [quantile(found, 0.5), quantile(found, 0.99)]
  assert.ok(median <= options.median && p99 <= options.p99, `${key}: median ${median}, p99 ${p99}`)
}

const throughGasLine = middleSeconds + gasLineSeconds

for (const preset of ['N', 'R', 'R-O2'] as const)
  test(`the windows of preset ${preset} follow the truth, and its phases come in order`, () => {
    const batch = wholeBatch(preset)
    const enriched = preset === 'R-O2'
    const gas = { secondsBack: throughGasLine, median: 0.002, p99: 0.02 }
    follows(batch, 'CER', (truth) => truth.cerMmolPerLPerH / 1000, { ...gas, atLeast: 1900 })
    follows(batch, 'OUR', (truth) => truth.ourMmolPerLPerH / 1000, {
      ...gas,
      median: 0.004,
      p99: 0.03,
      atLeast: enriched ? 1500 : 1900,
    })
    follows(batch, 'kLa', (truth) => truth.kLaPerH, {
      ...gas,
      median: 0.003,
      p99: 0.04,
      atLeast: enriched ? 800 : 900,
    })
    follows(batch, 'mu', (truth) => truth.muPerH, {
      secondsBack: middleSeconds + 900,
      median: 0.005,
      p99: 0.02,
      atLeast: 1900,
    })
    // A sample of 10 mL leaves at once; the window it leaves in may have seen it or not.
    follows(batch, 'volume', (truth) => truth.volumeL, {
      secondsBack: 0,
      median: 1e-4,
      p99: 0.011,
      atLeast: 1900,
    })
    follows(batch, 'cumulativeBase', (truth) => truth.baseMl, {
      secondsBack: 0,
      median: 0.002,
      p99: 0.01,
      atLeast: 1900,
    })

    for (const { derived, hours } of batch.windows)
      if (derived.RQ?.value != null && hours !== undefined && hours < batch.depletionHours)
        assert.ok(derived.RQ.value > 0.64 && derived.RQ.value < 0.77, `RQ ${derived.RQ.value} at ${hours} h`)

    const phases = batch.windows.flatMap((window, nth) =>
      window.phase !== undefined && window.phase !== batch.windows[nth - 1]?.phase ? [window] : [],
    )
    assert.deepEqual(
      phases.map((window) => window.phase).filter((phase) => phase !== 'decelerating'),
      ['lag', 'exponential', 'stationary'],
    )
    const growing = phases[1]?.hours ?? 0
    assert.ok(growing > 0.5 && growing < 2, `exponential from ${growing} h`)

    const confirmed = batch.windows.find((window) => window.depletionConfirmedMs !== undefined)
    assert.ok(confirmed?.hours !== undefined)
    const minutesLater = (confirmed.hours - batch.depletionHours) * 60
    assert.ok(minutesLater > 10 && minutesLater < 45, `confirmed ${minutesLater} min after depletion`)
    assert.equal(confirmed.phase, 'stationary')
  })

test('under enrichment OUR and RQ say why they are missing, CER goes on, and its time is not in the O2 integral', () => {
  const batch = wholeBatch('R-O2')
  const enriched = batch.windows.filter((window) => window.derived.OUR?.reason === 'oxygen_flow_unknown')
  const hoursOfOxygen = batch.truths.filter((truth) => truth.oxygenLPerMin > 0).length / 3600
  assert.ok(enriched.length / 120 > hoursOfOxygen && enriched.length / 120 < hoursOfOxygen + 0.5)
  for (const { derived } of enriched) {
    assert.deepEqual(
      [derived.RQ?.reason, derived.kLa?.reason],
      ['oxygen_flow_unknown', 'oxygen_flow_unknown'],
    )
    assert.ok(derived.CER?.value != null)
  }
  const last = batch.windows.at(-1)?.derived
  assert.ok((last?.uncoveredO2?.value ?? 0) > hoursOfOxygen * 3600 * 0.9, String(last?.uncoveredO2?.value))
  assert.equal(last?.uncoveredCO2?.value, 0)
})

test('the carbon of a healthy batch closes within 10 % once its glycerol is gone, and is not claimed before', () => {
  const { windows } = wholeBatch('N')
  const confirmed = windows.findIndex((window) => window.depletionConfirmedMs !== undefined)
  const closure = windows[confirmed + 5]?.derived.carbonClosure?.value
  assert.ok(closure != null && closure > 0.9 && closure < 1.1, String(closure))
  assert.equal(windows[confirmed - 1]?.derived.carbonClosure?.reason, 'before_depletion')
})
