/**
 * What may go wrong while a model stays sure of itself: the fault library of the simulator, and the silent errors
 * that no alarm shows (wrong gains, wrong glycerol, another cell density per OD, a contaminant). Each case is laid
 * over a planned batch; its figures count from the hour at which it begins.
 */
import type { BatchRun } from '../../domain/process-model/batch-run.ts'
import type { Disturbance } from '../../domain/process-model/disturbances.ts'

export type FaultCase = {
  readonly name: string
  /** Hours after inoculation from which the case is in force. */
  readonly fromHours: number
  readonly apply: (run: BatchRun) => BatchRun
}

const end = 48

const disturbed =
  (...disturbances: Disturbance[]) =>
  (run: BatchRun): BatchRun => ({
    ...run,
    settings: { ...run.settings, disturbances: [...run.settings.disturbances, ...disturbances] },
  })

const between = (fromHours: number, hours: number) => ({ fromHours, toHours: fromHours + hours })

export const faultCases: readonly FaultCase[] = [
  { name: 'none', fromHours: 1, apply: (run) => run },
  {
    name: 'online OD gain -10 %',
    fromHours: 0,
    apply: disturbed({ kind: 'gain', ...between(0, end), tag: 'OD', factor: 0.9 }),
  },
  { name: 'glycerol -10 %', fromHours: 0, apply: disturbed({ kind: 'glycerol-mass', factor: 0.9 }) },
  {
    name: 'DCW per OD 0.33 g/L',
    fromHours: 0,
    apply: (run) => ({
      ...run,
      settings: { ...run.settings, biology: { ...run.settings.biology, dcwPerOdGPerL: 0.33 } },
    }),
  },
  {
    name: 'contamination from 6 h',
    fromHours: 6,
    apply: disturbed({ kind: 'contamination', fromHours: 6, muPerH: 0.6 }),
  },
  {
    name: 'base pump gain +10 %',
    fromHours: 0,
    apply: disturbed({ kind: 'gain', ...between(0, end), tag: 'Base_Pump_Rate', factor: 1.1 }),
  },
  {
    name: 'online OD gain -10 % from 10 h',
    fromHours: 10,
    apply: disturbed({ kind: 'gain', ...between(10, end), tag: 'OD', factor: 0.9 }),
  },
  {
    name: 'drop-out of all tags, 30 s',
    fromHours: 12,
    apply: disturbed({ kind: 'drop-out', ...between(12, 1 / 120) }),
  },
  {
    name: 'drop-out of all tags, 8 min',
    fromHours: 12,
    apply: disturbed({ kind: 'drop-out', ...between(12, 8 / 60) }),
  },
  {
    name: 'drop-out of OD, 45 min',
    fromHours: 12,
    apply: disturbed({ kind: 'drop-out', ...between(12, 0.75), tags: ['OD'] }),
  },
  {
    name: 'drop-out of off-gas, 90 min',
    fromHours: 12,
    apply: disturbed({ kind: 'drop-out', ...between(12, 1.5), tags: ['Off_Gas_CO2', 'Off_Gas_O2'] }),
  },
  {
    name: 'online OD stuck for 2 h',
    fromHours: 12,
    apply: disturbed({ kind: 'stuck', ...between(12, 2), tag: 'OD' }),
  },
  {
    name: 'off-gas CO2 stuck for 2 h',
    fromHours: 12,
    apply: disturbed({ kind: 'stuck', ...between(12, 2), tag: 'Off_Gas_CO2' }),
  },
  {
    name: 'one spike of online OD',
    fromHours: 12,
    apply: disturbed({ kind: 'spike', fromHours: 12, tag: 'OD', by: 40 }),
  },
  {
    name: 'online OD out of range for 1 h',
    fromHours: 12,
    apply: disturbed({ kind: 'out-of-range', ...between(12, 1), tag: 'OD', value: -999 }),
  },
  {
    name: 'off-gas CO2 drifts by 0.3 %',
    fromHours: 10,
    apply: disturbed({ kind: 'drift', ...between(10, 4), tag: 'Off_Gas_CO2', by: 0.3 }),
  },
  {
    name: 'off-gas O2 drifts by 0.3 %',
    fromHours: 10,
    apply: disturbed({ kind: 'drift', ...between(10, 4), tag: 'Off_Gas_O2', by: 0.3 }),
  },
  {
    name: 'online OD drifts by 3 AU',
    fromHours: 12,
    apply: disturbed({ kind: 'drift', ...between(12, 3), tag: 'OD', by: 3 }),
  },
  { name: 'foam for 1 h', fromHours: 14, apply: disturbed({ kind: 'foam', ...between(14, 1) }) },
  {
    name: 'base pump stops for 1 h',
    fromHours: 14,
    apply: disturbed({ kind: 'base-pump-stop', ...between(14, 1) }),
  },
  {
    name: 'base overdose for 6 min',
    fromHours: 10,
    apply: disturbed({ kind: 'base-overdose', ...between(10, 0.1), mlPerMin: 0.5 }),
  },
  {
    name: 'heater runaway for 1 h',
    fromHours: 10,
    apply: disturbed({ kind: 'heater-runaway', ...between(10, 1), celsiusPerHour: 6 }),
  },
  {
    name: 'stirrer trip for 20 min',
    fromHours: 14,
    apply: disturbed({ kind: 'stirrer-trip', ...between(14, 1 / 3) }),
  },
  {
    name: 'power loss for 20 min',
    fromHours: 14,
    apply: disturbed({ kind: 'power-loss', ...between(14, 1 / 3) }),
  },
  {
    name: 'DO probe slow (5 min)',
    fromHours: 10,
    apply: disturbed({ kind: 'do-probe-slow', ...between(10, end), lagSeconds: 300 }),
  },
]
