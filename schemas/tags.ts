/**
 * The tag registry: the 19 signals of a vessel, their aliases, UCUM units, operating ranges and hard bounds.
 * Source: the process description of the Pichia pastoris glycerol batch; the hard bounds of DO and off-gas O2
 * are the corrected ones (a calibrated DO probe reads above 100 %, O2 enrichment lifts off-gas O2 above 25 %).
 * An unknown tag is never guessed: it is quarantined.
 */
export type TagDefinition = {
  readonly tag: string
  readonly label: string
  /** UCUM code; what is stored. */
  readonly unit: string
  /** How the unit is written for people. */
  readonly unitLabel: string
  /** Other spellings of the unit that mean exactly the same. */
  readonly unitAliases: readonly string[]
  /**
   * Other units a source may send. Such a value is stored as it was sent, in that unit (raw data are never
   * converted); `factor` turns it into `unit` for the bounds. A series keeps the unit of its first reading.
   */
  readonly otherUnits?: readonly { readonly unit: string; readonly factor: number }[]
  /** Other names under `…/sensors/`, compared without case. */
  readonly aliases: readonly string[]
  readonly operatingRange: readonly [number, number]
  /** Outside these a value is impossible: stored with quality `bad` and an alarm. Inclusive. */
  readonly hardBounds: readonly [number, number]
  readonly cadenceSeconds: number
  readonly kind: 'sensor' | 'setpoint' | 'actuator'
  readonly decimals: number
}

