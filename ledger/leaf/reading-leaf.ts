/**
 * Leaves of sensor readings, which are most of a log, several times faster than spelling each anew: what the readings
 * of one stream and tag have in common is spelt once, and only the rest is put in. Gives the same text as `leafText`,
 * or undefined for a reading that is unusual in any way.
 */
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { RecordedEvent } from '../../schemas/event.ts'

export type ReadingLeaf = (event: RecordedEvent, prev: string | null) => string | undefined

type Common = {
  readonly event: RecordedEvent
  /** Text up to the value, and between the other parts that differ. */
  readonly beforeValue: string
  readonly beforeId: string
  readonly beforeOccurredAt: string
  readonly beforePrev: string
  readonly beforeSequence: string
  readonly beforeTopic: string
}

const templatesKept = 100_000

export function readingLeaf(ledger: string): ReadingLeaf {
  const templates = new Map<string, Common>()

  function learn(key: string, event: RecordedEvent): Common {
    const { vessel, tag, unit, quality } = event.data
    const common: Common = {
      event,
      beforeValue: `{"actor":${canonicalJson(event.actor)},"data":{"quality":${spell(quality)},"tag":${spell(tag)},"unit":${spell(unit)},"value":`,
      beforeId: `,"vessel":${spell(vessel)}},"id":"`,
      beforeOccurredAt: `","ledger":${spell(ledger)},"occurredAt":"`,
      beforePrev: `","origin":${spell(event.origin)},"prev":`,
      beforeSequence: `","schemaVersion":${spell(event.schemaVersion)},"site":${spell(event.site)},"source":{`,
      beforeTopic: `"topic":${spell(event.source?.topic)}},"stream":${spell(event.stream)},"type":"SensorReadingRecorded","v":1}`,
    }
    if (templates.size >= templatesKept) templates.clear()
    templates.set(key, common)
    return common
  }

  return (event, prev) => {
    const { data, source } = event
    if (event.type !== 'SensorReadingRecorded' || source === undefined || !isUsual(event)) return undefined
    const { value } = data
    if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
    const key = `${event.stream}\n${String(data.tag)}\n${String(data.quality)}`
    let common = templates.get(key)
    if (!common || !hasSameCommons(common.event, event)) common = learn(key, event)
    const sequence = source.seq === undefined ? '' : `"seq":${source.seq},`
    return (
      `${common.beforeValue}${value === 0 ? 0 : value}${common.beforeId}${event.id}${common.beforeOccurredAt}${event.occurredAt}` +
      `${common.beforePrev}${prev === null ? 'null' : `"${prev}"`},"receivedAt":"${event.receivedAt}","recordedAt":"${event.recordedAt}` +
      `","revision":"${event.revision}${common.beforeSequence}${sequence}${common.beforeTopic}`
    )
  }
}

const spell = (value: unknown): string => canonicalJson(value)

/** Has the fields of a plain reading and no others: five of data, no flags, no reason, no links. */
function isUsual(event: RecordedEvent): boolean {
  const { data, source } = event
  return (
    event.reason === undefined &&
    event.causationId === undefined &&
    event.correlationId === undefined &&
    countKeys(data) === 5 &&
    countKeys(source) === (source?.seq === undefined ? 1 : 2)
  )
}

function countKeys(object: object | undefined): number {
  let count = 0
  for (const _ in object) count++
  return count
}

function hasSameCommons(one: RecordedEvent, other: RecordedEvent): boolean {
  return (
    one.stream === other.stream &&
    one.source?.topic === other.source?.topic &&
    one.site === other.site &&
    one.origin === other.origin &&
    one.schemaVersion === other.schemaVersion &&
    one.data.tag === other.data.tag &&
    one.data.unit === other.data.unit &&
    one.data.vessel === other.data.vessel &&
    one.data.quality === other.data.quality &&
    (one.actor === other.actor ||
      (one.actor.id === other.actor.id &&
        one.actor.kind === other.actor.kind &&
        one.actor.role === other.actor.role))
  )
}
