/** A witness over real HTTP and real files: the statuses of C2SP tlog-witness v1.0.0, and what it never cosigns. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createHttpServer, type HttpBase } from '../../infra/http/server.ts'
import { createLogger } from '../../infra/log.ts'
import { parseCheckpoint } from '../log/checkpoint.ts'
import { cosignatureSigner, cosignedAt, parseCosignatureKey } from '../log/cosignature.ts'
import { noteSigner, openNote, signNote } from '../log/note.ts'
import { addCheckpointText } from './add-checkpoint.ts'
import { smallLog } from './testing/small-log.ts'
import { witness } from './witness.ts'
import { readOrCreateWitnessKey, WitnessKeyError } from './witness-key.ts'
import { registerWitness } from './witness-routes.ts'
import { fileWitnessState, originHash } from './witness-state.ts'

const nowMs = Date.parse('2026-11-21T12:00:00.000Z')
const signer = cosignatureSigner('qa.example/witness', Buffer.alloc(32, 3))
const names = Array.from({ length: 12 }, (_, at) => `log-${at}.example/site`)
const logs = names.map((name) => smallLog(name))
let used = 0
/** Every test has a log of its own that the witness never saw. */
const freshLog = () => {
  const log = logs[used++]
  assert.ok(log)
  return log
}
let folder: string
let base: HttpBase
let url: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bioledger-witness-'))
  base = await createHttpServer({
    log: createLogger('silent'),
    clock: { nowMs: () => nowMs },
    token: 'token-of-nobody-0123456789-0123456789',
    site: 'qa',
    version: 'test',
  })
  const made = witness({
    signer,
    logs: logs.map(({ origin, verifiers }) => ({ origin, verifiers })),
    state: fileWitnessState(folder),
    nowMs: () => nowMs,
  })
  await registerWitness(base.server, made)
  url = await base.listen()
})
after(async () => {
  await base.close()
  await rm(folder, { recursive: true, force: true })
})

async function ask(body: string | Uint8Array) {
  const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body })
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() }
}
async function grow(log: ReturnType<typeof smallLog>, oldSize: bigint, size: bigint) {
  const proof = oldSize === 0n || oldSize >= size ? [] : await log.proof(oldSize, size)
  return await ask(addCheckpointText({ oldSize, proof, note: await log.note(size) }))
}

test('a growing log gets a cosignature for each size, and monitors get the latest checkpoint with it', async () => {
  const log = freshLog()
  for (const [oldSize, size] of [
    [0n, 3n],
    [3n, 8n],
    [8n, 8n],
    [8n, 1000n],
  ] as const) {
    const answer = await grow(log, oldSize, size)
    assert.equal(answer.status, 200, answer.text)
    const opened = openNote(`${await log.text(size)}\n${answer.text}`, [
      parseCosignatureKey(signer.verifierKey),
    ])
    assert.equal(opened.verified[0] && cosignedAt(opened.verified[0]), BigInt(nowMs / 1000))
  }
  const monitored = await (await fetch(`${url}/${originHash(log.origin)}/checkpoint`)).text()
  const opened = openNote(monitored, [...log.verifiers, parseCosignatureKey(signer.verifierKey)])
  assert.equal(opened.verified.length, 2)
  assert.equal(parseCheckpoint(opened.text).size, 1000n)
})

test('an old size that is not the witness’s gets 409 with the size it stands at, as text/x.tlog.size', async () => {
  const log = freshLog()
  assert.equal((await grow(log, 0n, 5n)).status, 200)
  for (const [oldSize, size] of [
    [0n, 9n],
    [3n, 9n],
    [6n, 9n],
    [0n, 2n],
  ] as const) {
    const answer = await grow(log, oldSize, size)
    assert.deepEqual([answer.status, answer.text], [409, '5\n'])
    assert.match(answer.type, /^text\/x\.tlog\.size(;|$)/)
  }
})

