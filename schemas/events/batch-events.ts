/** The life of a batch: created, inoculated (T = 0), sampled, closed or aborted; and what it reserves. */
import { z } from 'zod'
import { decimalString, instant, uuid } from '../event.ts'
import { vesselIdPattern } from '../streams.ts'
import { eventType } from './event-type.ts'

export const batchPhase = z.enum(['A', 'B', 'C'])
export const batchStatus = z.enum(['pending', 'running', 'complete', 'aborted'])
export type BatchStatus = z.infer<typeof batchStatus>
export const vesselId = z
  .string()
  .regex(vesselIdPattern, 'a vessel id of letters, digits, - and _ (at most 50)')
export const personId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/,
    'a pseudonymous person id of letters, digits, . - _ (at most 50)',
  )

/** Entered more than 5 min after it happened (performed-at against received-at). */
const lateEntry = z.boolean()

export const batchCreated = eventType({
  type: 'BatchCreated',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    batchId: uuid,
    campaign: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/),
    number: z.int().min(1),
    attempt: z.int().min(1),
    phase: batchPhase,
    vessel: vesselId,
    operatorId: personId.optional(),
    variation: z.string().max(100).optional(),
    notes: z.string().max(2000).optional(),
    lateEntry,
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${who} created batch ${data.number}${data.attempt > 1 ? ` (attempt ${data.attempt})` : ''} of campaign ${data.campaign}, phase ${data.phase}, on vessel ${data.vessel}`,
})

export const batchInoculated = eventType({
  type: 'BatchInoculated',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    batchId: uuid,
    inoculumOd600: decimalString.optional(),
    dilutionFactor: decimalString.optional(),
    inoculumVolumeMl: decimalString.optional(),
    inoculumSource: z.string().max(200).optional(),
    viabilityPercent: decimalString.optional(),
    microscopyClean: z.literal(true).optional(),
    microscopyObservations: z.string().max(2000).optional(),
    goDecision: z.literal(true),
    override: z
      .strictObject({ approvedBy: personId, justification: z.string().min(10).max(2000) })
      .optional(),
    lateEntry,
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${who} inoculated the batch (T = 0)${data.inoculumOd600 ? `, inoculum OD600 ${data.inoculumOd600}` : ''}`,
})

export const sampleTaken = eventType({
  type: 'SampleTaken',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    batchId: uuid,
    sampleId: uuid,
    sampleNumber: z.int().min(1),
    scheduledPoint: z.string().max(30).optional(),
    /** (sampled at − inoculated at) in hours, two decimals; computed, never entered. */
    timepointHours: decimalString,
    volumeMl: decimalString.optional(),
    od600Raw: decimalString,
    dilutionFactor: decimalString,
    /** od600Raw × dilutionFactor with the significant digits of od600Raw; computed. */
    od600: decimalString,
    contaminationDetected: z.boolean(),
    microscopyObservations: z.string().max(2000).optional(),
    replicate: z.int().min(1).optional(),
    lateEntry,
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${who} recorded sample ${data.sampleNumber} at ${data.timepointHours} h: OD600 ${data.od600} (${data.od600Raw} × ${data.dilutionFactor})${data.contaminationDetected ? ', CONTAMINATION seen' : ''}`,
})

export const batchClosed = eventType({
  type: 'BatchClosed',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    batchId: uuid,
    outcome: z.literal('Complete'),
    finalOd600: decimalString,
    /** Inoculation to closure in hours, two decimals; computed. */
    totalRuntimeHours: decimalString,
    glycerolDepletionHours: decimalString.optional(),
    doSpikeObserved: z.boolean(),
    maxDoPercent: decimalString.optional(),
    cumulativeBaseMl: decimalString.optional(),
    harvestMethod: z.enum(['Cell_Banking', 'Disposal']).optional(),
    /** Who closed, where that is not the actor who entered it. */
    closedBy: personId.optional(),
    approvedBy: personId,
    notes: z.string().max(2000).optional(),
    lateEntry,
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${who} closed the batch as complete after ${data.totalRuntimeHours} h, final OD600 ${data.finalOd600}, approved by ${data.approvedBy}`,
})

export const batchAborted = eventType({
  type: 'BatchAborted',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    batchId: uuid,
    outcome: z.enum(['Aborted_Contamination', 'Aborted_Sensor_Failure', 'Aborted_Other']),
    totalRuntimeHours: decimalString.optional(),
    notes: z.string().max(2000).optional(),
    lateEntry,
  }),
  upcasters: {},
  sentence: (data, { who, event }) =>
    `${who} aborted the batch (${data.outcome})${event.reason ? `: ${event.reason.text}` : ''}`,
})

/** In `vessel-<id>`: one open batch a vessel. */
export const vesselReserved = eventType({
  type: 'VesselReserved',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({ vessel: vesselId, batchId: uuid, from: instant }),
  upcasters: {},
  sentence: (data) => `vessel ${data.vessel} was reserved for batch ${data.batchId}`,
})

export const vesselReleased = eventType({
  type: 'VesselReleased',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({ vessel: vesselId, batchId: uuid, at: instant }),
  upcasters: {},
  sentence: (data) => `vessel ${data.vessel} was released by batch ${data.batchId}`,
})

/** In `campaign-<id>`: one number and attempt a campaign. */
export const campaignNumberReserved = eventType({
  type: 'CampaignNumberReserved',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    campaign: z.string(),
    number: z.int().min(1),
    attempt: z.int().min(1),
    batchId: uuid,
  }),
  upcasters: {},
  sentence: (data) =>
    `number ${data.number} (attempt ${data.attempt}) of campaign ${data.campaign} was given to batch ${data.batchId}`,
})

/** A reservation whose batch never came to be (the process died between the two appends). */
export const campaignNumberReleased = eventType({
  type: 'CampaignNumberReleased',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    campaign: z.string(),
    number: z.int().min(1),
    attempt: z.int().min(1),
    batchId: uuid,
  }),
  upcasters: {},
  sentence: (data) =>
    `number ${data.number} (attempt ${data.attempt}) of campaign ${data.campaign} was given back`,
})
