/** Answers of the query side, version 1. Positions and revisions are strings; times UTC ISO 8601. */
import { z } from 'zod'
import { instant, origin } from './event.ts'
import { batchPhase, batchStatus } from './events/batch-events.ts'
import { quality, quarantineReason, readingFlag } from './events/sensor-events.ts'

/** Where an answer stands: it speaks of everything recorded up to here and of nothing later. */
export const asOf = z.object({ position: z.string(), recordedAt: instant.nullable() })

export const batch = z.object({
  id: z.string(),
  campaign: z.string(),
  number: z.int(),
  attempt: z.int(),
  phase: batchPhase,
  vessel: z.string(),
  status: batchStatus,
  origin,
  createdAt: instant,
  inoculatedAt: instant.nullable(),
  closedAt: instant.nullable(),
  outcome: z.string().nullable(),
  operatorId: z.string().nullable(),
  variation: z.string().nullable(),
  notes: z.string().nullable(),
  sampleCount: z.int(),
  /** Last revision of `batch-<id>`; the ETag is `"batch-<id>@<revision>"`. */
  revision: z.string(),
})
export type Batch = z.infer<typeof batch>

export const currentValue = z.object({
  tag: z.string(),
  label: z.string(),
  unit: z.string(),
  unitLabel: z.string(),
  decimals: z.int(),
  value: z.number(),
  quality,
  flags: z.array(readingFlag),
  at: instant,
  position: z.string(),
  operatingRange: z.tuple([z.number(), z.number()]),
})

/** Streams whose read models stopped at or before where the list stands: what they hold after that is missing. */
const stopped = z.array(z.object({ stream: z.string(), position: z.string() })).optional()

export const batchState = batch.extend({ current: z.array(currentValue), asOf })
export const batchList = z.object({ items: z.array(batch), next: z.string().nullable(), stopped, asOf })

export const seriesPoint = z.object({ at: instant, value: z.number(), quality, position: z.string() })
export const series = z.object({
  tag: z.string(),
  unit: z.string(),
  reduced: z.boolean(),
  reduce: z.enum(['none', 'minmax', 'mean']),
  bucketSeconds: z.number().nullable(),
  sourceCount: z.int(),
  points: z.array(seriesPoint),
  asOf,
})

export const window30 = z.object({
  tag: z.string(),
  unit: z.string(),
  from: instant,
  to: instant,
  mean: z.number().nullable(),
  sd: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** Readings of quality good or uncertain that the statistics rest on, and all of them. */
  count: z.int(),
  total: z.int(),
  quality: z.enum(['complete', 'partial', 'sparse']),
  closed: z.boolean(),
})
export const windowList = z.object({ items: z.array(window30), next: z.string().nullable(), asOf })

export const timelineItem = z.object({
  position: z.string(),
  eventId: z.string(),
  stream: z.string(),
  revision: z.string(),
  type: z.string(),
  occurredAt: instant,
  receivedAt: instant,
  recordedAt: instant,
  actor: z.object({ kind: z.string(), id: z.string(), role: z.string() }),
  origin,
  sentence: z.string(),
})
export const timeline = z.object({ items: z.array(timelineItem), next: z.string().nullable(), asOf })

export const ingressBalance = z.object({
  received: z.int(),
  stored: z.int(),
  duplicate: z.int(),
  quarantined: z.int(),
  balanced: z.boolean(),
  /** Stored or quarantined after ingest's last statement; not yet part of the four figures. */
  sinceStatement: z.int(),
  bySource: z.array(
    z.object({
      topic: z.string(),
      received: z.int(),
      stored: z.int(),
      duplicate: z.int(),
      quarantined: z.int(),
    }),
  ),
  asOf,
})

export const streamIngressList = z.object({
  items: z.array(ingressBalance.omit({ bySource: true, asOf: true }).extend({ stream: z.string() })),
  next: z.string().nullable(),
  asOf,
})

export const gap = z.object({
  tag: z.string(),
  from: instant,
  to: instant.nullable(),
  missing: z.int().nullable(),
  position: z.string(),
})
export const gapList = z.object({ items: z.array(gap), next: z.string().nullable(), asOf })

export const quarantinedMessage = z.object({
  position: z.string(),
  recordedAt: instant,
  receivedAt: instant,
  vessel: z.string().nullable(),
  tag: z.string().nullable(),
  topic: z.string(),
  reason: quarantineReason,
  field: z.string(),
  rule: z.string(),
  raw: z.string(),
  rawLength: z.int(),
  truncated: z.boolean(),
})
export const quarantineList = z.object({
  items: z.array(quarantinedMessage),
  next: z.string().nullable(),
  stopped,
  asOf,
})

/** RFC 9457, with the code, the rule and what is allowed instead. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().optional(),
  code: z.string(),
  rule: z.string().optional(),
  state: z.string().optional(),
  allowed: z.array(z.string()).optional(),
  errors: z
    .array(
      z.object({
        in: z.enum(['body', 'query', 'path', 'header', 'record']),
        /** JSON pointer (RFC 6901) into that part; empty for the whole. */
        pointer: z.string(),
        value: z.unknown().optional(),
        rule: z.string(),
      }),
    )
    .optional(),
  /** The current revision of the stream, where `If-Match` was stale. */
  revision: z.string().optional(),
  correlationId: z.string(),
})

/**
 * Live feed (`GET /api/v1/live?batch=<id>`, SSE). Event names: `readings` (data: `{ position, readings: [{ tag,
 * at, value, quality, unit }] }`, coalesced to at most one a second), `timeline` (data: a timeline item), `batch`
 * (data: a batch), `ingress` (data: an ingress balance). `id:` is the position reached, for `Last-Event-ID`.
 */
export const liveReadings = z.object({
  position: z.string(),
  readings: z.array(z.object({ tag: z.string(), at: instant, value: z.number(), quality, unit: z.string() })),
})

/** An extract that is being written, or ready under `file`. Counts are strings. */
export const extractJob = z.object({
  id: z.string(),
  batchId: z.string(),
  scope: z.enum(['whole', 'range', 'signatures-only']),
  purpose: z.string(),
  requestedAt: instant,
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  /** Events written, and of how many. */
  progress: z.object({ done: z.int(), total: z.int() }),
  /** Of the checkpoint that it stands on. */
  size: z.string().nullable(),
  events: z.string().nullable(),
  /** Base64; the log holds it in `ExtractIssued`. */
  manifestSha256: z.string().nullable(),
  /** What the verifier said of it: up to which instant and size the record is stated. */
  verdict: z.string().nullable(),
  file: z.string().nullable(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
})
