/** Which batch the page shows: the one asked for, else the newest running one, else the newest. */
import type { Batch } from '../api/answers.ts'

export function chooseBatch(batches: readonly Batch[], wantedId: string | null): Batch | undefined {
  if (wantedId !== null) return batches.find((batch) => batch.id === wantedId)
  const newestFirst = byNewest(batches)
  return newestFirst.find((batch) => batch.status === 'running') ?? newestFirst[0]
}

export function byNewest(batches: readonly Batch[]): Batch[] {
  return batches.toSorted(
    (one, other) => Date.parse(other.createdAt) - Date.parse(one.createdAt) || (one.id < other.id ? 1 : -1),
  )
}

export function batchName(batch: Pick<Batch, 'number' | 'attempt' | 'campaign'>): string {
  return `Batch ${batch.number}${batch.attempt > 1 ? `, attempt ${batch.attempt}` : ''} of ${batch.campaign}`
}

/** How a batch's origin is shown wherever its data are; live data need no word of warning. */
export const originWord: Record<Batch['origin'], string> = {
  live: 'LIVE PLANT',
  simulated: 'SIMULATED',
  replayed: 'REPLAYED',
}
