import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { streams } from '../schemas/streams.ts'
import { type Answer, type Api, batchIdOf, breakingAt, eventsOf, startApi } from './testing/api.ts'
import { testStore } from './testing/store.ts'

const store: EventStore = await testStore()
const api: Api = await startApi(store)
after(async () => {
  await api.close()
  await store.close()
})

let counter = 0
/** A batch outside the plan, on a vessel of its own. */
const fresh = () => {
  counter++
  return { number: counter, phase: 'B', vessel: `V-t${counter}`, campaign: 'tests' }
}

async function newBatch(body: Record<string, unknown> = fresh()) {
  const answer = await api.post('batches', body)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return { id: batchIdOf(answer), etag: answer.etag ?? '', vessel: String(body.vessel) }
}

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()

async function runningBatch(inoculatedAt?: string) {
  const batch = await newBatch()
  const answer = await api.post(
    `batches/${batch.id}/inoculation`,
    inoculatedAt === undefined ? {} : { occurredAt: inoculatedAt },
    { ifMatch: batch.etag },
  )
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return { ...batch, etag: answer.etag ?? '' }
}

function assertProblem(answer: Answer, status: number, code: string) {
  assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body))
  for (const field of ['type', 'title', 'detail', 'rule', 'correlationId'])
    assert.ok(answer.body[field], `${field} of ${code}`)
  assert.equal('stack' in answer.body, false)
}

const reason = { code: 'operator', text: 'the exhaust filter clogged' }

test('the least that can be said takes a batch from creation to closure, with its place in the store in every answer', async () => {
  const created = await api.post('batches', { number: 1, phase: 'A', vessel: 'V-01' })
  assert.equal(created.status, 201)
  const id = batchIdOf(created)
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  assert.equal(created.etag, `"batch-${id}@0"`)
  assert.deepEqual(Object.keys(created.body).sort(), ['eventId', 'position', 'recordedAt', 'revision'])

  let last = await api.post(`batches/${id}/inoculation`, {}, { ifMatch: `"batch-${id}@0"` })
  assert.equal(last.status, 201)
  for (let sample = 1; sample <= 8; sample++) {
    last = await api.post(`batches/${id}/samples`, { od600Raw: '0.412' }, { ifMatch: last.etag })
    assert.equal(last.status, 201, JSON.stringify(last.body))
  }
  last = await api.post(
    `batches/${id}/closure`,
    { finalOd600: 59.5, doSpikeObserved: true, approvedBy: 'qa-1' },
    { ifMatch: last.etag },
  )
  assert.equal(last.status, 201, JSON.stringify(last.body))
  assert.equal(last.body.revision, '10')

  const events = await eventsOf(store, streams.batch(id))
  assert.deepEqual(
    events.map((event) => event.type),
    ['BatchCreated', 'BatchInoculated', ...Array<string>(8).fill('SampleTaken'), 'BatchClosed'],
  )
  const [first] = events
  assert.deepEqual(first?.actor, { kind: 'human', id: 'local-operator', role: 'process_engineer' })
  assert.equal(first?.id, created.body.eventId)
  assert.equal(String(first?.position), created.body.position)
  assert.equal(first?.recordedAt, created.body.recordedAt)
  assert.equal(events[2]?.data.od600, '0.412')
  assert.deepEqual(
    (await eventsOf(store, streams.vessel('V-01'))).map((event) => [event.type, event.data.batchId]),
    [
      ['VesselReserved', id],
      ['VesselReleased', id],
    ],
  )

  assert.equal(
    (await api.post('batches', { number: 2, phase: 'A', vessel: 'V-01' })).status,
    201,
    'the vessel is free again',
  )
})

