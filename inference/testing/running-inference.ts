/** The service on a real store with the store's own feed, as one worker. */

import { fileURLToPath } from 'node:url'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import { storeVesselFeed } from '../../infra/feed/store-feed.ts'
import { feedStore, quietLog } from '../../infra/feed/testing/feed-store.ts'
import { until } from '../../infra/testing/until.ts'
import { streams } from '../../schemas/streams.ts'
import { openCatalogue } from '../model-catalogue.ts'
import { type Inference, type InferenceDeps, startInference } from '../service.ts'
import { standInCatalogue, standInModel } from './stand-in-model.ts'
import { eventsOf } from './stored-batch.ts'

export type Plant = {
  readonly store: EventStore
  start(given?: Partial<InferenceDeps> & { readonly pageSize?: number }): Promise<Inference>
  /** Until both streams of the batch are sealed. */
  untilSealed(batchId: string): Promise<void>
  /** Stops what was started and closes the store. */
  close(): Promise<void>
}

export async function inferencePlant(): Promise<Plant> {
  const { store, database } = await feedStore()
  const started: { stop(): Promise<void> }[] = []
  return {
    store,
    async start({ pageSize, ...given } = {}) {
      const feed = storeVesselFeed({
        store,
        postgresUrl: database.appUrl,
        log: quietLog,
        pageSize: pageSize ?? 1_000,
      })
      const inference = await startInference({
        store,
        feed,
        catalogue: standInCatalogue(standInModel()),
        site: 'site-1',
        log: quietLog,
        ...given,
      })
      let isStopped = false
      const stop = async (): Promise<void> => {
        if (isStopped) return
        isStopped = true
        await inference.stop()
        await feed.close()
      }
      started.push({ stop })
      return { ...inference, stop }
    },
    async untilSealed(batchId) {
      for (const stream of [streams.derived(batchId), streams.forecast(batchId)])
        await until(`the seal of ${stream}`, async () => (await lastTypeOf(store, stream)) === 'StreamSealed')
    },
    async close() {
      for (const one of started) await one.stop()
      await store.close()
    },
  }
}

async function lastTypeOf(store: EventStore, stream: string): Promise<string | undefined> {
  for await (const last of store.readStream(stream, { direction: 'backwards', maxCount: 1 })) return last.type
  return undefined
}

export const committedModels = () =>
  openCatalogue(fileURLToPath(new URL('../models', import.meta.url)), quietLog)

export const typesOf = async (store: EventStore, stream: string): Promise<readonly string[]> =>
  (await eventsOf(store, stream)).map(({ type }) => type)
