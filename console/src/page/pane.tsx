/** One trend pane: what its lines are, the chart itself, a sentence and a table that say the same in words. */
import { type ReactNode, useMemo, useState } from 'react'
import type { CurrentValue } from '../api/answers.ts'
import type { AxisMode } from '../model/axis.ts'
import {
  type Absence,
  absencesOf,
  absenceWords,
  shownAt,
  shownWords,
  summarySentence,
} from '../model/chart-table.ts'
import { type PaneDefinition, type PaneLine, scalesByUnit } from '../model/panes.ts'
import type { OfflineSample } from '../model/samples.ts'
import { derivedKey } from '../model/series-merge.ts'
import { decimalsOf, formatValue, labelOf, unitLabelOf } from '../model/value.ts'
import type { DrawnSeries } from '../state/series-feed.ts'
import { dashes, inkColours } from './ink.ts'
import { type LineView, PaneChart, type PaneChartProps } from './pane-chart.tsx'
import { axisTime, PaneTable, tableLineOf } from './pane-table.tsx'

export type PaneProps = Omit<PaneChartProps, 'lines' | 'log'> & {
  readonly series: ReadonlyMap<string, DrawnSeries>
  /** Newest reading of each tag, whole: what a reduced line cannot say. */
  readonly current: readonly CurrentValue[]
  readonly asTable: boolean
  /** Under the legend, and beside the table. */
  readonly legend?: ReactNode
  readonly table?: ReactNode
}

export function Pane(props: PaneProps) {
  const { definition, series, range, aheadFrom, mode, width, cursor, asTable, samples, current } = props
  const [log, setLog] = useState(definition.logToggle)
  const lines = useMemo(() => linesOf(definition, series), [definition, series])
  const readTo = aheadFrom ?? range.to
  const visible = useMemo(
    () =>
      lines.map((line) => {
        const { points, bucketMs } = tableLineOf(line)
        return { points: points.filter(({ at }) => at >= range.from && at <= range.to), bucketMs }
      }),
    [lines, range],
  )
  const missing = definition.lines.filter((line) => !lines.some(({ tag }) => tag === line.tag))
  const shownSamples = definition.samples ? samples : noSamples
  const sentence = useMemo(
    () =>
      lines
        .map((line, index) =>
          summarySentence(line.label, line.unitLabel, line.decimals, visible[index] ?? noLine),
        )
        .join(' '),
    [lines, visible],
  )
  return (
    <section className="pane" aria-labelledby={`pane-${definition.id}`}>
      <div className="pane-head">
        <h3 id={`pane-${definition.id}`}>{definition.title}</h3>
        {definition.logToggle && (
          <fieldset className="segments">
            <legend className="visually-hidden">Scale of {definition.title}</legend>
            <Choice name={`scale-${definition.id}`} label="log" checked={log} onChoose={() => setLog(true)} />
            <Choice
              name={`scale-${definition.id}`}
              label="linear"
              checked={!log}
              onChoose={() => setLog(false)}
            />
          </fieldset>
        )}
        <span className="reduced">{reducedWords(lines)}</span>
      </div>
      <ul className="legend">
        {lines.map((line) => (
          <li key={line.tag}>
            <Swatch line={line} />
            <span>{line.label}</span> <b>{readingAt(line, current, cursor?.at ?? null, readTo)}</b>{' '}
            <span className="dim">{line.unitLabel}</span>
          </li>
        ))}
        {definition.samples && shownSamples.length > 0 && (
          <li>
            <svg className="swatch" viewBox="0 0 12 12" aria-hidden="true">
              <path d="M6 1L11 6L6 11L1 6z" fill="#fff" stroke={inkColours.strong} strokeWidth="1.75" />
            </svg>
            <span>offline samples ({shownSamples.length})</span>
          </li>
        )}
        {definition.limits && <li className="dim">{definition.limits.words}</li>}
        {missing.map((line) => (
          <li key={line.tag} className="dim">
            {derivedKey(line.tag) === undefined
              ? `${labelOf(line.tag)}: no reading`
              : `${derivedKey(line.tag)}: not derived`}
          </li>
        ))}
      </ul>
      {props.legend}
      <Absences lines={lines} visible={visible} mode={mode} />
      <p className="visually-hidden">{sentence}</p>
      {asTable ? (
        <>
          <PaneTable
            lines={lines}
            range={{ from: range.from, to: readTo }}
            mode={mode}
            title={definition.title}
          />
          {props.table}
        </>
      ) : (
        width > 0 && <PaneChart {...props} lines={lines} log={log} samples={shownSamples} />
      )}
    </section>
  )
}

