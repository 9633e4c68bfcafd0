/**
 * What the windows of one batch say about the process: the gas balance and what follows from it, growth, volumes,
 * integrals, phase and depletion. Fed with each closed window once, in order; looks at nothing that comes later.
 */
import { findTag, type Tag } from '../../schemas/tags.ts'
import { carbonClosure, dryBiomass } from '../process-maths/biomass.ts'
import { depletionWatch } from '../process-maths/depletion.ts'
import { growthPhase } from '../process-maths/growth-phase.ts'
import { growthRatePoints, opticalDensityFloor, trailingLogSlope } from '../process-maths/growth-rate.ts'
import { liquidVolume } from '../process-maths/liquid-volume.ts'
import { dissolvedOxygen, transferCoefficient, uptakeRate } from '../process-maths/oxygen-transfer.ts'
import { runningIntegral } from '../process-maths/running-integral.ts'
import type { DerivedKey } from './derived-quantities.ts'
import { difference, lowSignal, missingInput, orReason, perGram, quotient, widest } from './derived-value.ts'
import type { ProcessSettings } from './process-settings.ts'
import { type DerivedValue, type ProcessWindow, type TagWindow, windowMs } from './process-window.ts'
import { type GasState, vesselGas } from './vessel-gas.ts'

export type Signals = {
  /** The tag's signal if it is fit for deriving (readings in the window, or held for less than 5 min). */
  readonly usable: (tag: Tag) => TagWindow | undefined
}

export type Inoculation = {
  readonly atMs: number
  /** OD600 × dilution of the inoculum, as recorded. */
  readonly od600: number | undefined
  readonly volumeMl: number | undefined
}

export type ProcessState = {
  readonly inoculate: (inoculation: Inoculation) => void
  readonly sampleDrawn: (volumeMl: number, atMs: number) => void
  /** A silence was left out between this window and the last: trailing spans begin anew. */
  readonly skip: () => void
  readonly close: (
    fromMs: number,
    toMs: number,
    signals: Signals,
  ) => Pick<ProcessWindow, 'derived' | 'phase' | 'depletionConfirmedMs' | 'hours' | 'inoculumOd'>
}

const hour = 3_600_000
const windowHours = windowMs / hour
/** Below these the analysers' error dominates the logarithm, mol/L/h: O2 is a small loss from a large stream. */
const uptakeFloor = 0.008
const evolutionFloor = 0.002
const transferFloor = 0.002
const oxygenFlow = findTag('Gas_MFC_O2')

