/**
 * What `report.html` tells of the events as they pass: the story, signatures and approvals, figures of each tag, counts.
 * Bounded whatever the events are; what does not fit is counted.
 */
import { type Approval, approvalsOf } from './approvals.ts'
import { readingType } from './csv.ts'
import { sentenceOf, type Told } from './sentences.ts'

export type StoryLine = {
  readonly at: string
  readonly stream: string
  readonly revision: number
  readonly index: number
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

export type ReportFacts = {
  readonly story: readonly StoryLine[]
  readonly storyLeftOut: number
  readonly approvals: readonly Approval[]
  readonly approvalCount: number
  readonly tags: readonly TagFigures[]
  /** Readings of tags beyond those listed. */
  readonly readingsLeftOut: number
  readonly counts: ReadonlyMap<string, number>
  readonly origins: ReadonlySet<string>
}

export type FactCollector = {
  /** A reading of the batch, with the fields of one. */
  addReading(told: Pick<Told, 'type' | 'occurredAt' | 'recordedAt' | 'origin'>, data: ReadingData): void
  add(told: Told): void
  finish(): ReportFacts
}
export type ReadingData = {
  readonly tag: string
  readonly unit: string
  readonly value: number
  readonly quality: string
}

const maximumStory = 5000
const maximumStoryLength = 2_000_000
const maximumSentence = 4000
const maximumApprovals = 1000
const maximumTags = 1000
const maximumTypes = 1000
export const otherTypes = 'other types'
/** Come window by window: counted, not told. */
const quietTypes = new Set(['ProcessWindowDerived', 'OdForecastIssued', 'ForecastWithheld', 'IngressStated'])

/** Whether the event is a row of the tables: of such a type, in the stream of readings. */
export const isReading = (type: string, stream: string): boolean =>
  type === readingType && stream.startsWith('reading-')

/** Of what was recorded after `asOf` only its type and origin count: it shows that nothing before it is missing. */
export function collectFacts(batchId: string, asOf?: string): FactCollector {
  const story: StoryLine[] = []
  const approvals: Approval[] = []
  const tags = new Map<string, TagFigures>()
  const counts = new Map<string, number>()
  const origins = new Set<string>()
  let [storyLeftOut, storyLength, approvalCount, readingsLeftOut] = [0, 0, 0, 0]

  const isLater = (recordedAt: string) => asOf !== undefined && recordedAt > asOf
  function count(type: string): void {
    const counted = counts.size < maximumTypes || counts.has(type) ? type : otherTypes
    counts.set(counted, (counts.get(counted) ?? 0) + 1)
  }
  function tell(told: Told): void {
    const { occurredAt: at, stream, revision, index } = told
    const sentence = told.data
      ? sentenceOf(told.type, told.data, told.who, told.reason)
      : `${told.who}: ${told.type} (payload not in this extract)`
    const short = bounded(sentence, `${told.type}: too long to be told, read the event`)
    if (story.length >= maximumStory || storyLength + short.length > maximumStoryLength) {
      storyLeftOut++
      return
    }
    storyLength += short.length
    story.push({ at, stream, revision, index, sentence: short })
  }
  return {
    addReading: ({ type, occurredAt, recordedAt, origin }, { tag, unit, value, quality }) => {
      count(type)
      origins.add(origin)
      if (isLater(recordedAt)) return
      const key = `${tag.length} ${tag}${unit}`
      let figures = tags.get(key)
      if (!figures) {
        if (tags.size >= maximumTags) {
          readingsLeftOut++
          return
        }
        figures = { tag, unit, count: 0, bad: 0, from: occurredAt, to: occurredAt, min: value, max: value }
        tags.set(key, figures)
      }
      figures.count++
      if (quality === 'bad') figures.bad++
      if (occurredAt < figures.from) figures.from = occurredAt
      if (occurredAt > figures.to) figures.to = occurredAt
      if (value < figures.min) figures.min = value
      if (value > figures.max) figures.max = value
    },
    add: (told) => {
      count(told.type)
      if (!told.stream.endsWith(`-${batchId}`)) return
      origins.add(told.origin)
      if (isLater(told.recordedAt)) return
      if (told.stream === `batch-${batchId}`) {
        const given = approvalsOf(told).approvals
        approvalCount += given.length
        for (const one of given)
          if (approvals.length < maximumApprovals)
            approvals.push({ ...one, who: bounded(one.who, 'too long to be told, read the event') })
      }
      if (!quietTypes.has(told.type)) tell(told)
    },
    finish: () => ({
      story,
      storyLeftOut,
      approvals,
      approvalCount,
      tags: [...tags.values()],
      readingsLeftOut,
      counts,
      origins,
    }),
  }
}

const bounded = (text: string, instead: string): string => (text.length > maximumSentence ? instead : text)
