/**
 * Which simulated batches make the model and which judge it. The campaign of the product has seed 2026; its batches
 * 16 to 18 are the sealed set. Everything else is further simulation: what sets the interval's width was never
 * trained on, what judges was neither trained on nor did it set anything.
 */
import { campaignBatch, type PlannedBatch, plannedBatch } from '../../domain/campaign.ts'
import type { BatchRun } from '../../domain/process-model/batch-run.ts'
import type { NoiseKind } from '../../domain/process-model/noise.ts'

export const campaignSeed = 2026
export const sealedNumbers: readonly number[] = [16, 17, 18]
/** Batch 1 (no control) is outside the training criteria. */
const trainingNumbers: readonly number[] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]

export type BatchName = { readonly campaign: number; readonly number: number; readonly noise: NoiseKind }

/** Training: batches 2 to 15 of the campaign and of two more; batches planned like 16 to 18 of 38 other campaigns. */
export const trainingBatches: readonly BatchName[] = [
  ...ofCampaigns(campaignSeed, campaignSeed, trainingNumbers),
  ...ofCampaigns(101, 102, trainingNumbers),
  ...ofCampaigns(9001, 9038, sealedNumbers),
]

export const sealedBatches: readonly BatchName[] = ofCampaigns(campaignSeed, campaignSeed, sealedNumbers)

/** They set the width of the interval and nothing else: batches that heads have not seen and that do not judge. */
export const calibrationBatches: readonly BatchName[] = [
  ...ofCampaigns(700_001, 700_034, sealedNumbers),
  ...ofCampaigns(810_001, 810_034, sealedNumbers),
  ...ofCampaigns(910_001, 910_068, sealedNumbers),
]

/** Fresh campaigns that judge the model: `count` of them from 920001 on. */
export const judgingBatches = (count: number, noise: NoiseKind): readonly BatchName[] =>
  ofCampaigns(920_001, 920_000 + count, sealedNumbers, noise)

/** Throws RangeError for a number outside the plan of 18. */
export function runOf({ campaign, number, noise }: BatchName): { run: BatchRun; planned: PlannedBatch } {
  const planned = plannedBatch(number)
  if (!planned) throw new RangeError(`batch ${number}: not in the plan of 18`)
  return { planned, run: campaignBatch(planned, { seed: campaign, noise }) }
}

function ofCampaigns(
  from: number,
  to: number,
  batchNumbers: readonly number[],
  noise: NoiseKind = 'realistic',
): BatchName[] {
  const names: BatchName[] = []
  for (let campaign = from; campaign <= to; campaign++)
    for (const number of batchNumbers) names.push({ campaign, number, noise })
  return names
}
