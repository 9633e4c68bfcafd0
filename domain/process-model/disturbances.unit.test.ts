import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Disturbance } from './disturbances.ts'
import { noiseModel } from './noise.ts'
import { planOfRun, simulateProcess, type Truth } from './process.ts'
import { presets } from './settings.ts'
import { transmitters } from './signals.ts'

const run = (disturbances: readonly Disturbance[], limitHours: number): Truth[] => [
  ...simulateProcess({ ...presets.N, disturbances, limitHours }),
]
const at = (truths: readonly Truth[], hours: number): Truth => {
  const truth = truths[Math.round(hours * 3600)]
  assert.ok(truth)
  return truth
}

test('foam halves kLa, raises pressure and torque, and DO falls', () => {
  const truths = run([{ kind: 'foam', fromHours: 12, toHours: 12.5 }], 12.6)
  const before = at(truths, 11.99)
  const during = at(truths, 12.01)
  assert.equal(during.kLaPerH, before.kLaPerH / 2)
  assert.ok(during.pressureBar > before.pressureBar)
  assert.ok(during.dissolvedOxygenPercent < before.dissolvedOxygenPercent - 15)
  const show = transmitters([], noiseModel('none', 1))
  assert.ok((show(during).Stir_torque ?? 0) > (show(before).Stir_torque ?? 0))
  assert.ok(!at(truths, 12.55).foaming)
})

test('with the base pump stopped pH falls, and comes back when it runs again', () => {
  const truths = run([{ kind: 'base-pump-stop', fromHours: 14, toHours: 15 }], 16)
  assert.equal(at(truths, 14).pH, 5)
  assert.ok(at(truths, 15).pH < 4.7, String(at(truths, 15).pH))
  assert.equal(at(truths, 14.5).baseMlPerMin, 0)
  assert.ok(Math.abs(at(truths, 16).pH - 5) < 0.01, String(at(truths, 16).pH))
})

test('a base overdose raises pH, and acid of growth brings it back down', () => {
  const truths = run([{ kind: 'base-overdose', fromHours: 10, toHours: 10.1, mlPerMin: 0.5 }], 20)
  assert.ok(at(truths, 10.1).pH > 5.8, String(at(truths, 10.1).pH))
  assert.equal(at(truths, 11).baseMlPerMin, 0)
  assert.ok(Math.abs(at(truths, 20).pH - 5) < 0.01)
})

test('a start above the setpoint settles without base, then is held', () => {
  const truths = [
    ...simulateProcess({ ...presets.N, start: { ...presets.N.start, pH: 5.3 }, limitHours: 16 }),
  ]
  assert.equal(at(truths, 0).pH, 5.3)
  assert.equal(at(truths, 4).baseMlPerMin, 0)
  assert.ok(Math.abs(at(truths, 16).pH - 5) < 0.01)
})

test('a heater runaway heats and growth suffers above 34 °C', () => {
  const truths = run([{ kind: 'heater-runaway', fromHours: 6, toHours: 7, celsiusPerHour: 8 }], 8)
  assert.ok(Math.abs(at(truths, 7).temperatureCelsius - 38) < 0.1)
  assert.ok(at(truths, 7).muPerH < 0.06)
  assert.ok(at(truths, 8).temperatureCelsius < 31)
})

test('a stirrer trip takes the oxygen while the setpoint stays', () => {
  const truths = run([{ kind: 'stirrer-trip', fromHours: 14, toHours: 14.1 }], 14.3)
  const during = at(truths, 14.09)
  assert.equal(during.rpm, 0)
  assert.ok(during.rpmSetpoint >= 500)
  assert.ok(during.dissolvedOxygenPercent < 2)
  assert.ok(during.muPerH < 0.05)
})

test('a power loss silences every transmitter and the culture survives it', () => {
  const truths = run([{ kind: 'power-loss', fromHours: 14, toHours: 14.2 }], 15)
  const show = transmitters([], noiseModel('none', 1))
  assert.deepEqual(show(at(truths, 14.1)), {})
  assert.ok(at(truths, 14.1).temperatureCelsius < 30)
  assert.ok(at(truths, 14.19).oxygenFraction >= 0)
  for (const truth of truths)
    assert.ok(Number.isFinite(truth.biomassGPerL) && Number.isFinite(truth.oxygenFraction))
  assert.ok(at(truths, 15).muPerH > 0.2)
})

test('a glycerol charge 10 % short depletes earlier with less biomass', () => {
  const short = planOfRun({ ...presets.N, disturbances: [{ kind: 'glycerol-mass', factor: 0.9 }] })
  const minutes = ((planOfRun(presets.N).depletionHours ?? 0) - (short.depletionHours ?? 0)) * 60
  assert.ok(minutes > 20 && minutes < 35, String(minutes))
})

test('a contaminant lifts the OUR slope above mu_max, takes more base and drives RQ towards 1', () => {
  const clean = run([], 18)
  const truths = run([{ kind: 'contamination', fromHours: 4, muPerH: 0.65 }], 18)
  const slope = (Math.log(at(truths, 15).ourMmolPerLPerH) - Math.log(at(truths, 14).ourMmolPerLPerH)) / 1
  assert.ok(slope > 0.3, String(slope))
  const quotient = (truth: Truth) => truth.cerMmolPerLPerH / truth.ourMmolPerLPerH
  assert.ok(quotient(at(truths, 15)) > quotient(at(clean, 15)) + 0.05)
  assert.ok(at(truths, 15).baseMl > at(clean, 15).baseMl * 1.1)
})

test('a slow probe shows the same oxygen later', () => {
  const truths = run([{ kind: 'do-probe-slow', fromHours: 0, toHours: 20, lagSeconds: 120 }], 14)
  const truth = at(truths, 14)
  assert.ok(truth.probeOxygenPercent > truth.dissolvedOxygenPercent + 0.2)
})

test('planned stress moves temperature and agitation for its span only', () => {
  const warm = run([{ kind: 'temperature-setpoint', fromHours: 8, toHours: 8.5, celsius: 32 }], 10)
  assert.ok(at(warm, 8.5).temperatureCelsius > 31.9)
  assert.ok(Math.abs(at(warm, 10).temperatureCelsius - 30) < 0.01)
  const slow = run([{ kind: 'agitation-override', fromHours: 6, toHours: 7, rpm: 400 }], 8)
  assert.equal(at(slow, 6.5).rpmSetpoint, 400)
  assert.equal(at(slow, 7.5).rpmSetpoint, 500)
})

test('with full volume effects mass is conserved through sampling, base and evaporation', () => {
  const settings = {
    ...presets.N,
    vessel: { ...presets.N.vessel, volumeEffects: 'full' as const, evaporationGPerH: 2 },
  }
  let last: Truth | undefined
  for (const truth of simulateProcess(settings)) last = truth
  assert.ok(last)
  // 1000 - 80 + about 8 - 2 g/h * 21.6 h
  assert.ok(Math.abs(last.volumeL - 0.885) < 0.005, String(last.volumeL))
  assert.ok(last.biomassGPerL > 24 && last.biomassGPerL < 25, String(last.biomassGPerL))
})
