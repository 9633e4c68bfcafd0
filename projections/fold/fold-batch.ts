/** The batch record as its own stream tells it (ISA-88 batch; states pending, running, complete, aborted). */
import type { RecordedEvent } from '../../schemas/event.ts'
import type { Batch } from '../../schemas/http.ts'

/** The batch after the event, or undefined while it does not exist. Every event moves the revision on. */
export function foldBatch(before: Batch | undefined, event: RecordedEvent): Batch | undefined {
  const revision = event.revision.toString()
  if (event.type === 'BatchCreated') return { ...createdFrom(event), revision }
  // A creation that was given up: its stream is sealed empty, so that the batch can never come to be.
  if (!before && event.type === 'StreamSealed') return undefined
  if (!before) throw new Error('the stream does not begin with BatchCreated')
  const batch = { ...before, revision }
  switch (event.type) {
    case 'BatchInoculated':
      return { ...batch, status: 'running', inoculatedAt: event.occurredAt }
    case 'SampleTaken':
      return { ...batch, sampleCount: before.sampleCount + 1 }
    case 'BatchClosed':
    case 'BatchAborted':
      return {
        ...batch,
        status: event.type === 'BatchClosed' ? 'complete' : 'aborted',
        closedAt: event.occurredAt,
        outcome: String(event.data.outcome),
      }
    default:
      return batch
  }
}

function createdFrom(event: RecordedEvent): Omit<Batch, 'revision'> {
  const data = event.data as {
    batchId: string
    campaign: string
    number: number
    attempt: number
    phase: Batch['phase']
    vessel: string
    operatorId?: string
    variation?: string
    notes?: string
  }
  return {
    id: data.batchId,
    campaign: data.campaign,
    number: data.number,
    attempt: data.attempt,
    phase: data.phase,
    vessel: data.vessel,
    status: 'pending',
    origin: event.origin,
    createdAt: event.occurredAt,
    inoculatedAt: null,
    closedAt: null,
    outcome: null,
    operatorId: data.operatorId ?? null,
    variation: data.variation ?? null,
    notes: data.notes ?? null,
    sampleCount: 0,
  }
}
