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
}

export type PaneDefinition = {
  readonly id: string
  readonly title: string
  readonly lines: readonly PaneLine[]
  readonly logToggle: boolean
  readonly samples: boolean
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
    title: 'CO2 evolution and O2 uptake rate',
    lines: [
      line(derivedTag('CER'), 'gas-rate', 'solid', 'strong'),
      line(derivedTag('OUR'), 'gas-rate', 'dashed', 'middle'),
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
  },
  {
    id: 'growth-rate',
    title: 'Specific growth rate',
    lines: [
      line(derivedTag('mu'), 'growth-rate', 'solid', 'strong'),
      line(derivedTag('muGas'), 'growth-rate', 'dashed', 'middle'),
    ],
    logToggle: false,
    samples: false,
  },
  {
    id: 'kla',
    title: 'Oxygen mass transfer coefficient',
    lines: [line(derivedTag('kLa'), 'kLa', 'solid', 'strong')],
    logToggle: false,
    samples: false,
  },
]
export const derivedTags: readonly string[] = derivedPanes.flatMap((pane) => pane.lines.map(({ tag }) => tag))

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

export const chartedTags: readonly string[] = panes.flatMap((pane) => pane.lines.map(({ tag }) => tag))

/** The six of the tiles, in reading order; all others stand in the table. */
export const tileTags: readonly string[] = ['pH', 'DO', 'Temp_Broth', 'OD', 'Off_Gas_CO2', 'Stir_SP']
