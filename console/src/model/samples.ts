/** Offline OD600 samples as drawn: what a person typed, read as a number only to place its diamond. */
import type { OfflineSampleAnswer } from '../api/answers.ts'

export type OfflineSample = {
  readonly at: number
  readonly number: number
  /** AU, as typed. */
  readonly text: string
  readonly od600: number
}

export function offlineSamples(items: readonly OfflineSampleAnswer[]): OfflineSample[] {
  return items
    .map((item) => ({
      at: Date.parse(item.sampledAt),
      number: item.sampleNumber,
      text: item.od600,
      od600: Number(item.od600),
    }))
    .sort((one, other) => one.at - other.at)
}
