/** Events for tests of event stores: readings, general events, what people typed; and any of them at random. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { ClientEvent } from '../../../schemas/event.ts'
import { uuidV7 } from '../../../schemas/ids.ts'

const at = '2026-11-21T09:30:00.000Z'

export const freshId = (unixMs = Date.parse(at)): string => uuidV7(unixMs, randomBytes(10))

export function reading(overrides: Partial<ClientEvent> = {}): ClientEvent {
  return {
    id: freshId(),
    type: 'SensorReadingRecorded',
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: '2026-11-21T09:30:00.120Z',
    actor: { kind: 'device', id: 'V-01', role: 'sensor' },
    source: { topic: 'bioprocess/pichia/V-01/sensors/pH', seq: 7 },
    origin: 'live',
    site: 'site-1',
    data: { vessel: 'V-01', tag: 'pH', value: 5.01, unit: '[pH]', quality: 'good' },
    ...overrides,
  }
}

export const readings = (count: number): ClientEvent[] => Array.from({ length: count }, () => reading())

/** A general event: no reading, nothing that people typed. */
export function alarm(
  overrides: Partial<ClientEvent> = {},
  message = 'pH of V-01 is out of range',
): ClientEvent {
  return {
    id: freshId(),
    type: 'AlarmRaised',
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: 'service', id: 'ingest', role: 'ingest' },
    origin: 'live',
    site: 'site-1',
    data: {
      level: 'warning',
      category: 'data_quality',
      name: 'out-of-range',
      message,
      vessel: 'V-01',
      tag: 'pH',
    },
    ...overrides,
  }
}

/** An event that people typed, with everything an envelope may carry. */
export function typed(overrides: Partial<ClientEvent> = {}, notes = 'first run'): ClientEvent {
  return {
    id: freshId(),
    type: 'BatchCreated',
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: 'human', id: 'p-17', role: 'technician' },
    origin: 'live',
    site: 'site-1',
    correlationId: freshId(),
    causationId: freshId(),
    reason: { code: 'planned', text: 'as the campaign plan says' },
    data: {
      batchId: freshId(),
      campaign: 'C1',
      number: 1,
      attempt: 1,
      phase: 'A',
      vessel: 'V-01',
      notes,
      lateEntry: false,
    },
    ...overrides,
  }
}

export function seal(count: number): ClientEvent {
  return alarm({ type: 'StreamSealed', data: { count } })
}

/** The same record as it comes back from JSON: equal, but no object of it is the same. */
export const again = (event: ClientEvent, overrides: Partial<ClientEvent> = {}): ClientEvent => ({
  ...(JSON.parse(JSON.stringify(event)) as ClientEvent),
  ...overrides,
})

const text = (options: { minLength?: number; maxLength: number }) =>
  fc
    .string({ unit: 'grapheme', ...options })
    .filter((value) => value.isWellFormed() && value.length <= options.maxLength)
const instants = fc
  .oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }) },
    fc.integer({ min: Date.parse('0000-01-01T00:00:00.000Z'), max: Date.parse('9999-12-31T23:59:59.999Z') }),
  )
  .map((ms) => new Date(ms).toISOString())
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, -0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e21, 2 ** 53),
)
const flags = fc
  .uniqueArray(fc.constantFrom('late', 'out-of-hard-bounds', 'out-of-order', 'possibly-duplicate'), {
    minLength: 1,
  })
  .map((list) => list.sort())
const optional = <Value>(key: string, value: fc.Arbitrary<Value>) =>
  fc.option(value, { nil: undefined }).map((given) => (given === undefined ? {} : { [key]: given }))

const envelope = fc
  .tuple(
    fc.record({
      id: fc.noShrink(fc.nat()).map(() => freshId()),
      schemaVersion: fc.constant(1),
      occurredAt: instants,
      receivedAt: instants,
      actor: fc.record({
        kind: fc.constantFrom('human', 'device', 'service', 'model'),
        id: text({ minLength: 1, maxLength: 100 }),
        role: text({ minLength: 1, maxLength: 50 }),
      }),
      origin: fc.constantFrom('live', 'simulated', 'replayed'),
      site: text({ minLength: 1, maxLength: 50 }),
    }),
    optional(
      'source',
      fc
        .tuple(
          fc.record({ topic: text({ minLength: 1, maxLength: 200 }) }),
          optional('seq', fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER))),
        )
        .map(([topic, seq]) => ({ ...topic, ...seq })),
    ),
    optional(
      'correlationId',
      fc.constant(0).map(() => freshId()),
    ),
    optional(
      'reason',
      fc.record({ code: text({ minLength: 1, maxLength: 50 }), text: fc.constant('ten letters and more') }),
    ),
  )
  .map((parts) => Object.assign({}, ...parts) as Omit<ClientEvent, 'type' | 'data'>)

const readingData = fc
  .tuple(
    fc.record({
      vessel: text({ maxLength: 50 }),
      tag: fc.oneof(fc.constantFrom('pH', 'DO', 'OD'), text({ maxLength: 50 })),
      value: numbers,
      unit: fc.constantFrom('[pH]', '%', 'Cel'),
      quality: fc.constantFrom('good', 'uncertain', 'bad'),
    }),
    optional('flags', flags),
  )
  .map(([data, more]) => ({ ...data, ...more }))

/** What a reading seldom has, so that most of them have the usual shape. */
const withoutExtras = ({ correlationId, reason, ...event }: Omit<ClientEvent, 'type' | 'data'>) => event

/** Any event that a store must take. */
export const anyEvent: fc.Arbitrary<ClientEvent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(envelope.map(withoutExtras), readingData)
      .map(([event, data]) => ({ ...event, type: 'SensorReadingRecorded', data })),
  },
  fc.tuple(envelope, readingData).map(([event, data]) => ({ ...event, type: 'SensorReadingRecorded', data })),
  fc.tuple(envelope, text({ maxLength: 300 })).map(([event, message]) => ({
    ...event,
    type: 'AlarmRaised',
    data: { ...alarm().data, message },
  })),
  fc.tuple(envelope, text({ maxLength: 300 })).map(([event, notes]) => ({
    ...event,
    type: 'BatchCreated',
    data: { ...typed().data, notes },
  })),
)
