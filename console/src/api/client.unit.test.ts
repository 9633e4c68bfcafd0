import assert from 'node:assert/strict'
import test from 'node:test'
import { createApi, failureOf } from './client.ts'

const problem = (status: number, detail: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ detail, status }), { status, headers })

test('each way to fail is told apart, with the words of the problem', async () => {
  assert.deepEqual(await failureOf(problem(401, 'x')), { kind: 'unauthorised' })
  assert.deepEqual(await failureOf(problem(404, 'there is no batch b')), {
    kind: 'not-found',
    detail: 'there is no batch b',
  })
  assert.deepEqual(await failureOf(problem(422, 'asOf lies in the future')), {
    kind: 'refused',
    status: 422,
    detail: 'asOf lies in the future',
  })
})

test('an answer that is not there yet says when to ask again', async () => {
  const failure = await failureOf(problem(503, 'not projected', { 'retry-after': '5' }))
  assert.deepEqual(failure, { kind: 'later', detail: 'not projected', retryAfterMs: 5000 })
  const dated = await failureOf(problem(503, 'x', { 'retry-after': 'Sat, 21 Nov 2026 12:00:00 GMT' }))
  assert.equal(dated.kind === 'later' && dated.retryAfterMs, 2000)
})

test('an error page of something in between is no stack trace on the screen', async () => {
  assert.deepEqual(await failureOf(new Response('<html>Bad Gateway</html>', { status: 502 })), {
    kind: 'unreachable',
  })
  assert.deepEqual(await failureOf(new Response('<html>', { status: 400 })), {
    kind: 'refused',
    status: 400,
    detail: 'the server answered 400',
  })
})

test('a server that is not there is unreachable, and an aborted question is no failure', async () => {
  const api = createApi('http://127.0.0.1:1/')
  assert.deepEqual(await api.get('batches'), { kind: 'unreachable' })
  await assert.rejects(api.get('batches', {}, AbortSignal.abort()))
})
