/**
 * The windows of a simulated batch made of plain means, without cleaning and without derived quantities: what the
 * forecaster needs of a batch, a hundred times faster than through events.
 */
import { campaignBatch, plannedBatch } from '../../campaign.ts'
import { type BatchRun, simulateBatch } from '../../process-model/batch-run.ts'
import type { Disturbance } from '../../process-model/disturbances.ts'
import type { OfflineSample, ProcessWindow, TagWindow } from '../../process-windows/process-window.ts'
import { sampleWindow } from './sample-estimate.ts'

export type SimulatedWindows = {
  readonly windows: readonly ProcessWindow[]
  /** True OD600 at each window's end. */
  readonly trueOd: readonly number[]
  readonly depletionHours: number
}

type Sums = { sum: number; count: number; min: number; max: number; last: number }

/** Batch 17 of a campaign, realistic noise, with disturbances laid over it. */
export function simulatedWindows(seed: number, disturbances: readonly Disturbance[] = []): SimulatedWindows {
  const planned = plannedBatch(17)
  if (!planned) throw new RangeError('batch 17: not in the plan')
  const drawn = campaignBatch(planned, { seed })
  const run: BatchRun = { ...drawn, settings: { ...drawn.settings, disturbances } }
  const windows: ProcessWindow[] = []
  const trueOd: number[] = []
  const samples: OfflineSample[] = []
  let tags: Record<string, Sums> = {}
  let depletionHours = Number.NaN
  for (const { second, values, truth, samples: drawnNow } of simulateBatch(run)) {
    if (truth.depleted && Number.isNaN(depletionHours)) depletionHours = truth.hours
    if (second > 0 && second % 30 === 0) {
      windows.push({
        ...sampleWindow,
        batchId: `batch-${seed}`,
        fromMs: (second - 30) * 1000,
        toMs: second * 1000,
        hours: second / 3600,
        tags: tagWindows(tags),
        samples: [...samples],
      })
      trueOd.push(truth.od)
      tags = {}
    }
    for (const [tag, value] of Object.entries(values)) add(tags, tag, value)
    for (const sample of drawnNow)
      samples.push({
        sampleEventId: `${sample.scheduledPoint}/${sample.replicate}`,
        sampledMs: second * 1000,
        od600: Number(sample.od600Raw) * Number(sample.dilutionFactor),
      })
  }
  return { windows, trueOd, depletionHours }
}

function add(tags: Record<string, Sums>, tag: string, value: number): void {
  const known = tags[tag]
  if (!known) {
    tags[tag] = { sum: value, count: 1, min: value, max: value, last: value }
    return
  }
  known.sum += value
  known.count++
  known.min = Math.min(known.min, value)
  known.max = Math.max(known.max, value)
  known.last = value
}

const tagWindows = (tags: Readonly<Record<string, Sums>>): Record<string, TagWindow> =>
  Object.fromEntries(
    Object.entries(tags).map(([tag, { sum, count, min, max, last }]) => [
      tag,
      {
        mean: sum / count,
        min,
        max,
        last,
        goodCount: count,
        expectedCount: tag === 'Weight' ? 3 : 30,
        quality: 'good',
      },
    ]),
  )
