/**
 * A made-up batch for working on the page without the product: a glycerol batch after the nominal trajectory of
 * the process description, every reading a pure function of its second, with one gap and a few values that are
 * not good. Nothing here is shipped.
 */
import { findTag, tagDefinitions } from '../../schemas/tags.ts'
import type { Batch, CurrentValue, Gap, Quality, Series, TimelineItem } from '../src/api/answers.ts'

export const batchId = '019aa6f2-5f00-7a31-9c44-3d1f00c0ffee'

/** Hours, OD, DO %, rpm, off-gas O2 %, off-gas CO2 %, cumulative base mL. */
const trajectory = [
  [0, 0.4, 100, 500, 20.95, 0.04, 0],
  [2, 0.53, 98, 500, 20.9, 0.08, 0.02],
  [4, 0.89, 96, 500, 20.87, 0.1, 0.07],
  [6, 1.48, 94, 500, 20.82, 0.14, 0.16],
  [8, 2.46, 90, 500, 20.73, 0.21, 0.3],
  [10, 4.1, 83, 500, 20.58, 0.32, 0.54],
  [12, 6.83, 72, 500, 20.33, 0.5, 0.94],
  [14, 11.4, 54, 500, 19.92, 0.8, 1.6],
  [16, 18.7, 37, 550, 19.27, 1.29, 2.68],
  [18, 30.8, 31, 700, 18.2, 2.09, 4.44],
  [20, 50.6, 34, 1000, 16.44, 3.39, 7.33],
  [20.7, 59.5, 40, 900, 17.5, 2.5, 8.5],
  [21.5, 59.5, 94, 500, 20.81, 0.17, 8.63],
] as const

const gapSeconds = { tag: 'DO', from: 5.5 * 3600, to: 5.5 * 3600 + 480 }
const badSeconds = { tag: 'pH', every: 9000 }
const silentFrom = { tag: 'Temp_Exhaust', before: 42 }
const withoutData = new Set(['Gas_Flow_Inlet', 'Gas_Flow_Outlet'])

export type Fixture = {
  readonly startMs: number
  /** Seconds since inoculation that are recorded. */
  seconds: number
}

export function readingAt(tag: string, second: number): { value: number; quality: Quality } | undefined {
  if (withoutData.has(tag)) return undefined
  const definition = findTag(tag)
  if (!definition || second % definition.cadenceSeconds !== 0) return undefined
  if (tag === gapSeconds.tag && second > gapSeconds.from && second < gapSeconds.to) return undefined
  if (tag === badSeconds.tag && second % badSeconds.every === 4000) return { value: -3, quality: 'bad' }
  const value = cleanValue(tag, second / 3600) + noise(tag, second) * noiseOf(tag)
  return {
    value: Number(value.toFixed(4)),
    quality: tag === 'Off_Gas_CO2' && second % 12000 === 6000 ? 'uncertain' : 'good',
  }
}

/** Without noise. */
export function cleanValue(tag: string, hours: number): number {
  const column = (index: number) => interpolate(hours, index)
  switch (tag) {
    case 'OD':
      return column(1)
    case 'DO':
      return column(2)
    case 'Stir_SP':
      return Math.round(column(3) / 50) * 50
    case 'Off_Gas_O2':
      return column(4)
    case 'Off_Gas_CO2':
      return column(5)
    case 'Base_Pump_Rate':
      return Math.max(0, (interpolate(hours + 0.1, 6) - interpolate(hours - 0.1, 6)) / 12)
    case 'pH':
      return 5 + 0.05 * Math.sin(hours * 3)
    case 'Temp_Broth':
    case 'Temp_pH_Probe':
      return 30 + 0.05 * Math.sin(hours * 7)
    case 'Temp_DO_Probe':
      return 30.1 + 0.05 * Math.sin(hours * 7)
    case 'Temp_Exhaust':
      return 28.5 + hours * 0.05
    case 'Temp_Stirrer_Motor':
      return 38 + (interpolate(hours, 3) - 500) / 40
    case 'Gas_MFC_air':
      return 1
    case 'Reactor_Pressure':
      return 1.02
    case 'Weight':
      return 4.21 - hours * 0.002
    case 'Heater_PID_out':
      return 34 - hours
    case 'Stir_torque':
      return 5 + 30 * (interpolate(hours, 3) / 1000) ** 2
    default:
      return 0
  }
}

function interpolate(hours: number, column: number): number {
  const index = trajectory.findIndex((row) => row[0] > hours)
  const next = trajectory[index === -1 ? trajectory.length - 1 : Math.max(1, index)]
  const previous = trajectory[index === -1 ? trajectory.length - 2 : Math.max(1, index) - 1]
  if (!next || !previous) return 0
  const share = Math.min(1, Math.max(0, (hours - previous[0]) / (next[0] - previous[0])))
  const [low, high] = [previous[column] ?? 0, next[column] ?? 0]
  return column === 1 ? low * (high / low) ** share : low + (high - low) * share
}

const noises: Record<string, number> = {
  pH: 0.01,
  DO: 0.5,
  OD: 0.05,
  Off_Gas_CO2: 0.02,
  Off_Gas_O2: 0.03,
  Gas_MFC_air: 0.005,
  Stir_SP: 0,
  Base_Pump_Rate: 0,
  Reactor_Pressure: 0.001,
  Weight: 0.001,
}
const noiseOf = (tag: string) => noises[tag] ?? 0.03

/** Even noise in −1.7 … 1.7 out of the second and the tag. */
function noise(tag: string, second: number): number {
  let hash = second * 374761393 + tag.length * 668265263 + tag.charCodeAt(0) * 2246822519
  hash = Math.imul(hash ^ (hash >>> 13), 1274126177)
  return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 - 0.5) * 3.4
}

