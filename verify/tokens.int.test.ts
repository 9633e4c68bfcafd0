/** Tokens of a real authority (`openssl ts`) in extracts: what must hold, and each thing that does not, in both verifiers. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { skipUnless } from '../infra/toolchain/require.ts'
import { asSigningKey, ledgerEvent, testOrigin } from '../ledger/extract/testing/memory-log.ts'
import { type SampleLog, sampleLog } from '../ledger/extract/testing/sample-log.ts'
import { writeExtract } from '../ledger/extract/write-extract.ts'
import { checkpointText } from '../ledger/log/checkpoint.ts'
import { timeStampRequest } from '../ledger/time-stamp/request.ts'
import {
  type OpensslAuthority,
  opensslMissing,
  startOpensslAuthority,
} from '../ledger/time-stamp/testing/openssl-authority.ts'
import { parsePem, requireTimeStamping } from './src/certificates.ts'
import { parseKey } from './src/note.ts'
import { nodePlatform } from './src/platform-node.ts'
import { Refusal } from './src/refusal.ts'
import { readToken, requireAuthority } from './src/time-stamp-token.ts'
import { verifyExtract } from './src/verify.ts'
import { inMemory, putTogether, reseal, takeApart } from './testing/extract-file.ts'
import { hasPython, pythonVerifier } from './testing/python.ts'

const missing = opensslMissing()
const skip = skipUnless('openssl', missing === undefined, missing ?? '')
const folder = mkdtempSync(join(tmpdir(), 'bioledger-tokens-'))
const python = hasPython ? pythonVerifier() : undefined
let authority: OpensslAuthority
let stranger: OpensslAuthority

before(async () => {
  if (missing !== undefined) return
  ;[authority, stranger] = await Promise.all([startOpensslAuthority(), startOpensslAuthority()])
})
after(async () => {
  await Promise.all([authority?.stop(), stranger?.stop(), python?.stop()])
  rmSync(folder, { recursive: true, force: true })
})

type Made = SampleLog & { readonly zip: Buffer; readonly size: number; readonly token: Buffer }

/** A batch whose log is stamped at its present size: the token is over `stamped`, or over the checkpoint as it should be. */
async function withToken(
  by: Pick<OpensslAuthority, 'reply'>,
  options: { stamped?: string; edit?: (token: Buffer) => Buffer; said?: object } = {},
): Promise<Made> {
  const made = sampleLog({ seed: 'tokens', readings: 30, isClosed: false })
  const { log } = made
  const { size, root } = log.publish()
  const text = options.stamped ?? checkpointText({ origin: testOrigin, size, root })
  const imprint = createHash('sha256').update(text).digest()
  const answer = await by.reply(timeStampRequest({ imprint, nonce: randomBytes(8) }))
  const facts = readToken(answer)
  const token = options.edit?.(answer) ?? answer
  const at = Date.parse(facts.stampedAt)
  const digest = createHash('sha256').update(token).digest('base64')
  const data = {
    size: String(size),
    imprint: facts.imprint,
    tokenSha256: digest,
    authority: 'TSA',
    stampedAt: facts.stampedAt,
    ...options.said,
  }
  log.append('ledger-timestamps', ledgerEvent(Buffer.alloc(32, 1), 'CheckpointTimeStamped', at, data), at)
  log.stateHeads(at + 1000)
  const checkpoint = log.publish()
  const out = join(folder, `${randomBytes(8).toString('hex')}.zip`)
  await writeExtract(
    { batchId: made.batchId, purpose: 'inspection', signaturesOnly: false },
    checkpoint,
    {
      log,
      payloadOf: log.payloadOf,
      exportKey: asSigningKey(log.exportKey),
      tokenOf: async () => ({ response: token, checkpoint: text }),
    },
    out,
  )
  return { ...made, zip: await readFile(out), size: Number(size), token }
}

