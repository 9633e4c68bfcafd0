/** What the forecast says in words: origin, marks on the chart, figures by horizon, coverage, or why there is none. */
import type { Batch, Forecast, ForecastCoverage, IssuedForecast, WithheldSpan } from '../api/answers.ts'
import type { AxisMode } from '../model/axis.ts'
import {
  coverageStatus,
  coverageWords,
  formatOd,
  horizonMs,
  horizonWords,
  isIssued,
  originWords,
  reasonWords,
  withheldWords,
} from '../model/forecast.ts'
import { age, type Zone } from '../model/time.ts'
import { forecastInk } from './forecast-drawing.ts'
import { axisTime } from './pane-table.tsx'
import { Shape, Status } from './shape.tsx'

/**
 * A forecast whose window is older than this, against the newest reading, is said to be old. Simulated and replayed data
 * may run hundreds of times faster than the clock: seconds of work are minutes of source time there.
 */
const oldAfterMs = (origin: Batch['origin']): number => (origin === 'live' ? 2 : 30) * 60_000

export function ForecastLegend({
  newest,
  coverage,
  hasSoftSensor,
  hasWithheld,
  isOpen,
  origin,
  nowMs,
  zone,
  withFan,
  onFan,
}: {
  newest: Forecast | undefined
  coverage: ForecastCoverage | undefined
  hasSoftSensor: boolean
  hasWithheld: boolean
  isOpen: boolean
  origin: Batch['origin']
  nowMs: number
  zone: Zone
  withFan: boolean
  onFan: (shown: boolean) => void
}) {
  if (!newest) return <p className="forecast-words dim">No forecast was issued or withheld for this batch.</p>
  const ageMs = nowMs - Date.parse(newest.issuedAt)
  return (
    <div className="forecast-legend">
      <ul className="legend">
        {isOpen && isIssued(newest) && (
          <li>
            <svg className="swatch wide" viewBox="0 0 26 10" aria-hidden="true">
              <rect x="0" y="0.5" width="26" height="9" fill={forecastInk} fillOpacity="0.2" />
              <path d="M0 .5H26M0 9.5H26" stroke={forecastInk} strokeWidth="0.75" />
              <path d="M0 5H26" stroke={forecastInk} strokeWidth="2" strokeDasharray="6 4" />
            </svg>
            <span>forecast p50, 90 % interval</span>
          </li>
        )}
        {hasSoftSensor && (
          <li>
            <svg className="swatch wide" viewBox="0 0 26 8" aria-hidden="true">
              {[4, 13, 22].map((x) => (
                <circle key={x} cx={x} cy="4" r="2.4" fill="none" stroke={forecastInk} />
              ))}
            </svg>
            <span>soft sensor (without the OD probe)</span>
          </li>
        )}
        {hasWithheld && (
          <li>
            <svg className="swatch wide" viewBox="0 0 26 8" aria-hidden="true">
              <path d="M.5 .5H25.5V7.5H.5zM2 8L9 1M9 8L16 1M16 8L23 1" fill="none" stroke="#7d8994" />
            </svg>
            <span>no forecast issued</span>
          </li>
        )}
        <li>
          <label className="check">
            <input type="checkbox" checked={withFan} onChange={(event) => onFan(event.target.checked)} />
            <span>Past forecasts</span>
          </label>
        </li>
      </ul>
      {isIssued(newest) ? (
        <p className="forecast-words">
          Forecast {originWords(newest, zone)}
          {isOpen && ageMs > oldAfterMs(origin) && (
            <strong className="tone-caution">
              {' '}
              <Shape shape="up" />
              {age(ageMs)} old
            </strong>
          )}
          : {figures(newest)}
          {newest.depletionMinutes && (
            <>
              ; glycerol depleted in <b>{Math.round(newest.depletionMinutes.p50)} min</b> (
              {Math.round(newest.depletionMinutes.p5)} to {Math.round(newest.depletionMinutes.p95)})
            </>
          )}
          . {attributionWords(newest)}
        </p>
      ) : (
        <p className="forecast-words">
          <span className="tone-caution">
            <Shape shape="diamond" />
            Undecided:
          </span>{' '}
          {originWords(newest, zone)}, {withheldWords(newest)}.
        </p>
      )}
      {coverage && coverage.items.length > 0 && (
        <ul
          className="coverage"
          aria-label="How many samples the 90 % interval held, allowing for the assay's own error"
          title="Samples that the 90 % interval held, allowing for the assay's own error"
        >
          {coverage.items.map((item) => {
            const status = coverageStatus(item, coverage.stated)
            return (
              <li key={item.horizon}>
                {horizonWords[item.horizon]} <b>{coverageWords(item, coverage.stated)}</b>
                {status && <Status status={status} />}
              </li>
            )
          })}
        </ul>
      )}
    </div>
  )
}

function figures(forecast: IssuedForecast) {
  return forecast.horizons
    .filter(({ horizon }) => horizon !== 'PT0S')
    .map(({ horizon, p5, p50, p95 }, index) => (
      <span key={horizon}>
        {index > 0 && ', '}
        {horizonWords[horizon]} <b>{formatOd(p50)}</b> ({formatOd(p5)} to {formatOd(p95)})
      </span>
    ))
}

function attributionWords({ attributions, inDomainScore }: IssuedForecast): string {
  const largest = attributions
    .slice(0, 3)
    .map(
      ({ feature, contribution }) =>
        `${feature} ${contribution < 0 ? '−' : '+'}${Math.abs(contribution).toFixed(3)}`,
    )
  const domain = inDomainScore === null ? '' : `In-domain score ${inDomainScore.toFixed(2)}. `
  return largest.length === 0 ? domain : `${domain}Largest contributions (log OD600): ${largest.join(', ')}.`
}

/** The same as a table, for those who do not see the chart. */
export function ForecastTable({
  newest,
  spans,
  mode,
}: {
  newest: Forecast | undefined
  spans: readonly WithheldSpan[]
  mode: AxisMode
}) {
  return (
    <>
      {isIssued(newest) && (
        <div className="table-scroll">
          <table className="values">
            <caption>Forecast of OD600 (AU)</caption>
            <thead>
              <tr>
                <th scope="col">Horizon</th>
                <th scope="col">For</th>
                <th scope="col" className="numeric">
                  p5
                </th>
                <th scope="col" className="numeric">
                  p50
                </th>
                <th scope="col" className="numeric">
                  p95
                </th>
              </tr>
            </thead>
            <tbody>
              {newest.horizons.map(({ horizon, p5, p50, p95 }) => (
                <tr key={horizon}>
                  <th scope="row">{horizonWords[horizon]}</th>
                  <td>{axisTime(mode, Date.parse(newest.issuedAt) + horizonMs[horizon])}</td>
                  <td className="numeric">{formatOd(p5)}</td>
                  <td className="numeric">{formatOd(p50)}</td>
                  <td className="numeric">{formatOd(p95)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {spans.length > 0 && (
        <div className="table-scroll">
          <table className="values">
            <caption>No forecast issued</caption>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">Reason</th>
                <th scope="col" className="numeric">
                  Windows
                </th>
              </tr>
            </thead>
            <tbody>
              {spans.toReversed().map((span) => (
                <tr key={span.from}>
                  <td>{axisTime(mode, Date.parse(span.from))}</td>
                  <td>{axisTime(mode, Date.parse(span.to))}</td>
                  <td>
                    {reasonWords(span.reason)}: {span.detail}
                  </td>
                  <td className="numeric">{span.count}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}
