/**
 * Appends with exact revisions, one in flight a stream, and answers only when the index has passed what was
 * written: so a redelivery at any age is a duplicate, whatever revision its writer expects.
 *
 * The server recognises a repeated append only at the same exact revision and would store it again at any other.
 * So an append whose outcome is unknown is retried with the same bytes at the same revision; when that does not
 * settle it, the stream and the index are asked, and if they cannot say either, the caller hears
 * `StoreUnavailableError`. A late arrival of such an append is harmless: only one append fits a revision.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type AppendOutcome, type AppendRequest, StoreOverloadedError } from '../event-store.ts'
import { type AppendLimits, type CheckedRequest, checkRequest } from './check-request.ts'
import type { Connection } from './connection.ts'
import { type Decision, decideAppend, recordedOf, type StreamState } from './decide-append.ts'
import { failureOf, reasonOf, StreamTombstonedError, unavailable } from './errors.ts'
import type { Follower } from './follower.ts'
import type { EventIndex, IndexedEvent } from './index/event-index.ts'
import type { WireEvent } from './wire-format.ts'

export type AppenderDeps = {
  readonly connection: Connection
  readonly follower: Follower
  readonly index: EventIndex
  readonly limits: AppendLimits & {
    readonly queuedEvents: number
    readonly attempts: number
    /** How long an answer may wait for the index. */
    readonly indexTimeoutMs: number
  }
  /** Resolves when the index has passed what stood in the store at the start. */
  readonly ready: () => Promise<void>
}

/** Requests that wait for one stream are appended together up to here, each still all or nothing. */
const eventsTogether = 500
const bytesTogether = 512 * 1024
/** Streams whose last revision is kept in memory. */
const rememberedStreams = 20_000
/** How often the stream is looked at again when others write to it, too. */
const conflictRounds = 20

type Pending = CheckedRequest & {
  settle(outcome: AppendOutcome): void
  fail(error: unknown): void
}

type StreamQueue = {
  readonly stream: string
  readonly pending: Pending[]
  running: boolean
  state: StreamState | undefined
  /** An earlier append's outcome is unknown: the server is asked before the stream is judged again. */
  uncertain: boolean
}

export type Appender = {
  append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]>
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>
}

