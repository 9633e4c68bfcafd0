/** The process disturbances in force at one moment, folded into what the process feels. */
import { isActive, type ProcessDisturbance } from './disturbances.ts'

export type ActiveDisturbances = {
  readonly powerLoss: boolean
  readonly stirrerTrip: boolean
  readonly foam: boolean
  readonly basePumpStop: boolean
  readonly overdoseMlPerMin: number
  readonly agitation: number | undefined
  readonly temperatureSetpoint: number | undefined
  readonly heaterCelsiusPerHour: number
  readonly probeLagSeconds: number | undefined
  readonly contamination: (ProcessDisturbance & { kind: 'contamination' }) | undefined
}

export const undisturbed: ActiveDisturbances = {
  powerLoss: false,
  stirrerTrip: false,
  foam: false,
  basePumpStop: false,
  overdoseMlPerMin: 0,
  agitation: undefined,
  temperatureSetpoint: undefined,
  heaterCelsiusPerHour: 0,
  probeLagSeconds: undefined,
  contamination: undefined,
}

export function disturbancesAt(
  disturbances: readonly ProcessDisturbance[],
  hours: number,
): ActiveDisturbances {
  const active = { ...undisturbed }
  for (const disturbance of disturbances) {
    if (disturbance.kind === 'glycerol-mass') continue
    if (disturbance.kind === 'contamination') {
      if (hours >= disturbance.fromHours) active.contamination = disturbance
      continue
    }
    if (!isActive(disturbance, hours)) continue
    if (disturbance.kind === 'power-loss') active.powerLoss = true
    else if (disturbance.kind === 'stirrer-trip') active.stirrerTrip = true
    else if (disturbance.kind === 'foam') active.foam = true
    else if (disturbance.kind === 'base-pump-stop') active.basePumpStop = true
    else if (disturbance.kind === 'base-overdose') active.overdoseMlPerMin = disturbance.mlPerMin
    else if (disturbance.kind === 'agitation-override') active.agitation = disturbance.rpm
    else if (disturbance.kind === 'temperature-setpoint') active.temperatureSetpoint = disturbance.celsius
    else if (disturbance.kind === 'heater-runaway') active.heaterCelsiusPerHour = disturbance.celsiusPerHour
    else active.probeLagSeconds = disturbance.lagSeconds
  }
  return active
}
