/**
 * Which column of a CSV file is which tag and unit, where its time stands and when T = 0 was: a JSON file, or, for
 * the shape of the shipped K. phaffii off-gas files, the map below.
 */
import { z } from 'zod'
import { findTag, resolveUnit } from '../../schemas/tags.ts'
import { SimulationError } from '../simulation-error.ts'
import { timeFormat } from './local-time.ts'

const columnMapSchema = z.strictObject({
  /** Line of the header, from 1; 0: no header, columns are named "1", "2", … */
  headerRow: z.int().min(0).default(1),
  delimiter: z.string().min(1).max(3).default(','),
  decimal: z.enum(['.', ',']).default('.'),
  /** Cells that mean "no reading", beside the empty cell. */
  missing: z.array(z.string()).default([]),
  timestamp: z.strictObject({
    column: z.string(),
    /** See `timeFormat`. */
    format: z
      .string()
      .refine(
        (format) => timeFormat(format) !== undefined,
        'iso, epoch-seconds, epoch-milliseconds or a pattern with yyyy, MM and dd',
      )
      .default('iso'),
  }),
  /** T = 0: a time in the timestamp's format, or a column of hours after inoculation; neither: the first row. */
  inoculation: z
    .union([z.strictObject({ at: z.string() }), z.strictObject({ hoursColumn: z.string() })])
    .optional(),
  columns: z.array(z.strictObject({ column: z.string(), tag: z.string(), unit: z.string() })).min(1),
  /** Columns that are no readings; `others` for all that are not named. */
  ignore: z.union([z.array(z.string()), z.literal('others')]).default([]),
})
export type ColumnMap = z.infer<typeof columnMapSchema>

const shippedHeader = [
  'timestamp',
  'hours_after_inoculation',
  'offgas_co2_percent',
  'offgas_o2_percent',
  'gas_flow_outlet_l_per_h',
  'gas_flow_inlet_l_per_h',
]

export const shippedMap: ColumnMap = columnMapSchema.parse({
  timestamp: { column: 'timestamp' },
  inoculation: { hoursColumn: 'hours_after_inoculation' },
  columns: [
    { column: 'offgas_co2_percent', tag: 'Off_Gas_CO2', unit: '%' },
    { column: 'offgas_o2_percent', tag: 'Off_Gas_O2', unit: '%' },
    { column: 'gas_flow_outlet_l_per_h', tag: 'Gas_Flow_Outlet', unit: 'L/h' },
    { column: 'gas_flow_inlet_l_per_h', tag: 'Gas_Flow_Inlet', unit: 'L/h' },
  ],
})

/** The map that goes with this header when nobody gave one; undefined for an unknown shape. */
export function recognise(header: readonly string[]): ColumnMap | undefined {
  return header.length === shippedHeader.length &&
    header.every((name, index) => name === shippedHeader[index])
    ? shippedMap
    : undefined
}

/** A map from JSON text. Throws `bad-map` naming field, value and rule. */
export function readColumnMap(text: string, name: string): ColumnMap {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw badMap(name, '(whole file)', undefined, `JSON: ${(error as Error).message}`)
  }
  const checked = columnMapSchema.safeParse(json)
  if (!checked.success) {
    const issue = checked.error.issues[0]
    const path = issue?.path ?? []
    throw badMap(
      name,
      path.join('.') || '(whole file)',
      valueAt(json, path),
      issue?.message ?? 'a column map',
    )
  }
  checkTags(checked.data, name)
  return checked.data
}

function checkTags(map: ColumnMap, name: string): void {
  const seenTags = new Set<string>()
  const seenColumns = new Set<string>()
  for (const [index, column] of map.columns.entries()) {
    const definition = findTag(column.tag)
    if (!definition) throw badMap(name, `columns.${index}.tag`, column.tag, 'a known tag')
    if (!resolveUnit(definition, column.unit)) {
      const units = [
        definition.unit,
        ...definition.unitAliases,
        ...(definition.otherUnits ?? []).map((other) => other.unit),
      ]
      throw badMap(
        name,
        `columns.${index}.unit`,
        column.unit,
        `a unit of ${definition.tag}: ${units.filter((unit) => unit !== '').join(', ')}`,
      )
    }
    if (seenTags.has(definition.tag))
      throw badMap(name, `columns.${index}.tag`, column.tag, 'a tag that no other column has')
    if (seenColumns.has(column.column))
      throw badMap(name, `columns.${index}.column`, column.column, 'a column that is named once')
    seenTags.add(definition.tag)
    seenColumns.add(column.column)
  }
}

function badMap(name: string, field: string, value: unknown, rule: string): SimulationError {
  return new SimulationError(
    'bad-map',
    `${name}, ${field}${value === undefined ? '' : ` ${JSON.stringify(value)}`}: must be ${rule}`,
    { file: name, field, value, rule },
  )
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let value = json
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}
