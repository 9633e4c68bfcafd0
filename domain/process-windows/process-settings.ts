/**
 * What the derived quantities need to know of a vessel and its process beyond its readings. The defaults are those
 * of the process description; a laboratory with other instruments states its own.
 */
import { molarVolume } from '../process-maths/gas-balance.ts'

export type ProcessSettings = {
  /** L/mol at the reference condition of the mass-flow controllers. */
  readonly molarVolumeLPerMol: number
  /** mol/mol of the oxygen supply. */
  readonly oxygenPurity: number
  /** Water in the gas at the analyser; undefined when it is dried before. Relative humidity 0 to 1. */
  readonly analyserHumidity:
    | { readonly relativeHumidity: number; readonly celsius: number; readonly pressureKPa: number }
    | undefined
  /** What the O2 analyser shows on air, mol/mol: its gain is set so that it shows 0.2095. */
  readonly oxygenShownOnAir: number
  /** Whole windows by which the analyser lags the dissolved-oxygen probe (gas line and cell). */
  readonly gasLineWindows: number
  /** Broth saturated with air at 100 % of the probe, mol/L (30 °C, 1.013 bar, salt medium). */
  readonly saturationMolPerL: number
  /** Headspace pressure at the calibration of the probe, bar. */
  readonly calibrationPressureBar: number
  readonly mediumVolumeL: number
  /** Until the inoculation states its own. */
  readonly inoculumVolumeL: number
  /** g/h, taken as mL/h. */
  readonly evaporationGPerH: number
  /** Dry biomass = gPerLPerOd × OD600 + offsetGPerL. */
  readonly dryBiomass: { readonly gPerLPerOd: number; readonly offsetGPerL: number }
  readonly temperatureSetpointCelsius: number
  /** Glycerol in the medium at T = 0, g/L. */
  readonly glycerolGPerL: number
  /** Barometric pressure, bar. */
  readonly ambientPressureBar: number
}

export const defaultProcessSettings: ProcessSettings = {
  molarVolumeLPerMol: molarVolume.at20C1013mbar,
  oxygenPurity: 0.995,
  analyserHumidity: undefined,
  oxygenShownOnAir: 0.2095,
  gasLineWindows: 2,
  saturationMolPerL: 0.222e-3,
  calibrationPressureBar: 1.013,
  mediumVolumeL: 0.9,
  inoculumVolumeL: 0.1,
  evaporationGPerH: 1,
  dryBiomass: { gPerLPerOd: 0.4, offsetGPerL: 0 },
  temperatureSetpointCelsius: 30,
  glycerolGPerL: 40,
  ambientPressureBar: 1.013,
}
