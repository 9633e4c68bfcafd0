/** A time in the zone; its UTC form on hover and for machines. */
import { calendarDate, clockTime, fullTime, offsetLabel, type Zone } from '../model/time.ts'

export function Instant({
  at,
  zone,
  form = 'full',
  note,
}: {
  at: number
  zone: Zone
  form?: 'full' | 'time' | 'date-time'
  /** What else is known about this time; on hover. */
  note?: string
}) {
  const utc = new Date(at).toISOString()
  const text =
    form === 'full'
      ? fullTime(zone, at)
      : form === 'time'
        ? clockTime(zone, at)
        : `${calendarDate(zone, at).slice(0, 6)} ${clockTime(zone, at)}`
  return (
    <time
      dateTime={utc}
      title={`${utc} (shown in ${zone}, ${offsetLabel(zone, at)})${note ? ` ${note}` : ''}`}
    >
      {text}
    </time>
  )
}