test('inoculation in the past is a late entry, and samples count from it', async () => {
  const at = hoursAgo(3)
  const batch = await runningBatch(at)
  const sampled = await api.post(
    `batches/${batch.id}/samples`,
    {
      od600Raw: '0.3750',
      dilutionFactor: 50,
      occurredAt: new Date(Date.parse(at) + 7_200_000).toISOString(),
    },
    { ifMatch: batch.etag },
  )
  assert.equal(sampled.status, 201, JSON.stringify(sampled.body))
  const [, inoculated, sample] = await eventsOf(store, streams.batch(batch.id))
  assert.deepEqual([inoculated?.occurredAt, inoculated?.data.lateEntry], [at, true])
  assert.ok(inoculated && inoculated.receivedAt > at)
  assert.deepEqual(
    [sample?.data.timepointHours, sample?.data.od600, sample?.data.lateEntry],
    ['2.00', '18.75', true],
  )
})

test('where a batch comes from marks all its events', async () => {
  const batch = await newBatch({ ...fresh(), origin: 'replayed', occurredAt: '2018-10-27T10:00:00+02:00' })
  await api.post(`batches/${batch.id}/abort`, { outcome: 'Aborted_Other', reason }, { ifMatch: batch.etag })
  const events = [
    ...(await eventsOf(store, streams.batch(batch.id))),
    ...(await eventsOf(store, streams.vessel(batch.vessel))),
  ]
  assert.equal(events.length, 4)
  for (const event of events) assert.equal(event.origin, 'replayed', event.type)
})

test('the caller’s correlation id stands in every event of the request', async () => {
  const mine = '018f0000-0000-7000-8000-00000000beef'
  const answer = await api.post('batches', fresh(), { headers: { 'x-correlation-id': mine } })
  const [created] = await eventsOf(store, streams.batch(batchIdOf(answer)))
  assert.equal(created?.correlationId, mine)
})

test('a command without a key, or with an unusable one, is refused with the rule', async () => {
  assertProblem(await api.post('batches', fresh(), { key: null }), 400, 'idempotency-key-missing')
  for (const key of ['', 'k'.repeat(201)]) {
    const answer = await api.post('batches', fresh(), { key })
    assert.equal(answer.status, 400)
    assert.match(String(answer.body.rule), /1 to 200/)
  }
  assert.equal((await api.post('batches', fresh(), { key: 'k'.repeat(200) })).status, 201)
})

test('a command on a batch names the revision that was seen: 428 without, 412 when the batch moved on, 400 when unreadable', async () => {
  const batch = await newBatch()
  const sub = (ifMatch: string | undefined) => api.post(`batches/${batch.id}/inoculation`, {}, { ifMatch })
  const none = await sub(undefined)
  assertProblem(none, 428, 'precondition-required')
  assert.equal(none.etag, batch.etag)
  for (const unreadable of ['*', '0', 'batch@0', '""x'])
    assertProblem(await sub(unreadable), 400, 'if-match-invalid')
  for (const other of [`"batch-${batch.id}@1"`, `W/${batch.etag}`, '"batch-x@0"', '""']) {
    const stale = await sub(other)
    assertProblem(stale, 412, 'stale-revision')
    assert.deepEqual([stale.body.revision, stale.etag], ['0', batch.etag])
  }
  assert.equal((await sub(`"other", ${batch.etag}`)).status, 201)
  assert.equal((await eventsOf(store, streams.batch(batch.id))).length, 2)
})

test('of many who saw the same revision, one gets through', async () => {
  const batch = await runningBatch()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      api.post(`batches/${batch.id}/samples`, { od600Raw: '0.4' }, { ifMatch: batch.etag }),
    ),
  )
  assert.equal(answers.filter((answer) => answer.status === 201).length, 1)
  for (const answer of answers) if (answer.status !== 201) assertProblem(answer, 412, 'stale-revision')
  assert.equal((await eventsOf(store, streams.batch(batch.id))).length, 3)
})

test('an unknown batch is not found, whatever the id looks like', async () => {
  for (const id of ['018f0000-0000-7000-8000-000000000000', 'nothing', '%00', '..%2f', 'A'.repeat(150)])
    assertProblem(await api.post(`batches/${id}/inoculation`, {}, { ifMatch: '"x"' }), 404, 'batch-not-found')
})

