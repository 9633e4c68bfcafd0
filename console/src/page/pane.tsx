/** One trend pane: what its lines are, the chart itself, a sentence and a table that say the same in words. */
import { useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import type { Gap } from '../api/answers.ts'
import { align, gapsOf, gapThresholdMs } from '../model/aligned.ts'
import type { AxisMode } from '../model/axis.ts'
import { summarySentence, tableRows, valueAt } from '../model/chart-table.ts'
import type { PaneDefinition, PaneLine } from '../model/panes.ts'
import type { OfflineSample } from '../model/samples.ts'
import { calendarDate, clockTime, elapsed } from '../model/time.ts'
import { decimalsOf, formatValue, labelOf, unitLabelOf } from '../model/value.ts'
import type { DrawnSeries } from '../state/series-feed.ts'
import { dashes, inkColours, type PaneContent, paneChart } from './pane-options.ts'

export type PaneProps = {
  readonly definition: PaneDefinition
  readonly series: ReadonlyMap<string, DrawnSeries>
  readonly range: { readonly from: number; readonly to: number }
  readonly mode: AxisMode
  readonly width: number
  readonly gaps: readonly Gap[]
  readonly samples: readonly OfflineSample[]
  readonly cursor: { readonly at: number; readonly typed: boolean } | null
  readonly asTable: boolean
  readonly onZoom: (from: number, to: number) => void
  readonly onReset: () => void
  readonly onCursor: (at: number | null) => void
}

type LineView = PaneLine & {
  readonly label: string
  readonly decimals: number
  readonly unitLabel: string
  readonly series: DrawnSeries
}

const noPoints: DrawnSeries['points'] = []

export function Pane(props: PaneProps) {
  const { definition, series, range, mode, width, cursor, asTable, samples } = props
  const [log, setLog] = useState(definition.logToggle)
  const lines = useMemo(() => linesOf(definition, series), [definition, series])
  const visible = useMemo(
    () => lines.map((line) => line.series.points.filter(({ at }) => at >= range.from && at <= range.to)),
    [lines, range],
  )
  const missing = definition.lines.filter((line) => !lines.some(({ tag }) => tag === line.tag))
  const shownSamples = definition.samples ? samples : noSamples
  const sentence = useMemo(
    () =>
      lines
        .map((line, index) =>
          summarySentence(line.label, line.unitLabel, line.decimals, visible[index] ?? []),
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
            <span>{line.label}</span> <b>{readingAt(line, cursor?.at ?? null)}</b>{' '}
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
        {missing.map((line) => (
          <li key={line.tag} className="dim">
            {labelOf(line.tag)}: no reading
          </li>
        ))}
      </ul>
      <p className="visually-hidden">{sentence}</p>
      {asTable ? (
        <PaneTable lines={lines} visible={visible} range={range} mode={mode} title={definition.title} />
      ) : (
        width > 0 && <Chart {...props} lines={lines} log={log} samples={shownSamples} />
      )}
    </section>
  )
}

const noSamples: readonly OfflineSample[] = []

function linesOf(definition: PaneDefinition, series: ReadonlyMap<string, DrawnSeries>): LineView[] {
  return definition.lines.flatMap((line) => {
    const drawn = series.get(line.tag)
    if (!drawn) return []
    return [
      {
        ...line,
        label: labelOf(line.tag),
        decimals: decimalsOf(line.tag),
        unitLabel: unitLabelOf(line.tag, drawn.unit),
        series: drawn,
      },
    ]
  })
}

/** At the cursor: the newest value at most a minute (or two buckets) before it. Without one: the newest of all. */
function readingAt(line: LineView, at: number | null): string {
  const reachMs = Math.max(60_000, (line.series.bucketSeconds ?? 0) * 2000)
  const value =
    at === null
      ? valueAt(line.series.points, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
      : valueAt(line.series.points, at, reachMs)
  return value === undefined ? '–' : formatValue(value, line.decimals)
}

function reducedWords(lines: readonly LineView[]): string {
  const buckets = lines.flatMap((line) => line.series.bucketSeconds ?? [])
  if (buckets.length === 0) return 'every reading drawn'
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

type ChartProps = PaneProps & { readonly lines: readonly LineView[]; readonly log: boolean }

function Chart(props: ChartProps) {
  const { definition, lines, log, range, mode, width, gaps, samples, cursor } = props
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | undefined>(undefined)
  const content = useRef<PaneContent>({ range, mode, marks: [], samples: [] })
  const handlers = useRef(props)
  handlers.current = props

  const aligned = useMemo(
    () =>
      align(
        lines.map((line) => ({
          points: log
            ? line.series.points.filter(({ value }) => value > 0)
            : (line.series.points ?? noPoints),
          gapMs: gapThresholdMs(line.tag, line.series.bucketSeconds),
          gaps: gapsOf(line.tag, gaps, range.to),
        })),
      ),
    [lines, log, gaps, range.to],
  )
  const shape = `${lines.map((line) => `${line.tag} ${line.unitLabel}`).join()}|${log}|${mode.kind}`

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the lines; data follow below
  useEffect(() => {
    if (!host.current) return
    content.current = { range, mode, marks: aligned.marks, samples }
    const built = new uPlot(
      paneChart({
        width,
        height: definition.samples ? 190 : 150,
        lines,
        log,
        content: content.current,
        onZoom: (from, to) => handlers.current.onZoom(from, to),
        onReset: () => handlers.current.onReset(),
        onCursor: (at) => handlers.current.onCursor(at),
      }),
      [aligned.times, ...aligned.columns] as uPlot.AlignedData,
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
    Object.assign(content.current, { range, mode, marks: aligned.marks, samples })
    chart.current.setData([aligned.times, ...aligned.columns] as uPlot.AlignedData)
  }, [aligned, range, mode, samples])

  useEffect(() => {
    if (!chart.current || !cursor?.typed) return
    chart.current.setCursor({ left: chart.current.valToPos(cursor.at, 'x'), top: 10 }, false)
  }, [cursor])

  return <div className="chart" ref={host} role="img" aria-label={`Chart of ${definition.title}`} />
}

function PaneTable({
  lines,
  visible,
  range,
  mode,
  title,
}: {
  lines: readonly LineView[]
  visible: readonly DrawnSeries['points'][]
  range: { from: number; to: number }
  mode: AxisMode
  title: string
}) {
  const rows = tableRows(visible, range.from, range.to, 12)
  return (
    <div className="table-scroll">
      <table className="values">
        <caption className="visually-hidden">{title}, values at even times</caption>
        <thead>
          <tr>
            <th scope="col">{mode.kind === 'elapsed' ? 'Since inoculation' : 'Clock time'}</th>
            {lines.map((line) => (
              <th key={line.tag} scope="col" className="numeric">
                {line.label} ({line.unitLabel})
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.at}>
              <th scope="row">
                {mode.kind === 'elapsed'
                  ? elapsed(row.at - mode.inoculatedMs)
                  : `${calendarDate(mode.zone, row.at).slice(0, 6)} ${clockTime(mode.zone, row.at)}`}
              </th>
              {row.values.map((value, index) => (
                <td key={lines[index]?.tag} className="numeric">
                  {value === undefined ? '–' : formatValue(value, lines[index]?.decimals ?? 3)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
