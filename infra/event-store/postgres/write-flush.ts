/**
 * Writes one flush: one call and one commit when it is plain, else decided and written under the append lock. All
 * answers are durable; when this throws, nothing is known about any request of the flush.
 */
import type pg from 'pg'
import type { AppendOutcome, Recorded } from '../event-store.ts'
import type { PreparedRequest, Template } from '../prepare-append.ts'
import {
  type Decision,
  decideFlush,
  type Expectation,
  type KnownEvent,
  outcomeOf,
  plainExpectations,
  type StreamState,
  type Write,
} from './decide-flush.ts'
import { contentOfStored, type DecodeRows, instantOf } from './decode-rows.ts'
import { encodeFlush } from './encode-flush.ts'
import { runStatement } from './session.ts'
import { statements } from './statements.ts'

export type WriteFlush = (
  client: pg.Client,
  requests: readonly PreparedRequest[],
) => Promise<readonly AppendOutcome[]>

export function writeFlush(decode: DecodeRows): WriteFlush {
  return async (client, requests) => {
    await internTemplates(client, requests)
    const expectations = plainExpectations(requests)
    if (expectations) {
      const places = await write(client, requests, expectations)
      if (places) {
        const none: ReadonlySet<string> = new Set()
        return requests.map((request) => ({
          kind: 'appended',
          recorded: request.events.map((event) => places.get(event.id) as Recorded),
          duplicates: none,
        }))
      }
    }
    return await writeDecided(client, requests, decode)
  }
}

async function writeDecided(
  client: pg.Client,
  requests: readonly PreparedRequest[],
  decode: DecodeRows,
): Promise<readonly AppendOutcome[]> {
  await client.query('BEGIN')
  await runStatement(client, statements.lockAppends)
  const streams = await readStreams(client, requests)
  const { known, places } = await readKnown(client, requests, decode)
  const decisions = decideFlush(requests, streams, known)
  const writes = decisions.flatMap((decision) => (decision.kind === 'write' ? [decision.write] : []))
  if (writes.length > 0) {
    const expectations = new Map<string, Expectation>(
      writes.map(({ stream }) => [stream, streams.get(stream)?.revision ?? -1n]),
    )
    const written = await write(client, writes, expectations)
    if (!written) throw new Error('the store moved although its append lock was held')
    for (const [id, place] of written) places.set(id, place)
  }
  await client.query('COMMIT')
  return requests.map((request, index) => outcomeOf(request, decisions[index] as Decision, places))
}

/** Where the events came to stand, or undefined when the store is not as expected and nothing was written. */
async function write(
  client: pg.Client,
  writes: readonly Write[],
  expectations: ReadonlyMap<string, Expectation>,
): Promise<Map<string, Recorded> | undefined> {
  const { values, streams } = encodeFlush(writes, expectations)
  const [row] = await runStatement(client, statements.append, values)
  const [written, firstPosition, recordedAtText, revisions] = row ?? []
  if (written !== 't' || !firstPosition || !recordedAtText || !revisions) return undefined
  const recordedAt = instantOf(recordedAtText)
  const standings = new Map(
    revisions
      .slice(1, -1)
      .split(',')
      .map((revision, index) => [streams[index] as string, BigInt(revision)]),
  )
  const places = new Map<string, Recorded>()
  let position = BigInt(firstPosition)
  for (const { stream, events } of writes) {
    let revision = standings.get(stream) as bigint
    for (const { id } of events) {
      revision += 1n
      places.set(id, { id, revision, position, recordedAt })
      position += 1n
    }
    standings.set(stream, revision)
  }
  return places
}

async function internTemplates(client: pg.Client, requests: readonly PreparedRequest[]): Promise<void> {
  const unknown = new Map<string, Template[]>()
  for (const request of requests)
    for (const event of request.events)
      if (event.kind === 'reading' && event.template.templateId === undefined) {
        const same = unknown.get(event.template.content)
        if (same) same.push(event.template)
        else unknown.set(event.template.content, [event.template])
      }
  if (unknown.size === 0) return
  const ids = await runStatement(client, statements.internTemplates, [[...unknown.keys()]])
  let index = 0
  for (const templates of unknown.values()) {
    const templateId = Number(ids[index++]?.[0])
    if (!Number.isInteger(templateId)) throw new Error('the store did not take a reading template')
    for (const template of templates) template.templateId = templateId
  }
}

async function readStreams(
  client: pg.Client,
  requests: readonly PreparedRequest[],
): Promise<Map<string, StreamState>> {
  const names = [...new Set(requests.map((request) => request.stream))]
  const rows = await runStatement(client, statements.streamStates, [names])
  return new Map(
    rows.map(([name, , revision, sealed]) => [
      name as string,
      { revision: BigInt(revision as string), sealed: sealed === 't' },
    ]),
  )
}

async function readKnown(
  client: pg.Client,
  requests: readonly PreparedRequest[],
  decode: DecodeRows,
): Promise<{ known: Map<string, KnownEvent>; places: Map<string, Recorded> }> {
  const ids = new Set(requests.flatMap((request) => request.events.map((event) => event.id)))
  const run = (statement: (typeof statements)['byIds'], values?: readonly unknown[]) =>
    runStatement(client, statement, values)
  const events = await decode(run, await run(statements.byIds, [[...ids]]))
  return {
    known: new Map(
      events.map((event) => [event.id, { stream: event.stream, content: contentOfStored(event) }]),
    ),
    places: new Map(
      events.map(({ id, revision, position, recordedAt }) => [id, { id, revision, position, recordedAt }]),
    ),
  }
}
