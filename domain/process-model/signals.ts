/**
 * What the 19 transmitters show of the truth: probe and line lags are already in the truth; here come helper
 * temperatures, torque, heater and weight, then signal faults, noise, the physical limits of each instrument and
 * its resolution.
 */
import type { Tag } from '../../schemas/tags.ts'
import type { SignalFault } from './disturbances.ts'
import { isActive } from './disturbances.ts'
import type { NoiseModel } from './noise.ts'
import type { Truth } from './process.ts'

export type Values = Partial<Record<Tag, number>>

/** Tags in the order in which they are shown. */
export const simulatedTags = [
  'pH',
  'DO',
  'OD',
  'Gas_MFC_air',
  'Stir_SP',
  'Stir_torque',
  'Reactor_Pressure',
  'Temp_Broth',
  'Temp_pH_Probe',
  'Temp_DO_Probe',
  'Temp_Stirrer_Motor',
  'Temp_Exhaust',
  'Base_Pump_Rate',
  'Weight',
  'Heater_PID_out',
  'Off_Gas_CO2',
  'Off_Gas_O2',
  'Gas_Flow_Inlet',
  'Gas_Flow_Outlet',
] as const satisfies readonly Tag[]

export const weightEverySeconds = 10

type Instrument = { readonly decimals: number; readonly low: number; readonly high: number }

/** Resolution and span of each transmitter: a 4-20 mA signal cannot leave its span. */
const instruments: Record<Tag, Instrument> = {
  pH: { decimals: 3, low: 0, high: 14 },
  DO: { decimals: 2, low: -5, high: 300 },
  OD: { decimals: 3, low: 0, high: 120 },
  Gas_MFC_air: { decimals: 4, low: 0, high: 5 },
  Stir_SP: { decimals: 0, low: 0, high: 1500 },
  Stir_torque: { decimals: 2, low: 0, high: 100 },
  Reactor_Pressure: { decimals: 4, low: 0, high: 3 },
  Temp_Broth: { decimals: 3, low: 0, high: 150 },
  Temp_pH_Probe: { decimals: 3, low: 0, high: 150 },
  Temp_DO_Probe: { decimals: 3, low: 0, high: 150 },
  Temp_Stirrer_Motor: { decimals: 2, low: 0, high: 150 },
  Temp_Exhaust: { decimals: 3, low: 0, high: 150 },
  Base_Pump_Rate: { decimals: 6, low: 0, high: 15 },
  Weight: { decimals: 4, low: 0, high: 15 },
  Heater_PID_out: { decimals: 2, low: 0, high: 100 },
  Off_Gas_CO2: { decimals: 4, low: 0, high: 25 },
  Off_Gas_O2: { decimals: 4, low: 0, high: 100 },
  Gas_Flow_Inlet: { decimals: 4, low: 0, high: 5 },
  Gas_Flow_Outlet: { decimals: 4, low: 0, high: 5 },
}

const vesselKg = 3.2
const ambientCelsius = 22
const motorLagSeconds = 900
/** 0.46 MJ per mol O2 in W per (mmol/L/h). */
const wattPerOur = 0.128
const heaterWatt = 80
const lossWattPerKelvin = 4

/** A function from truth to shown values; keeps state (motor temperature, stuck values): feed it each second once. */
export function transmitters(faults: readonly SignalFault[], noise: NoiseModel): (truth: Truth) => Values {
  let motor: number | undefined
  const held = new Map<SignalFault, number>()
  const spiked = new Set<SignalFault>()

  const show = (tag: Tag, value: number, truth: Truth): number | undefined => {
    let shown = noise.apply(tag, value, truth.second)
    for (const fault of faults) {
      switch (fault.kind) {
        case 'drop-out':
          if ((fault.tags === undefined || fault.tags.includes(tag)) && isActive(fault, truth.hours))
            return undefined
          break
        case 'spike':
          if (fault.tag === tag && truth.hours >= fault.fromHours && !spiked.has(fault)) {
            spiked.add(fault)
            shown += fault.by
          }
          break
        case 'stuck':
          if (fault.tag !== tag || !isActive(fault, truth.hours)) break
          if (!held.has(fault)) held.set(fault, shown)
          shown = held.get(fault) ?? shown
          break
        case 'out-of-range':
          // The transmitter itself says nonsense: no span, no resolution.
          if (fault.tag === tag && isActive(fault, truth.hours)) return fault.value
          break
        case 'gain':
          if (fault.tag === tag && isActive(fault, truth.hours)) shown *= fault.factor
          break
        case 'drift':
          if (fault.tag === tag && truth.hours >= fault.fromHours)
            shown +=
              fault.by * Math.min(1, (truth.hours - fault.fromHours) / (fault.toHours - fault.fromHours))
          break
      }
    }
    const { decimals, low, high } = instruments[tag]
    return roundTo(Math.min(high, Math.max(low, shown)), decimals)
  }

  return (truth) => {
    const speed = truth.rpm / 1000
    const motorTarget = ambientCelsius + 8 + 22 * speed * speed
    motor = motor === undefined ? motorTarget : motor + (motorTarget - motor) / motorLagSeconds
    if (!truth.powered) return {}
    const heat = wattPerOur * truth.ourMmolPerLPerH * truth.volumeL + 6 * speed ** 3
    const heater =
      ((lossWattPerKelvin * (truth.temperatureCelsius - ambientCelsius) - heat) / heaterWatt) * 100
    const ideal: Record<Tag, number> = {
      pH: truth.pH,
      DO: truth.probeOxygenPercent,
      OD: truth.od,
      Gas_MFC_air: truth.airLPerMin,
      Stir_SP: truth.rpmSetpoint,
      Stir_torque: (truth.rpm === 0 ? 0 : 5 + 30 * speed * speed) * (truth.foaming ? 1.2 : 1),
      Reactor_Pressure: truth.pressureBar,
      Temp_Broth: truth.temperatureCelsius,
      Temp_pH_Probe: truth.temperatureCelsius - 0.05,
      Temp_DO_Probe: truth.temperatureCelsius + 0.04,
      Temp_Stirrer_Motor: motor,
      Temp_Exhaust: truth.temperatureCelsius - 1.5 + 0.005 * truth.ourMmolPerLPerH,
      Base_Pump_Rate: truth.baseMlPerMin,
      Weight: vesselKg + truth.brothKg,
      Heater_PID_out: heater,
      Off_Gas_CO2: truth.analyserCarbonDioxideFraction * 100,
      Off_Gas_O2: truth.analyserOxygenFraction * 100,
      Gas_Flow_Inlet: truth.airLPerMin + truth.oxygenLPerMin,
      Gas_Flow_Outlet: truth.flowOutLPerMin,
    }
    const values: Values = {}
    for (const tag of simulatedTags) {
      if (tag === 'Weight' && truth.second % weightEverySeconds !== 0) continue
      const value = show(tag, ideal[tag], truth)
      if (value !== undefined) values[tag] = value
    }
    return values
  }
}

function roundTo(value: number, decimals: number): number {
  const scale = 10 ** decimals
  const rounded = Math.round(value * scale) / scale
  // No -0: it would be written as 0 and come back as another number.
  return rounded === 0 ? 0 : rounded
}
