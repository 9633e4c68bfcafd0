/** What the contract suite asks of whoever runs it, and what its tests share. */
import { randomBytes } from 'node:crypto'
import type { ClientEvent, RecordedEvent } from '../../../schemas/event.ts'
import type { AppendOutcome, EventPage, EventStore, ExpectedRevision, Recorded } from '../event-store.ts'

export type ContractStore = {
  readonly store: EventStore
  /** The same store opened once more, as by a process that starts anew. The suite closes it. */
  readonly reopen?: () => Promise<EventStore>
  readonly cleanup: () => Promise<void>
}

/** What only some adapters promise. */
export type Capabilities = {
  /** Positions count 1 by 1 in commit order. */
  readonly gaplessPositions?: boolean
}

export type ContractContext = {
  store(): EventStore
  reopen(): Promise<EventStore>
  readonly canReopen: boolean
  readonly capabilities: Capabilities
}

/** Streams of a category of their own, so that a test finds its events in a store that holds others. */
export function freshCategory(): { readonly category: string; stream(name?: string): string } {
  const category = `contract${randomBytes(6).toString('hex')}`
  let next = 0
  return { category, stream: (name = String(next++)) => `${category}-${name}` }
}

export async function appendTo(
  store: EventStore,
  stream: string,
  expectedRevision: ExpectedRevision,
  events: readonly ClientEvent[],
): Promise<AppendOutcome> {
  const [outcome] = await store.append([{ stream, expectedRevision, events }])
  if (!outcome) throw new Error('the append was not answered')
  return outcome
}

/** Where the events of an append stand that must have been new. */
export async function appended(
  store: EventStore,
  stream: string,
  events: readonly ClientEvent[],
  expectedRevision: ExpectedRevision = 'any',
): Promise<readonly Recorded[]> {
  const outcome = await appendTo(store, stream, expectedRevision, events)
  if (outcome.kind !== 'appended') throw new Error(`the append was answered ${outcome.kind}`)
  return outcome.recorded
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

export const readStream = (store: EventStore, stream: string): Promise<RecordedEvent[]> =>
  collect(store.readStream(stream))

export const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id)

export const eventsOf = (pages: readonly EventPage[]): RecordedEvent[] =>
  pages.flatMap(({ events }) => events)

/** Where the store ends, so that a test reads only what comes after. */
export const endOf = async (store: EventStore): Promise<{ after?: bigint }> => {
  const head = await store.head()
  return head ? { after: head.position } : {}
}

export const deadlineMs = 30_000
