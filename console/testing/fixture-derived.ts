/** Derived values of the made-up batch. Nothing here is shipped. */
import type { DerivedSeries } from '../src/api/answers.ts'
import { at, cleanValue, type Fixture } from './fixture-batch.ts'

export const windowSeconds = 30
const rate = { unit: 'mol/L/h', displayUnit: 'mmol/L/h', displayFactor: 1000, decimals: 2 }
const growthRate = { unit: '/h', displayUnit: '1/h', displayFactor: 1, decimals: 3 }
const specificRate = { unit: 'mol/g/h', displayUnit: 'mmol/g/h', displayFactor: 1000, decimals: 2 }
const cumulative = { unit: 'mol/L', displayUnit: 'mmol/L', displayFactor: 1000, decimals: 1 }
const closure = { unit: 'mol/mol', displayUnit: '%', displayFactor: 100, decimals: 1 }
const plainUnit = (unit: string, decimals: number) => ({
  unit,
  displayUnit: unit,
  displayFactor: 1,
  decimals,
})
/** As the answers of the product describe them. */
const derivedQuantities = [
  { key: 'CER', label: 'Carbon dioxide evolution rate', ...rate },
  { key: 'OUR', label: 'Oxygen uptake rate', ...rate },
  {
    key: 'RQ',
    label: 'Respiratory quotient',
    unit: 'mol/mol',
    displayUnit: 'mol/mol',
    displayFactor: 1,
    decimals: 3,
  },
  { key: 'mu', label: 'Specific growth rate (online OD)', ...growthRate },
  { key: 'muGas', label: 'Specific growth rate (OUR)', ...growthRate },
  {
    key: 'kLa',
    label: 'O2 mass transfer coefficient',
    unit: '/h',
    displayUnit: '1/h',
    displayFactor: 1,
    decimals: 0,
  },
  { key: 'OTR', label: 'Oxygen transfer rate', ...rate },
  { key: 'muCER', label: 'Specific growth rate (CER)', ...growthRate },
  { key: 'qO2', label: 'Specific oxygen uptake rate', ...specificRate },
  { key: 'qCO2', label: 'Specific carbon dioxide evolution rate', ...specificRate },
  { key: 'biomass', label: 'Dry biomass (from online OD)', ...plainUnit('g/L', 2) },
  { key: 'volume', label: 'Liquid volume', ...plainUnit('L', 3) },
  { key: 'cumulativeCO2', label: 'Cumulative CO2 evolved', ...cumulative },
  { key: 'cumulativeO2', label: 'Cumulative O2 taken up', ...cumulative },
  { key: 'cumulativeOD', label: 'Integral of online OD600', ...plainUnit('AU·h', 1) },
  { key: 'cumulativeBase', label: 'Cumulative base', ...plainUnit('mL', 2) },
  { key: 'cumulativeTorque', label: 'Integral of stirrer torque', ...plainUnit('%·h', 0) },
  { key: 'cumulativeTemperatureDeviation', label: 'Integral of |T − setpoint|', ...plainUnit('°C·h', 2) },
  { key: 'uncoveredCO2', label: 'Seconds not in cumulative CO2', ...plainUnit('s', 0) },
  { key: 'uncoveredO2', label: 'Seconds not in cumulative O2', ...plainUnit('s', 0) },
  { key: 'uncoveredOD', label: 'Seconds not in the OD integral', ...plainUnit('s', 0) },
  { key: 'uncoveredBase', label: 'Seconds not in cumulative base', ...plainUnit('s', 0) },
  { key: 'uncoveredTorque', label: 'Seconds not in the torque integral', ...plainUnit('s', 0) },
  { key: 'uncoveredTemperature', label: 'Seconds not in the temperature integral', ...plainUnit('s', 0) },
  { key: 'carbonClosure', label: 'Carbon recovered of the glycerol used', ...closure },
  { key: 'gasClosure', label: 'Metered outlet flow of the balanced one', ...closure },
  { key: 'temperatureToExhaust', label: 'Broth minus exhaust temperature', ...plainUnit('°C', 2) },
  {
    key: 'temperatureDisagreement',
    label: 'Widest disagreement of the immersed temperatures',
    ...plainUnit('°C', 2),
  },
  {
    key: 'pressureDeviation',
    label: 'Headspace minus ambient pressure',
    unit: 'bar',
    displayUnit: 'mbar',
    displayFactor: 1000,
    decimals: 0,
  },
]
/** Rates after the made-up off-gas, in the stored unit; RQ has no value while the signal is weak. */
function derivedAt(key: string, second: number): { value: number | null; reason?: string } {
  const hours = second / 3600
  const carbonDioxide = 0.0268 * Math.max(0, cleanValue('Off_Gas_CO2', hours) - 0.04)
  const oxygen = 0.0268 * Math.max(0, 20.95 - cleanValue('Off_Gas_O2', hours))
  switch (key) {
    case 'CER':
      return { value: carbonDioxide }
    case 'OUR':
      return { value: oxygen }
    case 'RQ':
      return hours < 4 ? { value: null, reason: 'low_signal' } : { value: carbonDioxide / oxygen }
    case 'mu':
      return hours < 0.4 ? { value: null, reason: 'window_not_filled' } : { value: growth(hours) }
    case 'muGas':
      return hours < 4 ? { value: null, reason: 'low_signal' } : { value: growth(hours) * 1.04 }
    case 'kLa':
      return hours < 8 ? { value: null, reason: 'driving_force_too_small' } : { value: 4000 * oxygen + 120 }
    case 'OTR':
      return { value: oxygen }
    case 'muCER':
      return hours < 4 ? { value: null, reason: 'low_signal' } : { value: growth(hours) * 0.98 }
    case 'qO2':
      return { value: oxygen / biomass(hours) }
    case 'qCO2':
      return { value: carbonDioxide / biomass(hours) }
    case 'biomass':
      return { value: biomass(hours) }
    case 'volume':
      return { value: 1 - 0.0006 * hours - 0.01 * Math.floor(hours / 2) }
    case 'cumulativeCO2':
      return { value: carbonDioxide * 4 }
    case 'cumulativeO2':
      return { value: oxygen * 4 }
    case 'cumulativeOD':
      return { value: cleanValue('OD', hours) * 4 }
    case 'cumulativeBase':
      return { value: hours * 0.3 }
    case 'cumulativeTorque':
      return { value: hours * 13 }
    case 'cumulativeTemperatureDeviation':
      return { value: hours * 0.03 }
    case 'carbonClosure':
      return hours < 4 ? { value: null, reason: 'low_signal' } : { value: 0.98 + 0.01 * Math.sin(hours) }
    case 'gasClosure':
      return { value: null, reason: 'missing_input' }
    case 'temperatureToExhaust':
      return { value: cleanValue('Temp_Broth', hours) - cleanValue('Temp_Exhaust', hours) }
    case 'temperatureDisagreement':
      return { value: 0.1 }
    case 'pressureDeviation':
      return { value: 0.007 }
    case 'uncoveredO2':
      return { value: hours < 5.6 ? 0 : 479 }
    default:
      return { value: 0 }
  }
}