test('what the product sets itself cannot be sent', async () => {
  for (const field of [
    'recordedAt',
    'actor',
    'position',
    'revision',
    'receivedAt',
    'lateEntry',
    'batchId',
    'signed',
  ]) {
    const answer = await api.post('batches', { ...fresh(), [field]: 'x' })
    assertProblem(answer, 400, 'invalid-request')
    assert.deepEqual(
      (answer.body.errors as { pointer: string }[]).map((error) => error.pointer),
      [`/${field}`],
    )
  }
})

test('a refused command names the rule, the state and what is possible, and writes nothing', async () => {
  const batch = await newBatch()
  const early = await api.post(`batches/${batch.id}/samples`, { od600Raw: '0.4' }, { ifMatch: batch.etag })
  assertProblem(early, 409, 'wrong-state')
  assert.deepEqual([early.body.state, early.body.allowed], ['pending', ['inoculation', 'abort']])
  const noGo = await api.post(
    `batches/${batch.id}/inoculation`,
    { inoculumOd600: '7.5', viabilityPercent: 80 },
    { ifMatch: batch.etag },
  )
  assertProblem(noGo, 422, 'viability-too-low')
  assert.deepEqual(
    (noGo.body.errors as Record<string, string>[]).map((error) => [error.in, error.pointer, error.value]),
    [
      ['body', '/viabilityPercent', '80'],
      ['body', '/inoculumOd600', '7.5'],
    ],
  )
  for (const occurredAt of [
    '0001-01-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    new Date(Date.now() + 6 * 60_000).toISOString(),
  ])
    assertProblem(
      await api.post(`batches/${batch.id}/inoculation`, { occurredAt }, { ifMatch: batch.etag }),
      422,
      'impossible-time',
    )
  assertProblem(
    await api.post(
      `batches/${batch.id}/closure`,
      { finalOd600: '1', doSpikeObserved: true, approvedBy: 'qa' },
      { ifMatch: batch.etag },
    ),
    409,
    'wrong-state',
  )
  assert.equal((await eventsOf(store, streams.batch(batch.id))).length, 1)
  assertProblem(
    await api.post('batches', { number: 4, phase: 'A', vessel: 'V-never' }),
    422,
    'number-outside-phase',
  )
  assert.deepEqual(await eventsOf(store, streams.vessel('V-never')), [])
})

test('a number and attempt is given once a campaign, a repeat takes the next attempt', async () => {
  const body = fresh()
  await newBatch(body)
  const again = await api.post('batches', { ...body, vessel: `${body.vessel}-b` })
  assertProblem(again, 409, 'number-reserved')
  assert.ok((again.body.allowed as string[]).includes('attempt 2'))
  assert.deepEqual(await eventsOf(store, streams.vessel(`${body.vessel}-b`)), [])
  await newBatch({ ...body, vessel: `${body.vessel}-b`, attempt: 2 })
  await newBatch({ ...body, vessel: `${body.vessel}-c`, campaign: 'another' })
})

test('a vessel holds one open batch; closing or aborting frees it', async () => {
  const batch = await newBatch()
  const second = { ...fresh(), vessel: batch.vessel }
  const busy = await api.post('batches', second)
  assertProblem(busy, 409, 'vessel-reserved')
  assert.equal(busy.body.state, 'pending')
  const aborted = await api.post(
    `batches/${batch.id}/abort`,
    { outcome: 'Aborted_Other', reason },
    { ifMatch: batch.etag },
  )
  assert.equal(aborted.status, 201)
  await newBatch(second)
})

test('of 20 who want the same vessel at once exactly one gets it, and of 20 who want the same number', async () => {
  const vessel = fresh().vessel
  const sameVessel = await Promise.all(
    Array.from({ length: 20 }, () => api.post('batches', { ...fresh(), vessel })),
  )
  assert.deepEqual(sameVessel.map((answer) => answer.status).sort(), [201, ...Array<number>(19).fill(409)])
  for (const answer of sameVessel) if (answer.status === 409) assertProblem(answer, 409, 'vessel-reserved')
  const wanted = fresh()
  const sameNumber = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      api.post('batches', { ...wanted, vessel: `${wanted.vessel}-${index}` }),
    ),
  )
  assert.deepEqual(sameNumber.map((answer) => answer.status).sort(), [201, ...Array<number>(19).fill(409)])
})

