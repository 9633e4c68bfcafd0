/** What may be asked of a batch, after the shape was checked; and what each decision needs to know beside the state. */
import type { z } from 'zod'
import type {
  abortBatch,
  closeBatch,
  createBatch,
  recordInoculation,
  recordSample,
} from '../../schemas/commands.ts'
import type { Actor, Instant } from '../../schemas/event.ts'

/** A field that is left out and one that is `undefined` are the same request. */
type Request<Schema extends z.ZodType> = z.infer<Schema>

export type BatchCommand =
  | { readonly kind: 'create'; readonly request: Request<typeof createBatch> }
  | { readonly kind: 'inoculate'; readonly request: Request<typeof recordInoculation> }
  | { readonly kind: 'sample'; readonly request: Request<typeof recordSample> }
  | { readonly kind: 'close'; readonly request: Request<typeof closeBatch> }
  | { readonly kind: 'abort'; readonly request: Request<typeof abortBatch> }

export type Circumstances = {
  readonly batchId: string
  /** Id of the event that will record the command; a sample is known by it. */
  readonly eventId: string
  readonly actor: Actor
  /** When the command arrived at our edge. */
  readonly receivedAt: Instant
}
