/** How one trend pane is drawn with uPlot: scales, axes, lines, and the marks that stand on top of them. */
import uPlot from 'uplot'
import { axisOrigin, decimalsFor, logTicks, tickLabels, timeTicks } from '../model/axis.ts'
import { type Limits, leastSpans, type PaneLine } from '../model/panes.ts'
import { formatValue } from '../model/value.ts'
import {
  drawForecastOver,
  drawForecastUnder,
  forecastExtent,
  labelStripsPx,
  shadeAhead,
} from './forecast-drawing.ts'
import { dashes, inkColours } from './ink.ts'
import type { PaneContent } from './pane-content.ts'
import { drawLimits, drawMarks } from './pane-marks.ts'

export type PaneChartOptions = {
  readonly width: number
  readonly height: number
  readonly lines: readonly (PaneLine & { readonly unitLabel: string })[]
  readonly log: boolean
  readonly limits: Limits | undefined
  /** Scale and unit of offline samples and forecasts, in a pane that shows them. */
  readonly estimates: { readonly scale: string; readonly unitLabel: string } | undefined
  readonly content: PaneContent
  readonly onZoom: (from: number, to: number) => void
  readonly onReset: () => void
  readonly onPointer: (at: number | null) => void
  readonly onRedraw: (at: number) => void
}

const text = '#4a5763'
const font = '11px system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif'
const leftAxisPx = 40
const rightAxisPx = 40
const axisLabelPx = 16
const narrowPx = 600
const topPaddingPx = 6
const timeAxisPx = 22

/** All panes share the cursor. */
export const cursorSync = 'console'

