/** Keeping the fetched current values and timeline up with what arrives live. */
import { findTag, resolveUnit, type TagDefinition } from '../../../schemas/tags.ts'
import type { CurrentValue, LiveReadings, TimelineItem } from '../api/answers.ts'

/** The newest reading of each tag by source time; a late one does not replace a newer one. */
export function applyReadings(current: readonly CurrentValue[], frame: LiveReadings): CurrentValue[] {
  const byTag = new Map(current.map((value) => [value.tag, value]))
  for (const reading of frame.readings) {
    const known = byTag.get(reading.tag)
    if (known && Date.parse(known.at) > Date.parse(reading.at)) continue
    const definition = findTag(reading.tag)
    if (known)
      byTag.set(reading.tag, {
        ...known,
        value: reading.value,
        quality: reading.quality,
        unit: reading.unit,
        at: reading.at,
        // Frames carry no flags; they are asked for again with the state every few seconds.
        flags: reading.quality === known.quality ? known.flags : [],
        position: frame.position,
      })
    else if (definition)
      byTag.set(reading.tag, {
        tag: definition.tag,
        label: definition.label,
        unit: reading.unit,
        unitLabel: reading.unit === definition.unit ? definition.unitLabel : reading.unit,
        decimals: definition.decimals,
        value: reading.value,
        quality: reading.quality,
        flags: [],
        at: reading.at,
        position: frame.position,
        operatingRange: rangeIn(definition, reading.unit),
      })
  }
  return [...byTag.values()]
}

/** The registry's range in the unit that the reading came in: the API's convention. */
function rangeIn(definition: TagDefinition, unit: string): [number, number] {
  const factor = resolveUnit(definition, unit)?.factor ?? 1
  return [definition.operatingRange[0] / factor, definition.operatingRange[1] / factor]
}

export function newestSourceMs(current: readonly CurrentValue[]): number | null {
  return current.reduce<number | null>(
    (newest, { at }) => Math.max(newest ?? -Infinity, Date.parse(at)),
    null,
  )
}

/** Newest (by position) first; an event that is there already is not repeated. */
export function addToTimeline(
  timeline: readonly TimelineItem[],
  items: readonly TimelineItem[],
): TimelineItem[] {
  const byId = new Map(timeline.map((item) => [item.eventId, item]))
  for (const item of items) byId.set(item.eventId, item)
  return [...byId.values()].sort((one, other) => {
    const difference = BigInt(other.position) - BigInt(one.position)
    return difference > 0n ? 1 : difference < 0n ? -1 : 0
  })
}
