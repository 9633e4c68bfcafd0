/**
 * The series behind the charts: each tag fetched reduced for the visible range, the live tail kept on top, and
 * fetched again once in a while, so that what is drawn stays bounded however long the batch runs.
 */
import type { DerivedSeries, LiveDerived, LiveReadings, Series } from '../api/answers.ts'
import type { Api, Reply } from '../api/client.ts'
import {
  derivedKey,
  fromAnswer,
  fromDerived,
  type LivePoint,
  liveDerivedByTag,
  livePointsByTag,
  mergePoints,
  type Point,
  type Shown,
  type TagSeries,
  tailAfter,
  thinTail,
} from '../model/series-merge.ts'
import { createStore, type Store } from './store.ts'

export type DrawnSeries = {
  readonly tag: string
  readonly unit: string
  readonly bucketSeconds: number | null
  readonly points: readonly Point[]
  /** Of a derived value. */
  readonly shown?: Shown
}

export type SeriesSnapshot = {
  readonly series: ReadonlyMap<string, DrawnSeries>
  /** Tags whose last fetch failed: what is drawn of them may be old. */
  readonly failed: readonly string[]
  readonly loaded: boolean
}

export type FetchRange = { readonly from?: number; readonly to?: number }

export type SeriesFeed = Store<SeriesSnapshot> & {
  /** Asks for these tags over this range; what is drawn stays until the answers are there. */
  readonly show: (tags: readonly string[], range: FetchRange) => void
  readonly addLive: (frame: LiveReadings) => void
  readonly addDerived: (frame: LiveDerived) => void
  readonly refresh: () => void
  readonly stop: () => void
}

export type SeriesFeedOptions = {
  readonly api: Api
  readonly batchId: string
  readonly asOfMs: number | null
  /** How many points a line can show. */
  readonly points: number
}

const refreshEveryMs = 60_000
const refreshAtMostEveryMs = 10_000
const tailLimit = 2000
const inParallel = 3
const retryMs = 5000

export function createSeriesFeed({ api, batchId, asOfMs, points }: SeriesFeedOptions): SeriesFeed {
  const store = createStore<SeriesSnapshot>({ series: new Map(), failed: [], loaded: false })
  const bases = new Map<string, TagSeries>()
  const tails = new Map<string, LivePoint[]>()
  const units = new Map<string, string>()
  let tags: readonly string[] = []
  let range: FetchRange = {}
  let abort = new AbortController()
  let fetchedAt = 0
  let fetching = false
  let retry: ReturnType<typeof setTimeout> | undefined
  const timer = asOfMs === null ? setInterval(() => refresh(), refreshEveryMs) : undefined

  return {
    ...store,
    show: (wanted, wantedRange) => {
      tags = wanted
      range = wantedRange
      refresh()
    },
    addLive: (frame) => {
      addToTails(livePointsByTag({ ...frame, readings: frame.readings.filter(isOfUnit) }))
    },
    addDerived: (frame) => {
      const factors = new Map<string, number>()
      for (const [tag, { shown }] of bases) if (shown) factors.set(tag, shown.factor)
      addToTails(liveDerivedByTag(frame, factors))
    },
    refresh,
    stop: () => {
      abort.abort()
      clearInterval(timer)
      clearTimeout(retry)
    },
  }

  function addToTails(byTag: ReadonlyMap<string, readonly LivePoint[]>): void {
    let longest = 0
    for (const [tag, arrived] of byTag) {
      const tail = [...(tails.get(tag) ?? []), ...arrived]
      const bucketMs = (bases.get(tag)?.bucketSeconds ?? 1) * 1000
      tails.set(tag, tail.length > tailLimit ? thinTail(tail, Math.max(bucketMs, 1000)) : tail)
      longest = Math.max(longest, tail.length)
    }
    publish()
    // A question under way is not asked anew: its last answers would never come.
    if (longest > tailLimit && !fetching && Date.now() - fetchedAt > refreshAtMostEveryMs) refresh()
  }

  /** A line has one unit, the first; a tag that is sent in another one too is not mixed into it. */
  function isOfUnit({ tag, unit }: LiveReadings['readings'][number]): boolean {
    const known = bases.get(tag)?.unit ?? units.get(tag)
    if (known === undefined) units.set(tag, unit)
    return known === undefined || known === unit
  }

  function refresh(): void {
    abort.abort()
    abort = new AbortController()
    fetchedAt = Date.now()
    fetching = true
    void fetchAll(abort.signal).catch((error: unknown) => {
      if (!(error instanceof DOMException && error.name === 'AbortError')) throw error
    })
  }

  async function fetchAll(signal: AbortSignal): Promise<void> {
    const waiting = [...tags]
    const failed: string[] = []
    clearTimeout(retry)
    await Promise.all(
      Array.from({ length: inParallel }, async () => {
        for (let tag = waiting.shift(); tag !== undefined; tag = waiting.shift()) {
          const base = await fetchBase(tag, signal)
          if (!base) {
            failed.push(tag)
            continue
          }
          bases.set(tag, base)
          if (range.to === undefined) tails.set(tag, tailAfter(tails.get(tag) ?? [], base.position))
        }
      }),
    )
    if (signal.aborted) return
    fetching = false
    if (failed.length > 0) retry = setTimeout(refresh, retryMs)
    publish({ failed, loaded: true })
  }

  async function fetchBase(tag: string, signal: AbortSignal): Promise<TagSeries | undefined> {
    const key = derivedKey(tag)
    const ask = <Body>(what: string, name: Record<string, string>): Promise<Reply<Body>> =>
      api.get(
        `batches/${encodeURIComponent(batchId)}/${what}`,
        {
          ...name,
          from: range.from === undefined ? undefined : new Date(Math.round(range.from)).toISOString(),
          to: range.to === undefined ? undefined : new Date(Math.round(range.to)).toISOString(),
          reduce: 'minmax',
          points: String(points),
          asOf: asOfMs === null ? undefined : new Date(asOfMs).toISOString(),
        },
        signal,
      )
    if (key === undefined) {
      const reply = await ask<Series>('series', { tag })
      return reply.kind === 'answer' ? fromAnswer(reply.body) : undefined
    }
    const reply = await ask<DerivedSeries>('derived', { key })
    return reply.kind === 'answer' ? fromDerived(reply.body) : undefined
  }

  function publish(also: Partial<SeriesSnapshot> = {}): void {
    const series = new Map<string, DrawnSeries>()
    for (const tag of new Set([...bases.keys(), ...tails.keys()])) {
      const base = bases.get(tag)
      const tail = tails.get(tag) ?? []
      const fresh = base ? tailAfter(tail, base.position) : tail
      series.set(tag, {
        tag,
        unit: base?.unit ?? units.get(tag) ?? '',
        bucketSeconds: base?.bucketSeconds ?? null,
        points: mergePoints(base?.points ?? [], fresh),
        ...(base?.shown ? { shown: base.shown } : {}),
      })
    }
    store.set({ ...also, series })
  }
}
