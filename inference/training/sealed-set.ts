/** The event that states a look at the sealed set: which set, what for, and the digest of what was seen. */
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'
import type { LoadedModel } from '../model/load-model.ts'
import { campaignSeed, sealedNumbers } from './batches.ts'

export type SealedSetRead = ClientEvent

/** Each look at the sealed set so far, as the artefacts of a model's versions in `folder` keep them, in order of time. */
export async function sealedSetReads(folder: string): Promise<readonly SealedSetRead[]> {
  const reads = new Map<string, SealedSetRead>()
  for (const version of await readdir(folder)) {
    const path = join(folder, version, 'sealed-set-reads.ndjson')
    for (const line of existsSync(path) ? (await readFile(path, 'utf8')).split('\n') : [])
      if (line !== '') {
        const read = JSON.parse(line) as SealedSetRead
        reads.set(read.id, read)
      }
  }
  return [...reads.values()].sort((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1))
}

export function sealedSetRead(
  model: Pick<LoadedModel, 'modelHash' | 'modelId'>,
  figures: string,
  at: string,
  use: number,
): SealedSetRead {
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
