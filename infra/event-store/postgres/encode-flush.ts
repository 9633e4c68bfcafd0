/** The parameters of `event_store.append`: the events of a flush in parallel arrays, spelt as Postgres array literals. */
import type { PreparedEvent } from '../prepare-append.ts'
import type { Expectation, Write } from './decide-flush.ts'

export type EncodedFlush = {
  readonly values: readonly (string | null)[]
  /** Streams in the order in which the function answers where they stood. */
  readonly streams: readonly string[]
}

/** Every reading's template must have its id. */
export function encodeFlush(
  writes: readonly Write[],
  expectations: ReadonlyMap<string, Expectation>,
): EncodedFlush {
  const streams = new Map<string, { number: number; events: number }>()
  const instants = new Map<string, number>()
  const reading = columns(10)
  const general = columns(8)
  let order = 0
  let traced = false
  for (const { stream, events, traceparent } of writes) {
    let standing = streams.get(stream)
    if (!standing) {
      standing = { number: streams.size + 1, events: 0 }
      streams.set(stream, standing)
    }
    const trace = traceparent ?? 'NULL'
    if (traceparent !== undefined) traced = true
    for (const event of events) {
      order++
      standing.events++
      if (event.kind === 'reading') {
        reading[0]!.push(order)
        reading[1]!.push(standing.number)
        reading[2]!.push(standing.events)
        reading[3]!.push(event.id)
        reading[4]!.push(templateIdOf(event))
        reading[5]!.push(numberOf(instants, event.occurredAt))
        reading[6]!.push(numberOf(instants, event.receivedAt))
        reading[7]!.push(event.value)
        reading[8]!.push(event.seq ?? 'NULL')
        reading[9]!.push(trace)
      } else {
        general[0]!.push(order)
        general[1]!.push(standing.number)
        general[2]!.push(standing.events)
        general[3]!.push(event.id)
        general[4]!.push(event.type)
        general[5]!.push(quoted(event.content))
        general[6]!.push(event.salt ? `"\\\\x${event.salt.toString('hex')}"` : 'NULL')
        general[7]!.push(trace)
      }
    }
  }
  const names = [...streams.keys()]
  return {
    streams: names,
    values: [
      literal(names.map(quoted)),
      literal(names.map((name) => expectations.get(name)?.toString() ?? 'NULL')),
      literal([...instants.keys()]),
      ...reading.slice(0, 9).map(literal),
      traced ? literal(reading[9]!) : null,
      ...general.map(literal),
    ],
  }
}

type Column = (string | number)[]

const columns = (count: number): Column[] => Array.from({ length: count }, () => [])

const literal = (column: readonly (string | number)[]): string => `{${column.join(',')}}`

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`

function numberOf(numbers: Map<string, number>, key: string): number {
  let number = numbers.get(key)
  if (number === undefined) {
    number = numbers.size + 1
    numbers.set(key, number)
  }
  return number
}

function templateIdOf(event: Extract<PreparedEvent, { kind: 'reading' }>): number {
  const { templateId } = event.template
  if (templateId === undefined) throw new Error('a template has no id yet')
  return templateId
}