test('a smaller tree, another tree of the same size and a fork are never cosigned', async () => {
  const log = freshLog()
  const fork = smallLog(log.origin, 'other ', 4)
  assert.equal((await grow(log, 0n, 7n)).status, 200)
  // The fork is signed with the log's own key: only the witness can tell.
  assert.equal(
    (await ask(addCheckpointText({ oldSize: 7n, proof: [], note: await fork.note(7n) }))).status,
    409,
  )
  const forged = addCheckpointText({
    oldSize: 7n,
    proof: await fork.proof(7n, 9n),
    note: await fork.note(9n),
  })
  assert.equal((await ask(forged)).status, 422)
  assert.equal((await grow(log, 7n, 6n)).status, 400)
  assert.equal((await grow(log, 6n, 6n)).status, 409)
  const kept = await readFile(join(folder, originHash(log.origin), 'checkpoint'), 'utf8')
  assert.ok(kept.startsWith(await log.text(7n)))
})

test('each fault has its status: 404 unknown origin, 403 no known signature, 400 malformed, 422 wrong proof', async () => {
  const log = freshLog()
  const stranger = smallLog('stranger.example/log')
  assert.equal((await grow(stranger, 0n, 3n)).status, 404)
  const text = await log.text(3n)
  const foreignKey = signNote(text, [noteSigner(log.origin, Buffer.alloc(32, 9))])
  assert.equal((await ask(addCheckpointText({ oldSize: 0n, proof: [], note: foreignKey }))).status, 403)
  const good = await log.note(3n)
  const brokenSignature = good.replace(
    /(.)(.{8})\n$/,
    (_, char, rest) => `${char === 'A' ? 'B' : 'A'}${rest}\n`,
  )
  assert.equal((await ask(addCheckpointText({ oldSize: 0n, proof: [], note: brokenSignature }))).status, 403)
  assert.equal((await grow(log, 4n, 3n)).status, 400)
  const hash = Buffer.alloc(32)
  assert.equal((await ask(addCheckpointText({ oldSize: 0n, proof: [hash], note: good }))).status, 422)
  for (const body of [
    '',
    'old 0\n',
    `old 00\n\n${good}`,
    `old 0x1\n\n${good}`,
    `old -1\n\n${good}`,
    `old 9223372036854775808\n\n${good}`,
    `old 0\nAAAA\n\n${good}`,
    `old 0\n${`${hash.toString('base64')}\n`.repeat(64)}\n${good}`,
    `old 0\n\n${text}`,
    `old 0\n\n${good.replace('\n3\n', '\n03\n')}`,
    Buffer.concat([Buffer.from(`old 0\n\n${good}`), Buffer.of(0xff)]),
  ])
    assert.equal((await ask(body)).status, 400, String(body).slice(0, 40))
  assert.equal((await fetch(`${url}/${originHash(log.origin)}/checkpoint`)).status, 404)
  assert.equal((await grow(log, 0n, 3n)).status, 200)
})

test('of many requests at once from the same old size exactly one is cosigned', async () => {
  const log = freshLog()
  assert.equal((await grow(log, 0n, 4n)).status, 200)
  const answers = await Promise.all(Array.from({ length: 24 }, (_, at) => grow(log, 4n, 5n + BigInt(at))))
  const cosigned = answers.flatMap(({ status }, at) => (status === 200 ? [5n + BigInt(at)] : []))
  assert.equal(cosigned.length, 1)
  const kept = await readFile(join(folder, originHash(log.origin), 'checkpoint'), 'utf8')
  assert.ok(kept.startsWith(await log.text(cosigned[0] ?? 0n)))
  for (const { status, text } of answers)
    assert.ok(status === 200 || (status === 409 && text === `${cosigned[0]}\n`), text)
})

test('a witness keeps its key across starts, for its owner alone, and never uses it under a second name', async () => {
  const own = await mkdtemp(join(tmpdir(), 'bioledger-witness-key-'))
  try {
    const [first, other] = await Promise.all([
      readOrCreateWitnessKey(own, 'qa.example/w1'),
      readOrCreateWitnessKey(own, 'qa.example/w1'),
    ])
    assert.equal(first.verifierKey, other.verifierKey)
    assert.equal((await stat(join(own, 'witness.key'))).mode & 0o777, 0o600)
    assert.equal(await readFile(join(own, 'witness.vkey'), 'utf8'), `${first.verifierKey}\n`)
    await assert.rejects(readOrCreateWitnessKey(own, 'qa.example/w2'), WitnessKeyError)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
})
