import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientPart } from '../../../schemas/event.ts'
import { openStore, sample } from './testing/open-store.ts'

test('what was appended is read back in its stream, by id and in position order', async () => {
  const { store } = await openStore()
  const events = [sample(), sample(), sample()]
  const [outcome] = await store.append([{ stream: 'reading-b1', expectedRevision: 'noStream', events }])
  assert.equal(outcome?.kind, 'appended')
  const read = []
  for await (const event of store.readStream('reading-b1')) read.push(event)
  assert.deepEqual(
    read.map((event) => event.id),
    events.map((event) => event.id),
  )
  const pages = []
  for await (const page of store.readAll()) pages.push(...page.events)
  assert.deepEqual(pages, read)
  assert.deepEqual(await store.readById(events[1]!.id), read[1])
})

test('the trace context of an append stands beside its events and in no part of them', async () => {
  const { store } = await openStore()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const event = sample()
  await store.append([{ stream: 'reading-b1', expectedRevision: 'noStream', events: [event], traceparent }])
  const read = await store.readById(event.id)
  assert.equal(read?.traceparent, traceparent)
  assert.deepEqual(clientPart(read), event)
  const done = new AbortController()
  for await (const page of store.subscribe({ signal: done.signal })) {
    assert.deepEqual(page.events, [read])
    done.abort()
  }
})
