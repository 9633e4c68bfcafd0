/**
 * Forecasts of one batch: what was said over the visible range (thinned), the outcome of the newest window, spans without
 * a forecast, and how forecasts met samples. Kept up by the live feed; a past instant is fetched once.
 */
import type {
  Forecast,
  ForecastCoverage,
  ForecastList,
  LiveForecasts,
  WithheldSpan,
  WithheldSpanList,
} from '../api/answers.ts'
import type { Api, Reply } from '../api/client.ts'
import { addForecasts, addToSpans, longestHorizonMs, newestOf } from '../model/forecast.ts'
import type { FetchRange } from './series-feed.ts'
import { createStore, type Store } from './store.ts'

export type ForecastSnapshot = {
  /** In order of their windows. */
  readonly items: readonly Forecast[]
  /** Outcome of the newest window, wherever the chart looks. */
  readonly newest: Forecast | undefined
  readonly spans: readonly WithheldSpan[]
  readonly coverage: ForecastCoverage | undefined
  readonly failed: boolean
}

export type ForecastFeed = Store<ForecastSnapshot> & {
  readonly show: (range: FetchRange) => void
  readonly addLive: (frame: LiveForecasts) => void
  readonly refresh: () => void
  readonly stop: () => void
}

export type ForecastFeedOptions = {
  readonly api: Api
  readonly batchId: string
  readonly asOfMs: number | null
  /** About how many forecasts to draw. */
  readonly points: number
}

const refreshEveryMs = 30_000
const refreshAtMostEveryMs = 5_000
const liveLimit = 1_000
const retryMs = 5_000

export function createForecastFeed({ api, batchId, asOfMs, points }: ForecastFeedOptions): ForecastFeed {
  const store = createStore<ForecastSnapshot>({
    items: [],
    newest: undefined,
    spans: [],
    coverage: undefined,
    failed: false,
  })
  const path = `batches/${encodeURIComponent(batchId)}/forecasts`
  const asOf = asOfMs === null ? undefined : new Date(asOfMs).toISOString()
  let range: FetchRange = {}
  let arrived: Forecast[] = []
  let abort = new AbortController()
  let fetchedAt = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  const timer = asOfMs === null ? setInterval(() => refresh(), refreshEveryMs) : undefined

  return {
    ...store,
    show: (wanted) => {
      range = wanted
      refresh()
    },
    addLive: ({ items }) => {
      arrived = addForecasts(arrived, items).slice(-liveLimit)
      const { items: drawn, newest, spans } = store.get()
      store.set({
        items: range.to === undefined ? addForecasts(drawn, items) : drawn,
        newest: newestOf(newest, items),
        spans: addToSpans(spans, items),
      })
      if (arrived.length >= liveLimit && Date.now() - fetchedAt > refreshAtMostEveryMs) refresh()
    },
    refresh,
    stop: () => {
      abort.abort()
      clearInterval(timer)
      clearTimeout(retry)
    },
  }

  function refresh(): void {
    abort.abort()
    abort = new AbortController()
    clearTimeout(retry)
    fetchedAt = Date.now()
    void fetchAll(abort.signal).catch((error: unknown) => {
      if (!(error instanceof DOMException && error.name === 'AbortError')) throw error
    })
  }

  async function fetchAll(signal: AbortSignal): Promise<void> {
    const ask = <Body>(below: string, parameters: Record<string, string | undefined>): Promise<Reply<Body>> =>
      api.get(`${path}${below}`, { asOf, ...parameters }, signal)
    const [thinned, newest, spans, coverage] = await Promise.all([
      ask<ForecastList>('', { ...bounds(), points: String(points) }),
      ask<ForecastList>('', { order: 'desc', limit: '1' }),
      ask<WithheldSpanList>('/withheld', { limit: '1000' }),
      ask<ForecastCoverage>('/coverage', {}),
    ])
    if (signal.aborted) return
    const failed = [thinned, newest, spans, coverage].some((reply) => reply.kind !== 'answer')
    if (failed) retry = setTimeout(refresh, retryMs)
    store.set({ failed })
    if (
      thinned.kind !== 'answer' ||
      newest.kind !== 'answer' ||
      spans.kind !== 'answer' ||
      coverage.kind !== 'answer'
    )
      return
    // What arrived while the question was under way is in none of the answers.
    const since = (reply: { asOf: { position: string } }) =>
      arrived.filter((item) => BigInt(item.position) > BigInt(reply.asOf.position))
    store.set({
      items:
        range.to === undefined ? addForecasts(thinned.body.items, since(thinned.body)) : thinned.body.items,
      newest: newestOf(newest.body.items[0], since(newest.body)),
      spans: addToSpans(spans.body.items, since(spans.body)),
      coverage: coverage.body,
    })
    arrived = since(thinned.body)
  }

  /** A forecast that was made before the range reaches into it. */
  function bounds(): { from: string | undefined; to: string | undefined } {
    const text = (ms: number | undefined) =>
      ms === undefined ? undefined : new Date(Math.round(ms)).toISOString()
    return {
      from: text(range.from === undefined ? undefined : range.from - longestHorizonMs),
      to: text(range.to),
    }
  }
}