const noSamples: readonly OfflineSample[] = []
const noLine = { points: [], bucketMs: null }

function linesOf(definition: PaneDefinition, series: ReadonlyMap<string, DrawnSeries>): LineView[] {
  return scalesByUnit(
    definition.lines.flatMap((line) => {
      const drawn = series.get(line.tag)
      if (!drawn) return []
      return [
        {
          ...line,
          label: drawn.shown?.label ?? labelOf(line.tag),
          decimals: drawn.shown?.decimals ?? decimalsOf(line.tag),
          unitLabel: drawn.shown ? drawn.unit : unitLabelOf(line.tag, drawn.unit),
          series: drawn,
        },
      ]
    }),
  )
}

/**
 * At the cursor: what the chart knows there, at most a minute (or two slices) old. Without one: the newest reading as
 * the batch's state tells it, or, of a derived value or an earlier range, what the chart knows at its end.
 */
function readingAt(
  line: LineView,
  current: readonly CurrentValue[],
  at: number | null,
  readTo: number,
): string {
  const newest = current.find((value) => value.tag === line.tag)
  if (at === null && newest && newest.unit === line.series.unit && Date.parse(newest.at) <= readTo + 60_000)
    return newest.quality === 'bad' ? '–' : formatValue(newest.value, line.decimals)
  // Of a derived value the newest window is always fetched whole.
  const last = line.series.points.at(-1)
  if (at === null && line.series.shown && last && last.at <= readTo + 60_000 && last.quality === 'good')
    return formatValue(last.value, line.decimals)
  const reachMs = Math.max(60_000, (line.series.bucketSeconds ?? 0) * 2000)
  const shown = shownAt(tableLineOf(line), at ?? readTo, reachMs)
  return shown.kind === 'none' && shown.reason !== undefined
    ? `– (${absenceWords(shown.reason)})`
    : shownWords(shown, line.decimals)
}

const shownAbsences = 3

/** Why a line has gaps: the newest runs without a value, the others counted. */
function Absences({
  lines,
  visible,
  mode,
}: {
  lines: readonly LineView[]
  visible: readonly { readonly points: DrawnSeries['points'] }[]
  mode: AxisMode
}) {
  const runs = lines
    .flatMap((line, index) => absencesOf(visible[index]?.points ?? []).map((absence) => ({ line, absence })))
    .sort((one, other) => other.absence.to - one.absence.to)
  if (runs.length === 0) return null
  return (
    <details className="absences">
      <summary>
        {runs.length === 1 ? 'One stretch' : `${runs.length} stretches`} without a value:{' '}
        {[...new Set(runs.map(({ absence }) => absenceWords(absence.reason)))]
          .slice(0, shownAbsences)
          .join(', ')}
      </summary>
      <ul>
        {runs.slice(0, 20).map(({ line, absence }) => (
          <li key={`${line.tag} ${absence.from}`}>
            {line.label}: {spanWords(mode, absence)}: {absenceWords(absence.reason)}
          </li>
        ))}
      </ul>
    </details>
  )
}

const spanWords = (mode: AxisMode, { from, to }: Absence): string =>
  from === to ? axisTime(mode, from) : `${axisTime(mode, from)} to ${axisTime(mode, to)}`

function reducedWords(lines: readonly LineView[]): string {
  if (lines.length === 0) return ''
  const buckets = lines.flatMap((line) => line.series.bucketSeconds ?? [])
  if (buckets.length === 0)
    return lines.some(({ tag }) => derivedKey(tag) !== undefined)
      ? 'every window drawn'
      : 'every reading drawn'
  const longest = Math.max(...buckets)
  return `reduced: min/max of ${longest >= 10 ? Math.round(longest) : Number(longest.toPrecision(2))} s`
}

function Choice({
  name,
  label,
  checked,
  onChoose,
}: {
  name: string
  label: string
  checked: boolean
  onChoose: () => void
}) {
  return (
    <label>
      <input type="radio" name={name} checked={checked} onChange={onChoose} />
      <span>{label}</span>
    </label>
  )
}

function Swatch({ line }: { line: PaneLine }) {
  return (
    <svg className="swatch wide" viewBox="0 0 26 8" aria-hidden="true">
      <line
        x1="0"
        x2="26"
        y1="4"
        y2="4"
        stroke={inkColours[line.ink]}
        strokeWidth="2"
        strokeDasharray={dashes[line.style].join(' ') || undefined}
      />
    </svg>
  )
}
