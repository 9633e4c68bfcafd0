/**
 * Which campaign, number, attempt and vessel a batch of ours gets when the wanted ones are taken (409): the next
 * attempt; and, unless the vessel was named by the user, the vessel of the same name with the next suffix.
 */
import type { BatchApi } from './api-client.ts'
import { SimulationError } from './simulation-error.ts'

export type WantedBatch = Parameters<BatchApi['createBatch']>[0]

const mostTries = 200

export async function createFreeBatch(
  api: BatchApi,
  wanted: WantedBatch,
  may: { readonly changeVessel: boolean },
): Promise<{ batchId: string; vessel: string; attempt: number }> {
  let attempt = wanted.attempt ?? 1
  let vesselSuffix = 1
  for (let tries = 0; ; tries++) {
    const vessel = vesselSuffix === 1 ? wanted.vessel : `${wanted.vessel.slice(0, 46)}-${vesselSuffix}`
    try {
      const batchId = await api.createBatch({ ...wanted, vessel, attempt })
      return { batchId, vessel, attempt }
    } catch (error) {
      if (!(error instanceof SimulationError) || error.facts.status !== 409 || tries >= mostTries) throw error
      const problem = String(error.facts.problemCode)
      if (/^number-/.test(problem)) attempt++
      else if (/^vessel-/.test(problem) && may.changeVessel) vesselSuffix++
      else throw error
    }
  }
}
