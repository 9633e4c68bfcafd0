/**
 * The quantities derived in each window: key, name, unit and how to draw it. Events, telemetry, read models and
 * charts take them from here. Rates are stored in mol/L/h; people read mmol/L/h: value × displayFactor.
 */
export type DerivedQuantity = {
  readonly key: string
  readonly label: string
  /** UCUM code of the stored value. */
  readonly unit: string
  readonly displayUnit: string
  readonly displayFactor: number
  readonly decimals: number
  /** Quantities with the same axis can share one on a chart. */
  readonly axis: string
  /** Range an empty chart shows, in display units. */
  readonly axisRange: readonly [number, number]
}

const rate = { unit: 'mol/L/h', displayUnit: 'mmol/L/h', displayFactor: 1000, decimals: 2 } as const
const specificRate = {
  unit: 'mol/g/h',
  displayUnit: 'mmol/g/h',
  displayFactor: 1000,
  decimals: 2,
  axis: 'specific-rate',
  axisRange: [0, 8],
} as const
const growth = {
  unit: '/h',
  displayUnit: '1/h',
  displayFactor: 1,
  decimals: 3,
  axis: 'growth-rate',
  axisRange: [-0.05, 0.35],
} as const
const uncovered = {
  unit: 's',
  displayUnit: 's',
  displayFactor: 1,
  decimals: 0,
  axis: 'uncovered',
  axisRange: [0, 3600],
} as const

export const derivedQuantities = [
  { key: 'CER', label: 'Carbon dioxide evolution rate', ...rate, axis: 'gas-rate', axisRange: [0, 140] },
  { key: 'OUR', label: 'Oxygen uptake rate', ...rate, axis: 'gas-rate', axisRange: [0, 140] },
  { key: 'OTR', label: 'Oxygen transfer rate', ...rate, axis: 'gas-rate', axisRange: [0, 140] },
  {
    key: 'RQ',
    label: 'Respiratory quotient (CER/OUR)',
    unit: 'mol/mol',
    displayUnit: 'mol/mol',
    displayFactor: 1,
    decimals: 3,
    axis: 'quotient',
    axisRange: [0.4, 1.1],
  },
  {
    key: 'kLa',
    label: 'Volumetric mass transfer coefficient of O2',
    unit: '/h',
    displayUnit: '1/h',
    displayFactor: 1,
    decimals: 0,
    axis: 'kLa',
    axisRange: [0, 1500],
  },
  { key: 'mu', label: 'Specific growth rate (online OD)', ...growth },
  { key: 'muGas', label: 'Specific growth rate (OUR)', ...growth },
  { key: 'muCER', label: 'Specific growth rate (CER)', ...growth },
  { key: 'qO2', label: 'Specific oxygen uptake rate', ...specificRate },
  { key: 'qCO2', label: 'Specific carbon dioxide evolution rate', ...specificRate },
  {
    key: 'biomass',
    label: 'Dry biomass (from online OD)',
    unit: 'g/L',
    displayUnit: 'g/L',
    displayFactor: 1,
    decimals: 2,
    axis: 'biomass',
    axisRange: [0, 30],
  },
  {
    key: 'volume',
    label: 'Liquid volume',
    unit: 'L',
    displayUnit: 'L',
    displayFactor: 1,
    decimals: 3,
    axis: 'volume',
    axisRange: [0.8, 1.1],
  },
  {
    key: 'cumulativeCO2',
    label: 'Cumulative CO2 evolved',
    unit: 'mol/L',
    displayUnit: 'mmol/L',
    displayFactor: 1000,
    decimals: 1,
    axis: 'cumulative-gas',
    axisRange: [0, 700],
  },
  {
    key: 'cumulativeO2',
    label: 'Cumulative O2 taken up',
    unit: 'mol/L',
    displayUnit: 'mmol/L',
    displayFactor: 1000,
    decimals: 1,
    axis: 'cumulative-gas',
    axisRange: [0, 700],
  },
  {
    key: 'cumulativeOD',
    label: 'Integral of online OD600',
    unit: '{AU}.h',
    displayUnit: 'AU·h',
    displayFactor: 1,
    decimals: 1,
    axis: 'cumulative-od',
    axisRange: [0, 250],
  },
  {
    key: 'cumulativeBase',
    label: 'Cumulative base',
    unit: 'mL',
    displayUnit: 'mL',
    displayFactor: 1,
    decimals: 2,
    axis: 'base',
    axisRange: [0, 12],
  },
  {
    key: 'cumulativeTorque',
    label: 'Integral of stirrer torque',
    unit: '%.h',
    displayUnit: '%·h',
    displayFactor: 1,
    decimals: 0,
    axis: 'cumulative-torque',
    axisRange: [0, 500],
  },
  {
    key: 'cumulativeTemperatureDeviation',
    label: 'Integral of |T − setpoint|',
    unit: 'Cel.h',
    displayUnit: '°C·h',
    displayFactor: 1,
    decimals: 2,
    axis: 'cumulative-temperature',
    axisRange: [0, 5],
  },
  { key: 'uncoveredCO2', label: 'Seconds not in cumulative CO2', ...uncovered },
  { key: 'uncoveredO2', label: 'Seconds not in cumulative O2', ...uncovered },
  { key: 'uncoveredOD', label: 'Seconds not in the OD integral', ...uncovered },
  { key: 'uncoveredBase', label: 'Seconds not in cumulative base', ...uncovered },
  { key: 'uncoveredTorque', label: 'Seconds not in the torque integral', ...uncovered },
  { key: 'uncoveredTemperature', label: 'Seconds not in the temperature integral', ...uncovered },
  {
    key: 'carbonClosure',
    label: 'Carbon recovered of the glycerol used',
    unit: 'mol/mol',
    displayUnit: '%',
    displayFactor: 100,
    decimals: 1,
    axis: 'closure',
    axisRange: [80, 120],
  },
  {
    key: 'gasClosure',
    label: 'Metered outlet flow of the balanced one',
    unit: 'mol/mol',
    displayUnit: '%',
    displayFactor: 100,
    decimals: 1,
    axis: 'closure',
    axisRange: [80, 120],
  },
  {
    key: 'temperatureToExhaust',
    label: 'Broth minus exhaust temperature',
    unit: 'Cel',
    displayUnit: '°C',
    displayFactor: 1,
    decimals: 2,
    axis: 'temperature-difference',
    axisRange: [-5, 5],
  },
  {
    key: 'temperatureDisagreement',
    label: 'Widest disagreement of the immersed temperatures',
    unit: 'Cel',
    displayUnit: '°C',
    displayFactor: 1,
    decimals: 2,
    axis: 'temperature-difference',
    axisRange: [-5, 5],
  },
  {
    key: 'pressureDeviation',
    label: 'Headspace minus ambient pressure',
    unit: 'bar',
    displayUnit: 'mbar',
    displayFactor: 1000,
    decimals: 0,
    axis: 'pressure-difference',
    axisRange: [-150, 150],
  },
] as const satisfies readonly DerivedQuantity[]

export type DerivedKey = (typeof derivedQuantities)[number]['key']

const byKey = new Map<string, DerivedQuantity>(derivedQuantities.map((quantity) => [quantity.key, quantity]))

export const findDerivedQuantity = (key: string): DerivedQuantity | undefined => byKey.get(key)