export function appender(deps: AppenderDeps): Appender {
  const { connection, follower, index, limits } = deps
  const queues = new Map<string, StreamQueue>()
  const running = new Set<Promise<void>>()
  const idsInFlight = new Map<string, Promise<void>>()
  let queuedEvents = 0

  async function append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    const checked = requests.map((request) => checkRequest(request, limits))
    follower.assertUsable()
    const count = checked.reduce((sum, request) => sum + request.events.length, 0)
    // A call larger than the whole queue is let in alone, or it could never be.
    if (queuedEvents > 0 && queuedEvents + count > limits.queuedEvents)
      throw new StoreOverloadedError(queuedEvents, limits.queuedEvents)
    queuedEvents += count
    const settled = await Promise.allSettled(checked.map(enqueue))
    queuedEvents -= count
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    return settled.map((result) => (result as PromiseFulfilledResult<AppendOutcome>).value)
  }

  function enqueue(request: CheckedRequest): Promise<AppendOutcome> {
    const queue = queueOf(request.stream)
    return new Promise((settle, fail) => {
      queue.pending.push({ ...request, settle, fail })
      if (queue.running) return
      queue.running = true
      const work = drain(queue).finally(() => running.delete(work))
      running.add(work)
    })
  }

  function queueOf(stream: string): StreamQueue {
    const known = queues.get(stream)
    const queue = known ?? { stream, pending: [], running: false, state: undefined, uncertain: false }
    // Last used last, so that the first idle one is the one to forget.
    queues.delete(stream)
    queues.set(stream, queue)
    if (queues.size > rememberedStreams)
      for (const [name, other] of queues)
        if (!other.running && other !== queue) {
          queues.delete(name)
          break
        }
    return queue
  }

  async function drain(queue: StreamQueue): Promise<void> {
    // Requests enqueued in the same turn join the first group.
    await Promise.resolve()
    while (queue.pending.length > 0) {
      const group = takeGroup(queue.pending)
      const release = await holdIds(group)
      try {
        await deps.ready()
        await appendGroup(queue, group)
      } catch (error) {
        queue.state = undefined
        queue.uncertain = true
        for (const request of group) request.fail(error)
      } finally {
        release()
      }
    }
    queue.running = false
  }

  /** An id in flight to one stream must not be judged for another before it is known where it came to stand. */
  async function holdIds(group: readonly Pending[]): Promise<() => void> {
    const ids = group.flatMap((request) => request.events.map((event) => event.event.id))
    for (;;) {
      const busy = ids.map((id) => idsInFlight.get(id)).find((held) => held !== undefined)
      if (!busy) break
      await busy
    }
    let free = () => {}
    const held = new Promise<void>((settle) => {
      free = settle
    })
    for (const id of ids) idsInFlight.set(id, held)
    return () => {
      for (const id of ids) idsInFlight.delete(id)
      free()
    }
  }

  async function appendGroup(queue: StreamQueue, group: readonly Pending[]): Promise<void> {
    let open = group
    for (let round = 0; open.length > 0; round++) {
      if (round >= conflictRounds)
        throw unavailable(`stream ${queue.stream} is written by others faster than this process can follow`)
      if (queue.uncertain) queue.state = await currentState(queue.stream)
      queue.uncertain = false
      queue.state ??= stateOf(await index.stream(queue.stream))
      const known = await knownEvents(open)
      let planned = decideAll(open, queue.state, known)
      if (round === 0 && planned.some(isConflict)) {
        // What is remembered may be old: a conflict is answered from where the stream stands now only.
        queue.state = await currentState(queue.stream)
        planned = decideAll(open, queue.state, await knownEvents(open))
      }
      // An answer that leans on an append before it in the group waits for that append's outcome.
      const firstWrite = planned.findIndex((plan) => plan.decision.kind === 'write')
      const certain = firstWrite < 0 ? planned : planned.slice(0, firstWrite)
      for (const { request, decision } of certain)
        if (decision.kind === 'answer') request.settle(decision.outcome)
      if (firstWrite < 0) return
      const rest = planned.slice(firstWrite)
      open = rest.map((plan) => plan.request)
      const missing = rest.flatMap(({ decision }) => (decision.kind === 'write' ? decision.missing : []))
      if (!(await write(queue, missing))) {
        queue.state = await currentState(queue.stream)
        continue
      }
      const written = await knownEvents(open)
      for (const { request, decision } of rest)
        request.settle(
          decision.kind === 'answer' ? decision.outcome : outcomeOf(request, decision.duplicates, written),
        )
      return
    }
  }

  /** Where the stream stands at the server, once the index has passed it. */
  async function currentState(stream: string): Promise<StreamState> {
    const last = await lastOf(stream)
    if (last) await follower.reach(last.position, limits.indexTimeoutMs)
    return stateOf(await index.stream(stream))
  }

  async function lastOf(stream: string) {
    try {
      const [last] = await connection.readStream(stream, { from: 'end', direction: 'backwards', maxCount: 1 })
      return last
    } catch (error) {
      const kind = failureOf(error)
      // Soft-deleted streams are missing here, too; the index still knows where their numbering stands.
      if (kind === 'missing') return undefined
      if (kind === 'deleted') throw new StreamTombstonedError(stream)
      throw unavailable(`read of ${stream}`, error)
    }
  }

  /** True when the events stand in the stream, false when it was not at the revision; else throws. */
  async function write(queue: StreamQueue, events: readonly WireEvent[]): Promise<boolean> {
    const head = queue.state?.head ?? 'noStream'
    const revision = head === 'noStream' ? 'no_stream' : head
    const data = events.map((event) => event.data)
    let lastError: unknown
    for (let attempt = 0; attempt < limits.attempts; attempt++) {
      if (attempt > 0) await delay(25 * 2 ** attempt)
      follower.assertUsable()
      let position: bigint
      try {
        position = (await connection.append(queue.stream, data, revision)).position
      } catch (error) {
        const kind = failureOf(error)
        if (kind === 'wrong-revision') return false
        if (kind === 'deleted') throw new StreamTombstonedError(queue.stream)
        if (kind === 'refused') throw unavailable(`append to ${queue.stream} was refused`, error)
        lastError = error
        continue
      }
      await follower.reach(position, limits.indexTimeoutMs)
      queue.state = after(queue.state ?? stateOf(undefined), events)
      return true
    }
    if (await standsInStream(queue.stream, events)) {
      queue.state = stateOf(await index.stream(queue.stream))
      return true
    }
    throw unavailable(
      `append to ${queue.stream}: the outcome of ${limits.attempts} attempts is unknown (${reasonOf(lastError)})`,
      lastError,
    )
  }

  async function standsInStream(stream: string, events: readonly WireEvent[]): Promise<boolean> {
    await currentState(stream)
    const known = await index.findByIds(events.map((event) => event.event.id))
    return events.every((event) => known.get(event.event.id)?.stream === stream)
  }

  async function knownEvents(requests: readonly Pending[]): Promise<Map<string, IndexedEvent>> {
    const known = new Map<string, IndexedEvent>()
    const ask: string[] = []
    for (const request of requests)
      for (const { event } of request.events) {
        const recent = follower.recent(event.id)
        if (recent) known.set(event.id, recent)
        else ask.push(event.id)
      }
    for (const [id, entry] of await index.findByIds(ask)) known.set(id, entry)
    return known
  }

  return {
    append,
    async idle() {
      while (running.size > 0) await Promise.allSettled([...running])
    },
  }
}

