/** All event types by name. A type that is not here can neither be appended nor read. */
import type { z } from 'zod'
import { type ClientEvent, clientEnvelope, type RecordedEvent } from '../event.ts'
import * as batch from './batch-events.ts'
import type { EventType } from './event-type.ts'
import * as forecast from './forecast-events.ts'
import * as ledger from './ledger-events.ts'
import * as model from './model-events.ts'
import * as process from './process-events.ts'
import * as sensor from './sensor-events.ts'

const definitions = [
  sensor.sensorReadingRecorded,
  sensor.readingQuarantined,
  sensor.sensorGapDetected,
  sensor.sensorGapClosed,
  sensor.sourceClockStepped,
  sensor.alarmRaised,
  sensor.ingressStated,
  sensor.streamSealed,
  batch.batchCreated,
  batch.batchInoculated,
  batch.sampleTaken,
  batch.batchClosed,
  batch.batchAborted,
  batch.vesselReserved,
  batch.vesselReleased,
  batch.campaignNumberReserved,
  batch.campaignNumberReleased,
  process.processWindowDerived,
  forecast.odForecastIssued,
  forecast.forecastWithheld,
  forecast.forecastScored,
  model.modelRegistered,
  model.modelApproved,
  model.modelActivated,
  model.modelSuspended,
  model.modelRetired,
  model.sealedSetRead,
  ledger.headsStated,
  ledger.ledgerKeyAdded,
  ledger.ledgerKeyRetired,
  ledger.ledgerKeyRevoked,
  ledger.checkpointTimeStamped,
  ledger.extractIssued,
  ledger.ledgerFindingRaised,
  ledger.ledgerStateConfirmed,
] as unknown as readonly EventType[]

const byType: ReadonlyMap<string, EventType> = new Map(
  definitions.map((definition) => [definition.type, definition]),
)

export const eventTypes: readonly EventType[] = definitions

export function findEventType(type: string): EventType | undefined {
  return byType.get(type)
}

/** Throws `InvalidEventError` naming field, value and rule unless the event is one its type allows at its current version. */
export function validateForAppend(event: ClientEvent): void {
  const definition = byType.get(event.type)
  if (!definition)
    throw new InvalidEventError(event.type, 'type', event.type, 'an event type of the registry')
  if (event.schemaVersion !== definition.schemaVersion)
    throw new InvalidEventError(
      event.type,
      'schemaVersion',
      event.schemaVersion,
      `schema version ${definition.schemaVersion}`,
    )
  const checked = clientEnvelope.safeParse(event)
  if (!checked.success) throw fromZod(event, checked.error)
  const data = definition.data.safeParse(event.data)
  if (!data.success) throw fromZod(event, data.error, 'data')
}

/** The event with its payload lifted to the type's current schema version; the stored bytes stay as they are. */
export function upcast<E extends RecordedEvent | ClientEvent>(event: E): E {
  const definition = byType.get(event.type)
  if (!definition)
    throw new InvalidEventError(event.type, 'type', event.type, 'an event type of the registry')
  if (event.schemaVersion === definition.schemaVersion) return event
  let data = event.data
  for (let version = event.schemaVersion; version < definition.schemaVersion; version++) {
    const lift = definition.upcasters[version]
    if (!lift)
      throw new InvalidEventError(
        event.type,
        'schemaVersion',
        event.schemaVersion,
        `an upcaster from version ${version}`,
      )
    data = lift(data)
  }
  return { ...event, data, schemaVersion: definition.schemaVersion }
}

/** What happened, as a sentence without its time: "A. Kovács recorded sample 3 …". */
export function sentenceOf(
  event: ClientEvent | RecordedEvent,
  nameOf: (actorId: string) => string = (id) => id,
): string {
  const definition = byType.get(event.type)
  if (!definition) return `an event of the unknown type ${event.type}`
  return definition.sentence(upcast(event).data, { who: nameOf(event.actor.id), event })
}

export class InvalidEventError extends Error {
  readonly code = 'invalid-event'
  constructor(
    readonly type: string,
    readonly field: string,
    readonly value: unknown,
    readonly rule: string,
  ) {
    super(`${type}: ${field} is ${spelled(value)}, expected ${rule}`)
  }
}

/** JSON, and a bigint (which has no JSON form, and may be what is wrong) as its literal. */
function spelled(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value)
}

function fromZod(event: ClientEvent, error: z.ZodError, prefix = ''): InvalidEventError {
  const issue = error.issues[0]!
  const path = [prefix, ...issue.path].filter((part) => part !== '').join('/')
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    prefix ? event.data : event,
  )
  return new InvalidEventError(event.type, path, value, issue.message)
}