export function paneChart(options: PaneChartOptions): uPlot.Options {
  const { width, height, lines, log, content, estimates } = options
  const narrow = width < narrowPx
  const scales = [...new Set([...(estimates ? [estimates.scale] : []), ...lines.map((line) => line.scale)])]
  const axisScales = narrow ? scales.slice(0, 1) : scales.slice(0, 3)
  const rightAxes = axisScales.length - 1
  return {
    width,
    height,
    padding: [topPaddingPx, narrow ? 8 : (rightAxisPx + axisLabelPx) * (2 - rightAxes) + 4, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      sync: { key: cursorSync },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { size: 6 },
      bind: {
        dblclick: () => () => {
          options.onReset()
          return null
        },
      },
    },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: false, range: () => [content.range.from, content.range.to] },
      ...Object.fromEntries(scales.map((scale) => [scale, valueScale(scale)])),
    },
    axes: [timeAxis(content, width), ...axisScales.map(valueAxis)],
    series: [{}, ...lines.map(lineSeries), ...(estimates ? [{ scale: estimates.scale, show: true }] : [])],
    hooks: {
      drawAxes: [
        (chart) => {
          if (content.aheadFrom !== null) shadeAhead(chart, content.aheadFrom)
          if (estimates && content.forecast) drawForecastUnder(chart, estimates.scale, content.forecast)
        },
      ],
      draw: [
        (chart) => {
          if (estimates && content.forecast) drawForecastOver(chart, estimates.scale, content.forecast)
          drawMarks(chart, lines, estimates?.scale, content)
          if (options.limits) drawLimits(chart, options.limits)
        },
      ],
      ready: [
        ({ over, posToVal }) => {
          over.addEventListener('mousemove', ({ offsetX }) => options.onPointer(posToVal(offsetX, 'x')))
          over.addEventListener('mouseleave', () => options.onPointer(null))
        },
      ],
      // Every redraw sets the cursor anew, on every chart: only the one below the pointer says where that is.
      setCursor: [
        (chart) => {
          const { left } = chart.cursor
          if (left !== undefined && left >= 0 && chart.over.matches(':hover'))
            options.onRedraw(chart.posToVal(left, 'x'))
        },
      ],
      setSelect: [
        (chart) => {
          const { left, width: chosen } = chart.select
          if (chosen < 6) return
          options.onZoom(chart.posToVal(left, 'x'), chart.posToVal(left + chosen, 'x'))
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }

  function valueScale(scale: string): uPlot.Scale {
    const drawsEstimates = estimates?.scale === scale
    return {
      distr: log ? 3 : 1,
      range: (_chart, low, high) => {
        const shown = drawsEstimates
          ? [
              ...content.samples
                .filter(({ at }) => at >= content.range.from && at <= content.range.to)
                .map(({ od600 }) => od600),
              ...(content.forecast ? forecastExtent(content.forecast, content.range) : []),
            ]
          : []
        const values = [low, high, ...shown].filter((value) => value !== null && Number.isFinite(value))
        const range = log ? logRange(values) : linearRange(values, leastSpans[scale])
        return drawsEstimates && content.forecast && content.forecast.path.length > 0
          ? withLabelStrips(range, log, height - timeAxisPx - topPaddingPx)
          : range
      },
    }
  }

  function valueAxis(scale: string, index: number): uPlot.Axis {
    const unitLabel =
      lines.find((line) => line.scale === scale)?.unitLabel ??
      (estimates?.scale === scale ? estimates.unitLabel : undefined)
    return {
      scale,
      side: index === 0 ? 3 : 1,
      size: narrow ? 44 : index === 0 ? leftAxisPx : rightAxisPx,
      stroke: text,
      font,
      gap: 4,
      ...(narrow || unitLabel === undefined
        ? {}
        : { label: unitLabel, labelSize: axisLabelPx, labelGap: 0, labelFont: font }),
      grid: { show: index === 0, stroke: '#e2e6ea', width: 1 },
      ticks: { show: true, stroke: '#c3cad1', width: 1, size: 4 },
      values: (_chart, splits) => {
        const decimals = decimalsFor(splits)
        return splits.map((split) => formatValue(split, log ? decimalsFor([split]) : decimals))
      },
      ...(log
        ? {
            splits: (_chart: uPlot, _axis: number, low: number, high: number) => logTicks(low, high),
            filter: (_chart: uPlot, splits: number[]) => splits,
          }
        : {}),
    }
  }

  function lineSeries(line: PaneLine): uPlot.Series {
    const stepped = line.tag === 'Stir_SP' ? uPlot.paths.stepped?.({ align: 1 }) : undefined
    return {
      scale: line.scale,
      stroke: inkColours[line.ink],
      width: 1.25,
      dash: [...dashes[line.style]],
      spanGaps: false,
      points: { size: 4, fill: inkColours[line.ink] },
      ...(stepped ? { paths: stepped } : {}),
    }
  }
}

function timeAxis(content: PaneContent, width: number): uPlot.Axis {
  const limit = Math.max(2, Math.floor(width / 95))
  const ticks = () =>
    timeTicks(content.range.from, content.range.to, limit, axisOrigin(content.mode, content.range.from))
  return {
    side: 2,
    size: content.mode.kind === 'clock' ? 34 : timeAxisPx,
    stroke: text,
    font,
    gap: 3,
    grid: { show: true, stroke: '#e2e6ea', width: 1 },
    ticks: { show: true, stroke: '#c3cad1', width: 1, size: 4 },
    splits: ticks,
    values: (_chart, splits) => tickLabels(splits, content.mode),
  }
}

/** Without a least span of its own (a tag in an unusual unit) a scale spans at least a twentieth of its value. */
function linearRange(values: readonly number[], ownSpan: number | undefined): [number, number] {
  if (values.length === 0) return [0, 1]
  const low = Math.min(...values)
  const high = Math.max(...values)
  const leastSpan = ownSpan ?? (Math.abs(high) / 20 || 1)
  const spare = Math.max((high - low) * 0.06, (leastSpan - (high - low)) / 2)
  const bottom = low - spare
  // What is never negative gets no negative axis, only a little air under its zero.
  return low >= 0 && bottom < 0 ? [-0.04 * (high + 2 * spare), high + 2 * spare] : [bottom, high + spare]
}

/** Room for the labels of a forecast above and below what is drawn, on a plot of `heightPx`. */
function withLabelStrips([low, high]: [number, number], log: boolean, heightPx: number): [number, number] {
  const { above, below } = labelStripsPx
  const drawn = Math.max(heightPx - above - below, heightPx / 3)
  if (log) {
    const perPx = Math.log(high / low) / drawn
    return [low * Math.exp(-perPx * below), high * Math.exp(perPx * above)]
  }
  const perPx = (high - low) / drawn
  return [low - perPx * below, high + perPx * above]
}

function logRange(values: readonly number[]): [number, number] {
  const positive = values.filter((value) => value > 0)
  if (positive.length === 0) return [0.1, 100]
  return [Math.min(...positive) / 1.3, Math.max(...positive) * 1.3]
}
