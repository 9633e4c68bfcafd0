/** Asking witnesses before the log signs: real ones over HTTP, and such as are away, hang, or answer nonsense. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createHttpServer } from '../../infra/http/server.ts'
import { createLogger } from '../../infra/log.ts'
import { cosignatureSigner, parseCosignatureKey } from '../log/cosignature.ts'
import { witnessContradictions } from './contradictions.ts'
import { type SmallLog, smallLog } from './testing/small-log.ts'
import { witness } from './witness.ts'
import { type ConfiguredWitness, witnessClient } from './witness-client.ts'
import { registerWitness } from './witness-routes.ts'
import { fileWitnessState } from './witness-state.ts'

const origin = 'asked-log.example/site'
const signer = cosignatureSigner('qa.example/witness', Buffer.alloc(32, 20))
const verifier = parseCosignatureKey(signer.verifierKey)

async function startWitness(t: TestContext): Promise<ConfiguredWitness> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-asked-witness-'))
  const base = await createHttpServer({
    log: createLogger('silent'),
    clock: { nowMs: Date.now },
    token: 'token-of-nobody-0123456789-0123456789',
    site: 'qa',
    version: 'test',
  })
  t.after(async () => {
    await base.close()
    await rm(folder, { recursive: true, force: true })
  })
  await registerWitness(
    base.server,
    witness({
      signer,
      logs: [{ origin, verifiers: smallLog(origin).verifiers }],
      state: fileWitnessState(folder),
      nowMs: Date.now,
    }),
  )
  return { verifier, url: await base.listen() }
}

async function standIn(t: TestContext, answer: RequestListener): Promise<ConfiguredWitness> {
  const server = createServer(answer)
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((settle) => server.close(settle))
  })
  return { verifier, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const published = async (log: SmallLog, size: bigint) => ({
  note: await log.note(size),
  proofFrom: (oldSize: bigint) => log.proof(oldSize, size),
})

async function ask(
  witnesses: readonly ConfiguredWitness[],
  log: SmallLog | undefined,
  size = 0n,
): Promise<readonly string[]> {
  return await witnessContradictions(
    { witnesses, nowMs: Date.now, timeoutMs: 2_000 },
    origin,
    log && (await published(log, size)),
  )
}

async function cosigned(t: TestContext, size: bigint): Promise<ConfiguredWitness> {
  const asked = await startWitness(t)
  const { note, proofFrom } = await published(smallLog(origin), size)
  const lines = await witnessClient({ witnesses: [asked], nowMs: Date.now }).cosign(note, proofFrom)
  assert.equal(lines.length, 1)
  return asked
}

test('a witness that holds as much or less of the same history contradicts nothing', async (t) => {
  const asked = await cosigned(t, 20n)
  assert.deepEqual(await ask([asked], smallLog(origin), 20n), [])
  assert.deepEqual(await ask([asked], smallLog(origin), 33n), [])
})

test('a witness that holds more, or another tree of the same or a smaller size, is told by name', async (t) => {
  const asked = await cosigned(t, 20n)
  assert.match(
    String(await ask([asked], smallLog(origin), 12n)),
    /qa\.example\/witness cosigned 20 entries, the ledger has 12/,
  )
  const rewritten = smallLog(origin, 'other ', 10)
  for (const size of [20n, 45n])
    assert.match(
      String(await ask([asked], rewritten, size)),
      new RegExp(
        `the checkpoint of ${size} entries does not extend the 20 that witness qa\\.example/witness`,
      ),
    )
})

test('before anything is published, what a witness shows under its cosignature is a contradiction', async (t) => {
  assert.deepEqual(await ask([await startWitness(t)], undefined), [])
  assert.match(
    String(await ask([await cosigned(t, 20n)], undefined)),
    /cosigned 20 entries, the ledger has 0/,
  )
})

test('a witness that is away, hangs or answers nonsense contradicts nothing, and does not hide one that does', async (t) => {
  const hanging = await standIn(t, () => {})
  const nonsense = await standIn(t, (_request, response) => response.end('900\n'))
  const forged = await standIn(t, (_request, response) => {
    void smallLog(origin)
      .note(900n)
      .then((note) => response.end(note))
  })
  const away = { verifier, url: 'http://127.0.0.1:9' }
  const useless = [hanging, nonsense, forged, away]
  assert.deepEqual(await ask(useless, undefined), [])
  assert.deepEqual(await ask(useless, smallLog(origin), 12n), [])
  assert.equal((await ask([...useless, await cosigned(t, 20n)], smallLog(origin), 12n)).length, 1)
})