async function checked(zip: Buffer, { log }: SampleLog, pem?: string) {
  const key = log.logKey.verifierKey
  const pinned = { logKeys: [parseKey(key, nodePlatform)], exportKeys: [], witnesses: [] }
  const verdict = await verifyExtract(
    inMemory(zip),
    { ...pinned, ...(pem === undefined ? {} : { authorities: parsePem(pem) }) },
    nodePlatform,
  )
  if (python) {
    const path = join(folder, 'extract.zip')
    writeFileSync(path, zip)
    const there = await python.verify({ path, key, ...(pem === undefined ? {} : { authorities: pem }) })
    assert.equal(there.exit, verdict.exit, JSON.stringify([verdict.findings, there.findings]))
    for (const id of ['times', 'authorities'] as const)
      assert.equal(there.checks[id], verdict.checks.find((check) => check.id === id)?.status, id)
  }
  const failed = verdict.findings.map(({ check, message }) => `${check}: ${message}`).join('\n')
  return { exit: verdict.exit, failed, authorities: verdict.checks.find(({ id }) => id === 'authorities') }
}

test('a token holds under its root, its intermediate or its own certificate; without one nobody vouches', {
  skip,
}, async () => {
  const made = await withToken(authority)
  const read = (name: string) => readFile(join(authority.folder, name), 'utf8')
  for (const pem of [
    authority.root,
    await read('inter.pem'),
    await read('tsa.pem'),
    stranger.root + authority.root,
  ]) {
    const { exit, failed, authorities } = await checked(made.zip, made, pem)
    assert.deepEqual([exit, failed, authorities?.status], [0, '', 'pass'])
  }
  const { exit, authorities } = await checked(made.zip, made)
  assert.deepEqual([exit, authorities?.status], [0, 'not-checked'])
  assert.match(authorities?.detail ?? '', /nobody vouches/)
})

test('tokens signed with RSA and SHA-512 hold too', { skip }, async () => {
  const { openssl } = stranger
  await openssl(...'genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out tsa.key'.split(' '))
  await openssl(...'req -new -config ext.cnf -key tsa.key -subj /CN=RSA -out tsa.csr'.split(' '))
  await openssl(
    ...'x509 -req -in tsa.csr -CA inter.pem -CAkey inter.key -CAcreateserial -sha512 -days 9 -extfile ext.cnf -extensions tsa -out tsa.pem'.split(
      ' ',
    ),
  )
  await openssl('version')
  writeFileSync(
    join(stranger.folder, 'ext.cnf'),
    String(await readFile(join(stranger.folder, 'ext.cnf'))).replace(
      'signer_digest = sha256',
      'signer_digest = sha512',
    ),
  )
  const made = await withToken(stranger)
  assert.deepEqual((await checked(made.zip, made, stranger.root)).failed, '')
})

test("another authority's certificate does not vouch", { skip }, async () => {
  const made = await withToken(authority)
  const { exit, failed } = await checked(made.zip, made, stranger.root)
  assert.equal(exit, 1)
  assert.match(failed, /^authorities: its signer is vouched for by no certificate that you gave$/)
})

test('a signature that is wrong is found, wherever a byte of it or of what it covers differs', {
  skip,
}, async () => {
  const last = (token: Buffer) => Buffer.from(token.with(token.length - 1, (token.at(-1) ?? 0) ^ 1))
  const made = await withToken(authority, { edit: last })
  const { exit, failed } = await checked(made.zip, made, authority.root)
  assert.equal(exit, 1)
  assert.match(failed, /authorities: its signature is wrong/)
  // The policy in the content, which no event states: only the signature covers it.
  const policy = Buffer.from('2b06010401868d1f01', 'hex')
  const inContent = (token: Buffer) => {
    const place = token.indexOf(policy) + policy.length - 1
    return Buffer.from(token.with(place, (token[place] ?? 0) ^ 2))
  }
  const other = await withToken(authority, { edit: inContent })
  const found = await checked(other.zip, other, authority.root)
  assert.equal(found.exit, 1)
  assert.match(found.failed, /authorities: its content is not the one that was signed/)
})

test('a certificate that had expired when the token was made does not vouch', { skip }, async () => {
  // `openssl ts` signs with it all the same.
  const years = [Date.UTC(2020, 0, 1), Date.UTC(2021, 0, 1)] as const
  const expired = await startOpensslAuthority({ validity: () => years })
  try {
    const late = await withToken(expired)
    const { exit, failed } = await checked(late.zip, late, expired.root)
    assert.equal(exit, 1)
    assert.match(
      failed,
      /authorities: a certificate that it rests on was valid from 2020-01-01.* to 2021-01-01/,
    )
  } finally {
    await expired.stop()
  }
})

