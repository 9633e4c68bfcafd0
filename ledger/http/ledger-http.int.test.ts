import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../infra/clock.ts'
import { alarm, freshId, readings, typed } from '../../infra/event-store/testing/sample-events.ts'
import { createHttpServer, type HttpBase } from '../../infra/http/server.ts'
import { createLogger } from '../../infra/log.ts'
import { parseLeaf } from '../leaf/leaf.ts'
import { parseCheckpoint } from '../log/checkpoint.ts'
import { openNote, parseNote, parseVerifierKey } from '../log/note.ts'
import { verifyConsistency, verifyInclusion } from '../log/proof.ts'
import { parseTlogProof } from '../log/tlog-proof.ts'
import { leafHash } from '../log/tree-hash.ts'
import type { PublishedCheckpoint } from '../storage/log-reader.ts'
import { type LedgerBed, ledgerBed } from '../testing/running-ledger.ts'
import { registerLedger } from './routes.ts'

const token = 'token-of-the-tests'

describe('the log over HTTP', () => {
  let bed: LedgerBed
  let http: HttpBase
  let sealed: PublishedCheckpoint
  const batchId = freshId()

  before(async () => {
    bed = await ledgerBed()
    http = await createHttpServer({
      log: createLogger('silent'),
      clock: systemClock,
      token,
      site: 'site-1',
      version: '0.0.0',
    })
    registerLedger(http.server, { reader: bed.reader, store: bed.store, clock: systemClock, site: 'site-1' })
    await http.server.ready()
  })
  after(async () => {
    await http?.close()
    await bed?.close()
  })

  const get = async (path: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
    await http.server.inject({ method: 'GET', url: `/api/v1/${path}`, headers })

  test('before the first checkpoint nothing is given out, and the answer says when to come again', async () => {
    for (const path of [
      'ledger/checkpoint',
      'ledger/proofs/inclusion?index=0',
      `batches/${batchId}/events/1/proof`,
    ]) {
      const answer = await get(path)
      assert.equal(answer.statusCode, 404, path)
      assert.equal(answer.json().code, 'nothing-published')
      assert.equal(answer.headers['retry-after'], '1')
    }
    assert.equal((await get('ledger/tile/0/000')).statusCode, 404)
    await bed.store.append([
      { stream: `batch-${batchId}`, expectedRevision: 'any', events: [typed()] },
      { stream: `reading-${batchId}`, expectedRevision: 'any', events: readings(400) },
      { stream: 'quarantine', expectedRevision: 'any', events: [alarm()] },
    ])
    const ledger = bed.start()
    await bed.sealed()
    await ledger.stop()
    sealed = (await bed.reader.head()) as PublishedCheckpoint
  })

  test('nobody without the token reads anything', async () => {
    for (const path of [
      'ledger/checkpoint',
      'ledger/tile/0/000',
      'ledger/keys',
      'ledger/proofs/inclusion?index=0',
    ])
      assert.equal((await get(path, {})).statusCode, 401, path)
  })

  test('the checkpoint opens with the key that is listed as holding', async () => {
    const answer = await get('ledger/checkpoint')
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
    assert.match(String(answer.headers['cache-control']), /max-age=1$/)
    const { items } = (await get('ledger/keys')).json() as {
      items: { vkey: string; from: string; to: string | null }[]
    }
    assert.equal(items.length, 1)
    assert.deepEqual([items[0]?.from, items[0]?.to], ['0', null])
    openNote(answer.body, [parseVerifierKey(items[0]?.vkey as string)])
    const exported = (await get('ledger/keys?purpose=export')).json() as { items: { vkey: string }[] }
    assert.match(exported.items[0]?.vkey ?? '', /\/export\+/)
  })

  test('full tiles are cached for ever, partial ones shortly, and what no checkpoint covers is not there', async () => {
    const full = await get('ledger/tile/0/000')
    assert.equal(full.rawPayload.length, 8_192)
    assert.match(String(full.headers['cache-control']), /immutable/)
    assert.equal(full.headers['content-type'], 'application/octet-stream')
    const width = Number(sealed.size) - 256
    const partial = await get(`ledger/tile/0/001.p/${width}`)
    assert.equal(partial.rawPayload.length, 32 * width)
    assert.doesNotMatch(String(partial.headers['cache-control']), /immutable/)
    // Earlier widths stay, for whoever holds an earlier checkpoint.
    const narrower = await get('ledger/tile/0/001.p/5')
    assert.deepEqual(narrower.rawPayload, partial.rawPayload.subarray(0, 160))
    assert.equal((await get('ledger/tile/1/000.p/1')).rawPayload.length, 32)
    assert.equal((await get('ledger/tile/entries/000')).statusCode, 200)
    for (const path of [
      `0/001.p/${width + 1}`,
      '0/001',
      '0/002',
      '1/000',
      '2/000.p/1',
      'entries/002.p/1',
      '0/0',
      '0/000.p/256',
      '00/000',
      '64/000',
      '0/%30%30%30x',
      '-1/000',
    ])
      assert.equal((await get(`ledger/tile/${path}`)).statusCode, 404, path)
  })

  test('proofs verify, for the published size and for any smaller one', async () => {
    const { root, size } = parseCheckpoint(parseNote(sealed.note).text)
    const inclusion = (await get('ledger/proofs/inclusion?index=300')).json()
    verifyInclusion({
      leaf: Buffer.from(inclusion.leafHash, 'base64'),
      index: 300n,
      size,
      root,
      path: inclusion.path.map((hash: string) => Buffer.from(hash, 'base64')),
    })
    const early = (await get('ledger/proofs/inclusion?index=0&size=1')).json()
    assert.deepEqual([early.path, early.root], [[], early.leafHash])
    const consistency = (await get('ledger/proofs/consistency?from=300')).json()
    verifyConsistency({
      first: 300n,
      firstRoot: Buffer.from(consistency.fromRoot, 'base64'),
      second: size,
      secondRoot: root,
      path: consistency.path.map((hash: string) => Buffer.from(hash, 'base64')),
    })
  })

  test('a proof that cannot be given is refused, with the field and its rule', async () => {
    const size = sealed.size
    for (const [path, field] of [
      [`inclusion?index=${size}`, '/index'],
      [`inclusion?index=0&size=${size + 1n}`, '/size'],
      ['inclusion?index=0&size=0', '/index'],
      ['consistency?from=0', '/from'],
      [`consistency?from=${size + 1n}`, '/from'],
      [`consistency?from=1&to=${size + 1n}`, '/to'],
      ['consistency?from=5&to=4', '/from'],
    ] as const) {
      const answer = await get(`ledger/proofs/${path}`)
      assert.equal(answer.statusCode, 422, path)
      assert.equal(answer.json().errors[0].pointer, field, path)
    }
    for (const path of [
      'inclusion',
      'inclusion?index=-1',
      'inclusion?index=007',
      'inclusion?index=0x1',
      'consistency?from=1e3',
      `inclusion?index=${'9'.repeat(20)}`,
    ])
      assert.ok([400, 422].includes((await get(`ledger/proofs/${path}`)).statusCode), path)
  })

  test('a key is revoked by a person, once a request, and listed so', async () => {
    const { items } = (await get('ledger/keys?purpose=export')).json() as { items: { vkey: string }[] }
    const vkey = items[0]?.vkey as string
    const post = (body: object, key = 'k1') =>
      http.server.inject({
        method: 'POST',
        url: '/api/v1/ledger/keys/revocations',
        headers: { authorization: `Bearer ${token}`, 'idempotency-key': key },
        payload: body,
      })
    const asked = { vkey, firstBadSize: '17', finding: 'the laptop with the key was lost' }
    for (const [bad, pointer] of [
      [{ ...asked, vkey: 'no+such+key' }, '/vkey'],
      [{ ...asked, firstBadSize: '-1' }, '/firstBadSize'],
      [{ ...asked, finding: 'short' }, '/finding'],
    ] as const) {
      const answer = await post(bad)
      assert.ok([400, 422].includes(answer.statusCode), answer.body)
      assert.equal(answer.json().errors[0].pointer, pointer)
    }
    const first = await post(asked)
    assert.equal(first.statusCode, 201, first.body)
    assert.deepEqual((await post(asked)).json(), first.json())
    assert.equal((await post({ ...asked, firstBadSize: '18' })).statusCode, 422)
    const listed = (await get('ledger/keys?purpose=export')).json() as { items: { revokedFrom: string }[] }
    assert.equal(listed.items[0]?.revokedFrom, '17')
  })

  test("an event's proof carries its leaf and verifies by itself; other batches' and uncovered events have none", async () => {
    const events = []
    for await (const event of bed.store.readStream(`reading-${batchId}`)) events.push(event)
    const event = events[123]
    assert.ok(event)
    const answer = await get(`batches/${batchId}/events/${event.position}/proof`)
    assert.equal(answer.statusCode, 200, answer.body)
    const { extra, index, path, checkpoint } = parseTlogProof(answer.body)
    assert.ok(extra)
    assert.equal(parseLeaf(extra).id, event.id)
    const { items } = (await get('ledger/keys')).json() as { items: { vkey: string }[] }
    const { text } = openNote(checkpoint, [parseVerifierKey(items[0]?.vkey as string)])
    verifyInclusion({ leaf: leafHash(extra), index, path, ...parseCheckpoint(text) })
    const ofOthers = await bed.reader.positionOf(sealed.size - 1n)
    for (const wrong of [
      `${freshId()}/events/${event.position}`,
      `${batchId}/events/${ofOthers}`,
      `${batchId}/events/999999`,
    ])
      assert.equal((await get(`batches/${wrong}/proof`)).statusCode, 404, wrong)
  })
})
