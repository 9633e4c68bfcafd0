/**
 * What people may ask for over HTTP: the first five commands of a batch. Numbers that people type are decimal
 * strings ("4.50") or JSON numbers, which are taken as the shortest decimal that names them.
 */
import { z } from 'zod'
import { decimalString, origin, reason } from './event.ts'
import { batchPhase, personId, vesselId } from './events/batch-events.ts'
import { sourceTime } from './mqtt.ts'

const typedNumber = z.union([
  decimalString,
  z
    .number()
    .transform((value) => String(value))
    .pipe(decimalString),
])

/** When it happened, if not now; at most 5 min in the future. Entered late, it is flagged. */
const occurredAt = sourceTime.optional()
/** `simulated` or `replayed` marks everything of the batch; default live. */
const batchOrigin = origin.optional()

export const createBatch = z.strictObject({
  number: z.int().min(1),
  phase: batchPhase,
  vessel: vesselId,
  campaign: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/)
    .optional(),
  attempt: z.int().min(1).optional(),
  operatorId: personId.optional(),
  variation: z.string().max(100).optional(),
  notes: z.string().max(2000).optional(),
  origin: batchOrigin,
  occurredAt,
})

export const recordInoculation = z.strictObject({
  goDecision: z.boolean().optional(),
  inoculumOd600: typedNumber.optional(),
  dilutionFactor: typedNumber.optional(),
  inoculumVolumeMl: typedNumber.optional(),
  inoculumSource: z.string().max(200).optional(),
  viabilityPercent: typedNumber.optional(),
  microscopyClean: z.boolean().optional(),
  microscopyObservations: z.string().max(2000).optional(),
  override: z.strictObject({ approvedBy: personId, justification: z.string().min(10).max(2000) }).optional(),
  occurredAt,
})

export const recordSample = z.strictObject({
  od600Raw: typedNumber,
  dilutionFactor: typedNumber.optional(),
  volumeMl: typedNumber.optional(),
  scheduledPoint: z.string().max(30).optional(),
  contaminationDetected: z.boolean().optional(),
  microscopyObservations: z.string().max(2000).optional(),
  replicate: z.int().min(1).optional(),
  occurredAt,
})

export const closeBatch = z.strictObject({
  finalOd600: typedNumber,
  doSpikeObserved: z.boolean(),
  glycerolDepletionHours: typedNumber.optional(),
  maxDoPercent: typedNumber.optional(),
  cumulativeBaseMl: typedNumber.optional(),
  harvestMethod: z.enum(['Cell_Banking', 'Disposal']).optional(),
  /** Another person than the one who closes. */
  approvedBy: personId,
  closedBy: personId.optional(),
  notes: z.string().max(2000).optional(),
  occurredAt,
})

export const abortBatch = z.strictObject({
  outcome: z.enum(['Aborted_Contamination', 'Aborted_Sensor_Failure', 'Aborted_Other']),
  reason,
  notes: z.string().max(2000).optional(),
  occurredAt,
})

const justification = z.string().min(10).max(2000)

/** Approves a model version for data of these origins. */
export const approveModel = z.strictObject({
  origins: z.array(origin).min(1).max(3),
  justification,
  /** Who approved, where that is not the one who enters it. */
  approvedBy: personId.optional(),
})

/** Makes a model version the active one for its use. */
export const activateModel = z.strictObject({ activatedBy: personId.optional() })

/** Withholds the forecasts of a model version, for data of these origins or of all. */
export const suspendModel = z.strictObject({
  rule: z.string().min(1).max(100),
  finding: z.string().min(10).max(2000),
  origins: z.array(origin).min(1).max(3).optional(),
})

export const retireModel = z.strictObject({ justification })

/** 201 of every command. */
export const commandAccepted = z.object({
  eventId: z.string(),
  revision: z.string(),
  position: z.string(),
  recordedAt: z.string(),
})
