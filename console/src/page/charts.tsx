/** The stacked trend panes on one time axis, one cursor and one zoom. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { BatchState, CurrentValue, Gap } from '../api/answers.ts'
import { type AxisMode, reachAhead, type View, visibleRange } from '../model/axis.ts'
import { originWord } from '../model/batch-choice.ts'
import { longestHorizonMs } from '../model/forecast.ts'
import {
  chartedTags,
  derivedPanes,
  derivedTags,
  furtherPanes,
  furtherTags,
  type PaneDefinition,
  panes,
} from '../model/panes.ts'
import { phaseSpans, phaseWords } from '../model/phase.ts'
import type { OfflineSample } from '../model/samples.ts'
import { derivedKey } from '../model/series-merge.ts'
import { clockTime, fullTime, sinceStart, type Zone } from '../model/time.ts'
import { labelOf } from '../model/value.ts'
import type { ForecastFeed } from '../state/forecast-feed.ts'
import type { SeriesFeed } from '../state/series-feed.ts'
import { ChartControls } from './chart-controls.tsx'
import { ForecastLegend, ForecastTable } from './forecast-legend.tsx'
import { Pane } from './pane.tsx'
import { axisTime } from './pane-table.tsx'
import { useForecastDrawing } from './use-forecast-drawing.ts'

export type ChartsProps = {
  readonly feed: SeriesFeed
  readonly forecasts: ForecastFeed
  readonly state: BatchState
  readonly current: readonly CurrentValue[]
  readonly gaps: readonly Gap[]
  readonly samples: readonly OfflineSample[]
  /** Newest source time: the right end of the axis. */
  readonly nowMs: number
  readonly zone: Zone
}

export function Charts({ feed, forecasts, state, current, gaps, samples, nowMs, zone }: ChartsProps) {
  const { series, failed, loaded } = useSyncExternalStore(feed.subscribe, feed.get)
  const forecast = useSyncExternalStore(forecasts.subscribe, forecasts.get)
  const [withFan, setWithFan] = useState(false)
  const [view, setView] = useState<View>({ kind: 'all' })
  const [byClock, setByClock] = useState(false)
  const [asTable, setAsTable] = useState(false)
  const [withFurther, setWithFurther] = useState(false)
  const [placed, setCursor] = useState<Cursor | null>(null)
  const [host, width] = useWidth()
  const inoculatedMs = state.inoculatedAt === null ? null : Date.parse(state.inoculatedAt)
  const mode = useMemo<AxisMode>(
    () => (inoculatedMs === null || byClock ? { kind: 'clock', zone } : { kind: 'elapsed', inoculatedMs }),
    [inoculatedMs, byClock, zone],
  )

  const tags = chartedTags.filter((tag) => current.some((value) => value.tag === tag))
  const wanted = tags.join()
  const hasForecasts = forecast.newest !== undefined
  const stride = view.kind === 'last' ? Math.floor(nowMs / view.ms) : 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: `wanted` and `stride` stand for tags and now
  useEffect(() => {
    const shown =
      view.kind === 'fixed'
        ? { from: view.from, to: view.to }
        : view.kind === 'last'
          ? { from: nowMs - view.ms }
          : {}
    if (wanted !== '') feed.show([...tags, ...derivedTags, ...(withFurther ? furtherTags : [])], shown)
    forecasts.show(shown)
  }, [feed, forecasts, wanted, view, stride, withFurther])

  const first = useMemo(() => firstTime(series, Date.parse(state.createdAt)), [series, state.createdAt])
  const visible = visibleRange(view, first, nowMs)
  const isOpen = state.status === 'pending' || state.status === 'running'
  const reachesAhead = isOpen && hasForecasts && view.kind !== 'fixed'
  const aheadFrom = reachesAhead ? visible.to : null
  const { from } = visible
  const to = reachesAhead
    ? visible.to + reachAhead(view, visible.to - visible.from, longestHorizonMs)
    : visible.to
  const range = useMemo(() => ({ from, to }), [from, to])
  // The range moves when older series arrive, when time goes on and with the zoom: the cursor stays within.
  const cursor = useMemo(() => within(placed, from, visible.to), [placed, from, visible.to])
  const drawing = useForecastDrawing({ forecast, isOpen, withFan, aheadTo: to, zone })
  const isWithData = (pane: PaneDefinition) =>
    pane.lines.some(({ tag }) => tags.includes(tag)) ||
    // Samples and forecasts need no online probe.
    (pane.samples && (samples.length > 0 || hasForecasts))
  const withData = panes.filter(isWithData)
  const without = panes.filter((pane) => !withData.includes(pane))
  const isDerived = (pane: PaneDefinition) =>
    pane.lines.some(({ tag }) => (series.get(tag)?.points.length ?? 0) > 0)
  const derived = derivedPanes.filter(isDerived)
  const further = withFurther ? furtherPanes.filter(isDerived) : []
  const phases = useMemo(() => phaseSpans(forecast.items), [forecast.items])

  const shared = {
    series,
    current,
    range,
    aheadFrom,
    mode,
    width,
    gaps,
    samples,
    cursor,
    asTable,
    onZoom: (zoomFrom: number, zoomTo: number) => setView(zoomed(zoomFrom, zoomTo)),
    onReset: () => setView({ kind: 'all' }),
    onPointer: (at: number | null) => setCursor(at === null ? null : { at, typed: false }),
    onRedraw: (at: number) => setCursor((before) => redrawn(before, at)),
  }

  return (
    <section className="panel charts" aria-labelledby="charts-title">
      <div className="charts-head">
        <h2 id="charts-title">
          Trends{' '}
          {state.origin !== 'live' && <strong className="origin-word">{originWord[state.origin]}</strong>}
        </h2>
        <ChartControls
          hidden={withData.length === 0}
          view={view}
          onView={setView}
          byClock={mode.kind === 'clock'}
          hasElapsed={inoculatedMs !== null}
          onByClock={setByClock}
          asTable={asTable}
          onTable={setAsTable}
        />
      </div>
      {withData.length > 0 && (
        <div className="cursor-line">
          <label htmlFor="chart-cursor">
            {cursor ? 'Cursor' : 'Newest'}{' '}
            <output>{timeWords(cursor?.at ?? visible.to, inoculatedMs, zone)}</output>
          </label>
          <input
            id="chart-cursor"
            type="range"
            min={from}
            max={visible.to}
            step={Math.max(1000, Math.round((visible.to - from) / 500))}
            value={cursor?.at ?? visible.to}
            aria-valuetext={timeWords(cursor?.at ?? visible.to, inoculatedMs, zone)}
            onChange={(event) => setCursor({ at: Number(event.target.value), typed: true })}
          />
          {view.kind === 'fixed' && (
            <button type="button" onClick={() => setView({ kind: 'all' })}>
              Reset zoom
            </button>
          )}
        </div>
      )}
      <div ref={host} className="panes">
        {withData.map((definition) => (
          <Pane
            key={definition.id}
            definition={definition}
            {...shared}
            forecast={definition.samples ? drawing : undefined}
            legend={
              definition.samples && (
                <ForecastLegend
                  newest={forecast.newest}
                  coverage={forecast.coverage}
                  hasSoftSensor={drawing.softSensor.length > 0}
                  hasWithheld={forecast.spans.length > 0}
                  isOpen={isOpen}
                  origin={state.origin}
                  nowMs={nowMs}
                  zone={zone}
                  withFan={withFan}
                  onFan={setWithFan}
                />
              )
            }
            table={
              definition.samples && (
                <ForecastTable newest={forecast.newest} spans={forecast.spans} mode={mode} />
              )
            }
          />
        ))}
        {derived.length > 0 && <h3 className="panes-title">Derived every 30 s</h3>}
        {derived.length > 0 && phases.length > 0 && (
          <p>Phase of growth: {phaseWords(phases, (at) => axisTime(mode, at))}</p>
        )}
        {derived.map((definition) => (
          <Pane key={definition.id} definition={definition} {...shared} forecast={undefined} />
        ))}
        {derived.length > 0 && (
          <details className="further" onToggle={(event) => setWithFurther(event.currentTarget.open)}>
            <summary>
              More derived values: specific rates, biomass, volume, cumulative sums, balance closure
            </summary>
            {withFurther && further.length === 0 && <p role="status">Asking for these series …</p>}
            {further.map((definition) => (
              <Pane key={definition.id} definition={definition} {...shared} forecast={undefined} />
            ))}
          </details>
        )}
      </div>
      {withData.length > 0 && !loaded && <p role="status">Asking for the series …</p>}
      {failed.length > 0 && (
        <p className="trouble" role="status">
          The series of {failed.map((tag) => derivedKey(tag) ?? labelOf(tag)).join(', ')} could not be
          fetched; it is asked for again in a few seconds.
        </p>
      )}
      {forecast.failed && (
        <p className="trouble" role="status">
          The forecasts could not be fetched; they are asked for again in a few seconds.
        </p>
      )}
      {without.length > 0 && <p className="empty-words">{withoutWords(without, withData.length > 0)}</p>}
      {withData.length > 0 && (
        <p className="hint">
          Drag across a chart to zoom all, double-click to reset. × bad value, ◇ uncertain value; a break in a
          line is a gap.
        </p>
      )}
    </section>
  )
}

