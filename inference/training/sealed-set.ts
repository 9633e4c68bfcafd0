/** The event that states a look at the sealed set: which set, what for, and the digest of what was seen. */
import { hash } from 'node:crypto'
import type { ClientEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'
import type { LoadedModel } from '../model/load-model.ts'
import { campaignSeed, sealedNumbers } from './batches.ts'

export function sealedSetRead(
  model: Pick<LoadedModel, 'modelHash' | 'modelId'>,
  figures: string,
  at: string,
  use = 1,
): ClientEvent {
  return {
    id: derivedId(Date.parse(at), 'sealed-set-read/v1', model.modelHash, use),
    type: 'SealedSetRead',
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: 'service', id: 'training', role: 'trainer' },
    origin: 'simulated',
    site: 'training',
    data: {
      dataSet: `simulated-campaign-${campaignSeed}-batches-${sealedNumbers.join('-')}`,
      sha256: hash('sha256', figures),
      purpose: 'final judgement of the trained model before it is committed',
      modelHash: model.modelHash,
      use,
    },
  }
}
