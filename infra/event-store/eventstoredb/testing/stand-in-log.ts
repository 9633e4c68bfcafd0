/**
 * The log of the stand-in (see `stand-in-server.ts`): appends, idempotency, deletes and stream reads as a real
 * EventStoreDB 23.10 was observed to do them. In memory, and in a file of JSON lines when it is to survive a kill.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

export type LogRecord = {
  readonly position: bigint
  readonly stream: string
  readonly revision: bigint
  readonly id: string
  readonly type: string
  readonly contentType: string
  readonly data: Buffer
  readonly metadata: Buffer
  readonly createdMs: number
}

export type Proposed = Pick<LogRecord, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>

export type Expected = 'any' | 'noStream' | 'streamExists' | bigint

export type AppendAnswer =
  | {
      readonly kind: 'success'
      readonly revision: bigint
      readonly position: bigint | undefined
      readonly written: readonly LogRecord[]
    }
  | { readonly kind: 'wrong-revision'; readonly actual: bigint | 'noStream' }
  | { readonly kind: 'too-large'; readonly limit: number }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'bad-request' }

const bytesPerAppend = 1_048_576
const tombstoneRevision = 9223372036854775807n
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export type StandInLog = ReturnType<typeof standInLog>

export function standInLog(options: { readonly file?: string | undefined; readonly nowMs: () => number }) {
  const records: LogRecord[] = []
  const byStream = new Map<string, LogRecord[]>()
  /** What `any` and `streamExists` are recognised by: in memory only, so a restart forgets it. */
  const idsSeen = new Map<string, LogRecord>()
  let nextPosition = 0n

  function add(record: LogRecord): void {
    records.push(record)
    const stream = byStream.get(record.stream)
    if (stream) stream.push(record)
    else byStream.set(record.stream, [record])
    nextPosition =
      record.position + BigInt(120 + record.stream.length * 2 + record.data.length + record.metadata.length)
  }

  function store(stream: string, events: readonly Proposed[], revision?: bigint): LogRecord[] {
    const createdMs = options.nowMs()
    const written: LogRecord[] = []
    let next = revision ?? head(stream) + 1n
    for (const event of events) {
      const known =
        event.contentType === 'application/json' || event.contentType === 'application/octet-stream'
      const record: LogRecord = {
        ...event,
        id: event.id.toLowerCase(),
        // Any other content type is stored empty, without an error.
        data: known ? event.data : Buffer.alloc(0),
        stream,
        revision: next++,
        position: nextPosition,
        createdMs,
      }
      add(record)
      written.push(record)
      idsSeen.set(record.id, record)
    }
    if (options.file) appendFileSync(options.file, `${toLine(written)}\n`)
    return written
  }

  const head = (stream: string): bigint => byStream.get(stream)?.at(-1)?.revision ?? -1n
  const isTombstoned = (stream: string): boolean => head(stream) === tombstoneRevision

  function metadataOf(stream: string): Record<string, number | undefined> {
    const last = byStream.get(`$$${stream}`)?.at(-1)
    return last?.type === '$metadata'
      ? (JSON.parse(last.data.toString('utf8')) as Record<string, number>)
      : {}
  }

  const isSoftDeleted = (stream: string): boolean =>
    (metadataOf(stream).$tb ?? 0) >= Number.MAX_SAFE_INTEGER && visible(stream).length === 0

  /** What a stream read shows: retention and truncation hide events at once. */
  function visible(stream: string): readonly LogRecord[] {
    const { $tb, $maxCount, $maxAge } = metadataOf(stream)
    let events = byStream.get(stream) ?? []
    if ($tb !== undefined) {
      // A soft delete hides what was there; the numbering, and what comes after it, goes on.
      const deletedAt = byStream.get(`$$${stream}`)?.at(-1)?.position ?? 0n
      events =
        $tb >= Number.MAX_SAFE_INTEGER
          ? events.filter((event) => event.position > deletedAt)
          : events.filter((event) => event.revision >= BigInt($tb))
    }
    if ($maxCount !== undefined) events = events.slice(-$maxCount)
    if ($maxAge !== undefined)
      events = events.filter((event) => event.createdMs > options.nowMs() - $maxAge * 1_000)
    return events
  }

  function idempotent(stream: string, after: bigint, events: readonly Proposed[]): LogRecord | undefined {
    const there = byStream.get(stream) ?? []
    let last: LogRecord | undefined
    for (const [at, event] of events.entries()) {
      last = there.find((record) => record.revision === after + 1n + BigInt(at))
      if (last?.id !== event.id.toLowerCase()) return undefined
    }
    return last
  }

  function append(stream: string, expected: Expected, events: readonly Proposed[]): AppendAnswer {
    if (stream === '' || events.some((event) => !uuid.test(event.id) || event.type === ''))
      return { kind: 'bad-request' }
    if (isTombstoned(stream)) return { kind: 'deleted' }
    // Like 23.10.6, only the data are counted.
    if (events.reduce((sum, event) => sum + event.data.length, 0) > bytesPerAppend)
      return { kind: 'too-large', limit: bytesPerAppend }
    const at = head(stream)
    const wrong = { kind: 'wrong-revision', actual: at < 0n ? 'noStream' : at } as const
    const again = (last: LogRecord): AppendAnswer => ({
      kind: 'success',
      revision: last.revision,
      position: last.position,
      written: [],
    })
    if (expected === 'any' || expected === 'streamExists') {
      if (expected === 'streamExists' && at < 0n) return wrong
      const seen = events.map((event) => idsSeen.get(event.id.toLowerCase()))
      if (events.length > 0 && seen.every((record) => record?.stream === stream)) return again(seen.at(-1)!)
    } else {
      const after = expected === 'noStream' ? -1n : expected
      if (after !== at && !(isSoftDeleted(stream) && expected === 'noStream')) {
        const last = after < at ? idempotent(stream, after, events) : undefined
        return last ? again(last) : wrong
      }
    }
    if (events.length === 0)
      return { kind: 'success', revision: at < 0n ? 0n : at, position: undefined, written: [] }
    const written = store(stream, events)
    return {
      kind: 'success',
      revision: written.at(-1)!.revision,
      position: written.at(-1)!.position,
      written,
    }
  }

  if (options.file && existsSync(options.file))
    for (const line of readFileSync(options.file, 'utf8').split('\n'))
      if (line) for (const record of fromLine(line)) add(record)
  // A new store begins with records of the server's own.
  if (records.length === 0) store('$stats-stand-in', [proposed('$statsCollected', {})])

  return {
    append,
    records: (): readonly LogRecord[] => records,
    visible,
    exists: (stream: string): boolean => visible(stream).length > 0,
    isTombstoned,
    setMetadata(stream: string, metadata: string): readonly LogRecord[] {
      return store(`$$${stream}`, [{ ...proposed('$metadata', {}), data: Buffer.from(metadata) }])
    },
    softDelete(stream: string): readonly LogRecord[] {
      return store(`$$${stream}`, [
        { ...proposed('$metadata', {}), data: Buffer.from(`{"$tb":${tombstoneRevision}}`) },
      ])
    },
    tombstone(stream: string): readonly LogRecord[] {
      return store(stream, [proposed('$streamDeleted', {})], tombstoneRevision)
    },
    /** Index of the first record at or after a position; undefined when the position is inside the log but none begins there. */
    indexOf(position: bigint): number | undefined {
      if (position >= nextPosition) return records.length
      let low = 0
      let high = records.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (records[middle]!.position < position) low = middle + 1
        else high = middle
      }
      return records[low]?.position === position ? low : undefined
    },
  }
}

let proposedCount = 0

function proposed(type: string, data: object): Proposed {
  proposedCount++
  return {
    id: `00000000-0000-4000-8000-${String(proposedCount).padStart(12, '0')}`,
    type,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(data)),
    metadata: Buffer.alloc(0),
  }
}

const toLine = (records: readonly LogRecord[]): string =>
  JSON.stringify(
    records.map((record) => ({
      ...record,
      position: String(record.position),
      revision: String(record.revision),
      data: record.data.toString('base64'),
      metadata: record.metadata.toString('base64'),
    })),
  )

type Stored = Omit<LogRecord, 'position' | 'revision' | 'data' | 'metadata'> &
  Record<'position' | 'revision' | 'data' | 'metadata', string>

const fromLine = (line: string): readonly LogRecord[] =>
  (JSON.parse(line) as Stored[]).map((record) => ({
    ...record,
    position: BigInt(record.position),
    revision: BigInt(record.revision),
    data: Buffer.from(record.data, 'base64'),
    metadata: Buffer.from(record.metadata, 'base64'),
  }))