test('of 20 who want the same vessel through two servers exactly one gets it', async () => {
  const other = await startApi(store)
  const vessel = fresh().vessel
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? api : other).post('batches', { ...fresh(), vessel }),
    ),
  )
  assert.equal(answers.filter((answer) => answer.status === 201).length, 1)
  const holders = new Set<unknown>()
  for (const event of await eventsOf(store, streams.vessel(vessel))) {
    if (event.type === 'VesselReserved') holders.add(event.data.batchId)
    else holders.delete(event.data.batchId)
  }
  const winner = answers.find((answer) => answer.status === 201)
  assert.deepEqual([...holders], [winner && batchIdOf(winner)])
  await other.close()
})

test('the same key again gets the same answer, after the batch moved on as well; with another body it is refused', async () => {
  const body = fresh()
  const created = await api.post('batches', body, { key: 'same' })
  assert.deepEqual(await api.post('batches', body, { key: 'same' }), created)
  assertProblem(
    await api.post('batches', { ...body, notes: 'x' }, { key: 'same' }),
    422,
    'idempotency-key-reused',
  )
  const id = batchIdOf(created)
  const inoculated = await api.post(`batches/${id}/inoculation`, {}, { key: 'same', ifMatch: created.etag })
  assert.equal(inoculated.status, 201, 'a key counts for its own route')
  const sampled = await api.post(
    `batches/${id}/samples`,
    { od600Raw: 0.4 },
    { key: 's', ifMatch: inoculated.etag },
  )
  assert.equal(sampled.status, 201)
  assert.deepEqual(
    await api.post(`batches/${id}/inoculation`, {}, { key: 'same', ifMatch: created.etag }),
    inoculated,
  )
  assert.deepEqual(await api.post(`batches/${id}/samples`, { od600Raw: 0.4 }, { key: 's' }), sampled)
  assertProblem(
    await api.post(`batches/${id}/samples`, { od600Raw: 0.5 }, { key: 's', ifMatch: sampled.etag }),
    422,
    'idempotency-key-reused',
  )
  assert.deepEqual(await api.post('batches', body, { key: 'same' }), created)
  assert.equal((await eventsOf(store, streams.batch(id))).length, 3)
})

test('the same request twenty times at once is done once', async () => {
  const body = fresh()
  const created = await Promise.all(
    Array.from({ length: 20 }, () => api.post('batches', body, { key: 'burst' })),
  )
  for (const answer of created) assert.deepEqual(answer, created[0])
  assert.equal(created[0]?.status, 201)
  const id = batchIdOf(created[0] as Answer)
  const inoculated = await Promise.all(
    Array.from({ length: 20 }, () =>
      api.post(`batches/${id}/inoculation`, {}, { key: 'burst', ifMatch: created[0]?.etag }),
    ),
  )
  for (const answer of inoculated) assert.deepEqual(answer, inoculated[0])
  assert.equal(inoculated[0]?.status, 201)
  assert.equal((await eventsOf(store, streams.batch(id))).length, 2)
})

