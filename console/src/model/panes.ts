/** The stacked trend panes: which tags stand together, on which scale, drawn with which line. */
import { derivedTag } from './series-merge.ts'

export type LineStyle = 'solid' | 'dashed' | 'dotted' | 'dash-dot'

export type PaneLine = {
  readonly tag: string
  /** Lines on one scale share an axis. */
  readonly scale: string
  readonly style: LineStyle
  readonly ink: 'strong' | 'middle' | 'light'
}

/** The least a linear scale spans, in its unit, so that sensor noise is not blown up to fill a pane. */
export const leastSpans: Readonly<Record<string, number>> = {
  AU: 0.5,
  DO: 10,
  rpm: 100,
  air: 0.5,
  pH: 0.5,
  base: 0.02,
  Cel: 2,
  motor: 5,
  CO2: 0.5,
  O2: 1,
  flow: 0.5,
  'gas-rate': 2,
  quotient: 0.2,
  'growth-rate': 0.05,
  kLa: 50,
  'specific-rate': 0.5,
  biomass: 1,
  volume: 0.05,
  'cumulative-gas': 5,
  'cumulative-od': 1,
  'cumulative-base': 0.2,
  'cumulative-torque': 5,
  'cumulative-temperature': 0.1,
  uncovered: 60,
  closure: 10,
  'temperature-difference': 1,
  'pressure-difference': 10,
}

/** What a value is expected to stay within, drawn as thin lines and said in words. Display unit of the pane. */
export type Limits = { readonly scale: string; readonly at: readonly number[]; readonly words: string }

export type PaneDefinition = {
  readonly id: string
  readonly title: string
  readonly lines: readonly PaneLine[]
  readonly logToggle: boolean
  readonly samples: boolean
  readonly limits?: Limits
}

const line = (tag: string, scale: string, style: LineStyle, ink: PaneLine['ink']): PaneLine => ({
  tag,
  scale,
  style,
  ink,
})

export const panes: readonly PaneDefinition[] = [
  {
    id: 'od',
    title: 'OD600',
    lines: [line('OD', 'AU', 'solid', 'strong')],
    logToggle: true,
    samples: true,
  },
  {
    id: 'oxygen',
    title: 'Dissolved oxygen, agitation, air flow',
    lines: [
      line('DO', 'DO', 'solid', 'strong'),
      line('Stir_SP', 'rpm', 'dashed', 'middle'),
      line('Gas_MFC_air', 'air', 'dotted', 'light'),
    ],
    logToggle: false,
    samples: false,
  },
  {
    id: 'ph',
    title: 'pH and base',
    lines: [line('pH', 'pH', 'solid', 'strong'), line('Base_Pump_Rate', 'base', 'dashed', 'middle')],
    logToggle: false,
    samples: false,
  },
  {
    id: 'temperature',
    title: 'Temperatures',
    lines: [
      line('Temp_Broth', 'Cel', 'solid', 'strong'),
      line('Temp_pH_Probe', 'Cel', 'dashed', 'middle'),
      line('Temp_DO_Probe', 'Cel', 'dotted', 'middle'),
      line('Temp_Exhaust', 'Cel', 'dash-dot', 'light'),
      line('Temp_Stirrer_Motor', 'motor', 'dashed', 'light'),
    ],
    logToggle: false,
    samples: false,
  },
  {
    id: 'offgas',
    title: 'Off-gas CO2 and O2',
    lines: [line('Off_Gas_CO2', 'CO2', 'solid', 'strong'), line('Off_Gas_O2', 'O2', 'dashed', 'middle')],
    logToggle: false,
    samples: false,
  },
  {
    id: 'gas-flow',
    title: 'Gas flows',
    lines: [
      line('Gas_Flow_Inlet', 'flow', 'solid', 'strong'),
      line('Gas_Flow_Outlet', 'flow', 'dashed', 'middle'),
    ],
    logToggle: false,
    samples: false,
  },
]

/** Derived every 30 s; drawn only where the product derived them. */
export const derivedPanes: readonly PaneDefinition[] = [
  {
    id: 'gas-rates',
    title: 'CO2 evolution, O2 uptake and transfer rate',
    lines: [
      line(derivedTag('CER'), 'gas-rate', 'solid', 'strong'),
      line(derivedTag('OUR'), 'gas-rate', 'dashed', 'middle'),
      line(derivedTag('OTR'), 'gas-rate', 'dotted', 'light'),
    ],
    logToggle: false,
    samples: false,
  },
  {
    id: 'quotient',
    title: 'Respiratory quotient',
    lines: [line(derivedTag('RQ'), 'quotient', 'solid', 'strong')],
    logToggle: false,
    samples: false,
    // Glycerol is highly reduced: with biomass formed the elemental balance gives 0.64 to 0.77.
    limits: {
      scale: 'quotient',
      at: [0.45, 0.55, 0.85, 1],
      words: 'on glycerol 0.55 to 0.85 expected; below 0.45 or above 1.00 suspicious',
    },
  },
  {
    id: 'growth-rate',
    title: 'Specific growth rate',
    lines: [
      line(derivedTag('mu'), 'growth-rate', 'solid', 'strong'),
      line(derivedTag('muGas'), 'growth-rate', 'dashed', 'middle'),
      line(derivedTag('muCER'), 'growth-rate', 'dotted', 'light'),
    ],
    logToggle: false,
    samples: false,
    limits: {
      scale: 'growth-rate',
      at: [0.32],
      words: 'above 0.32 faster than the strain grows: contamination or a fault of the signal',
    },
  },
  {
    id: 'kla',
    title: 'Oxygen mass transfer coefficient',
    lines: [line(derivedTag('kLa'), 'kLa', 'solid', 'strong')],
    logToggle: false,
    samples: false,
  },
]

