/** A batch as its own events tell it: the state that decisions rest on (ISA-88 batch). */
import type { ClientEvent, Instant, Origin } from '../../schemas/event.ts'
import type { BatchStatus } from '../../schemas/events/batch-events.ts'

export type BatchState =
  | { readonly status: 'absent' }
  /** Its id was given up before the batch came to be. */
  | { readonly status: 'void' }
  | {
      readonly status: BatchStatus
      readonly batchId: string
      readonly vessel: string
      readonly origin: Origin
      readonly createdAt: Instant
      /** T = 0. */
      readonly inoculatedAt: Instant | undefined
      readonly sampleCount: number
      /** When the newest sample was taken. */
      readonly lastSampleAt: Instant | undefined
    }

export type ExistingBatch = Extract<BatchState, { batchId: string }>

export const initialState: BatchState = { status: 'absent' }

/** Events of types that do not touch the life of the batch leave it as it is. */
export function evolve(
  state: BatchState,
  event: Pick<ClientEvent, 'type' | 'occurredAt' | 'origin' | 'data'>,
): BatchState {
  if (state.status === 'absent' || state.status === 'void') {
    if (event.type === 'StreamSealed') return { status: 'void' }
    if (event.type !== 'BatchCreated') return state
    return {
      status: 'pending',
      batchId: String(event.data.batchId),
      vessel: String(event.data.vessel),
      origin: event.origin,
      createdAt: event.occurredAt,
      inoculatedAt: undefined,
      sampleCount: 0,
      lastSampleAt: undefined,
    }
  }
  switch (event.type) {
    case 'BatchInoculated':
      return { ...state, status: 'running', inoculatedAt: event.occurredAt }
    case 'SampleTaken':
      return {
        ...state,
        sampleCount: state.sampleCount + 1,
        lastSampleAt:
          state.lastSampleAt === undefined || event.occurredAt > state.lastSampleAt
            ? event.occurredAt
            : state.lastSampleAt,
      }
    case 'BatchClosed':
      return { ...state, status: 'complete' }
    case 'BatchAborted':
      return { ...state, status: 'aborted' }
    default:
      return state
  }
}

export const isOpen = (state: BatchState): boolean => state.status === 'pending' || state.status === 'running'
