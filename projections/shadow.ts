/**
 * The read models once more, from events that somebody vouches for, to hold the live ones against: in temporary tables of
 * one connection, so that it needs no rights and leaves nothing behind. It grows with the events that it is given.
 */
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { openPageApplier } from './apply-page.ts'
import { batchIdOfStream } from './fold/stream-state.ts'
import { readCheckpoint } from './tables/checkpoint-row.ts'
import { openReadModels, openTemporaryReadModels } from './tables/database.ts'
import { firstDifference, type RowDifference } from './tables/first-difference.ts'
import { loadParkedStreams } from './tables/parked.ts'
import { type Difference, differencesOf, hashTables, type TableHashes } from './tables/table-hashes.ts'

/** `first`: the first row that differs, for the first keys that do; undefined where it was mended meanwhile. */
export type NamedDifference = Difference & { readonly first?: RowDifference | undefined }

/** Keys whose rows are looked through: whoever rewrote everything must not hold up the check. */
const namedKeys = 20

export type ShadowReadModels = {
  /** In store order; those that it was given before are passed over. */
  add(events: readonly RecordedEvent[]): Promise<void>
  /**
   * The live tables against these, at `position` or as far as the live ones have come. Streams that stopped in either are
   * left out: for them the projector has raised its own alarm. `isWhole` is false when this one had to leave out a stream
   * that the live tables follow: then it is of no more use.
   */
  compare(position: bigint): Promise<{ differences: readonly NamedDifference[]; isWhole: boolean }>
  close(): Promise<void>
}

export async function openShadowReadModels(deps: {
  /** Of the live read models. */
  readonly url: string
  readonly store: EventStore
}): Promise<ShadowReadModels> {
  const live = openReadModels(deps.url, { name: 'read-model-check', max: 1 })
  const shadow = await openTemporaryReadModels(deps.url, 'read-model-shadow').catch(
    async (error: unknown) => {
      await live.end()
      throw error
    },
  )
  const applier = await openPageApplier(shadow, deps.store)
  let known: { position: bigint; hashes: TableHashes } | undefined

  return {
    add: async (events) => {
      const from = applier.checkpoint().checkpoint?.position ?? -1n
      const fresh = events.filter((event) => event.position > from)
      if (fresh.length > 0) await applier.apply(fresh)
    },
    compare: async (position) => {
      const reached = (await readCheckpoint(live)).checkpoint?.position
      const built = applier.checkpoint().checkpoint?.position
      if (reached === undefined || built === undefined) return { differences: [], isWhole: true }
      const at = [position, reached, built].reduce((least, other) => (other < least ? other : least))
      if (known?.position !== at) known = { position: at, hashes: await hashTables(shadow, at) }
      const differences = differencesOf(await hashTables(live, at), known.hashes)
      const stoppedLive = await loadParkedStreams(live)
      const stoppedHere = await loadParkedStreams(shadow)
      const stopped = [...stoppedLive, ...stoppedHere]
      const named: NamedDifference[] = []
      for (const difference of differences.filter(
        ({ key }) => !stopped.some((stream) => isAbout(key, stream)),
      ))
        named.push(
          named.length < namedKeys
            ? {
                ...difference,
                first: await firstDifference({ live, built: shadow }, { ...difference, position: at }),
              }
            : difference,
        )
      return {
        differences: named,
        isWhole: [...stoppedHere].every((stream) => stoppedLive.has(stream)),
      }
    },
    close: async () => {
      await Promise.all([live.end(), shadow.end()])
    },
  }
}

/** Keys are a stream, a series (a stream, a tag and a unit) or a batch. */
const isAbout = (key: string, stream: string): boolean =>
  key === stream || key.startsWith(`${stream} `) || key === batchIdOfStream(stream)
