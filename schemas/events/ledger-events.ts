/** What the ledger states about itself: heads of all streams, keys, time stamps, extracts handed out, findings. */
import { z } from 'zod'
import { instant, uuid } from '../event.ts'
import { eventType } from './event-type.ts'

const count = z.string().regex(/^(0|[1-9]\d{0,18})$/, 'a count in decimal digits')
const hash = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, '32 bytes in base64')
const verifierKey = z
  .string()
  .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/, 'a verifier key in signed-note form')

/**
 * Every stream's count at log size `size`, committed as the root of an RFC 6962 tree over the sorted records. Every
 * leaf belongs to exactly one stream, so the counts sum to `size`.
 */
export const headsStated = eventType({
  type: 'HeadsStated',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({
    size: count,
    streams: count,
    total: count,
    root: hash,
    /** When the last of the `size` entries was recorded; statements before it was said do not have it. */
    recordedUpTo: instant.optional(),
  }),
  upcasters: {},
  sentence: (data) => `the ledger stated the heads of ${data.streams} streams at size ${data.size}`,
})

export const keyPurpose = z.enum(['log', 'export'])

export const ledgerKeyAdded = eventType({
  type: 'LedgerKeyAdded',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({ verifierKey, purpose: keyPurpose, fromSize: count }),
  upcasters: {},
  sentence: (data) =>
    `the ${data.purpose} key ${data.verifierKey.split('+')[1]} holds from size ${data.fromSize}`,
})

export const ledgerKeyRetired = eventType({
  type: 'LedgerKeyRetired',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({ verifierKey, purpose: keyPurpose, lastSize: count }),
  upcasters: {},
  sentence: (data) =>
    `the ${data.purpose} key ${data.verifierKey.split('+')[1]} was retired at size ${data.lastSize}`,
})

export const ledgerKeyRevoked = eventType({
  type: 'LedgerKeyRevoked',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    verifierKey,
    purpose: keyPurpose,
    firstBadSize: count,
    finding: z.string().min(10).max(2000),
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${who} revoked the ${data.purpose} key ${data.verifierKey.split('+')[1]} from size ${data.firstBadSize}: ${data.finding}`,
})

/** An RFC 3161 token over the checkpoint of `size`; `token` is the DER of the response, base64. */
export const checkpointTimeStamped = eventType({
  type: 'CheckpointTimeStamped',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({
    size: count,
    /** SHA-256 of the checkpoint's text (the signed part), which the token's imprint names. */
    imprint: hash,
    tokenSha256: hash,
    authority: z.string(),
    /** The token's genTime. */
    stampedAt: instant,
  }),
  upcasters: {},
  sentence: (data) => `${data.authority} stamped the checkpoint of size ${data.size} at ${data.stampedAt}`,
})

export const extractIssued = eventType({
  type: 'ExtractIssued',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    extractId: uuid,
    batchId: uuid,
    purpose: z.string().min(1).max(200),
    scope: z.enum(['whole', 'range', 'signatures-only']),
    from: instant.optional(),
    to: instant.optional(),
    asOf: instant.optional(),
    size: count,
    manifestSha256: hash,
    events: count,
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${who} drew an extract (${data.scope}, ${data.events} events) as of ledger size ${data.size} for: ${data.purpose}`,
})

/** The continuous check found something that is not as the log has it. */
export const ledgerFindingRaised = eventType({
  type: 'LedgerFindingRaised',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({
    /** What was compared: `event`, `tile`, `bundle`, `read-model`, `checkpoint`. */
    kind: z.string(),
    /** Table or stream, and the row or revision. */
    subject: z.string(),
    finding: z.string(),
  }),
  upcasters: {},
  sentence: (data) => `the ledger's check found ${data.kind} ${data.subject}: ${data.finding}`,
})

/**
 * A person answers for it that nothing beyond the newest checkpoint of the database was ever signed, where what was kept
 * outside the database is lost.
 */
export const ledgerStateConfirmed = eventType({
  type: 'LedgerStateConfirmed',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    origin: z.string(),
    size: count,
    root: hash,
    /** What `ledger.signed` held until then; null when it was not there. */
    keptSize: count.nullable(),
    finding: z.string().min(10).max(2000),
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${who} confirmed that ${data.size} entries were the last that the ledger signed, which held ${data.keptSize === null ? 'no state' : `a state of ${data.keptSize}`} outside its database: ${data.finding}`,
})