type Planned = { readonly request: Pending; readonly decision: Decision }

/** Each request is judged as if those before it had been appended. */
function decideAll(
  group: readonly Pending[],
  state: StreamState,
  known: ReadonlyMap<string, IndexedEvent>,
): readonly Planned[] {
  let at = state
  return group.map((request) => {
    const decision = decideAppend(request, at, known)
    if (decision.kind === 'write') at = after(at, decision.missing)
    return { request, decision }
  })
}

const isConflict = ({ decision }: Planned) =>
  decision.kind === 'answer' && decision.outcome.kind === 'conflict'

/** What the server answered may concern events that an earlier attempt left there with the same ids. */
function outcomeOf(
  request: Pending,
  duplicates: ReadonlySet<string>,
  written: ReadonlyMap<string, IndexedEvent>,
): AppendOutcome {
  const foreign = request.events.filter((event) => {
    const there = written.get(event.event.id)
    return there && (there.stream !== request.stream || there.fingerprint !== event.fingerprint)
  })
  if (foreign.length > 0)
    return { kind: 'id-collision', ids: [...new Set(foreign.map((event) => event.event.id))] }
  return { kind: 'appended', recorded: recordedOf(request, written), duplicates }
}

/** Requests of one stream that fit together; one that shares an id with those before it waits for their outcome. */
function takeGroup(pending: Pending[]): readonly Pending[] {
  const ids = new Set<string>()
  let events = 0
  let bytes = 0
  let count = 0
  for (const request of pending) {
    const fits = events + request.events.length <= eventsTogether && bytes + request.bytes <= bytesTogether
    const repeats = request.events.some((event) => ids.has(event.event.id))
    if (count > 0 && (!fits || repeats)) break
    for (const event of request.events) ids.add(event.event.id)
    events += request.events.length
    bytes += request.bytes
    count++
  }
  return pending.splice(0, count)
}

const stateOf = (known: { head: bigint; sealed: boolean } | undefined): StreamState =>
  known ? { head: known.head, sealed: known.sealed } : { head: 'noStream', sealed: false }

function after(state: StreamState, events: readonly WireEvent[]): StreamState {
  const head = (state.head === 'noStream' ? -1n : state.head) + BigInt(events.length)
  return { head, sealed: events.at(-1)?.event.type === 'StreamSealed' }
}
