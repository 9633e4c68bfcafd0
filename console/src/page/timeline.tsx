/** What happened, in sentences, newest first; and the gaps of the readings. */
import { useState } from 'react'
import type { Batch, Gap, TimelineItem } from '../api/answers.ts'
import { originWord } from '../model/batch-choice.ts'
import { elapsed, offsetLabel, type Zone } from '../model/time.ts'
import { labelOf } from '../model/value.ts'
import { Instant } from './instant.tsx'
import { Shape } from './shape.tsx'

const shownAtFirst = 12
const shownMore = 50

export function Timeline({
  items,
  origin,
  zone,
  onOlder,
}: {
  items: readonly TimelineItem[]
  /** Of the batch; an event of another origin says so beside its sentence. */
  origin: Batch['origin']
  zone: Zone
  /** Fetches older events; undefined when all are here. */
  onOlder: (() => void) | undefined
}) {
  const [wanted, setWanted] = useState(shownAtFirst)
  const shown = items.slice(0, wanted)
  const newest = items[0]
  return (
    <section className="panel" aria-labelledby="timeline-title">
      <h2 id="timeline-title">
        Timeline {origin !== 'live' && <strong className="origin-word">{originWord[origin]}</strong>}{' '}
        <span className="dim">
          newest recorded first{newest ? `, ${offsetLabel(zone, Date.parse(newest.occurredAt))}` : ''}
        </span>
      </h2>
      {items.length === 0 ? (
        <p className="empty-words">Nothing recorded for this batch yet.</p>
      ) : (
        <ol className="timeline">
          {shown.map((item) => (
            <li key={item.eventId}>
              <Instant
                at={Date.parse(item.occurredAt)}
                zone={zone}
                form="date-time"
                note={`occurred; recorded ${item.recordedAt}, position ${item.position}`}
              />
              <span className={`sentence${isAbnormal(item) ? ' tone-caution' : ''}`}>
                {isAbnormal(item) && <Shape shape="up" />}
                {item.sentence}
                {item.origin !== origin && <span className="dim"> [{item.origin}]</span>}
              </span>
            </li>
          ))}
        </ol>
      )}
      {(items.length > wanted || onOlder) && (
        <button
          type="button"
          className="quiet"
          onClick={() => {
            if (wanted + shownMore > items.length) onOlder?.()
            setWanted(wanted + shownMore)
          }}
        >
          Show older
        </button>
      )}
    </section>
  )
}

const abnormalTypes = new Set([
  'ReadingQuarantined',
  'SensorGapDetected',
  'BatchAborted',
  'DeviationOpened',
  'ModelSuspended',
])

function isAbnormal(item: TimelineItem): boolean {
  return abnormalTypes.has(item.type) || item.type.startsWith('Alarm')
}

export function Gaps({ gaps, nowMs, zone }: { gaps: readonly Gap[]; nowMs: number; zone: Zone }) {
  const newestFirst = gaps.toSorted((one, other) => Date.parse(other.from) - Date.parse(one.from))
  return (
    <section className="panel" aria-labelledby="gaps-title">
      <h2 id="gaps-title">Gaps in the readings</h2>
      {gaps.length === 0 ? (
        <p className="empty-words">No gap recorded. A signal that never sent a reading is not among these.</p>
      ) : (
        <ul className="gaps">
          {newestFirst.slice(0, 50).map((gap) => {
            const from = Date.parse(gap.from)
            const to = gap.to === null ? undefined : Date.parse(gap.to)
            return (
              <li key={`${gap.tag}-${gap.position}`}>
                <Instant at={from} zone={zone} form="date-time" />
                <span className={to === undefined ? 'tone-caution' : undefined}>
                  {to === undefined && <Shape shape="up" />}
                  <b>{labelOf(gap.tag)}</b>: no reading for {elapsed((to ?? Math.max(nowMs, from)) - from)}
                  {to === undefined ? ', still open' : ''}
                  {gap.missing !== null && `, ${gap.missing} expected`}
                </span>
              </li>
            )
          })}
        </ul>
      )}
      {gaps.length > 50 && <p className="dim">The newest 50 of {gaps.length}.</p>}
    </section>
  )
}