/** Typed: set with the slider, stays until a pointer moves over a chart. */
type Cursor = { readonly at: number; readonly typed: boolean }

function within(cursor: Cursor | null, from: number, to: number): Cursor | null {
  if (!cursor || (cursor.at >= from && cursor.at <= to)) return cursor
  return { ...cursor, at: Math.min(to, Math.max(from, cursor.at)) }
}

/** A redraw moves what a resting pointer points at, and never what the slider was set to. */
function redrawn(before: Cursor | null, at: number): Cursor {
  return before && (before.typed || before.at === at) ? before : { at, typed: false }
}

/** Never closer than ten seconds: readings come once a second. */
function zoomed(from: number, to: number): View {
  const spare = Math.max(0, (10_000 - (to - from)) / 2)
  return { kind: 'fixed', from: from - spare, to: to + spare }
}

function timeWords(at: number, inoculatedMs: number | null, zone: Zone): string {
  return inoculatedMs === null
    ? fullTime(zone, at)
    : `${sinceStart(at - inoculatedMs)} · ${clockTime(zone, at)}`
}

function withoutWords(without: readonly PaneDefinition[], some: boolean): string {
  const names = without.map((pane) => pane.title).join('; ')
  return some
    ? `Not drawn, because no reading was recorded: ${names}.`
    : 'No reading recorded for this batch yet; the charts appear with the first one.'
}

function firstTime(
  series: ReadonlyMap<string, { points: readonly { at: number }[] }>,
  created: number,
): number {
  let first = Number.POSITIVE_INFINITY
  for (const { points } of series.values()) first = Math.min(first, points[0]?.at ?? first)
  return Number.isFinite(first) ? first : created
}

function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const host = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const element = host.current
    if (!element) return
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [host, width]
}
