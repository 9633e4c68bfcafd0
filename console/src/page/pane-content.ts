/** What a pane's canvas shows. */
import type { Mark } from '../model/aligned.ts'
import type { AxisMode } from '../model/axis.ts'
import type { OfflineSample } from '../model/samples.ts'
import type { ForecastDrawing } from './forecast-drawing.ts'

/** What the drawing reads at each redraw; the pane replaces it without building the chart anew. */
export type PaneContent = {
  range: { from: number; to: number }
  mode: AxisMode
  marks: readonly (readonly Mark[])[]
  samples: readonly OfflineSample[]
  forecast: ForecastDrawing | undefined
  /** Where what was read ends and what lies ahead begins; null: nothing ahead is shown. */
  aheadFrom: number | null
}
