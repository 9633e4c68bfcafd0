/** Inks and dashes of lines: told apart in grey, too. */
import type { LineStyle } from '../model/panes.ts'

export const inkColours = { strong: '#1a2732', middle: '#41658a', light: '#76838f' } as const
export const dashes: Record<LineStyle, readonly number[]> = {
  solid: [],
  dashed: [7, 4],
  dotted: [2, 3],
  'dash-dot': [9, 3, 2, 3],
}
