/** The six values that are looked at first, and the table of all others. */
import type { Batch, CurrentValue } from '../api/answers.ts'
import { type DataClock, freshness } from '../model/freshness.ts'
import { tileTags } from '../model/panes.ts'
import { age, type Zone } from '../model/time.ts'
import {
  flagWords,
  formatValue,
  labelOf,
  placeInRange,
  qualityStatus,
  type RangePlace,
  rangeStatus,
  type StatusWord,
} from '../model/value.ts'
import { Instant } from './instant.tsx'
import { Status } from './shape.tsx'

export function Tiles({
  current,
  origin,
  clock,
  zone,
}: {
  current: readonly CurrentValue[]
  origin: Batch['origin']
  clock: DataClock
  zone: Zone
}) {
  return (
    <section className="tiles" aria-label="Current values">
      {tileTags.map((tag) => {
        const value = current.find((candidate) => candidate.tag === tag)
        return value ? (
          <Tile key={tag} value={value} origin={origin} clock={clock} zone={zone} />
        ) : (
          <article key={tag} className="tile empty">
            <h2>{labelOf(tag)}</h2>
            <p>No reading recorded yet.</p>
          </article>
        )
      })}
    </section>
  )
}

function Tile({
  value,
  origin,
  clock,
  zone,
}: {
  value: CurrentValue
  origin: Batch['origin']
  clock: DataClock
  zone: Zone
}) {
  const { ageMs, stale } = freshness(value.tag, Date.parse(value.at), clock)
  const place = placeInRange(value.value, value.operatingRange, value.tag, value.unit)
  const [low, high] = value.operatingRange
  const flags = flagWords(value.flags, origin)
  return (
    <article
      className={`tile${stale ? ' stale' : ''}`}
      title={`Source time ${value.at}, position ${value.position}`}
    >
      <h2>{value.label}</h2>
      <p className="reading">
        <span className="number">{formatValue(value.value, value.decimals)}</span>{' '}
        <span className="unit">{value.unitLabel}</span>
      </p>
      {place && <RangeBar place={place} low={low} high={high} />}
      <p className="tile-foot">
        <Status status={tileStatus(value, place)} />
        <span className="age">
          {clock.meant === 'closed' ? (
            <>
              at <Instant at={Date.parse(value.at)} zone={zone} form="time" />
            </>
          ) : stale ? (
            <strong>stale {age(ageMs)}</strong>
          ) : (
            `age ${age(ageMs)}`
          )}
        </span>
      </p>
      {flags !== '' && <p className="flags">{flags}</p>}
    </article>
  )
}

/** Quality first: a value that is not good says so before it says where it lies. */
function tileStatus(value: CurrentValue, place: RangePlace | undefined): StatusWord {
  return value.quality === 'good'
    ? (rangeStatus(place) ?? qualityStatus('good'))
    : qualityStatus(value.quality)
}

function RangeBar({ place, low, high }: { place: RangePlace; low: number; high: number }) {
  return (
    <div className={`range range-${place.verdict}`}>
      <svg
        viewBox="0 0 100 10"
        preserveAspectRatio="none"
        role="img"
        aria-label={`operating range ${low} to ${high}, value ${place.verdict} it`}
      >
        <rect className="range-track" x="0" y="3" width="100" height="4" />
        <line className="range-mark" x1={1 + place.share * 98} x2={1 + place.share * 98} y1="0" y2="10" />
      </svg>
      <span aria-hidden="true">{low}</span>
      <span aria-hidden="true">{high}</span>
    </div>
  )
}

export function OtherValues({
  current,
  clock,
  zone,
}: {
  current: readonly CurrentValue[]
  clock: DataClock
  zone: Zone
}) {
  const others = current.filter((value) => !tileTags.includes(value.tag))
  return (
    <section className="panel" aria-labelledby="others-title">
      <h2 id="others-title">Other signals</h2>
      {others.length === 0 ? (
        <p className="empty-words">No reading of any other signal yet.</p>
      ) : (
        <div className="table-scroll">
          <table className="values">
            <thead>
              <tr>
                <th scope="col">Signal</th>
                <th scope="col" className="numeric">
                  Value
                </th>
                <th scope="col">Unit</th>
                <th scope="col">State</th>
                <th scope="col" className="numeric">
                  {clock.meant === 'closed' ? 'At' : 'Age'}
                </th>
              </tr>
            </thead>
            <tbody>
              {others.map((value) => {
                const { ageMs, stale } = freshness(value.tag, Date.parse(value.at), clock)
                const place = placeInRange(value.value, value.operatingRange, value.tag, value.unit)
                return (
                  <tr key={value.tag} className={stale ? 'stale' : undefined}>
                    <th scope="row" title={value.tag}>
                      {value.label}
                    </th>
                    <td className="numeric">{formatValue(value.value, value.decimals)}</td>
                    <td>{value.unitLabel}</td>
                    <td>
                      {/* A value can be stale and bad at once: neither hides the other. */}
                      {(!stale || value.quality !== 'good') && <Status status={tileStatus(value, place)} />}
                      {stale && <Status status={{ word: 'stale', shape: 'ring', tone: 'dim' }} />}
                    </td>
                    <td className="numeric">
                      {clock.meant === 'closed' ? (
                        <Instant at={Date.parse(value.at)} zone={zone} form="time" />
                      ) : (
                        age(ageMs)
                      )}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
