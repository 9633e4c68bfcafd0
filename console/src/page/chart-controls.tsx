/** What the charts show: which stretch of time, on which axis, drawn or as a table. */
import type { View } from '../model/axis.ts'

const hourMs = 3_600_000
const ranges: readonly { readonly label: string; readonly view: View }[] = [
  { label: 'Whole batch', view: { kind: 'all' } },
  { label: 'Last 4 h', view: { kind: 'last', ms: 4 * hourMs } },
  { label: 'Last 1 h', view: { kind: 'last', ms: hourMs } },
  { label: 'Last 15 min', view: { kind: 'last', ms: hourMs / 4 } },
]

export function ChartControls({
  hidden,
  view,
  onView,
  byClock,
  hasElapsed,
  onByClock,
  asTable,
  onTable,
}: {
  hidden: boolean
  view: View
  onView: (view: View) => void
  byClock: boolean
  /** Time since inoculation can be counted. */
  hasElapsed: boolean
  onByClock: (byClock: boolean) => void
  asTable: boolean
  onTable: (asTable: boolean) => void
}) {
  return (
    <div className="controls" hidden={hidden}>
      <fieldset className="segments">
        <legend className="visually-hidden">Range shown</legend>
        {ranges.map(({ label, view: choice }) => (
          <label key={label}>
            <input
              type="radio"
              name="range"
              checked={sameView(view, choice)}
              onChange={() => onView(choice)}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <fieldset className="segments">
        <legend className="visually-hidden">Time axis</legend>
        <label>
          <input
            type="radio"
            name="axis"
            checked={!byClock}
            disabled={!hasElapsed}
            onChange={() => onByClock(false)}
          />
          <span>Elapsed</span>
        </label>
        <label>
          <input type="radio" name="axis" checked={byClock} onChange={() => onByClock(true)} />
          <span>Clock</span>
        </label>
      </fieldset>
      <button type="button" aria-pressed={asTable} onClick={() => onTable(!asTable)}>
        {asTable ? 'Charts' : 'Data table'}
      </button>
    </div>
  )
}

function sameView(one: View, other: View): boolean {
  return one.kind === other.kind && (one.kind !== 'last' || other.kind !== 'last' || one.ms === other.ms)
}
