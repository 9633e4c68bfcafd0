/**
 * The gas side of one window: from flows and analyser readings to CER, OTR, saturation and the outlet's closure.
 *
 * Oxygen enrichment without its own flow tag shows itself: the inlet meter reads more than the air controller, or
 * the exhaust holds more oxygen than air does. Then nobody knows how much oxygen came in, and OTR, OUR and RQ are
 * withheld; the inert gas still came with the air alone, so CER stands.
 */
import { airComposition, dryFraction, flowClosure, gasExchange } from '../process-maths/gas-balance.ts'
import { effectiveSaturation } from '../process-maths/oxygen-transfer.ts'
import type { ProcessSettings } from './process-settings.ts'
import type { DerivedValue } from './process-window.ts'

export type GasSignals = {
  /** L/min at the controllers' reference; undefined where there is no usable signal. */
  readonly air: number | undefined
  readonly inlet: number | undefined
  readonly oxygen: number | undefined
  readonly outlet: number | undefined
  /** % v/v as the analysers show. */
  readonly oxygenOut: number | undefined
  readonly carbonDioxideOut: number | undefined
  readonly pressureBar: number | undefined
  /** Undefined when the volume balance makes no sense. */
  readonly volumeL: number | undefined
}

export type GasState = {
  readonly evolution: DerivedValue
  readonly transfer: DerivedValue
  readonly closure: DerivedValue
  /** C* over this exhaust, mol/L. */
  readonly saturation: number | undefined
}

/** An inlet above the air flow by more than this (L/min, and a part of it) is enrichment. */
const enrichmentFlow = { absolute: 0.01, relative: 0.005 }
/** More oxygen than in air by more than the analyser's error, mol/mol. */
const enrichmentFraction = airComposition.oxygen + 0.002
/** Windows until the headspace and the gas line hold no enriched gas any more (5 min). */
const enrichmentWindows = 10

export function vesselGas(settings: ProcessSettings): { close: (signals: GasSignals) => GasState } {
  let windowsEnriched = 0

  return {
    close: (signals) => {
      const { oxygenOut: shownOxygen, carbonDioxideOut: shownCarbonDioxide, outlet } = signals
      const air = signals.air ?? signals.inlet
      if (air === undefined || shownOxygen === undefined || shownCarbonDioxide === undefined)
        return nothing('missing_input')
      const oxygen = dry((shownOxygen / 100) * (airComposition.oxygen / settings.oxygenShownOnAir))
      const carbonDioxide = dry(shownCarbonDioxide / 100)
      if (!(air > 0)) return nothing('no_air_flow')
      if (signals.volumeL === undefined) return nothing('implausible_volume')
      if (oxygen + carbonDioxide >= 0.99) return nothing('implausible_gas')
      const exchange = gasExchange(
        {
          airFlowLPerMin: air,
          oxygenFlowLPerMin: signals.oxygen ?? 0,
          oxygenPurity: settings.oxygenPurity,
          molarVolumeLPerMol: settings.molarVolumeLPerMol,
        },
        { oxygen, carbonDioxide },
        signals.volumeL,
      )
      windowsEnriched = isEnriched(signals, oxygen) ? enrichmentWindows : Math.max(0, windowsEnriched - 1)
      const enriched = signals.oxygen === undefined && windowsEnriched > 0
      const saturation =
        signals.pressureBar === undefined
          ? undefined
          : effectiveSaturation({
              saturationMolPerL: settings.saturationMolPerL,
              oxygenOut: oxygen,
              pressureBar: signals.pressureBar,
              calibrationPressureBar: settings.calibrationPressureBar,
            })
      return {
        evolution: { value: exchange.carbonDioxideEvolutionRate },
        transfer: enriched
          ? { value: null, reason: 'oxygen_flow_unknown' }
          : { value: exchange.oxygenUptakeRate },
        closure: closureOf(outlet, exchange.flowOut, enriched),
        saturation,
      }
    },
  }

  function dry(fraction: number): number {
    const humidity = settings.analyserHumidity
    if (!humidity) return fraction
    return dryFraction(fraction, humidity.relativeHumidity, humidity.celsius, humidity.pressureKPa)
  }

  function closureOf(outlet: number | undefined, flowOut: number, enriched: boolean): DerivedValue {
    if (outlet === undefined) return { value: null, reason: 'missing_input' }
    if (enriched) return { value: null, reason: 'oxygen_flow_unknown' }
    return { value: flowClosure((60 * outlet) / settings.molarVolumeLPerMol, flowOut).ratio }
  }
}

function isEnriched(signals: GasSignals, oxygenOut: number): boolean {
  if (oxygenOut > enrichmentFraction) return true
  const { air, inlet } = signals
  if (air === undefined || inlet === undefined) return false
  return inlet - air > enrichmentFlow.absolute + enrichmentFlow.relative * air
}

function nothing(reason: string): GasState {
  const none: DerivedValue = { value: null, reason }
  return { evolution: none, transfer: none, closure: none, saturation: undefined }
}
