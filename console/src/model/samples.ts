/**
 * Offline OD600 samples out of the timeline. The timeline answers sentences, so the number is read from the
 * sentence of `SampleTaken`; the test holds this against the renderer in schemas/, so that a change of wording
 * goes red there. A sentence that cannot be read draws no diamond: it still stands in the timeline.
 */
import type { TimelineItem } from '../api/answers.ts'

export type OfflineSample = {
  readonly at: number
  readonly number: number
  readonly od600: number
  readonly sentence: string
}

const sentencePattern = /recorded sample (\d+) at .*?: OD600 (\d+(?:\.\d+)?)\b/

export function offlineSamples(items: readonly TimelineItem[]): OfflineSample[] {
  return items
    .flatMap((item) => {
      const match = item.type === 'SampleTaken' ? sentencePattern.exec(item.sentence) : null
      return match
        ? [
            {
              at: Date.parse(item.occurredAt),
              number: Number(match[1]),
              od600: Number(match[2]),
              sentence: item.sentence,
            },
          ]
        : []
    })
    .sort((one, other) => one.at - other.at)
}
