/** The client against real witnesses over HTTP, and against the ways in which they fail. */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createHttpServer, type HttpBase } from '../../infra/http/server.ts'
import { createLogger } from '../../infra/log.ts'
import { until } from '../../infra/testing/until.ts'
import { type CosignatureSigner, cosignatureSigner, parseCosignatureKey } from '../log/cosignature.ts'
import { openNote } from '../log/note.ts'
import { type SmallLog, smallLog } from './testing/small-log.ts'
import { witness } from './witness.ts'
import { type WitnessFinding, witnessClient } from './witness-client.ts'
import { registerWitness } from './witness-routes.ts'
import { fileWitnessState } from './witness-state.ts'
import { startWitnessing } from './witnessing.ts'

const nowMs = Date.parse('2026-11-21T12:00:00.000Z')
const origins = Array.from({ length: 8 }, (_, at) => `client-log-${at}.example/site`)
let folder: string
let running: { signer: CosignatureSigner; base: HttpBase; url: string }[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bioledger-witness-client-'))
  running = await Promise.all(['qa', 'sponsor'].map((name, at) => startWitness(name, at)))
})
after(async () => {
  await Promise.all(running.map(({ base }) => base.close()))
  await rm(folder, { recursive: true, force: true })
})

async function startWitness(name: string, at: number) {
  const signer = cosignatureSigner(`${name}.example/witness`, Buffer.alloc(32, 20 + at))
  const base = await createHttpServer({
    log: createLogger('silent'),
    clock: { nowMs: () => nowMs },
    token: 'token-of-nobody-0123456789-0123456789',
    site: 'qa',
    version: 'test',
  })
  await registerWitness(
    base.server,
    witness({
      signer,
      logs: origins.map((origin) => ({ origin, verifiers: smallLog(origin).verifiers })),
      state: fileWitnessState(join(folder, name)),
      nowMs: () => nowMs,
    }),
  )
  return { signer, base, url: await base.listen() }
}

const configured = () =>
  running.map(({ signer, url }) => ({ verifier: parseCosignatureKey(signer.verifierKey), url: `${url}/` }))
const proofs = (log: SmallLog, size: bigint) => (oldSize: bigint) => log.proof(oldSize, size)
const logOf = (at: number) => smallLog(origins[at] ?? '')

/** A server that answers each request as told. */
async function standIn(answer: (body: string) => { status: number; type?: string; body: string } | 'hang') {
  const bodies: string[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      bodies.push(body)
      const told = answer(body)
      if (told === 'hang') return
      response.writeHead(told.status, { 'content-type': told.type ?? 'text/plain' }).end(told.body)
    })
  })
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  return {
    bodies,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((settle) => server.close(settle))
    },
  }
}

test('all witnesses cosign a growing log, also for a client that does not remember where they stand', async () => {
  const log = logOf(0)
  const options = { witnesses: configured(), nowMs: () => nowMs }
  const first = witnessClient(options)
  for (const [client, size] of [
    [first, 5n],
    [first, 9n],
    [witnessClient(options), 300n],
    [witnessClient(options), 300n],
  ] as const) {
    const lines = await client.cosign(await log.note(size), proofs(log, size))
    const opened = openNote(
      `${await log.note(size)}${lines.join('')}`,
      configured().map(({ verifier }) => verifier),
    )
    assert.equal(opened.verified.length, 2)
    assert.deepEqual(
      client.standing().map(({ cosignedSize, problem }) => [cosignedSize, problem]),
      [
        [size, undefined],
        [size, undefined],
      ],
    )
  }
})

test('a log that shrank or split is reported, and gets no cosignature', async () => {
  const log = logOf(1)
  const options = { witnesses: configured().slice(0, 1), nowMs: () => nowMs }
  assert.equal((await witnessClient(options).cosign(await log.note(20n), proofs(log, 20n))).length, 1)
  const findings: WitnessFinding[] = []
  const client = witnessClient({ ...options, onFinding: (finding) => findings.push(finding) })
  assert.deepEqual(await client.cosign(await log.note(12n), proofs(log, 12n)), [])
  const fork = smallLog(log.origin, 'other ', 15)
  assert.deepEqual(await client.cosign(await fork.note(20n), proofs(fork, 20n)), [])
  assert.deepEqual(await client.cosign(await fork.note(33n), proofs(fork, 33n)), [])
  assert.deepEqual(
    findings.map(({ kind, ourSize, witnessSize }) => [kind, ourSize, witnessSize]),
    [
      ['ahead', 12n, 20n],
      ['fork', 20n, 20n],
      ['fork', 33n, 20n],
    ],
  )
  assert.match(client.standing()[0]?.problem ?? '', /not consistent with size 20/)
  assert.equal((await client.cosign(await log.note(33n), proofs(log, 33n))).length, 1)
})

