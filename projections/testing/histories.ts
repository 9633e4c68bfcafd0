/** Histories for tests: what sensors, ingest and people might record of a few batches, in any order that is allowed. */
import fc from 'fast-check'
import type { RecordedEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'
import { tagDefinitions } from '../../schemas/tags.ts'
import { clientEvent, type Entry, testStartMs } from './client-event.ts'
import { forecastIssued, forecastScored, forecastWithheld, windowDerived } from './evidence-histories.ts'

export { type Entry, testStartMs }

export const batchIds = [
  '01980000-0000-7000-8000-00000000000a',
  '01980000-0000-7000-8000-00000000000b',
] as const
const tags = [tagDefinitions[0], tagDefinitions[1], tagDefinitions[13]]

export const batchCreated = (batchId: string, number = 1, atMs = testStartMs): Entry => ({
  stream: `batch-${batchId}`,
  event: clientEvent('BatchCreated', atMs, {
    batchId,
    campaign: 'C1',
    number,
    attempt: 1,
    phase: 'A',
    vessel: `V-0${number}`,
    lateEntry: false,
  }),
})

export const reading = (
  batchId: string,
  tag: string,
  atMs: number,
  value: number,
  quality = 'good',
  flags?: readonly string[],
): Entry => {
  const unit = tagDefinitions.find((definition) => definition.tag === tag)?.unit ?? '1'
  return {
    stream: `reading-${batchId}`,
    event: clientEvent(
      'SensorReadingRecorded',
      atMs,
      { vessel: 'V-01', tag, value, unit, quality, ...(flags ? { flags } : {}) },
      {
        actor: { kind: 'device', id: 'V-01', role: 'sensor' },
        source: { topic: `bioprocess/pichia/V-01/sensors/${tag}` },
      },
    ),
  }
}

export const inoculated = (batchId: string, atMs = testStartMs + 1_000): Entry => ({
  stream: `batch-${batchId}`,
  event: clientEvent('BatchInoculated', atMs, { batchId, goDecision: true, lateEntry: false }),
})

export const sampleTaken = (batchId: string, sampleNumber: number, atMs: number): Entry => ({
  stream: `batch-${batchId}`,
  event: clientEvent('SampleTaken', atMs, {
    batchId,
    sampleId: derivedId(atMs, 'sample', batchId, sampleNumber),
    sampleNumber,
    timepointHours: '1.00',
    od600Raw: '1.50',
    dilutionFactor: '10',
    od600: '15.0',
    contaminationDetected: false,
    lateEntry: false,
  }),
})

export const quarantined = (batchId: string, atMs: number): Entry => ({
  stream: `reading-${batchId}`,
  event: clientEvent('ReadingQuarantined', atMs, {
    vessel: 'V-01',
    tag: 'pH',
    topic: 'bioprocess/pichia/V-01/sensors/pH',
    reason: 'not-a-number',
    field: '/value',
    rule: 'a JSON number',
    raw: Buffer.from('abc').toString('base64'),
    rawLength: 3,
    rawSha256: 'a'.repeat(64),
    truncated: false,
    possiblyDuplicate: false,
  }),
})

export const gapDetected = (batchId: string, tag: string, lastMs: number): Entry => ({
  stream: `reading-${batchId}`,
  event: clientEvent('SensorGapDetected', lastMs + 10_000, {
    vessel: 'V-01',
    tag,
    lastReadingAt: new Date(lastMs).toISOString(),
    expectedIntervalSeconds: 1,
  }),
})

export const gapClosed = (batchId: string, tag: string, lastMs: number, toMs: number): Entry => ({
  stream: `reading-${batchId}`,
  event: clientEvent('SensorGapClosed', toMs, {
    vessel: 'V-01',
    tag,
    from: new Date(lastMs).toISOString(),
    to: new Date(toMs).toISOString(),
    missing: Math.max(0, Math.round((toMs - lastMs) / 1000) - 1),
  }),
})

export const ingressStated = (
  batchId: string,
  sources: readonly { topic: string; received: number; duplicate: number; quarantined: number }[],
  atMs = testStartMs,
): Entry => ({
  stream: `reading-${batchId}`,
  event: clientEvent('IngressStated', atMs, { sources }),
})

type Step =
  | {
      kind: 'reading'
      batch: number
      tag: number
      second: number
      value: number
      quality: string
      late: boolean
    }
  | {
      kind:
        | 'sample'
        | 'quarantine'
        | 'gap'
        | 'gap-end'
        | 'state'
        | 'forecast'
        | 'withheld'
        | 'score'
        | 'derived'
      batch: number
      second: number
    }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('reading' as const),
      batch: fc.nat(batchIds.length - 1),
      tag: fc.nat(tags.length - 1),
      second: fc.nat(200),
      value: fc.double({ min: -10, max: 200, noNaN: true }).map((value) => value + 0),
      quality: fc.constantFrom('good', 'good', 'uncertain', 'bad'),
      late: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'sample' as const,
        'quarantine',
        'gap',
        'gap-end',
        'state',
        'forecast',
        'withheld',
        'score',
        'derived',
      ),
      batch: fc.nat(batchIds.length - 1),
      second: fc.nat(200),
    }),
  },
)

