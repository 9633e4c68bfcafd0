/**
 * Real fermentations of K. phaffii (examples/kphaffii-offgas, one row every 15 min) through the same windows as live
 * data, against what their authors published: specific CO2 evolution at the chemostat's steady state (SS) and on day
 * 13.88 of the retentostat (R6), dry biomass and working volume (Coltman et al. 2024, doi 10.1111/1751-7915.14386).
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { RecordedEvent } from '../../schemas/event.ts'
import { windowFold } from './fold-windows.ts'
import type { ProcessWindow } from './process-window.ts'
import { vesselEvents } from './testing/vessel-events.ts'

const startMs = Date.parse('2018-10-10T16:47:50.000Z')
const hour = 3_600_000
const steadyStateHours = 311.5
const laterHours = 644.8

const columns = [
  ['Off_Gas_CO2', 'offgas_co2_percent', '%'],
  ['Off_Gas_O2', 'offgas_o2_percent', '%'],
  ['Gas_Flow_Outlet', 'gas_flow_outlet_l_per_h', 'L/h'],
  ['Gas_Flow_Inlet', 'gas_flow_inlet_l_per_h', 'L/h'],
] as const

/** Analyser spikes: O2 above 21.2 % within the first 650 h. */
const published = [
  {
    run: 'C023',
    workingVolumeL: 1.394,
    steady: [0.6771, 4.76],
    later: [0.1119, 16.07],
    slope: 0.313,
    analyserSpikes: 1,
  },
  {
    run: 'C024',
    workingVolumeL: 1.387,
    steady: [0.6843, 4.71],
    later: [0.117, 16.13],
    slope: 0.313,
    analyserSpikes: 6,
  },
  {
    run: 'C030',
    workingVolumeL: 1.402,
    steady: [0.6815, 4.86],
    later: [0.1162, 16.25],
    slope: 0.317,
    analyserSpikes: 5,
  },
] as const

/** Rows up to 650 h after inoculation; those before it lie 15 min apart. */
function rowsOf(run: string): { atMs: number; row: Record<string, string> }[] {
  const file = new URL(`../../examples/kphaffii-offgas/offgas_${run}.csv`, import.meta.url)
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/)
  const names = header.split(',')
  const rows = lines.map((line) =>
    Object.fromEntries(line.split(',').map((cell, at) => [names[at] ?? '', cell] as const)),
  )
  const first = rows.findIndex((row) => row.hours_after_inoculation !== '')
  const hoursAt = (nth: number): number =>
    nth < first
      ? Number(rows[first]?.hours_after_inoculation) - (first - nth) / 4
      : Number(rows[nth]?.hours_after_inoculation)
  return rows
    .map((row, nth) => ({ atMs: startMs + Math.round(hoursAt(nth) * hour), row }))
    .filter(({ atMs }) => atMs < startMs + 650 * hour)
}

/** The windows in which the gas was measured. */
function measured(run: string, workingVolumeL: number): ProcessWindow[] {
  const rows = rowsOf(run)
  const events = vesselEvents({ vessel: run, startMs })
  const fold = windowFold({
    vessel: run,
    settings: {
      mediumVolumeL: workingVolumeL,
      inoculumVolumeL: 0,
      evaporationGPerH: 0,
      oxygenShownOnAir: 0.2069,
    },
  })
  const given: RecordedEvent[] = [events.created(startMs - 3 * hour)]
  const inoculated = events.inoculated(startMs)
  given.push({ ...inoculated, data: { ...inoculated.data, inoculumVolumeMl: '0' } })
  for (const { atMs, row } of rows)
    for (const [tag, column, unit] of columns)
      given.push(events.reading(atMs, tag, Number(row[column]), { unit }))
  return given
    .flatMap((event) => [...fold.apply(event)])
    .filter((window) => (window.tags.Off_Gas_CO2?.goodCount ?? 0) > 0)
}

const cer = (window: ProcessWindow): number => window.derived.CER?.value ?? Number.NaN

/** Mean CER in mmol/L/h of the windows within `spanHours` before `hours`. */
function meanCer(windows: readonly ProcessWindow[], hours: number, spanHours: number): number {
  const there = windows.filter(
    (window) => window.hours !== undefined && window.hours > hours - spanHours && window.hours <= hours,
  )
  assert.ok(there.length >= 10)
  return (1000 * there.reduce((sum, window) => sum + cer(window), 0)) / there.length
}

function logSlope(points: readonly (readonly [number, number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + Math.log(y), 0) / points.length
  const xy = points.reduce((sum, [x, y]) => sum + (x - meanX) * (Math.log(y) - meanY), 0)
  return xy / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}

for (const { run, workingVolumeL, steady, later, slope, analyserSpikes } of published)
  test(`run ${run}: CER agrees with the published qCO2 and grows as published; an analyser spike gives no uptake`, () => {
    const windows = measured(run, workingVolumeL)
    for (const [[specific, biomass], hours, spanHours] of [
      [steady, steadyStateHours, 6],
      [later, laterHours, 6],
    ] as const) {
      const error = meanCer(windows, hours, spanHours) / (specific * biomass) - 1
      assert.ok(Math.abs(error) <= 0.035, `${(100 * error).toFixed(1)} % at ${hours} h`)
    }
    const exponential = windows.flatMap((window) =>
      window.hours !== undefined && window.hours >= 3 && window.hours <= 13
        ? [[window.hours, cer(window)] as const]
        : [],
    )
    assert.ok(exponential.length >= 39)
    const found = logSlope(exponential)
    assert.ok(Math.abs(found - slope) < 0.005, `${found} 1/h`)

    const spikes = windows.filter((window) => (window.tags.Off_Gas_O2?.max ?? 0) > 21.2)
    assert.equal(spikes.length, analyserSpikes)
    for (const window of spikes)
      assert.deepEqual(window.derived.OUR, { value: null, reason: 'oxygen_flow_unknown' })
  })