test('a witness that is away, silent, lying or endless gives no line and keeps no other from theirs', async () => {
  const log = logOf(2)
  const [one] = configured()
  assert.ok(one)
  const forged = cosignatureSigner(one.verifier.name, Buffer.alloc(32, 99))
  const late = cosignatureSigner(one.verifier.name, Buffer.alloc(32, 20))
  const text = await log.text(4n)
  const line = (signer: CosignatureSigner, seconds: number) => {
    const { signature, keyId, name } = signer.cosign(text, BigInt(seconds))
    const id = Buffer.alloc(4)
    id.writeUInt32BE(keyId)
    return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
  }
  const gone = await standIn(() => 'hang')
  await gone.close()
  const servers = await Promise.all([
    standIn(() => 'hang'),
    standIn(() => ({ status: 200, body: line(forged, nowMs / 1000) })),
    standIn(() => ({ status: 200, body: line(late, nowMs / 1000 + 3600) })),
    standIn(() => ({ status: 200, body: 'x'.repeat(100_000) })),
    standIn(() => ({ status: 409, body: '3\n' })),
    standIn(() => ({ status: 409, type: 'text/x.tlog.size', body: '03\n' })),
    standIn((body) => ({
      status: 409,
      type: 'text/x.tlog.size',
      body: body.startsWith('old 1\n') ? '2\n' : '1\n',
    })),
    standIn(() => ({ status: 500, body: 'broken' })),
  ])
  try {
    const client = witnessClient({
      witnesses: [...configured(), ...[gone, ...servers].map(({ url }) => ({ verifier: one.verifier, url }))],
      nowMs: () => nowMs,
      // The silent one is waited for as long; the honest ones must have answered by then, on any machine.
      timeoutMs: 5_000,
    })
    const lines = await client.cosign(await log.note(4n), proofs(log, 4n))
    assert.equal(lines.length, 2)
    const problems = client.standing().map(({ problem }) => problem)
    assert.deepEqual(problems.slice(0, 2), [undefined, undefined])
    for (const [at, expected] of [
      /ECONNREFUSED/,
      /timeout/,
      /no known key|wrong/,
      /3600 s from our clock/,
      /more than 16384 bytes/,
      /without the size/,
      /without the size/,
      /moved on/,
      /500: broken/,
    ].entries())
      assert.match(problems[at + 2] ?? '', expected)
    assert.deepEqual(
      client.standing().map(({ failures }) => failures),
      [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    )
  } finally {
    await Promise.all(servers.map((server) => server.close()))
  }
})

test('a published checkpoint is cosigned in the background; an outage shows in readiness and ends with it', async () => {
  const log = logOf(3)
  let size = 6n
  let clockMs = nowMs
  const published: [bigint, number][] = []
  const [one] = configured()
  assert.ok(one)
  const down = { isDown: true }
  const proxied = await standIn(() => ({ status: 503, body: 'down' }))
  const client = witnessClient({
    witnesses: [{ verifier: one.verifier, url: proxied.url }],
    nowMs: () => clockMs,
  })
  const background = startWitnessing({
    client: {
      standing: () => (down.isDown ? client.standing() : up.standing()),
      cosign: (note, proofFrom) => (down.isDown ? client : up).cosign(note, proofFrom),
    },
    everyMs: 5,
    quorum: 1,
    nowMs: () => clockMs,
    log: createLogger('silent'),
    published: async () => ({ size, note: await log.note(size), proofFrom: proofs(log, size) }),
    publish: async (at, lines) => {
      published.push([at, lines.length])
    },
  })
  const up = witnessClient({ witnesses: [one], nowMs: () => clockMs })
  try {
    await until('a failure is counted', () => (client.standing()[0]?.failures ?? 0) > 0)
    assert.deepEqual((await background.readiness()).ok, true)
    clockMs += 6 * 60_000
    await until('it is not ready', async () => !(await background.readiness()).ok)
    assert.match((await background.readiness()).detail ?? '', /0 of 1 witnesses .* 503: down/)
    assert.deepEqual(published, [])
    clockMs = nowMs
    down.isDown = false
    await until('one checkpoint is published', () => published.length === 1)
    assert.deepEqual(await background.readiness(), { ok: true })
    size = 11n
    await until('two checkpoints are published', () => published.length === 2)
    assert.deepEqual(published, [
      [6n, 1],
      [11n, 1],
    ])
  } finally {
    await background.stop()
    await proxied.close()
  }
})
