/** One batch, live or as known at a past instant. */
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import type { Batch } from '../api/answers.ts'
import type { Api } from '../api/client.ts'
import { batchName, originWord } from '../model/batch-choice.ts'
import { dataClock, elapsedSinceInoculation } from '../model/freshness.ts'
import { offlineSamples } from '../model/samples.ts'
import type { Zone } from '../model/time.ts'
import { type BatchFeed, createBatchFeed } from '../state/batch-feed.ts'
import { createForecastFeed, type ForecastFeed } from '../state/forecast-feed.ts'
import { createSeriesFeed, type SeriesFeed } from '../state/series-feed.ts'
import { useNow } from '../state/use-now.ts'
import { AsOfControl } from './as-of.tsx'
import { Charts } from './charts.tsx'
import { Header } from './header.tsx'
import { Ingress } from './ingress.tsx'
import { Models } from './models.tsx'
import { FailureNotice, failureWords, Notice } from './notice.tsx'
import { OtherValues, Tiles } from './tiles.tsx'
import { Gaps, Timeline } from './timeline.tsx'

export type BatchPageProps = {
  readonly api: Api
  readonly zone: Zone
  readonly batchId: string
  readonly batches: readonly Batch[]
  readonly asOfMs: number | null
  readonly navigate: (next: { batchId: string | null; asOfMs: number | null }) => void
}

type Feeds = {
  readonly batch: BatchFeed
  readonly series: SeriesFeed
  readonly forecasts: ForecastFeed
}

/** Opens the feeds of this batch and closes them when another is shown. */
export function BatchPage(props: BatchPageProps) {
  const { api, batchId, asOfMs } = props
  const [feeds, setFeeds] = useState<Feeds | undefined>(undefined)
  useEffect(() => {
    const isSmall = window.innerWidth < 700
    const series = createSeriesFeed({ api, batchId, asOfMs, points: isSmall ? 700 : 2000 })
    const forecasts = createForecastFeed({ api, batchId, asOfMs, points: isSmall ? 80 : 200 })
    const batch = createBatchFeed({
      api,
      batchId,
      asOfMs,
      onReadings: series.addLive,
      onDerived: series.addDerived,
      onForecasts: forecasts.addLive,
      onScored: forecasts.refresh,
      onReopened: () => {
        series.refresh()
        forecasts.refresh()
      },
    })
    setFeeds({ batch, series, forecasts })
    return () => {
      batch.stop()
      series.stop()
      forecasts.stop()
    }
  }, [api, batchId, asOfMs])
  return feeds ? <OpenBatch {...props} feeds={feeds} /> : <Notice title="Opening the batch …" quiet />
}

function OpenBatch({ api, zone, batches, asOfMs, navigate, feeds }: BatchPageProps & { feeds: Feeds }) {
  const snapshot = useSyncExternalStore(feeds.batch.subscribe, feeds.batch.get)
  const {
    state,
    current,
    timeline,
    olderCursor,
    models,
    ingress,
    gaps,
    connection,
    failure,
    arrivedMs,
    newestSourceMs,
  } = snapshot
  const forecast = useSyncExternalStore(feeds.forecasts.subscribe, feeds.forecasts.get)
  const wallMs = useNow(api, true)
  const samples = useMemo(() => offlineSamples(snapshot.samples), [snapshot.samples])
  useTitle(state, asOfMs)

  if (!state)
    return failure ? <FailureNotice failure={failure} /> : <Notice title="Opening the batch …" quiet />
  const clock = dataClock({
    status: state.status,
    origin: state.origin,
    newestSourceMs,
    wallMs,
    arrivedMs,
    asOfMs,
  })
  return (
    <>
      <Header
        state={state}
        batches={batches}
        elapsedMs={elapsedSinceInoculation(state, clock)}
        connection={connection}
        zone={zone}
        onBatch={(batchId) => navigate({ batchId, asOfMs })}
      />
      {failure && (
        <p className="trouble" role="alert">
          <strong>{failureWords(failure).title}.</strong> {failureWords(failure).text} What is shown is what
          was last known.
        </p>
      )}
      <main>
        <Tiles current={current} origin={state.origin} clock={clock} zone={zone} />
        <p className="clock-words">{clock.explanation}</p>
        <div className="columns">
          <div className="main-column">
            <Charts
              feed={feeds.series}
              forecasts={feeds.forecasts}
              state={state}
              current={current}
              gaps={gaps}
              samples={samples}
              nowMs={newestSourceMs ?? clock.nowMs}
              zone={zone}
            />
            <Timeline
              items={timeline}
              origin={state.origin}
              zone={zone}
              onOlder={olderCursor === null ? undefined : feeds.batch.loadOlder}
            />
          </div>
          <div className="side">
            <OtherValues current={current} clock={clock} zone={zone} />
            <Models api={api} models={models} coverage={forecast.coverage} asOfMs={asOfMs} zone={zone} />
            <Ingress balance={ingress} />
            <Gaps gaps={gaps} nowMs={clock.nowMs} zone={zone} />
            <section className="panel" aria-labelledby="as-of-title">
              <h2 id="as-of-title">Look back</h2>
              <AsOfControl
                asOfMs={asOfMs}
                nowMs={wallMs}
                zone={zone}
                onChoose={(chosen) => navigate({ batchId: state.id, asOfMs: chosen })}
              />
            </section>
          </div>
        </div>
      </main>
      <footer className="page-foot">
        Position <code>{state.asOf.position}</code> · times in {zone} · readings as stored, never converted;
        derived rates shown in mmol
      </footer>
    </>
  )
}

function useTitle(state: Batch | undefined, asOfMs: number | null): void {
  useEffect(() => {
    if (!state) return
    const origin = state.origin === 'live' ? '' : `${originWord[state.origin]} · `
    document.title = `${asOfMs === null ? '' : `As of ${new Date(asOfMs).toISOString()} · `}${origin}${batchName(state)}`
  }, [state, asOfMs])
}