export const tagDefinitions = [
  {
    tag: 'pH',
    label: 'pH',
    unit: '[pH]',
    unitLabel: 'pH',
    unitAliases: ['pH', '1', ''],
    aliases: ['ph'],
    operatingRange: [3, 8],
    hardBounds: [2, 10],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 2,
  },
  {
    tag: 'DO',
    label: 'Dissolved oxygen',
    unit: '%',
    unitLabel: '% air sat.',
    unitAliases: ['%{sat}', '% sat', '% air sat.', 'percent'],
    aliases: ['do', 'pO2'],
    operatingRange: [0, 100],
    hardBounds: [-5, 200],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 1,
  },
  {
    tag: 'OD',
    label: 'OD600 (online)',
    unit: '{AU}',
    unitLabel: 'AU',
    unitAliases: ['AU', 'AU600', '[AU]', '{AU600}'],
    aliases: ['od600', 'od'],
    operatingRange: [0, 60],
    hardBounds: [0, 100],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 2,
  },
  {
    tag: 'Gas_MFC_air',
    label: 'Air flow (MFC)',
    unit: 'L/min',
    unitLabel: 'L/min',
    unitAliases: ['l/min', 'L/Min', 'slpm', 'SLPM'],
    otherUnits: [{ unit: 'L/h', factor: 1 / 60 }],
    aliases: [],
    operatingRange: [0, 2],
    hardBounds: [0, 3],
    cadenceSeconds: 1,
    kind: 'actuator',
    decimals: 3,
  },
  {
    tag: 'Stir_SP',
    label: 'Agitation setpoint',
    unit: '{rpm}',
    unitLabel: 'rpm',
    unitAliases: ['rpm', '/min', '1/min', '{rev}/min'],
    aliases: [],
    operatingRange: [200, 1000],
    hardBounds: [0, 1200],
    cadenceSeconds: 1,
    kind: 'setpoint',
    decimals: 0,
  },
  {
    tag: 'Stir_torque',
    label: 'Stirrer torque',
    unit: '%',
    unitLabel: '%',
    unitAliases: ['percent'],
    aliases: [],
    operatingRange: [0, 100],
    hardBounds: [0, 100],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 1,
  },
  {
    tag: 'Reactor_Pressure',
    label: 'Headspace pressure (abs.)',
    unit: 'bar',
    unitLabel: 'bar',
    unitAliases: [],
    otherUnits: [
      { unit: 'kPa', factor: 0.01 },
      { unit: 'mbar', factor: 0.001 },
    ],
    aliases: ['pressure/headspace', 'headspace'],
    operatingRange: [0.9, 1.5],
    hardBounds: [0.8, 1.6],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 3,
  },
  {
    tag: 'Temp_Broth',
    label: 'Broth temperature',
    unit: 'Cel',
    unitLabel: '°C',
    unitAliases: ['°C', 'C', 'degC', 'celsius'],
    aliases: ['temperature/broth', 'broth'],
    operatingRange: [25, 35],
    hardBounds: [20, 40],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 2,
  },
  {
    tag: 'Temp_pH_Probe',
    label: 'pH probe temperature',
    unit: 'Cel',
    unitLabel: '°C',
    unitAliases: ['°C', 'C', 'degC', 'celsius'],
    aliases: ['temperature/ph_probe', 'ph_probe'],
    operatingRange: [25, 35],
    hardBounds: [20, 40],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 2,
  },
  {
    tag: 'Temp_DO_Probe',
    label: 'DO probe temperature',
    unit: 'Cel',
    unitLabel: '°C',
    unitAliases: ['°C', 'C', 'degC', 'celsius'],
    aliases: ['temperature/do_probe', 'do_probe'],
    operatingRange: [25, 35],
    hardBounds: [20, 40],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 2,
  },
  {
    tag: 'Temp_Stirrer_Motor',
    label: 'Stirrer motor temperature',
    unit: 'Cel',
    unitLabel: '°C',
    unitAliases: ['°C', 'C', 'degC', 'celsius'],
    aliases: ['temperature/stirrer_motor', 'stirrer_motor'],
    operatingRange: [20, 80],
    hardBounds: [15, 100],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 1,
  },
  {
    tag: 'Temp_Exhaust',
    label: 'Exhaust temperature',
    unit: 'Cel',
    unitLabel: '°C',
    unitAliases: ['°C', 'C', 'degC', 'celsius'],
    aliases: ['temperature/exhaust', 'exhaust'],
    operatingRange: [25, 40],
    hardBounds: [20, 50],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 2,
  },
  {
    tag: 'Base_Pump_Rate',
    label: 'Base pump rate',
    unit: 'mL/min',
    unitLabel: 'mL/min',
    unitAliases: ['ml/min'],
    aliases: [],
    operatingRange: [0, 10],
    hardBounds: [0, 15],
    cadenceSeconds: 1,
    kind: 'actuator',
    decimals: 4,
  },
  {
    tag: 'Weight',
    label: 'Vessel weight',
    unit: 'kg',
    unitLabel: 'kg',
    unitAliases: [],
    aliases: [],
    operatingRange: [0, 10],
    hardBounds: [0, 15],
    cadenceSeconds: 10,
    kind: 'sensor',
    decimals: 3,
  },
  {
    tag: 'Heater_PID_out',
    label: 'Heater output',
    unit: '%',
    unitLabel: '%',
    unitAliases: ['percent'],
    aliases: [],
    operatingRange: [0, 100],
    hardBounds: [0, 100],
    cadenceSeconds: 1,
    kind: 'actuator',
    decimals: 1,
  },
  {
    tag: 'Off_Gas_CO2',
    label: 'Off-gas CO2',
    unit: '%',
    unitLabel: '% v/v',
    unitAliases: ['%{vol}', '% v/v', 'percent'],
    aliases: ['offgas/co2', 'co2'],
    operatingRange: [0, 5],
    hardBounds: [0, 10],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 3,
  },
  {
    tag: 'Off_Gas_O2',
    label: 'Off-gas O2',
    unit: '%',
    unitLabel: '% v/v',
    unitAliases: ['%{vol}', '% v/v', 'percent'],
    aliases: ['offgas/o2', 'o2'],
    operatingRange: [15, 30],
    hardBounds: [0, 60],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 3,
  },
  {
    tag: 'Gas_Flow_Inlet',
    label: 'Gas flow in',
    unit: 'L/min',
    unitLabel: 'L/min',
    unitAliases: ['l/min', 'slpm', 'SLPM'],
    otherUnits: [{ unit: 'L/h', factor: 1 / 60 }],
    aliases: ['offgas/flow_in', 'flow_in'],
    operatingRange: [0, 2],
    hardBounds: [0, 3],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 3,
  },
  {
    tag: 'Gas_Flow_Outlet',
    label: 'Gas flow out',
    unit: 'L/min',
    unitLabel: 'L/min',
    unitAliases: ['l/min', 'slpm', 'SLPM'],
    otherUnits: [{ unit: 'L/h', factor: 1 / 60 }],
    aliases: ['offgas/flow_out', 'flow_out'],
    operatingRange: [0, 2.5],
    hardBounds: [0, 3.5],
    cadenceSeconds: 1,
    kind: 'sensor',
    decimals: 3,
  },
] as const satisfies readonly TagDefinition[]

export type Tag = (typeof tagDefinitions)[number]['tag']

const byName = new Map<string, TagDefinition>()
for (const definition of tagDefinitions)
  for (const name of [definition.tag, ...definition.aliases]) byName.set(name.toLowerCase(), definition)

/** The definition for a canonical tag or one of its aliases (without regard to case), or undefined. */
export const findTag = (name: string): TagDefinition | undefined => byName.get(name.toLowerCase())

/**
 * The UCUM unit and factor to the tag's own unit that `unit` stands for, or undefined when it is none of the
 * tag's units. Matching is exact; nothing is converted silently.
 */
export function resolveUnit(
  definition: TagDefinition,
  unit: string,
): { unit: string; factor: number } | undefined {
  if (unit === definition.unit || definition.unitAliases.includes(unit))
    return { unit: definition.unit, factor: 1 }
  return definition.otherUnits?.find((other) => other.unit === unit)
}
