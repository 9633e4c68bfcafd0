/** What the report needs of the events as they pass: the story, approvals, and figures of each tag; bounded. */
import type { ClientEvent } from '../../schemas/event.ts'
import { sentenceOf } from '../../schemas/events/registry.ts'

export type StoryItem = {
  readonly occurredAt: string
  readonly recordedAt: string
  readonly stream: string
  readonly revision: string
  readonly type: string
  readonly origin: string
  readonly sentence: string
}
export type TagFigures = {
  readonly tag: string
  readonly unit: string
  count: number
  bad: number
  from: string
  to: string
  min: number
  max: number
}
export type Approval = {
  readonly who: string
  readonly meaning: string
  readonly at: string
  readonly revision: string
  readonly record: string
}

/** An event as an extract reads it: the leaf, and the payload beside it. */
export type ReadEvent = {
  readonly event: ClientEvent
  readonly stream: string
  readonly revision: string
  readonly recordedAt: string
  readonly index: number
  /** Its payload is left out of this extract. */
  readonly isLeftOut: boolean
}

export type Summary = {
  readonly story: readonly StoryItem[]
  readonly storyLeftOut: number
  readonly tags: readonly TagFigures[]
  readonly approvals: readonly Approval[]
  readonly counts: ReadonlyMap<string, number>
  readonly origins: ReadonlySet<string>
}

/** Types of events whose payload stands in an extract of signatures only. */
export const approvingTypes: readonly string[] = ['BatchInoculated', 'BatchClosed', 'BatchAborted']

const maximumStory = 5000
/** Come window by window: counted, not told. */
const quiet = new Set(['ProcessWindowDerived', 'OdForecastIssued', 'ForecastWithheld', 'IngressStated'])

export function summarise(batchId: string): { add(read: ReadEvent): void; finish(): Summary } {
  const story: StoryItem[] = []
  const tags = new Map<string, TagFigures>()
  const approvals: Approval[] = []
  const counts = new Map<string, number>()
  const origins = new Set<string>()
  let storyLeftOut = 0
  return {
    add: (read) => {
      const { event, stream } = read
      counts.set(event.type, (counts.get(event.type) ?? 0) + 1)
      if (!stream.endsWith(batchId)) return
      origins.add(event.origin)
      if (event.type === 'SensorReadingRecorded') {
        addReading(tags, event)
        return
      }
      if (!read.isLeftOut) approvals.push(...approvalsOf(read))
      if (quiet.has(event.type)) return
      if (story.length < maximumStory) story.push(storyItem(read))
      else storyLeftOut++
    },
    finish: () => ({ story, storyLeftOut, tags: [...tags.values()], approvals, counts, origins }),
  }
}

function storyItem({ event, stream, revision, recordedAt, isLeftOut }: ReadEvent): StoryItem {
  return {
    occurredAt: event.occurredAt,
    recordedAt,
    stream,
    revision,
    type: event.type,
    origin: event.origin,
    sentence: isLeftOut
      ? `${event.actor.id}: ${event.type} (payload not in this extract)`
      : sentenceOf(event),
  }
}

function addReading(tags: Map<string, TagFigures>, { data, occurredAt }: ClientEvent): void {
  const [tag, unit, value] = [String(data.tag), String(data.unit), Number(data.value)]
  const key = `${tag} ${unit}`
  let figures = tags.get(key)
  if (!figures) {
    figures = { tag, unit, count: 0, bad: 0, from: occurredAt, to: occurredAt, min: value, max: value }
    tags.set(key, figures)
  }
  figures.count++
  if (data.quality === 'bad') figures.bad++
  if (occurredAt < figures.from) figures.from = occurredAt
  if (occurredAt > figures.to) figures.to = occurredAt
  figures.min = Math.min(figures.min, value)
  figures.max = Math.max(figures.max, value)
}

function approvalsOf({ event, stream, revision, recordedAt }: ReadEvent): Approval[] {
  const { data, actor } = event
  const approval = (who: unknown, meaning: string): Approval => ({
    who: String(who),
    meaning,
    at: recordedAt,
    revision,
    record: stream,
  })
  if (event.type === 'BatchInoculated') {
    const go = approval(actor.id, 'gave the go for inoculation')
    const { override } = data as { override?: { approvedBy: string } }
    return override
      ? [go, approval(override.approvedBy, 'approved the override of the inoculation gate')]
      : [go]
  }
  if (event.type === 'BatchClosed')
    return [
      approval(data.closedBy ?? actor.id, 'closed the batch'),
      approval(data.approvedBy, 'approved the closure'),
    ]
  if (event.type === 'BatchAborted') return [approval(actor.id, 'aborted the batch')]
  return []
}
