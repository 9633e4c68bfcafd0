import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { derivedId } from '../schemas/ids.ts'
import { type Api, eventsOf, startApi } from './testing/api.ts'
import { testStore } from './testing/store.ts'

let store: EventStore
let api: Api
before(async () => {
  store = await testStore()
  api = await startApi(store)
})
after(async () => {
  await api.close()
  await store.close()
})

const at = '2026-11-21T09:00:00.000Z'
const hash = 'a'.repeat(64)

async function registered(modelId: string, ...more: ClientEvent[]): Promise<void> {
  const event = byService(modelId, 'ModelRegistered', {
    featureSchemaHash: hash,
    cardSha256: hash,
    reportSha256: hash,
    files: [{ name: 'model.onnx', bytes: 1, sha256: hash }],
    criteria: {},
    trainingData: 'simulated',
  })
  await store.append([{ stream: `model-${modelId}`, expectedRevision: 'noStream', events: [event, ...more] }])
}

function byService(modelId: string, type: string, data: Record<string, unknown>): ClientEvent {
  return {
    id: derivedId(Date.parse(at), modelId, type),
    type,
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: 'service', id: 'inference', role: 'inference' },
    origin: 'live',
    site: 'site-1',
    data: { modelId, version: '1.0.0', modelHash: hash, use: 'od600-forecast', ...data },
  }
}

const approval = {
  origins: ['live'],
  justification: 'judged on 20 real batches, report read',
  approvedBy: 'qa-7',
}
const path = (modelId: string, step: string) => `models/${modelId}/versions/1.0.0/${step}`
const tag = (modelId: string, revision: number) => ({ ifMatch: `"model-${modelId}@${revision}"` })

test('a person approves a model for live data, by name and with a justification, and the same request again gets the same answer', async () => {
  await registered('m1')
  const options = { key: 'approve-1', ...tag('m1', 0) }
  const first = await api.post(path('m1', 'approval'), approval, options)
  assert.equal(first.status, 201)
  assert.equal(first.etag, '"model-m1@1"')
  const again = await api.post(path('m1', 'approval'), approval, options)
  assert.deepEqual(again.body, first.body)
  const events = await eventsOf(store, 'model-m1')
  assert.equal(events.length, 2)
  assert.equal(events[1]?.type, 'ModelApproved')
  assert.deepEqual(events[1]?.data.origins, ['live'])
  assert.equal(events[1]?.data.approvedBy, 'qa-7')
})

test('the same key with another approval is refused', async () => {
  await registered('m2')
  await api.post(path('m2', 'approval'), approval, { key: 'approve-2', ...tag('m2', 0) })
  const other = { ...approval, origins: ['simulated'] }
  const answer = await api.post(path('m2', 'approval'), other, { key: 'approve-2', ...tag('m2', 0) })
  assert.equal(answer.status, 422)
  assert.equal(answer.body.code, 'idempotency-key-reused')
})

test('who activated a model does not approve it, and who approved it does not activate it', async () => {
  await registered('m3')
  const approved = await api.post(path('m3', 'approval'), approval, tag('m3', 0))
  assert.equal(approved.status, 201)
  const byApprover = await api.post(path('m3', 'activation'), { activatedBy: 'qa-7' }, tag('m3', 1))
  assert.equal(byApprover.status, 422)
  assert.equal(byApprover.body.code, 'four-eyes')
  const activated = await api.post(path('m3', 'activation'), { activatedBy: 'e-1' }, tag('m3', 1))
  assert.equal(activated.status, 201)
  const again = await api.post(path('m3', 'approval'), { ...approval, approvedBy: 'e-1' }, tag('m3', 2))
  assert.equal(again.status, 422)
  assert.equal(again.body.code, 'four-eyes')
})

test('a model is activated only when it is approved, and a suspended one only when it is approved anew', async () => {
  await registered('m4')
  const early = await api.post(path('m4', 'activation'), { activatedBy: 'e-1' }, tag('m4', 0))
  assert.equal(early.status, 422)
  assert.equal(early.body.code, 'not-approved')
  await api.post(path('m4', 'approval'), approval, tag('m4', 0))
  await api.post(path('m4', 'activation'), { activatedBy: 'e-1' }, tag('m4', 1))
  const finding = { rule: 'operator', finding: 'forecasts far off on V-02 since noon' }
  const suspended = await api.post(path('m4', 'suspension'), finding, tag('m4', 2))
  assert.equal(suspended.status, 201)
  const refused = await api.post(path('m4', 'activation'), { activatedBy: 'e-1' }, tag('m4', 3))
  assert.equal(refused.body.code, 'not-approved')
  await api.post(path('m4', 'approval'), approval, tag('m4', 3))
  const back = await api.post(path('m4', 'activation'), { activatedBy: 'e-1' }, tag('m4', 4))
  assert.equal(back.status, 201)
})

test('a retired model stays retired', async () => {
  await registered('m5')
  const retired = await api.post(
    path('m5', 'retirement'),
    { justification: 'replaced by version 1.1.0' },
    tag('m5', 0),
  )
  assert.equal(retired.status, 201)
  const answer = await api.post(path('m5', 'approval'), approval, tag('m5', 1))
  assert.equal(answer.status, 409)
  assert.equal(answer.body.code, 'model-retired')
})

test('a decision rests on the revision that was seen', async () => {
  await registered('m6')
  const without = await api.post(path('m6', 'approval'), approval)
  assert.equal(without.status, 428)
  assert.equal(without.etag, '"model-m6@0"')
  await api.post(path('m6', 'approval'), approval, tag('m6', 0))
  const stale = await api.post(path('m6', 'approval'), approval, tag('m6', 0))
  assert.equal(stale.status, 412)
})

test('an unknown model or version is told, and nothing is written', async () => {
  await registered('m7')
  const noModel = await api.post(path('m0', 'approval'), approval, tag('m0', 0))
  assert.equal(noModel.status, 404)
  const noVersion = await api.post('models/m7/versions/9.9.9/approval', approval, tag('m7', 0))
  assert.equal(noVersion.status, 404)
  assert.equal((await eventsOf(store, 'model-m7')).length, 1)
})