export function processState(settings: ProcessSettings): ProcessState {
  const growth = trailingLogSlope({
    points: growthRatePoints,
    stepHours: windowHours,
    floor: opticalDensityFloor,
  })
  const uptakeGrowth = trailingLogSlope({
    points: growthRatePoints,
    stepHours: windowHours,
    floor: uptakeFloor,
  })
  const evolutionGrowth = trailingLogSlope({
    points: growthRatePoints,
    stepHours: windowHours,
    floor: evolutionFloor,
  })
  const depletion = depletionWatch(windowMs)
  const phases = growthPhase(windowMs)
  const integrals = {
    CO2: runningIntegral(),
    O2: runningIntegral(),
    OD: runningIntegral(),
    Base: runningIntegral(),
    Torque: runningIntegral(),
    Temperature: runningIntegral(),
  }
  const gas = vesselGas(settings)
  /** DO of the newest windows, the analyser's lag back. */
  const oxygenHistory: (number | undefined)[] = []
  const samples: { atMs: number; volumeMl: number }[] = []
  let inoculation: Inoculation | undefined
  let firstMs: number | undefined
  let confirmedMs: number | undefined
  let biomassAtStart: number | undefined

  return {
    inoculate: (given) => {
      inoculation = given
      for (const integral of Object.values(integrals)) integral.startAt(given.atMs)
    },
    sampleDrawn: (volumeMl, atMs) => {
      samples.push({ atMs, volumeMl })
    },
    skip: () => {
      growth.clear()
      uptakeGrowth.clear()
      evolutionGrowth.clear()
      oxygenHistory.length = 0
    },
    close: (fromMs, toMs, signals) => {
      firstMs ??= fromMs
      const derived: Partial<Record<DerivedKey, DerivedValue>> = {}
      const hours = inoculation && (toMs - inoculation.atMs) / hour
      const started = hours !== undefined && hours > 0
      const mean = (tag: Tag): number | undefined => signals.usable(tag)?.mean

      integrals.Base.push(fromMs, toMs, timesSixty(mean('Base_Pump_Rate')))
      const volume = volumeAt(toMs)
      derived.volume = orReason(volume, 'implausible_volume')

      const oxygen = mean('DO')
      const alignedOxygen = align(oxygen)
      const balance = gas.close({
        air: mean('Gas_MFC_air'),
        inlet: mean('Gas_Flow_Inlet'),
        oxygen: oxygenFlow && mean(oxygenFlow.tag as Tag),
        outlet: mean('Gas_Flow_Outlet'),
        oxygenOut: mean('Off_Gas_O2'),
        carbonDioxideOut: mean('Off_Gas_CO2'),
        pressureBar: mean('Reactor_Pressure'),
        volumeL: volume,
      })
      const { evolution, transfer } = balance
      derived.CER = evolution
      derived.OTR = transfer
      derived.gasClosure = balance.closure
      derived.OUR = uptake(transfer, alignedOxygen)
      derived.RQ = quotient(derived.OUR, evolution)
      derived.kLa = coefficient(transfer, alignedOxygen.now, balance)

      const od = mean('OD')
      growth.push(od)
      const uptakeValue = derived.OUR.value
      const evolutionValue = evolution.value
      uptakeGrowth.push(aboveFloor(uptakeValue, uptakeFloor))
      evolutionGrowth.push(aboveFloor(evolutionValue, evolutionFloor))
      const mu = growth.slopePerH()
      derived.mu = slope(mu, od === undefined ? 'missing_input' : undefined)
      derived.muGas = slope(uptakeGrowth.slopePerH(), reasonOfRate(derived.OUR, uptakeFloor))
      derived.muCER = slope(evolutionGrowth.slopePerH(), reasonOfRate(evolution, evolutionFloor))

      const biomass = od === undefined ? undefined : dryBiomass(od, settings.dryBiomass)
      derived.biomass = orReason(biomass, 'missing_input')
      derived.qO2 = perGram(derived.OUR, biomass)
      derived.qCO2 = perGram(evolution, biomass)
      if (started) biomassAtStart ??= startingBiomass(biomass)

      const temperature = mean('Temp_Broth')
      integrals.CO2.push(fromMs, toMs, evolutionValue ?? undefined)
      integrals.O2.push(fromMs, toMs, uptakeValue ?? undefined)
      integrals.OD.push(fromMs, toMs, od)
      integrals.Torque.push(fromMs, toMs, mean('Stir_torque'))
      integrals.Temperature.push(
        fromMs,
        toMs,
        temperature === undefined ? undefined : Math.abs(temperature - settings.temperatureSetpointCelsius),
      )
      for (const [name, { total, uncovered }] of integralKeys) {
        const value = integrals[name].value()
        derived[total] = started ? { value: value.total } : notStarted
        derived[uncovered] = started ? { value: value.uncoveredSeconds } : notStarted
      }

      confirmedMs = depletion.push(toMs, oxygen, hours)
      const phase = started
        ? phases.push(mu ?? derived.muGas.value ?? undefined, confirmedMs !== undefined)
        : undefined
      derived.carbonClosure = closure(biomass)

      derived.temperatureToExhaust = difference(temperature, mean('Temp_Exhaust'))
      derived.temperatureDisagreement = widest(temperature, mean('Temp_pH_Probe'), mean('Temp_DO_Probe'))
      derived.pressureDeviation = difference(mean('Reactor_Pressure'), settings.ambientPressureBar)
      return {
        derived,
        phase,
        depletionConfirmedMs: confirmedMs,
        hours,
        inoculumOd: inoculumOd(),
      }
    },
  }

  function workingVolumeL(): number {
    const inoculumMl = inoculation?.volumeMl
    return settings.mediumVolumeL + (inoculumMl === undefined ? settings.inoculumVolumeL : inoculumMl / 1000)
  }

  function inoculumOd(): number | undefined {
    if (inoculation?.od600 === undefined || inoculation.volumeMl === undefined) return undefined
    return (inoculation.od600 * inoculation.volumeMl) / 1000 / workingVolumeL()
  }

  function volumeAt(toMs: number): number | undefined {
    const inoculated = inoculation !== undefined && inoculation.atMs <= toMs
    const sinceMs = inoculation?.atMs ?? firstMs ?? toMs
    let samplesMl = 0
    for (const sample of samples) if (sample.atMs <= toMs) samplesMl += sample.volumeMl
    return liquidVolume({
      initialL: inoculated ? workingVolumeL() : settings.mediumVolumeL,
      samplesMl,
      baseMl: inoculated ? integrals.Base.value().total : 0,
      evaporatedG: (settings.evaporationGPerH * Math.max(0, toMs - sinceMs)) / hour,
    })
  }

  function align(oxygen: number | undefined): { before: number | undefined; now: number | undefined } {
    oxygenHistory.push(oxygen)
    if (oxygenHistory.length > settings.gasLineWindows + 2) oxygenHistory.shift()
    const at = oxygenHistory.length - 1 - settings.gasLineWindows
    return { before: oxygenHistory[at - 1], now: oxygenHistory[at] }
  }

  /** Without a DO signal the stored oxygen is unknown; its term is below 1 % but in steps, so the transfer stands. */
  function uptake(
    transfer: DerivedValue,
    oxygen: { before: number | undefined; now: number | undefined },
  ): DerivedValue {
    if (transfer.value === null || oxygen.before === undefined || oxygen.now === undefined) return transfer
    const saturation = settings.saturationMolPerL
    return {
      value: uptakeRate(
        transfer.value,
        dissolvedOxygen(oxygen.before, saturation),
        dissolvedOxygen(oxygen.now, saturation),
        windowHours,
      ),
    }
  }

  function coefficient(transfer: DerivedValue, oxygen: number | undefined, balance: GasState): DerivedValue {
    if (transfer.value === null) return transfer
    if (oxygen === undefined || balance.saturation === undefined) return missingInput
    if (transfer.value < transferFloor) return lowSignal
    const result = transferCoefficient(
      transfer.value,
      balance.saturation,
      dissolvedOxygen(oxygen, settings.saturationMolPerL),
    )
    return result.kind === 'value' ? { value: result.perH } : { value: null, reason: 'near_saturation' }
  }

  function startingBiomass(biomass: number | undefined): number | undefined {
    const od = inoculumOd()
    return od === undefined ? biomass : dryBiomass(od, settings.dryBiomass)
  }

  /** Only once the glycerol is known to be used up. */
  function closure(biomass: number | undefined): DerivedValue {
    if (confirmedMs === undefined) return { value: null, reason: 'before_depletion' }
    if (biomass === undefined || biomassAtStart === undefined) return missingInput
    const value = carbonClosure({
      carbonDioxideMolPerL: integrals.CO2.value().total,
      biomassGainGPerL: biomass - biomassAtStart,
      glycerolUsedGPerL: settings.glycerolGPerL,
    })
    return orReason(value, 'missing_input')
  }
}

const notStarted: DerivedValue = { value: null, reason: 'before_inoculation' }

const integralKeys = [
  ['CO2', { total: 'cumulativeCO2', uncovered: 'uncoveredCO2' }],
  ['O2', { total: 'cumulativeO2', uncovered: 'uncoveredO2' }],
  ['OD', { total: 'cumulativeOD', uncovered: 'uncoveredOD' }],
  ['Base', { total: 'cumulativeBase', uncovered: 'uncoveredBase' }],
  ['Torque', { total: 'cumulativeTorque', uncovered: 'uncoveredTorque' }],
  ['Temperature', { total: 'cumulativeTemperatureDeviation', uncovered: 'uncoveredTemperature' }],
] as const

const timesSixty = (perMinute: number | undefined): number | undefined =>
  perMinute === undefined ? undefined : perMinute * 60

const aboveFloor = (rate: number | null, floor: number): number | undefined =>
  rate === null || rate < floor ? undefined : rate

const slope = (value: number | undefined, reason: string | undefined): DerivedValue =>
  orReason(value, reason ?? 'window_filling')

function reasonOfRate(rate: DerivedValue, floor: number): string | undefined {
  if (rate.value === null) return rate.reason
  return rate.value < floor ? 'low_signal' : undefined
}