for (const when of ['before', 'after'] as const)
  for (const n of [0, 1, 2]) {
    test(`a creation that breaks ${when} its append ${n} is completed by sending it again`, async () => {
      const breaking = await startApi(breakingAt(store, n, when))
      const body = { ...fresh(), notes: 'kept' }
      assert.equal((await breaking.post('batches', body, { key: `broken${n}${when}` })).status, 503)
      await breaking.close()
      if (n > 0 || when === 'after')
        assertProblem(
          await api.post('batches', { ...body, notes: 'other' }, { key: `broken${n}${when}` }),
          422,
          'idempotency-key-reused',
        )
      const completed = await api.post('batches', body, { key: `broken${n}${when}` })
      assert.equal(completed.status, 201, JSON.stringify(completed.body))
      assert.deepEqual(await api.post('batches', body, { key: `broken${n}${when}` }), completed)
      const types = async (stream: string) => (await eventsOf(store, stream)).map((event) => event.type)
      assert.deepEqual(await types(streams.batch(batchIdOf(completed))), ['BatchCreated'])
      assert.deepEqual(await types(streams.vessel(body.vessel)), ['VesselReserved'])
    })

    test(`what a creation that broke ${when} its append ${n} left reserved is taken over, and its request can never come true twice`, async () => {
      const breaking = await startApi(breakingAt(store, n, when))
      const body = fresh()
      const key = `left${n}${when}`
      assert.equal((await breaking.post('batches', body, { key })).status, 503)
      await breaking.close()
      const other = await api.post('batches', body)
      const cameTrue = n === 2 && when === 'after'
      if (cameTrue) assertProblem(other, 409, 'number-reserved')
      else assert.equal(other.status, 201, JSON.stringify(other.body))
      const late = await api.post('batches', body, { key })
      assert.equal(late.status, cameTrue ? 201 : 409, JSON.stringify(late.body))
    })
  }

test('a number given up by a crash is free for another vessel, and the vessel for another number', async () => {
  const breaking = await startApi(breakingAt(store, 2, 'before'))
  const body = fresh()
  assert.equal((await breaking.post('batches', body)).status, 503)
  await breaking.close()
  await newBatch({ ...body, vessel: `${body.vessel}-other` })
  await newBatch({ ...fresh(), vessel: body.vessel })
})

test('a command whose answer was lost is not done twice', async () => {
  const batch = await newBatch()
  const breaking = await startApi(breakingAt(store, 0, 'after'))
  const sub = (through: Api) =>
    through.post(`batches/${batch.id}/inoculation`, {}, { key: 'lost', ifMatch: batch.etag })
  assertProblemStatus(await sub(breaking), 503)
  await breaking.close()
  const again = await sub(api)
  assert.equal(again.status, 201)
  assert.equal(again.body.revision, '1')
  assert.equal((await eventsOf(store, streams.batch(batch.id))).length, 2)
})

function assertProblemStatus(answer: Answer, status: number) {
  assert.equal(answer.status, status)
  assert.equal(answer.body.status, status)
}

test('a vessel that a crash left reserved by an ended batch is free for the next one', async () => {
  const batch = await newBatch()
  const breaking = await startApi(breakingAt(store, 1, 'before'))
  const aborted = await breaking.post(
    `batches/${batch.id}/abort`,
    { outcome: 'Aborted_Contamination', reason },
    { ifMatch: batch.etag },
  )
  assert.equal(aborted.status, 201, 'the abort itself is done')
  await breaking.close()
  assert.equal((await eventsOf(store, streams.vessel(batch.vessel))).length, 1)
  await newBatch({ ...fresh(), vessel: batch.vessel })
  const vesselEvents = await eventsOf(store, streams.vessel(batch.vessel))
  assert.deepEqual(
    vesselEvents.map((event) => event.type),
    ['VesselReserved', 'VesselReleased', 'VesselReserved'],
  )
  const ended = (await eventsOf(store, streams.batch(batch.id))).at(-1)
  assert.equal(vesselEvents[1]?.data.at, ended?.occurredAt)
})

test('an end sent again releases a vessel that was not released', async () => {
  const batch = await newBatch()
  const breaking = await startApi(breakingAt(store, 1, 'before'))
  const abort = (through: Api) =>
    through.post(
      `batches/${batch.id}/abort`,
      { outcome: 'Aborted_Other', reason },
      { key: 'end', ifMatch: batch.etag },
    )
  const first = await abort(breaking)
  await breaking.close()
  assert.deepEqual(await abort(api), first)
  assert.deepEqual(
    (await eventsOf(store, streams.vessel(batch.vessel))).map((event) => event.type),
    ['VesselReserved', 'VesselReleased'],
  )
})

