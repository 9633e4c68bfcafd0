/** One line of the bench table: what was measured, against what, and the ratio. */
export type Measurement = {
  readonly name: string
  /** Undefined: it could not be measured, which the note explains; no target is reached then. */
  readonly figure: number | undefined
  readonly unit: string
  /** `atLeast` a floor, `atMost` a ceiling; none: reported only. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number }
  readonly note?: string
}

/** figure ÷ target for floors, target ÷ figure for ceilings: 1 or more means reached. */
export function ratioOf({ figure, target }: Measurement): number | undefined {
  if (!target) return undefined
  if (figure === undefined) return 0
  if ('atLeast' in target) return figure / target.atLeast
  if (target.atMost === 0) return figure <= 0 ? 1 : 0
  return target.atMost / figure
}

export function tableOf(measurements: readonly Measurement[]): string {
  const rows = measurements.map((measurement) => {
    const { target } = measurement
    const ratio = ratioOf(measurement)
    return [
      measurement.name,
      measurement.figure === undefined ? 'not measured' : `${spell(measurement.figure)} ${measurement.unit}`,
      target ? ('atLeast' in target ? `≥ ${spell(target.atLeast)}` : `≤ ${spell(target.atMost)}`) : '–',
      ratio === undefined ? '–' : `${ratio.toFixed(2)}${ratio >= 1 ? '' : ' ✗'}`,
      measurement.note ?? '',
    ]
  })
  const head = ['what', 'figure', 'target', 'ratio', 'note']
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join(
    '\n',
  )
}

const spell = (value: number) =>
  value >= 1000
    ? Math.round(value).toLocaleString('en')
    : value >= 100 || value === 0
      ? value.toFixed(0)
      : value >= 10
        ? value.toFixed(1)
        : value.toFixed(2)

/** The value below which `share` of the samples lie (nearest rank). */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new Error('no samples')
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!
}

export const median = (samples: readonly number[]) => percentile(samples, 0.5)
