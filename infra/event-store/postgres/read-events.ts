/** Reads rows of the log and gives back the events they stand for, page by page. */

import type { ClientEvent, RecordedEvent } from '../../../schemas/event.ts'
import type { Pool } from '../../postgres/pool.ts'
import type { EventFilter } from '../event-store.ts'
import type { Interning } from './interning.ts'
import { instantOf, readingOf } from './reading-row.ts'

const columns =
  'e.position, e.recorded_ms, e.revision, s.name, e.type_id, e.event_id, e.template_id, e.occurred_ms, e.received_ms, e.seq, e.value, e.client, e.traceparent'

type Row = [
  position: bigint,
  recordedMs: bigint,
  revision: bigint,
  stream: string,
  typeId: number,
  eventId: string,
  templateId: number | null,
  occurredMs: bigint | null,
  receivedMs: bigint | null,
  seq: bigint | null,
  value: number | null,
  client: string | null,
  traceparent: string | null,
]

export type EventReader = {
  /** Up to `limit` events after `after` and at or before `until` that pass the filter, in position order. */
  page(range: {
    after: bigint
    until: bigint
    limit: number
    filter: EventFilter | undefined
  }): Promise<RecordedEvent[]>
  stream(
    name: string,
    range: { from: bigint | undefined; direction: 'forwards' | 'backwards'; limit: number },
  ): Promise<RecordedEvent[]>
  byId(id: string): Promise<RecordedEvent | undefined>
}

export function createEventReader(pool: Pool, interning: Interning): EventReader {
  const decode = async (rows: readonly Row[]): Promise<RecordedEvent[]> => {
    await interning.learn(
      rows.map((row) => row[4]),
      rows.flatMap((row) => row[6] ?? []),
    )
    return rows.map(eventOf)
  }

  const eventOf = (row: Row): RecordedEvent => {
    const [
      position,
      recordedMs,
      revision,
      stream,
      ,
      eventId,
      templateId,
      occurredMs,
      receivedMs,
      seq,
      value,
      client,
      traceparent,
    ] = row
    const event =
      templateId === null
        ? (JSON.parse(client!) as ClientEvent)
        : readingOf(interning.template(templateId), {
            id: eventId,
            occurredMs: Number(occurredMs),
            receivedMs: Number(receivedMs),
            seq: seq === null ? undefined : Number(seq),
            value: value!,
          })
    return {
      ...event,
      stream,
      revision,
      position,
      recordedAt: instantOf(Number(recordedMs)),
      ...(traceparent === null ? {} : { traceparent }),
    }
  }

  const select = async (text: string, values: unknown[]): Promise<RecordedEvent[]> => {
    const { rows } = await pool.query<Row>({ text, values, rowMode: 'array' })
    return await decode(rows)
  }

  return {
    page: ({ after, until, limit, filter }) => {
      // Readings lie outside the partial index: a filter that cannot match one reads only the others.
      const isWithoutReadings = filter?.types !== undefined && !filter.types.includes('SensorReadingRecorded')
      const conditions = [
        'e.position > $1 AND e.position <= $2',
        ...(isWithoutReadings ? ['e.template_id IS NULL'] : []),
        ...(filter?.types
          ? ['e.type_id IN (SELECT type_id FROM event_store.event_type WHERE name = ANY ($4))']
          : []),
        ...(filter?.categories ? [`s.category = ANY ($${filter.types ? 5 : 4})`] : []),
      ]
      return select(
        `SELECT ${columns} FROM event_store.event AS e JOIN event_store.stream AS s USING (stream_key) WHERE ${conditions.join(' AND ')} ORDER BY e.position LIMIT $3`,
        [
          after,
          until,
          limit,
          ...(filter?.types ? [filter.types] : []),
          ...(filter?.categories ? [filter.categories] : []),
        ],
      )
    },
    stream: (name, { from, direction, limit }) => {
      const isForwards = direction === 'forwards'
      return select(
        `SELECT ${columns} FROM event_store.event AS e JOIN event_store.stream AS s USING (stream_key)
          WHERE e.stream_key = (SELECT stream_key FROM event_store.stream WHERE name = $1) AND e.revision ${isForwards ? '>=' : '<='} $2
          ORDER BY e.revision ${isForwards ? 'ASC' : 'DESC'} LIMIT $3`,
        [name, from ?? (isForwards ? 0n : 2n ** 62n), limit],
      )
    },
    byId: async (id) => {
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return undefined
      return (
        await select(
          `SELECT ${columns} FROM event_store.event AS e JOIN event_store.stream AS s USING (stream_key) WHERE e.event_id = $1`,
          [id],
        )
      )[0]
    },
  }
}