export function currentValues(fixture: Fixture): CurrentValue[] {
  return tagDefinitions.flatMap((definition) => {
    const newest = fixture.seconds - (definition.tag === silentFrom.tag ? silentFrom.before : 0)
    for (let second = newest; second > newest - 1000 && second >= 0; second -= 1) {
      const reading = readingAt(definition.tag, second)
      if (!reading) continue
      const { tag, label, unit, unitLabel, decimals, operatingRange } = definition
      return [
        {
          ...{ tag, label, unit, unitLabel, decimals, ...reading },
          // Silent for a while, and its last value was bad: both are to be seen.
          quality: tag === silentFrom.tag ? ('bad' as const) : reading.quality,
          flags: [],
          at: at(fixture, second),
          position: String(second * 20 + 100),
          operatingRange: [operatingRange[0], operatingRange[1]] as [number, number],
        },
      ]
    }
    return []
  })
}

export function seriesOf(
  fixture: Fixture,
  tag: string,
  from: number | undefined,
  to: number | undefined,
  points: number,
): Series {
  const first = Math.max(0, Math.ceil(((from ?? fixture.startMs) - fixture.startMs) / 1000))
  const last = Math.min(
    fixture.seconds,
    Math.floor(((to ?? Number.POSITIVE_INFINITY) - fixture.startMs) / 1000),
  )
  const all: Located[] = []
  for (let second = first; second <= last; second += 1) {
    const reading = readingAt(tag, second)
    if (reading) all.push({ ...reading, second })
  }
  const bucketSeconds = Math.max(1, Math.ceil((last - first) / (points / 2)))
  const reduced = all.length > points
  return {
    tag,
    unit: tagDefinitions.find((definition) => definition.tag === tag)?.unit ?? '',
    reduced,
    reduce: 'minmax',
    bucketSeconds: reduced ? bucketSeconds : null,
    sourceCount: all.length,
    points: (reduced ? extremes(all, bucketSeconds) : all).map(({ second, value, quality }) => ({
      at: at(fixture, second),
      value,
      quality,
      position: String(second * 20 + 100),
    })),
    asOf: { position: String(fixture.seconds * 20 + 120), recordedAt: new Date().toISOString() },
  }
}

type Located = { readonly second: number; readonly value: number; readonly quality: Quality }

function extremes(all: readonly Located[], bucketSeconds: number): Located[] {
  const buckets = new Map<number, { low: Located; high: Located }>()
  for (const point of all) {
    const key = Math.floor(point.second / bucketSeconds)
    const bucket = buckets.get(key)
    if (!bucket) buckets.set(key, { low: point, high: point })
    else if (point.value < bucket.low.value) bucket.low = point
    else if (point.value > bucket.high.value) bucket.high = point
  }
  return [...buckets.values()].flatMap(({ low, high }) =>
    low === high ? [low] : low.second < high.second ? [low, high] : [high, low],
  )
}

export function at(fixture: Fixture, second: number): string {
  return new Date(fixture.startMs + second * 1000).toISOString()
}

export function batchOf(fixture: Fixture, status: Batch['status']): Batch {
  return {
    id: batchId,
    campaign: 'PP-2026',
    number: 4,
    attempt: 1,
    phase: 'A',
    vessel: 'V-01',
    status,
    origin: 'simulated',
    createdAt: at(fixture, -3600),
    inoculatedAt: at(fixture, 0),
    closedAt: status === 'complete' ? at(fixture, fixture.seconds) : null,
    outcome: null,
    operatorId: 'op-7',
    variation: null,
    notes: null,
    sampleCount: 3,
    revision: '5',
  }
}

export function gapList(fixture: Fixture): Gap[] {
  if (fixture.seconds < gapSeconds.to) return []
  return [
    {
      tag: gapSeconds.tag,
      from: at(fixture, gapSeconds.from),
      to: at(fixture, gapSeconds.to),
      missing: 479,
      position: '9',
    },
  ]
}

export function timelineItems(fixture: Fixture): TimelineItem[] {
  const item = (second: number, type: string, sentence: string): TimelineItem => ({
    position: String(Math.max(1, second * 20 + 110)),
    eventId: `event-${second}-${type}`,
    stream: `batch-${batchId}`,
    revision: '0',
    type,
    occurredAt: at(fixture, second),
    receivedAt: at(fixture, second),
    recordedAt: at(fixture, second),
    actor: { kind: 'human', id: 'op-7', role: 'technician' },
    origin: 'simulated',
    sentence,
  })
  const samples = [0, 2, 4, 6, 8, 12, 16].map((hours, index) =>
    item(
      hours * 3600,
      'SampleTaken',
      `op-7 recorded sample ${index + 1} at ${hours}.00 h: OD600 ${(interpolate(hours, 1) * 1.02).toFixed(2)} (${(interpolate(hours, 1) / 20).toFixed(3)} × 20)`,
    ),
  )
  return [
    item(-3600, 'BatchCreated', 'op-7 created batch 4 of campaign PP-2026, phase A, on vessel V-01'),
    item(-10, 'BatchInoculated', 'op-7 inoculated the batch (T = 0), inoculum OD600 4.0'),
    item(gapSeconds.from, 'SensorGapDetected', 'no reading of Dissolved oxygen from V-01 since 17:30:00'),
    item(
      gapSeconds.to,
      'SensorGapClosed',
      'Dissolved oxygen of V-01 came back after 8 min; 479 readings are missing',
    ),
    item(
      9100,
      'ReadingQuarantined',
      'a message on bioprocess/pichia/V-01/sensors/turbidity was quarantined: unknown-tag',
    ),
    ...samples,
  ].filter(({ occurredAt }) => Date.parse(occurredAt) <= fixture.startMs + fixture.seconds * 1000)
}