const plain = { logToggle: false, samples: false } as const

/** Derived as well; fetched and drawn when they are asked for. */
export const furtherPanes: readonly PaneDefinition[] = [
  {
    id: 'specific-rates',
    title: 'Specific O2 uptake and CO2 evolution rate',
    lines: [
      line(derivedTag('qO2'), 'specific-rate', 'solid', 'strong'),
      line(derivedTag('qCO2'), 'specific-rate', 'dashed', 'middle'),
    ],
    ...plain,
  },
  {
    id: 'biomass',
    title: 'Dry biomass and liquid volume',
    lines: [
      line(derivedTag('biomass'), 'biomass', 'solid', 'strong'),
      line(derivedTag('volume'), 'volume', 'dashed', 'middle'),
    ],
    ...plain,
  },
  {
    id: 'cumulative-gas',
    title: 'Cumulative CO2 evolved and O2 taken up',
    lines: [
      line(derivedTag('cumulativeCO2'), 'cumulative-gas', 'solid', 'strong'),
      line(derivedTag('cumulativeO2'), 'cumulative-gas', 'dashed', 'middle'),
    ],
    ...plain,
  },
  {
    id: 'cumulative-od',
    title: 'Cumulative base and integral of OD600',
    lines: [
      line(derivedTag('cumulativeBase'), 'cumulative-base', 'solid', 'strong'),
      line(derivedTag('cumulativeOD'), 'cumulative-od', 'dashed', 'middle'),
    ],
    ...plain,
  },
  {
    id: 'cumulative-torque',
    title: 'Integrals of torque and temperature deviation',
    lines: [
      line(derivedTag('cumulativeTorque'), 'cumulative-torque', 'solid', 'strong'),
      line(derivedTag('cumulativeTemperatureDeviation'), 'cumulative-temperature', 'dashed', 'middle'),
    ],
    ...plain,
  },
  {
    id: 'uncovered',
    title: 'Time that the cumulative sums do not hold',
    lines: [
      line(derivedTag('uncoveredCO2'), 'uncovered', 'solid', 'strong'),
      line(derivedTag('uncoveredO2'), 'uncovered', 'dashed', 'strong'),
      line(derivedTag('uncoveredOD'), 'uncovered', 'dotted', 'strong'),
      line(derivedTag('uncoveredBase'), 'uncovered', 'solid', 'light'),
      line(derivedTag('uncoveredTorque'), 'uncovered', 'dashed', 'light'),
      line(derivedTag('uncoveredTemperature'), 'uncovered', 'dotted', 'light'),
    ],
    ...plain,
  },
  {
    id: 'closure',
    title: 'Closure of the carbon and the gas balance',
    lines: [
      line(derivedTag('carbonClosure'), 'closure', 'solid', 'strong'),
      line(derivedTag('gasClosure'), 'closure', 'dashed', 'middle'),
    ],
    ...plain,
    limits: {
      scale: 'closure',
      at: [90, 95, 105, 110],
      words: 'carbon closes within 90 to 110 %, the metered outlet flow within 95 to 105 %',
    },
  },
  {
    id: 'differences',
    title: 'Temperature differences and headspace pressure',
    lines: [
      line(derivedTag('temperatureToExhaust'), 'temperature-difference', 'solid', 'strong'),
      line(derivedTag('temperatureDisagreement'), 'temperature-difference', 'dashed', 'middle'),
      line(derivedTag('pressureDeviation'), 'pressure-difference', 'dotted', 'light'),
    ],
    ...plain,
  },
]

const tagsOf = (definitions: readonly PaneDefinition[]): string[] =>
  definitions.flatMap((pane) => pane.lines.map(({ tag }) => tag))
export const derivedTags: readonly string[] = tagsOf(derivedPanes)
export const furtherTags: readonly string[] = tagsOf(furtherPanes)

/**
 * Lines on one scale share an axis only in one unit: a tag that came in another unit than the first line of its scale
 * gets a scale, and an axis, of its own.
 */
export function scalesByUnit<Line extends PaneLine & { readonly unitLabel: string }>(
  lines: readonly Line[],
): Line[] {
  const unitOf = new Map<string, string>()
  return lines.map((line) => {
    const known = unitOf.get(line.scale)
    if (known === undefined) unitOf.set(line.scale, line.unitLabel)
    return known === undefined || known === line.unitLabel
      ? line
      : { ...line, scale: `${line.scale} in ${line.unitLabel}` }
  })
}

export const chartedTags: readonly string[] = tagsOf(panes)

/** The six of the tiles, in reading order; all others stand in the table. */
export const tileTags: readonly string[] = ['pH', 'DO', 'Temp_Broth', 'OD', 'Off_Gas_CO2', 'Stir_SP']
