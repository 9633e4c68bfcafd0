/**
 * A simulated batch as the events that the product itself would have recorded of it, in store order, with the truth
 * beside them: creation, inoculation, one reading a tag and second, each sample ten minutes after it was drawn.
 * Generated in process: the same event shape that ingest and commands write, without a broker between.
 */
import type { PlannedBatch } from '../../domain/campaign.ts'
import { type BatchRun, simulateBatch } from '../../domain/process-model/batch-run.ts'
import { isDeliveryFault } from '../../domain/process-model/disturbances.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'
import { streams } from '../../schemas/streams.ts'
import { findTag, type TagDefinition } from '../../schemas/tags.ts'

export type SimulatedTruth = {
  /** True OD600 at each 30 s from T = 0, to `truthBeyondHours` after the last window. */
  readonly odEvery30s: readonly number[]
  /** Glycerol below 0.1 g/L; undefined when it never was. */
  readonly depletionHours: number | undefined
}

export type SimulatedEvents = {
  readonly batchId: string
  readonly vessel: string
  readonly startMs: number
  /** Runs the batch once; `each` gets every event. Returns the truth. */
  readonly play: (each: (event: RecordedEvent) => void) => SimulatedTruth
}

export const simulationStartMs = Date.UTC(2026, 0, 1)
/** The assay is entered within this time. */
const sampleEnteredSeconds = 600
const truthBeyondHours = 2

/** Throws RangeError for delivery faults: what reaches the fold here is always in order and once. */
export function simulatedEvents(
  run: BatchRun,
  planned: PlannedBatch,
  vessel = 'V-01',
  startMs = simulationStartMs,
): SimulatedEvents {
  if (run.settings.disturbances.some(isDeliveryFault))
    throw new RangeError('disturbances: delivery faults have no meaning without a broker')
  const batchId = derivedId(startMs, 'simulated-batch/v1', run.settings.name, run.seed, run.noise)
  return { batchId, vessel, startMs, play: (each) => play(run, planned, { batchId, vessel, startMs }, each) }
}

function play(
  run: BatchRun,
  planned: PlannedBatch,
  { batchId, vessel, startMs }: { batchId: string; vessel: string; startMs: number },
  each: (event: RecordedEvent) => void,
): SimulatedTruth {
  let position = 0n
  const event = (
    type: string,
    atMs: number,
    recordedMs: number,
    stream: string,
    data: Record<string, unknown>,
  ): RecordedEvent => {
    position++
    const recordedAt = new Date(recordedMs).toISOString()
    return {
      id: derivedId(atMs, type, batchId, String(position)),
      type,
      schemaVersion: 1,
      occurredAt: new Date(atMs).toISOString(),
      receivedAt: recordedAt,
      actor: { kind: 'service', id: 'simulation', role: 'simulation' },
      origin: 'simulated',
      site: 'simulated',
      stream,
      revision: position,
      position,
      recordedAt,
      data,
    }
  }
  const batch = streams.batch(batchId)
  const createdMs = startMs - 1_800_000
  each(
    event('BatchCreated', createdMs, createdMs, batch, {
      batchId,
      campaign: 'simulated',
      number: planned.number,
      attempt: 1,
      phase: planned.phase,
      vessel,
      lateEntry: false,
    }),
  )
  each(
    event('BatchInoculated', startMs, startMs, batch, {
      batchId,
      inoculumOd600: planned.inoculumOd.toFixed(2),
      inoculumVolumeMl: '100',
      goDecision: true,
      lateEntry: false,
    }),
  )

  const readingStream = streams.reading(batchId)
  const actor = { kind: 'device', id: vessel, role: 'sensor' } as const
  const definitions = new Map<string, TagDefinition | undefined>()
  const odEvery30s: number[] = []
  const pending: { readonly dueSecond: number; readonly event: () => RecordedEvent }[] = []
  let depletionHours: number | undefined
  let sampleNumber = 0
  const lastReading = run.settings.endAfterDepletionHours
  const settings = { ...run.settings, endAfterDepletionHours: lastReading + truthBeyondHours }

  for (const { second, values, truth, samples } of simulateBatch({ ...run, settings })) {
    if (truth.depleted && depletionHours === undefined) depletionHours = truth.hours
    if (second % 30 === 0) odEvery30s.push(truth.od)
    if (depletionHours !== undefined && truth.hours > depletionHours + lastReading) continue
    const atMs = startMs + second * 1000
    const occurredAt = new Date(atMs).toISOString()
    const recordedAt = new Date(atMs + 200).toISOString()
    // Time-ordered and unique in the batch, and a hundred times cheaper than the derived id of a reading.
    const time = atMs.toString(16).padStart(12, '0')
    const idTime = `${time.slice(0, 8)}-${time.slice(8)}`
    for (const tag in values) {
      const value = values[tag as keyof typeof values]
      if (value === undefined) continue
      let definition = definitions.get(tag)
      if (!definition) {
        definition = findTag(tag)
        definitions.set(tag, definition)
      }
      if (!definition) throw new RangeError(`tag ${tag}: not in the registry`)
      const [low, high] = definition.hardBounds
      position++
      each({
        id: `${idTime}-7000-8000-${position.toString(16).padStart(12, '0')}`,
        type: 'SensorReadingRecorded',
        schemaVersion: 1,
        occurredAt,
        receivedAt: recordedAt,
        actor,
        origin: 'simulated',
        site: 'simulated',
        stream: readingStream,
        revision: position,
        position,
        recordedAt,
        data: {
          vessel,
          tag,
          value,
          unit: definition.unit,
          quality: value < low || value > high ? 'bad' : 'good',
        },
      })
    }
    for (const sample of samples)
      pending.push({
        dueSecond: second + sampleEnteredSeconds,
        event: () =>
          event('SampleTaken', atMs, atMs + sampleEnteredSeconds * 1000, batch, {
            batchId,
            sampleId: derivedId(atMs, 'sample', batchId, sample.scheduledPoint, sample.replicate),
            sampleNumber: ++sampleNumber,
            scheduledPoint: sample.scheduledPoint,
            timepointHours: sample.hours.toFixed(2),
            ...(sample.replicate === 1 ? { volumeMl: sample.volumeMl } : {}),
            od600Raw: sample.od600Raw,
            dilutionFactor: sample.dilutionFactor,
            od600: String(Number((Number(sample.od600Raw) * Number(sample.dilutionFactor)).toFixed(4))),
            contaminationDetected: false,
            replicate: sample.replicate,
            lateEntry: false,
          }),
      })
    while (pending[0] !== undefined && pending[0].dueSecond <= second) {
      const due = pending.shift()
      if (due) each(due.event())
    }
  }
  return { odEvery30s, depletionHours }
}
