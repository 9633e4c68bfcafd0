/** What stands on top of a pane's lines: values that are not good, offline samples, limits. */
import type uPlot from 'uplot'
import type { Limits, PaneLine } from '../model/panes.ts'
import { inkColours } from './ink.ts'
import type { PaneContent } from './pane-content.ts'

const abnormalColours = { bad: '#b3261e', uncertain: '#8a5300' } as const

/** Values that are not good, by shape (× bad, hollow diamond uncertain), and offline samples as diamonds. */
export function drawMarks(
  chart: uPlot,
  lines: readonly PaneLine[],
  sampleScale: string | undefined,
  content: PaneContent,
): void {
  const { ctx, bbox } = chart
  const ratio = window.devicePixelRatio
  const inRange = (at: number) => at >= content.range.from && at <= content.range.to
  const place = (at: number, value: number, scale: string) => ({
    x: chart.valToPos(at, 'x', true),
    y: Math.min(bbox.top + bbox.height - 5, Math.max(bbox.top + 5, chart.valToPos(value, scale, true))),
  })
  ctx.save()
  ctx.setLineDash([])
  lines.forEach((line, index) => {
    for (const mark of (content.marks[index] ?? []).slice(-2000)) {
      if (!inRange(mark.at) || mark.quality === 'good') continue
      const { x, y } = place(mark.at, mark.value, line.scale)
      ctx.strokeStyle = abnormalColours[mark.quality]
      ctx.lineWidth = 1.75 * ratio
      if (mark.quality === 'bad') cross(ctx, x, y, 3.5 * ratio)
      else diamond(ctx, x, y, 4 * ratio)
      ctx.stroke()
    }
  })
  if (sampleScale !== undefined)
    for (const sample of content.samples) {
      if (!inRange(sample.at)) continue
      const { x, y } = place(sample.at, sample.od600, sampleScale)
      diamond(ctx, x, y, 5.5 * ratio)
      ctx.fillStyle = '#ffffff'
      ctx.fill()
      ctx.strokeStyle = inkColours.strong
      ctx.lineWidth = 1.75 * ratio
      ctx.stroke()
    }
  ctx.restore()
}

/** Thin lines where the scale reaches them; the scale is not stretched for them, the legend says them in words. */
export function drawLimits(chart: uPlot, { scale, at }: Limits): void {
  const { ctx, bbox } = chart
  const { min, max } = chart.scales[scale] ?? {}
  if (typeof min !== 'number' || typeof max !== 'number') return
  const ratio = window.devicePixelRatio
  ctx.save()
  ctx.strokeStyle = '#8a949d'
  ctx.lineWidth = ratio
  ctx.setLineDash([ratio, 4 * ratio])
  for (const value of at) {
    if (value < min || value > max) continue
    const y = chart.valToPos(value, scale, true)
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
  }
  ctx.restore()
}

function cross(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.beginPath()
  ctx.moveTo(x - size, y - size)
  ctx.lineTo(x + size, y + size)
  ctx.moveTo(x + size, y - size)
  ctx.lineTo(x - size, y + size)
}

function diamond(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.beginPath()
  ctx.moveTo(x, y - size)
  ctx.lineTo(x + size, y)
  ctx.lineTo(x, y + size)
  ctx.lineTo(x - size, y)
  ctx.closePath()
}
