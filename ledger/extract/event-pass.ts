/**
 * One pass over the entries of an extract: chunks of lines are drawn by the zip as their turns come; table, Parquet table
 * and fingerprints go to files beside it on the way, so memory does not grow with the events.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { JsonObject } from '../../verify/src/canonical.ts'
import { collectFacts, isReading } from '../../verify/src/report-facts.ts'
import type { Told } from '../../verify/src/sentences.ts'
import { leafHash } from '../log/tree-hash.ts'
import { ExtractError } from './errors.ts'
import { eventLine, type ReadEvent } from './event-lines.ts'
import type { PayloadReader } from './payloads.ts'
import { csvHeader, csvRow, type ReadingRow } from './readings-csv.ts'
import { readingsParquet } from './readings-parquet.ts'
import type { ExtractRequest } from './request.ts'
import { selectedEntries } from './selected-entries.ts'
import type { ExtractLog, Selection } from './selection.ts'

export const eventsPerMember = 250_000
const blockBytes = 1 << 16

type Stamp = { readonly index: string; readonly size: string; readonly stampedAt: string }

export async function eventPass({
  request,
  selection,
  deps,
  folder,
  options,
}: {
  request: ExtractRequest
  selection: Selection
  deps: { readonly log: ExtractLog; readonly payloadOf: PayloadReader }
  folder: string
  options: { onProgress?: (done: number, total: number) => void; signal?: AbortSignal }
}) {
  const csv = createWriteStream(join(folder, 'readings.csv'))
  const fingerprints = createWriteStream(join(folder, 'fingerprints.bin'))
  const parquet = readingsParquet(join(folder, 'readings.parquet'))
  const facts = collectFacts(request.batchId, request.asOf)
  const stamps: Stamp[] = []
  const lineOptions = { recordStream: `batch-${request.batchId}`, signaturesOnly: request.signaturesOnly }
  const entries = selectedEntries(deps.log, selection.ranges)
  let readings = 0
  let done = 0
  let rows = csvHeader
  let prints = Buffer.from('bioledger-fingerprints/v1\n')
  const printBlock = Buffer.alloc(8 * 8192)
  let printed = 0

  function addReading(read: ReadEvent): void {
    const row = readingRow(read)
    readings++
    rows += csvRow(row)
    parquet.add({ ...row, revision: Number(row.revision), index: read.index })
    facts.addReading({ ...read.event, recordedAt: read.recordedAt }, row)
    if (rows.length < blockBytes) return
    csv.write(rows)
    rows = ''
  }
  function flushPrints(): void {
    if (printed > 0) fingerprints.write(Buffer.from(printBlock.subarray(0, printed)))
    printed = 0
  }
  function add(read: ReadEvent, leaf: Buffer): void {
    printed += leafHash(leaf).copy(printBlock, printed, 0, 8)
    if (printed === printBlock.length) flushPrints()
    const { event, stream, index } = read
    if (isReading(event.type, stream)) addReading(read)
    else facts.add(toldOf(read))
    if (stream === 'ledger-timestamps')
      stamps.push({
        index: String(index),
        size: String(event.data.size),
        stampedAt: String(event.data.stampedAt),
      })
  }
  async function* nextChunk(): AsyncIterable<Uint8Array> {
    fingerprints.write(prints)
    prints = Buffer.alloc(0)
    let block = ''
    for (let count = 0; count < eventsPerMember; count++) {
      const next = await entries.next()
      if (next.done) break
      const { line, read } = await eventLine(next.value, deps.payloadOf, lineOptions)
      add(read, next.value.leaf)
      block += line
      done++
      if (block.length > blockBytes) {
        yield Buffer.from(block)
        block = ''
        for (const stream of [csv, fingerprints]) if (stream.writableNeedDrain) await once(stream, 'drain')
        await parquet.ready()
        options.onProgress?.(done, selection.events)
        if (options.signal?.aborted) throw new ExtractError('aborted', 'the extract was aborted')
      }
    }
    if (block !== '') yield Buffer.from(block)
    if (done === selection.events) await finishFiles()
  }
  async function finishFiles(): Promise<void> {
    csv.end(rows)
    flushPrints()
    fingerprints.end()
    await Promise.all([finished(csv), finished(fingerprints), parquet.finish()])
    options.onProgress?.(done, selection.events)
  }
  return { nextChunk, facts: facts.finish, stamps, readings: () => readings }
}

function readingRow({ event, stream, revision, recordedAt, index }: ReadEvent): ReadingRow {
  const { data } = event
  return {
    at: event.occurredAt,
    tag: String(data.tag),
    value: Number(data.value),
    unit: String(data.unit),
    quality: String(data.quality),
    flags: Array.isArray(data.flags) ? data.flags.join(' ') : '',
    vessel: String(data.vessel),
    receivedAt: event.receivedAt,
    recordedAt,
    origin: event.origin,
    stream,
    revision,
    index: String(index),
    id: event.id,
  }
}

function toldOf({ event, stream, revision, recordedAt, index, isLeftOut }: ReadEvent): Told {
  const { type, occurredAt, origin, actor, data, reason } = event
  return {
    ...{
      type,
      stream,
      revision: Number(revision),
      index,
      occurredAt,
      recordedAt,
      origin,
      who: actor.id,
      reason,
    },
    data: isLeftOut ? undefined : (data as JsonObject),
  }
}
