/** Waits until the product has accounted for what was published into a batch. */
import { setTimeout as delay } from 'node:timers/promises'
import type { BatchApi, Ingress } from './api-client.ts'
import { SimulationError } from './simulation-error.ts'

/**
 * Polls the ingress balance until stored + duplicate + quarantined reaches `readings`. Throws `not-stored` with the
 * last balance when the sum has not moved for `patienceMs`.
 */
export async function untilStored(
  api: BatchApi,
  batchId: string,
  readings: number,
  options: {
    readonly patienceMs?: number
    readonly signal?: AbortSignal
    readonly onProgress?: (accounted: number) => void
  } = {},
): Promise<Ingress> {
  const patienceMs = options.patienceMs ?? 60_000
  let best = -1
  let movedAt = performance.now()
  for (let wait = 25; ; wait = Math.min(500, wait * 2)) {
    const balance = await api.ingress(batchId)
    const accounted = balance.stored + balance.duplicate + balance.quarantined
    options.onProgress?.(accounted)
    if (accounted >= readings) return balance
    if (accounted > best) {
      best = accounted
      movedAt = performance.now()
    } else if (performance.now() - movedAt > patienceMs)
      throw new SimulationError(
        'not-stored',
        `of ${readings} readings published only ${accounted} are accounted for, and the balance has not moved for ${patienceMs / 1000} s`,
        { batchId, published: readings, ...balance },
      )
    await delay(wait, undefined, options.signal ? { signal: options.signal } : {})
  }
}
