/**
 * How forecasts are drawn over the OD600 chart: the interval as a band with thin edges (which a print in grey keeps), the
 * median dashed, the soft sensor as small rings, and a hatched box with its reason where no forecast was issued.
 */
import type uPlot from 'uplot'
import type { WithheldSpan } from '../api/answers.ts'
import { type PathPoint, withheldWords } from '../model/forecast.ts'

export type ForecastDrawing = {
  /** The forecast in force, from its origin on; empty when there is none. */
  readonly path: readonly PathPoint[]
  /** Past forecasts, on demand. */
  readonly fan: readonly (readonly PathPoint[])[]
  readonly softSensor: readonly PathPoint[]
  readonly withheld: readonly DrawnSpan[]
  /** `issued 14:20:07 by …`, at the start of the path. */
  readonly originLabel: string
  readonly horizonTicks: readonly { readonly at: number; readonly label: string }[]
}
export type DrawnSpan = Pick<WithheldSpan, 'reason' | 'detail'> & {
  readonly from: number
  readonly to: number
}

export const forecastInk = '#2f5f98'
const band = 'rgba(47, 95, 152, 0.2)'
const faint = 'rgba(47, 95, 152, 0.35)'
const text = '#17222c'
const hatchInk = '#7d8994'
const ground = 'rgba(247, 248, 249, 0.88)'

type Place = (point: { at: number; value: number }) => { x: number; y: number }

/** Under the measured line: band, fan, hatched boxes. */
export function drawForecastUnder(chart: uPlot, scale: string, drawing: ForecastDrawing): void {
  inPlot(chart, (ctx, ratio) => {
    const place = placeIn(chart, scale)
    for (const span of drawing.withheld) hatch(ctx, chart, span, ratio)
    ctx.lineWidth = ratio
    ctx.setLineDash([2 * ratio, 4 * ratio])
    for (const path of drawing.fan) {
      ctx.strokeStyle = faint
      line(ctx, place, path, (point) => point.p50)
    }
    ctx.setLineDash([])
    if (drawing.path.length > 1) {
      ctx.beginPath()
      drawing.path.forEach((point, index) => {
        const { x, y } = place({ at: point.at, value: point.p95 })
        if (index === 0) ctx.moveTo(x, y)
        else ctx.lineTo(x, y)
      })
      for (const point of drawing.path.toReversed()) {
        const { x, y } = place({ at: point.at, value: point.p5 })
        ctx.lineTo(x, y)
      }
      ctx.closePath()
      ctx.fillStyle = band
      ctx.fill()
      ctx.strokeStyle = forecastInk
      ctx.lineWidth = 0.75 * ratio
      line(ctx, place, drawing.path, (point) => point.p5)
      line(ctx, place, drawing.path, (point) => point.p95)
    }
  })
}

/** Over it: the dashed median, the soft sensor's rings, origin and horizon marks. */
export function drawForecastOver(chart: uPlot, scale: string, drawing: ForecastDrawing): void {
  inPlot(chart, (ctx, ratio) => {
    const place = placeIn(chart, scale)
    ctx.strokeStyle = forecastInk
    ctx.lineWidth = ratio
    for (const point of spaced(drawing.softSensor, place, 9 * ratio)) {
      const { x, y } = place({ at: point.at, value: point.p50 })
      ctx.beginPath()
      ctx.arc(x, y, 2.2 * ratio, 0, 2 * Math.PI)
      ctx.fillStyle = '#f7f8f9'
      ctx.fill()
      ctx.stroke()
    }
    const { top, height, left, width } = chart.bbox
    ctx.font = `${10.5 * ratio}px system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif`
    const [origin] = drawing.path
    if (!origin) return
    if (drawing.fan.length > 0) {
      // On a light ground, so that past forecasts along the same way do not close its gaps.
      ctx.strokeStyle = ground
      ctx.lineWidth = 4 * ratio
      line(ctx, place, drawing.path, (point) => point.p50)
    }
    ctx.strokeStyle = forecastInk
    ctx.lineWidth = 2 * ratio
    ctx.setLineDash([6 * ratio, 6 * ratio])
    line(ctx, place, drawing.path, (point) => point.p50)
    ctx.setLineDash([2 * ratio, 3 * ratio])
    ctx.lineWidth = ratio
    const start = place({ at: origin.at, value: origin.p50 })
    verticalLine(ctx, start.x, top, height)
    ctx.setLineDash([])
    ctx.fillStyle = text
    ctx.textBaseline = 'top'
    let labelledTo = start.x
    for (const { at, label } of drawing.horizonTicks) {
      const { x } = place({ at, value: origin.p50 })
      if (x > left + width) continue
      ctx.strokeStyle = hatchInk
      verticalLine(ctx, x, top, 6 * ratio)
      const labelWidth = ctx.measureText(label).width
      const labelLeft = Math.min(x - labelWidth / 2, left + width - labelWidth - 2 * ratio)
      if (labelLeft < labelledTo + 4 * ratio) continue
      ctx.textAlign = 'left'
      onGround(ctx, label, labelLeft, top + 8 * ratio, ratio, 'top')
      labelledTo = labelLeft + labelWidth
    }
    ctx.textAlign = start.x > left + width / 2 ? 'right' : 'left'
    ctx.textBaseline = 'bottom'
    const shift = (start.x > left + width / 2 ? -4 : 4) * ratio
    const room = Math.max(start.x - left, left + width - start.x) - 8 * ratio
    const label =
      ctx.measureText(drawing.originLabel).width <= room
        ? drawing.originLabel
        : (drawing.originLabel.split(' by ')[0] ?? '')
    onGround(ctx, label, start.x + shift, top + height - 3 * ratio, ratio)
    ctx.beginPath()
    ctx.moveTo(start.x, start.y - 5 * ratio)
    ctx.lineTo(start.x + 5 * ratio, start.y)
    ctx.lineTo(start.x, start.y + 5 * ratio)
    ctx.closePath()
    ctx.fillStyle = forecastInk
    ctx.fill()
  })
}

