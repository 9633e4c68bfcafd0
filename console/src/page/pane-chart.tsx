/** The canvas of one trend pane: built once for its lines, fed with data as they come. */
import { useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import type { Gap } from '../api/answers.ts'
import { align, gapsOf, gapThresholdMs } from '../model/aligned.ts'
import type { AxisMode } from '../model/axis.ts'
import type { PaneDefinition, PaneLine } from '../model/panes.ts'
import type { OfflineSample } from '../model/samples.ts'
import type { DrawnSeries } from '../state/series-feed.ts'
import type { ForecastDrawing } from './forecast-drawing.ts'
import type { PaneContent } from './pane-content.ts'
import { paneChart } from './pane-options.ts'

export type LineView = PaneLine & {
  readonly label: string
  readonly decimals: number
  readonly unitLabel: string
  readonly series: DrawnSeries
}

export type PaneChartProps = {
  readonly definition: PaneDefinition
  readonly lines: readonly LineView[]
  readonly log: boolean
  readonly range: { readonly from: number; readonly to: number }
  /** End of what was read; beyond it the axis shows what lies ahead. */
  readonly aheadFrom: number | null
  readonly mode: AxisMode
  readonly width: number
  readonly gaps: readonly Gap[]
  readonly samples: readonly OfflineSample[]
  readonly forecast: ForecastDrawing | undefined
  readonly cursor: { readonly at: number; readonly typed: boolean } | null
  readonly onZoom: (from: number, to: number) => void
  readonly onReset: () => void
  /** The instant under the pointer that moves over a chart; null when it leaves. */
  readonly onPointer: (at: number | null) => void
  /** The instant under a pointer that rests, after the chart moved below it. */
  readonly onRedraw: (at: number) => void
}

/** Offline samples and forecasts are OD600 in AU, whatever the online probe sends. */
const estimates = { scale: 'AU', unitLabel: 'AU' }

export function PaneChart(props: PaneChartProps) {
  const { definition, lines, log, range, aheadFrom, mode, width, gaps, samples, forecast, cursor } = props
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | undefined>(undefined)
  const content = useRef<PaneContent>({ range, mode, marks: [], samples, forecast, aheadFrom })
  const handlers = useRef(props)
  handlers.current = props

  const readTo = aheadFrom ?? range.to
  const aligned = useMemo(
    () =>
      align(
        lines.map((line) => ({
          points: log ? line.series.points.filter(({ value }) => !(value <= 0)) : line.series.points,
          gapMs: gapThresholdMs(line.tag, line.series.bucketSeconds),
          gaps: gapsOf(line.tag, gaps, readTo),
        })),
      ),
    [lines, log, gaps, readTo],
  )
  // Without any point there is still an axis, and what is drawn over it.
  const data = useMemo<uPlot.AlignedData>(() => {
    const times = aligned.times.length > 0 ? aligned.times : [range.from, range.to]
    const blank = times.map(() => null)
    const columns = aligned.times.length > 0 ? aligned.columns : lines.map(() => blank)
    return [times, ...columns, ...(definition.samples ? [blank] : [])]
  }, [aligned, lines, definition, range])
  const shape = `${lines.map((line) => `${line.tag} ${line.scale} ${line.unitLabel}`).join()}|${log}|${mode.kind}`

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the lines; data follow below
  useEffect(() => {
    if (!host.current) return
    content.current = { range, mode, marks: aligned.marks, samples, forecast, aheadFrom }
    const built = new uPlot(
      paneChart({
        width,
        height: definition.samples ? 220 : 150,
        lines,
        log,
        limits: definition.limits,
        estimates: definition.samples ? estimates : undefined,
        content: content.current,
        onZoom: (from, to) => handlers.current.onZoom(from, to),
        onReset: () => handlers.current.onReset(),
        onPointer: (at) => handlers.current.onPointer(at),
        onRedraw: (at) => handlers.current.onRedraw(at),
      }),
      data,
      host.current,
    )
    chart.current = built
    return () => {
      chart.current = undefined
      built.destroy()
    }
  }, [shape, width, definition])

  useEffect(() => {
    if (!chart.current) return
    Object.assign(content.current, { range, mode, marks: aligned.marks, samples, forecast, aheadFrom })
    chart.current.setData(data)
  }, [aligned, data, range, mode, samples, forecast, aheadFrom])

  useEffect(() => {
    if (!chart.current || !cursor?.typed) return
    chart.current.setCursor({ left: chart.current.valToPos(cursor.at, 'x'), top: 10 }, false)
  }, [cursor])

  return <div className="chart" ref={host} role="img" aria-label={`Chart of ${definition.title}`} />
}
