/**
 * A vessel's events as the store would give them back, for tests and for data sets: creation, inoculation, readings,
 * samples and closure of one batch, positions counting from 1.
 */
import type { RecordedEvent } from '../../../schemas/event.ts'
import type { Quality } from '../../../schemas/events/sensor-events.ts'
import { derivedId } from '../../../schemas/ids.ts'
import { streams } from '../../../schemas/streams.ts'
import { findTag } from '../../../schemas/tags.ts'
import type { SimulatedSecond } from '../../process-model/batch-run.ts'

export type VesselEvents = {
  readonly batchId: string
  readonly startMs: number
  readonly created: (atMs: number) => RecordedEvent
  readonly inoculated: (atMs: number, inoculum?: { od600?: string; volumeMl?: string }) => RecordedEvent
  readonly reading: (
    atMs: number,
    tag: string,
    value: number,
    options?: { unit?: string; quality?: Quality; stream?: string },
  ) => RecordedEvent
  readonly sample: (atMs: number, od600: string, volumeMl?: string) => RecordedEvent
  readonly closed: (atMs: number) => RecordedEvent
}

export function vesselEvents(options: { vessel: string; startMs: number; seed?: number }): VesselEvents {
  const { vessel, startMs } = options
  const batchId = derivedId(startMs, 'batch', vessel, options.seed ?? 0)
  const readingStream = streams.reading(batchId)
  let position = 0n
  let recordedMs = Number.NEGATIVE_INFINITY
  let samples = 0
  const occurred = instants()
  const recorded = instants()
  /** The store's clock never steps back. */
  const recordedAfter = (atMs: number): string => {
    recordedMs = Math.max(recordedMs, atMs + 200)
    return recorded(recordedMs)
  }

  const event = (
    type: string,
    atMs: number,
    stream: string,
    data: Record<string, unknown>,
  ): RecordedEvent => {
    position++
    const recordedAt = recordedAfter(atMs)
    return {
      id: numberedId(atMs, position),
      type,
      schemaVersion: 1,
      occurredAt: occurred(atMs),
      receivedAt: recordedAt,
      actor: { kind: 'device', id: vessel, role: 'sensor' },
      origin: 'simulated',
      site: 'site-1',
      stream,
      revision: position,
      position,
      recordedAt,
      data,
    }
  }

  return {
    batchId,
    startMs,
    created: (atMs) =>
      event('BatchCreated', atMs, streams.batch(batchId), {
        batchId,
        campaign: 'test',
        number: 1,
        attempt: 1,
        phase: 'A',
        vessel,
        lateEntry: false,
      }),
    inoculated: (atMs, inoculum) =>
      event('BatchInoculated', atMs, streams.batch(batchId), {
        batchId,
        inoculumOd600: inoculum?.od600 ?? '4.0',
        inoculumVolumeMl: inoculum?.volumeMl ?? '100',
        goDecision: true,
        lateEntry: false,
      }),
    reading: (atMs, tag, value, given) =>
      event('SensorReadingRecorded', atMs, given?.stream ?? readingStream, {
        vessel,
        tag,
        value,
        unit: given?.unit ?? findTag(tag)?.unit ?? '',
        quality: given?.quality ?? 'good',
      }),
    sample: (atMs, od600, volumeMl) => {
      samples++
      return event('SampleTaken', atMs, streams.batch(batchId), {
        batchId,
        sampleId: derivedId(atMs, 'sample', vessel, samples),
        sampleNumber: samples,
        timepointHours: '0.00',
        ...(volumeMl === undefined ? {} : { volumeMl }),
        od600Raw: od600,
        dilutionFactor: '1',
        od600,
        contaminationDetected: false,
        lateEntry: false,
      })
    },
    closed: (atMs) =>
      event('BatchClosed', atMs, streams.batch(batchId), {
        batchId,
        outcome: 'Complete',
        finalOd600: '1',
        totalRuntimeHours: '0.00',
        doSpikeObserved: true,
        approvedBy: 'p-1',
        lateEntry: false,
      }),
  }
}

/** ISO text of ms; the last one is remembered, as the readings of a second share theirs. */
function instants(): (ms: number) => string {
  let known = Number.NaN
  let text = ''
  return (ms) => {
    if (ms !== known) text = new Date(ms).toISOString()
    known = ms
    return text
  }
}

/** A UUIDv7 of time and position: unique within the vessel, and a hundred times cheaper than a derived one. */
function numberedId(atMs: number, position: bigint): string {
  const time = atMs.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${position.toString(16).padStart(12, '0')}`
}

/** A simulated run as the events of its vessel, inoculated at `startMs`. */
export function* runEvents(
  run: Iterable<SimulatedSecond>,
  options: { vessel: string; startMs: number; seed?: number },
): Generator<RecordedEvent, void, undefined> {
  const { startMs } = options
  const events = vesselEvents(options)
  yield events.created(startMs - 3_600_000)
  yield events.inoculated(startMs)
  let endMs = startMs
  for (const { second, values, samples } of run) {
    endMs = startMs + second * 1000
    for (const [tag, value] of Object.entries(values)) yield events.reading(endMs, tag, value)
    for (const { od600Raw, dilutionFactor, volumeMl } of samples)
      yield events.sample(endMs, String(Number(od600Raw) * Number(dilutionFactor)), volumeMl)
  }
  yield events.closed(endMs + 1000)
}
