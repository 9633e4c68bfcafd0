/**
 * What a window says that an estimate may rest on: means of tags whose readings are there and move as a live
 * transmitter's do. A tag that is missing, filled in or stuck says nothing.
 */
import type { Tag } from '../../schemas/tags.ts'
import type { ProcessWindow, TagWindow } from '../process-windows/process-window.ts'

export type Signal = { readonly mean: number; readonly last: number; readonly count: number }
export type WindowSignals = Readonly<Partial<Record<Tag, Signal>>> & {
  /** Tags the model looks at that say nothing in this window. */
  readonly missing: readonly Tag[]
  readonly stuck: readonly Tag[]
}

/** Tags that the state estimate looks at. */
export const modelTags = [
  'OD',
  'Off_Gas_CO2',
  'Off_Gas_O2',
  'Base_Pump_Rate',
  'DO',
  'pH',
  'Temp_Broth',
  'Gas_MFC_air',
  'Gas_Flow_Inlet',
  'Stir_SP',
  'Weight',
  'Reactor_Pressure',
] as const satisfies readonly Tag[]

/** These carry noise of the instrument: 30 s without any movement is a transmitter that hangs. */
const alwaysMoving: ReadonlySet<Tag> = new Set([
  'OD',
  'Off_Gas_CO2',
  'Off_Gas_O2',
  'DO',
  'pH',
  'Temp_Broth',
  'Gas_MFC_air',
])
const smallestShare = 0.5
/** Below it the pump may rest; above it strokes vary. */
const pumpMoves = 1e-4

export function windowSignals(window: ProcessWindow): WindowSignals {
  const signals: Partial<Record<Tag, Signal>> = {}
  const missing: Tag[] = []
  const stuck: Tag[] = []
  for (const tag of modelTags) {
    const seen = window.tags[tag]
    if (!seen || !isUsable(seen)) missing.push(tag)
    else if (seen.goodCount > 5 && seen.min === seen.max && mustMove(tag, seen.mean)) stuck.push(tag)
    else signals[tag] = { mean: seen.mean, last: seen.last, count: seen.goodCount }
  }
  return { ...signals, missing, stuck }
}

const isUsable = (tag: TagWindow): boolean =>
  Number.isFinite(tag.mean) && tag.goodCount > 0 && tag.goodCount >= smallestShare * tag.expectedCount

const mustMove = (tag: Tag, mean: number): boolean =>
  alwaysMoving.has(tag) || (tag === 'Base_Pump_Rate' && mean > pumpMoves)