test('random requests, repeated and interleaved at random, are each done at most once and answered alike', async () => {
  const request = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    od: fc.constantFrom('0.1', '0.2'),
    tagged: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (requests, atOnce) => {
        const batch = await runningBatch()
        let etag = batch.etag
        const send = async ({ key, od, tagged }: (typeof requests)[number]) => {
          const answer = await api.post(
            `batches/${batch.id}/samples`,
            { od600Raw: od },
            { key, ifMatch: tagged ? etag : batch.etag },
          )
          if (answer.status === 201) etag = answer.etag ?? etag
          return { key, od, answer }
        }
        const sent = []
        if (atOnce) sent.push(...(await Promise.all(requests.map(send))))
        else for (const one of requests) sent.push(await send(one))

        const stored = await eventsOf(store, streams.batch(batch.id))
        const byEvent = new Map(stored.map((event) => [event.id, event]))
        const done = new Map<string, Answer>()
        for (const { key, od, answer } of sent) {
          assert.ok([201, 412, 422].includes(answer.status), JSON.stringify(answer.body))
          if (answer.status !== 201) continue
          const earlier = done.get(key)
          if (earlier) assert.deepEqual(answer, earlier)
          done.set(key, answer)
          const event = byEvent.get(String(answer.body.eventId))
          assert.deepEqual([event?.data.od600Raw, String(event?.revision)], [od, answer.body.revision])
        }
        assert.equal(stored.length, 2 + done.size)
      },
    ),
    { numRuns: 15 },
  )
})

test('whatever JSON is sent, the answer is never a failure of ours', async () => {
  const batch = await runningBatch()
  const names = [
    'number',
    'phase',
    'vessel',
    'campaign',
    'notes',
    'od600Raw',
    'dilutionFactor',
    'occurredAt',
    'reason',
    'outcome',
    'inoculumOd600',
    'override',
    'microscopyObservations',
    'origin',
  ]
  const leaf = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'A',
      'V-01',
      '0.4',
      '1e400',
      '2026-11-21T12:00:00Z',
      '9999-12-31T23:59:59+00:00',
      'live',
      -0,
      1e21,
      'x'.repeat(3000),
    ),
  )
  const body = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), leaf, { maxKeys: 8 }),
    leaf.map((notes) => ({ ...fresh(), notes })),
    leaf.map((microscopyObservations) => ({ od600Raw: '0.5', microscopyObservations })),
  )
  const path = fc.constantFrom(
    'batches',
    ...['inoculation', 'samples', 'closure', 'abort'].map((part) => `batches/${batch.id}/${part}`),
  )
  await fc.assert(
    fc.asyncProperty(path, body, fc.boolean(), async (where, what, current) => {
      const revision = (await eventsOf(store, streams.batch(batch.id))).length - 1
      const answer = await api.post(where, what, {
        ifMatch: current ? `"batch-${batch.id}@${revision}"` : undefined,
      })
      assert.ok(answer.status < 500, `${where} ${JSON.stringify(what)} ${JSON.stringify(answer.body)}`)
      assert.ok(answer.status === 201 || typeof answer.body.code === 'string')
    }),
    { numRuns: 150 },
  )
})

test('a batch cannot be entered for a time when another one held the vessel', async () => {
  const vessel = 'V-overlap'
  const first = await newBatch({ ...fresh(), vessel, occurredAt: hoursAgo(10) })
  const ended = await api.post(
    `batches/${first.id}/abort`,
    { outcome: 'Aborted_Other', reason, occurredAt: hoursAgo(4) },
    { ifMatch: first.etag },
  )
  assert.equal(ended.status, 201, JSON.stringify(ended.body))
  const overlapping = await api.post('batches', { ...fresh(), vessel, occurredAt: hoursAgo(6) })
  assertProblem(overlapping, 409, 'vessel-occupied-then')
  await newBatch({ ...fresh(), vessel, occurredAt: hoursAgo(3) })
})
