/** The values of one trend pane as a table, at even times. */
import type { AxisMode } from '../model/axis.ts'
import { absenceWords, type ShownAt, shownWords, tableRows } from '../model/chart-table.ts'
import { calendarDate, clockTime, elapsed } from '../model/time.ts'
import type { LineView } from './pane-chart.tsx'

export function PaneTable({
  lines,
  range,
  mode,
  title,
}: {
  lines: readonly LineView[]
  range: { readonly from: number; readonly to: number }
  mode: AxisMode
  title: string
}) {
  const rows = tableRows(lines.map(tableLineOf), range.from, range.to, 12)
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
              <th scope="row">{axisTime(mode, row.at)}</th>
              {row.values.map((value, index) => (
                <td key={lines[index]?.tag} className="numeric">
                  <Shown value={value} decimals={lines[index]?.decimals ?? 3} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export const tableLineOf = ({ series }: LineView) => ({
  points: series.points,
  bucketMs: series.bucketSeconds === null ? null : series.bucketSeconds * 1000,
})

export const axisTime = (mode: AxisMode, at: number): string =>
  mode.kind === 'elapsed'
    ? elapsed(at - mode.inoculatedMs)
    : `${calendarDate(mode.zone, at).slice(0, 6)} ${clockTime(mode.zone, at)}`

function Shown({ value, decimals }: { value: ShownAt; decimals: number }) {
  return value.kind === 'none' && value.reason !== undefined ? (
    <span className="dim">{absenceWords(value.reason)}</span>
  ) : (
    shownWords(value, decimals)
  )
}