const biomass = (hours: number): number => 0.4 * cleanValue('OD', hours)

const growth = (hours: number): number =>
  (Math.log(cleanValue('OD', hours + 0.2)) - Math.log(cleanValue('OD', hours - 0.2))) / 0.4

export function derivedOf(
  fixture: Fixture,
  key: string,
  from: number | undefined,
  to: number | undefined,
  points: number,
): Omit<DerivedSeries, 'asOf'> | undefined {
  const quantity = derivedQuantities.find((known) => known.key === key)
  if (!quantity) return undefined
  const first = Math.max(windowSeconds, Math.ceil(((from ?? fixture.startMs) - fixture.startMs) / 1000))
  const last = Math.min(fixture.seconds, ((to ?? Number.POSITIVE_INFINITY) - fixture.startMs) / 1000)
  const stride = Math.max(1, Math.ceil((last - first) / windowSeconds / points)) * windowSeconds
  const seconds: number[] = []
  for (let second = Math.ceil(first / stride) * stride; second <= last; second += stride) seconds.push(second)
  const { label, unit, displayUnit, displayFactor, decimals } = quantity
  return {
    key,
    label,
    unit,
    displayUnit,
    displayFactor,
    decimals,
    reduced: stride > windowSeconds,
    reduce: 'minmax',
    bucketSeconds: stride > windowSeconds ? stride : null,
    sourceCount: Math.floor((last - first) / windowSeconds),
    points: seconds.map((second) => {
      const derived = derivedAt(key, second)
      return {
        at: at(fixture, second),
        ...derived,
        quality: derived.value === null ? ('missing' as const) : ('good' as const),
        position: String(second * 20 + 114),
      }
    }),
  }
}

/** Of one window, by key. */
export const derivedValues = (second: number) =>
  Object.fromEntries(derivedQuantities.map(({ key }) => [key, derivedAt(key, second)]))