test('a certificate in place of the one that the token names does not vouch, nor one of another purpose', {
  skip,
}, async () => {
  const made = await withToken(authority)
  const twin = await authority.twin('critical, timeStamping')
  assert.match((await checked(made.zip, made, twin)).failed, /vouched for by no certificate that you gave/)
  const other = await startOpensslAuthority()
  try {
    await other.openssl(
      ...'x509 -req -in tsa.csr -CA inter.pem -CAkey inter.key -CAcreateserial -days 20 -out both.pem -extfile'.split(
        ' ',
      ),
      await purposes(other, 'critical, timeStamping, codeSigning'),
    )
    const [both] = parsePem(await readFile(join(other.folder, 'both.pem'), 'utf8'))
    assert.ok(both)
    assert.throws(() => requireTimeStamping(both), /not for time stamping alone/)
  } finally {
    await other.stop()
  }
})

async function purposes({ folder }: OpensslAuthority, purpose: string): Promise<string> {
  const path = join(folder, 'purpose.cnf')
  writeFileSync(path, `basicConstraints = critical, CA:FALSE\nextendedKeyUsage = ${purpose}\n`)
  return path
}

test('a token over another text, or over a checkpoint of another history, does not hold', {
  skip,
}, async () => {
  const garbage = await withToken(authority, { stamped: 'an old newspaper\n' })
  assert.match(
    (await checked(garbage.zip, garbage, authority.root)).failed,
    /^times: .*not origin, size and root/,
  )
  const root = Buffer.alloc(32, 7)
  const { size } = await withToken(authority)
  const forked = await withToken(authority, {
    stamped: checkpointText({ origin: testOrigin, size: BigInt(size), root }),
  })
  assert.match((await checked(forked.zip, forked, authority.root)).failed, /^times: .*does not continue/)
})

test('a token without the checkpoint that it is over, and that without its token, are findings', {
  skip,
}, async () => {
  const made = await withToken(authority)
  for (const kind of ['txt', 'tsr']) {
    const members = await takeApart(made.zip)
    members.delete(`timestamp-${made.size}.${kind}`)
    reseal(members, made.log.exportKey)
    assert.match((await checked(putTogether(members), made)).failed, /^times: .*missing/, kind)
  }
})

test('where a certificate was given and there is no token, the verdict is incomplete', { skip }, async () => {
  const made = await withToken(authority)
  const members = await takeApart(made.zip)
  for (const kind of ['txt', 'tsr']) members.delete(`timestamp-${made.size}.${kind}`)
  reseal(members, made.log.exportKey)
  const zip = putTogether(members)
  assert.equal((await checked(zip, made)).exit, 0)
  assert.equal((await checked(zip, made, authority.root)).exit, 2)
})

test('a token must be over the digest and of the time that its event states', { skip }, async () => {
  for (const said of [
    { imprint: Buffer.alloc(32).toString('base64') },
    { stampedAt: '2026-11-20T06:00:00.000Z' },
  ]) {
    const made = await withToken(authority, { said })
    assert.match(
      (await checked(made.zip, made)).failed,
      /times: it is over another digest, or of another time/,
    )
  }
  assert.throws(() => readToken(Buffer.alloc(0)))
})

test('no byte of a token can be changed, cut off or added unseen', { skip }, async () => {
  const { token } = await withToken(authority)
  const given = parsePem(authority.root)
  const holds = async (bytes: Buffer) => {
    try {
      await requireAuthority(readToken(bytes), given, nodePlatform)
      return true
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return false
    }
  }
  assert.ok(await holds(token))
  const seen: number[] = []
  for (let place = 0; place < token.length; place += 1) {
    const changed = Buffer.from(token.with(place, (token[place] ?? 0) ^ 0x01))
    if (await holds(changed)) seen.push(place)
  }
  // What neither the signature covers nor a check reads: versions, the list of digests, certificates that are not needed.
  assert.ok(seen.length < 60, `${seen.length} of ${token.length}`)
  assert.ok(!(await holds(token.subarray(0, -1))))
  assert.ok(!(await holds(Buffer.concat([token, Buffer.of(0)]))))
})