/** Heights that the horizons' labels (above) and the origin's (below) take up: nothing drawn lies under them. */
export const labelStripsPx = { above: 26, below: 18 } as const

/** What the value axis must reach over, so that nothing drawn is cut off. */
export function forecastExtent(drawing: ForecastDrawing, range: { from: number; to: number }): number[] {
  const inRange = ({ at }: PathPoint) => at >= range.from && at <= range.to
  return [
    ...drawing.path.filter(inRange).flatMap(({ p5, p95 }) => [p5, p95]),
    ...drawing.softSensor.filter(inRange).map(({ p50 }) => p50),
    ...drawing.fan.flatMap((path) => path.filter(inRange).map(({ p50 }) => p50)),
  ]
}

/** A light ground over what lies ahead of the newest reading: nothing there is measured. */
export function shadeAhead(chart: uPlot, from: number): void {
  inPlot(chart, (ctx) => {
    const { left, top, width, height } = chart.bbox
    const x = Math.max(left, chart.valToPos(from, 'x', true))
    if (x >= left + width) return
    ctx.fillStyle = '#e9edf1'
    ctx.fillRect(x, top, left + width - x, height)
  })
}

function inPlot(chart: uPlot, draw: (ctx: CanvasRenderingContext2D, ratio: number) => void): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.setLineDash([])
  draw(ctx, window.devicePixelRatio)
  ctx.restore()
}

/** A value that the scale cannot show (zero or less on a logarithmic one) lies on its lower edge. */
function placeIn(chart: uPlot, scale: string): Place {
  const { min = 0 } = chart.scales[scale] ?? {}
  return ({ at, value }) => ({
    x: chart.valToPos(at, 'x', true),
    y: chart.valToPos(Math.max(value, min ?? 0), scale, true),
  })
}

function line(
  ctx: CanvasRenderingContext2D,
  place: Place,
  path: readonly PathPoint[],
  quantile: (point: PathPoint) => number,
): void {
  ctx.beginPath()
  path.forEach((point, index) => {
    const { x, y } = place({ at: point.at, value: quantile(point) })
    if (index === 0) ctx.moveTo(x, y)
    else ctx.lineTo(x, y)
  })
  ctx.stroke()
}

function verticalLine(ctx: CanvasRenderingContext2D, x: number, top: number, height: number): void {
  ctx.beginPath()
  ctx.moveTo(x, top)
  ctx.lineTo(x, top + height)
  ctx.stroke()
}

function hatch(ctx: CanvasRenderingContext2D, chart: uPlot, span: DrawnSpan, ratio: number): void {
  const { left, width: plotWidth, top, height } = chart.bbox
  const x = Math.max(left, chart.valToPos(span.from, 'x', true))
  const end = Math.min(left + plotWidth, chart.valToPos(span.to, 'x', true))
  const width = end - x
  if (!(width > 0)) return
  ctx.save()
  ctx.beginPath()
  ctx.rect(x, top, Math.max(width, ratio), height)
  ctx.clip()
  ctx.strokeStyle = hatchInk
  ctx.lineWidth = 0.75 * ratio
  const step = 7 * ratio
  // Counted from the plot's corner, so that neighbouring boxes hatch alike.
  for (
    let offset = Math.floor((x - left - height) / step) * step;
    offset < x - left + width;
    offset += step
  ) {
    ctx.beginPath()
    ctx.moveTo(left + offset, top + height)
    ctx.lineTo(left + offset + height, top)
    ctx.stroke()
  }
  ctx.strokeRect(x + ratio / 2, top + ratio / 2, Math.max(0, width - ratio), height - ratio)
  ctx.font = `${10.5 * ratio}px system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif`
  const words = fitting(ctx, `no forecast: ${withheldWords(span)}`, width - 12 * ratio)
  if (words !== '') {
    ctx.textAlign = 'left'
    ctx.textBaseline = 'top'
    ctx.fillStyle = text
    onGround(ctx, words, x + 6 * ratio, top + 6 * ratio, ratio, 'top')
  }
  ctx.restore()
}

/** As much of the words as the box holds; nothing where it holds hardly any: they stand under the chart anyway. */
function fitting(ctx: CanvasRenderingContext2D, words: string, width: number): string {
  if (ctx.measureText(words).width <= width) return words
  for (let length = words.length - 1; length >= 12; length -= 1) {
    const cut = `${words.slice(0, length)}…`
    if (ctx.measureText(cut).width <= width) return cut
  }
  return ''
}

function onGround(
  ctx: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  ratio: number,
  baseline: 'top' | 'bottom' = 'bottom',
): void {
  const width = ctx.measureText(words).width
  const left = ctx.textAlign === 'right' ? x - width : x
  const height = 13 * ratio
  ctx.fillStyle = ground
  ctx.fillRect(
    left - 2 * ratio,
    baseline === 'top' ? y - ratio : y - height,
    width + 4 * ratio,
    height + ratio,
  )
  ctx.fillStyle = text
  ctx.fillText(words, x, y)
}

/** Rings that would touch are left out. */
function spaced(points: readonly PathPoint[], place: Place, leastPx: number): PathPoint[] {
  let last = Number.NEGATIVE_INFINITY
  return points.filter((point) => {
    const { x } = place({ at: point.at, value: point.p50 })
    if (x - last < leastPx) return false
    last = x
    return true
  })
}