/** Two batches, created first, then anything: readings in and out of order, gaps, quarantine, statements, samples. */
export const histories = (maxLength: number): fc.Arbitrary<readonly Entry[]> =>
  fc.array(step, { minLength: 1, maxLength }).map((steps) => {
    const entries: Entry[] = batchIds.flatMap((id, index) => [batchCreated(id, index + 1), inoculated(id)])
    const samples = [0, 0]
    for (const [index, one] of steps.entries()) {
      const id = batchIds[one.batch] ?? batchIds[0]
      // Mostly forwards in time, some of it late.
      const atMs =
        testStartMs +
        (one.kind === 'reading' && one.late ? one.second * 500 : index * 2_500 + one.second * 10)
      if (one.kind === 'reading') {
        const flags = one.late ? ['late', 'out-of-order'] : undefined
        entries.push(
          reading(id, (tags[one.tag] ?? tagDefinitions[0]).tag, atMs, one.value, one.quality, flags),
        )
      } else if (one.kind === 'sample') {
        samples[one.batch] = (samples[one.batch] ?? 0) + 1
        entries.push(sampleTaken(id, samples[one.batch] ?? 1, atMs))
      } else if (one.kind === 'quarantine') entries.push(quarantined(id, atMs))
      else if (one.kind === 'gap') entries.push(gapDetected(id, 'pH', testStartMs + (one.second % 2) * 1_000))
      else if (one.kind === 'forecast') entries.push(forecastIssued(id, atMs, 1 + one.second / 7))
      else if (one.kind === 'withheld') entries.push(forecastWithheld(id, atMs))
      else if (one.kind === 'score')
        entries.push(forecastScored(id, atMs, [one.second % 2 === 0, true, false]))
      else if (one.kind === 'derived')
        entries.push(windowDerived(id, atMs, { CER: { value: one.second / 7 } }))
      else if (one.kind === 'gap-end')
        entries.push(gapClosed(id, 'pH', testStartMs + (one.second % 2) * 1_000, testStartMs + 300_000))
      else
        entries.push(
          ingressStated(id, [
            {
              topic: 'bioprocess/pichia/V-01/sensors/pH',
              received: one.second,
              duplicate: 0,
              quarantined: 0,
            },
          ]),
        )
    }
    return entries
  })

/** As a store would give them back: positions from `firstPosition` on, revisions by stream. */
export function recorded(entries: readonly Entry[], firstPosition = 1n): RecordedEvent[] {
  const revisions = new Map<string, bigint>()
  return entries.map(({ stream, event }, index) => {
    const revision = (revisions.get(stream) ?? -1n) + 1n
    revisions.set(stream, revision)
    return {
      ...event,
      stream,
      revision,
      position: firstPosition + BigInt(index),
      recordedAt: new Date(testStartMs + index).toISOString(),
    }
  })
}
