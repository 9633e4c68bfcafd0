/** Tokens of a real authority (`openssl ts`): taken when everything holds, refused for each thing that does not. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { Certificate, SignedData, TimeStampResp } from 'pkijs'
import { skipUnless } from '../../infra/toolchain/require.ts'
import { httpTimeStampAuthority } from './authority.ts'
import { timeStampRequest } from './request.ts'
import {
  type OpensslAuthority,
  opensslMissing,
  policies,
  startOpensslAuthority,
} from './testing/openssl-authority.ts'
import { TimeStampError, type TimeStampReason } from './time-stamp-error.ts'
import { certificatesOf, verifyTimeStamp } from './token.ts'

const missing = opensslMissing()
const skip = skipUnless('openssl', missing === undefined, missing ?? '')
const data = Buffer.from('ledger.example/site\n42\nAAAA\n')
const imprint = createHash('sha256').update(data).digest()
const nonce = randomBytes(16)
let authority: OpensslAuthority
let stranger: OpensslAuthority
let response: Buffer

before(async () => {
  if (missing !== undefined) return
  ;[authority, stranger] = await Promise.all([startOpensslAuthority(), startOpensslAuthority()])
  response = await authority.reply(timeStampRequest({ imprint, nonce }))
})
after(async () => {
  await Promise.all([authority?.stop(), stranger?.stop()])
})

const refused = (reason: TimeStampReason) => (error: unknown) =>
  error instanceof TimeStampError && error.reason === reason

test('a token over our bytes is taken with its time, policy and whole chain', { skip }, async () => {
  const before = Math.floor(Date.now() / 1000) * 1000
  const stamped = await verifyTimeStamp(
    await httpTimeStampAuthority({ url: authority.url, trusted: authority.root }).stamp(
      timeStampRequest({ imprint, nonce, policy: policies.other }),
    ),
    { data, nonce, policy: policies.other, trusted: authority.root },
  )
  assert.ok(stamped.stampedAtMs >= before && stamped.stampedAtMs <= Date.now() + 1000)
  assert.equal(stamped.policy, policies.other)
  assert.equal(stamped.chain.match(/BEGIN CERTIFICATE/g)?.length, 3)
  assert.ok(stamped.chain.endsWith(authority.root))
})

test('openssl itself verifies what we take, with the chain that we keep', { skip }, async () => {
  const { chain } = await verifyTimeStamp(response, { data, nonce, trusted: authority.root })
  await writeFile(join(authority.folder, 'kept.tsr'), response)
  await writeFile(join(authority.folder, 'kept.txt'), data)
  await writeFile(join(authority.folder, 'kept.pem'), chain)
  const { stdout } = await authority.openssl(
    ...'ts -verify -in kept.tsr -data kept.txt -untrusted kept.pem -CAfile root.pem'.split(' '),
  )
  assert.match(stdout, /Verification: OK/)
})

test('other bytes, another nonce, another policy and another root are refused by name', {
  skip,
}, async () => {
  const good = { data, nonce, trusted: authority.root }
  await verifyTimeStamp(response, good)
  await assert.rejects(verifyTimeStamp(response, { ...good, data: Buffer.from('other') }), refused('imprint'))
  await assert.rejects(verifyTimeStamp(response, { ...good, nonce: randomBytes(16) }), refused('nonce'))
  await assert.rejects(verifyTimeStamp(response, { ...good, policy: policies.other }), refused('policy'))
  await assert.rejects(verifyTimeStamp(response, { ...good, trusted: stranger.root }), refused('certificate'))
  await assert.rejects(verifyTimeStamp(response, { ...good, trusted: 'no PEM' }), refused('certificate'))
  await authority.openssl(
    'ts',
    '-query',
    '-digest',
    'ab'.repeat(64),
    '-sha512',
    '-cert',
    '-out',
    'sha512.tsq',
  )
  await assert.rejects(
    verifyTimeStamp(await authority.reply(await readFile(join(authority.folder, 'sha512.tsq'))), {
      data,
      trusted: authority.root,
    }),
    refused('imprint'),
  )
})

test('an authority that rejects the request is named with its status', { skip }, async () => {
  const answer = await authority.reply(timeStampRequest({ imprint, nonce, policy: '1.2.3.4' }))
  await assert.rejects(verifyTimeStamp(answer, { data, nonce, trusted: authority.root }), refused('rejected'))
})

/** An answer with the signer's certificate replaced by another one of the same issuer and number. */
async function withSignerCertificate(pem: string): Promise<Buffer> {
  const parsed = TimeStampResp.fromBER(await authority.reply(timeStampRequest({ imprint, nonce })))
  assert.ok(parsed.timeStampToken)
  const signedData = new SignedData({ schema: parsed.timeStampToken.content })
  const [replacement] = certificatesOf(pem)
  assert.ok(replacement)
  signedData.certificates = (signedData.certificates ?? []).map((certificate) =>
    certificate instanceof Certificate && certificate.serialNumber.isEqual(replacement.serialNumber)
      ? replacement
      : certificate,
  )
  parsed.timeStampToken.content = signedData.toSchema(true)
  return Buffer.from(parsed.toSchema().toBER())
}

test('a signer whose certificate is not for time stamping alone, or not the one the token names, is refused', {
  skip,
}, async () => {
  const expected = { data, nonce, trusted: authority.root }
  for (const purpose of ['critical, timeStamping, codeSigning', 'timeStamping', 'critical, codeSigning'])
    await assert.rejects(
      verifyTimeStamp(await withSignerCertificate(await authority.twin(purpose)), expected),
      /not for time stamping alone/,
    )
  await assert.rejects(
    verifyTimeStamp(await withSignerCertificate(await authority.twin('critical, timeStamping')), expected),
    /names another certificate/,
  )
})

test('the chain is judged at the time stamped: later expiry changes nothing, a certificate expired by then does', {
  skip,
}, async () => {
  const day = 86_400_000
  const past = await startOpensslAuthority({ validity: () => [Date.now() - 2 * day, Date.now() - day] })
  let end = 0
  const soon = await startOpensslAuthority({
    validity: () => {
      // Long enough for one stamp, also on a busy machine.
      end = Math.ceil(Date.now() / 1000) * 1000 + 6_000
      return [Date.now() - day, end]
    },
  })
  try {
    const stamped = await soon.reply(timeStampRequest({ imprint, nonce }))
    while (Date.now() <= end + 1_000) await new Promise((settle) => setTimeout(settle, 50))
    const { stampedAtMs } = await verifyTimeStamp(stamped, { data, nonce, trusted: soon.root })
    assert.ok(stampedAtMs <= end)
    const tooLate = await soon.reply(timeStampRequest({ imprint, nonce }))
    await assert.rejects(
      verifyTimeStamp(tooLate, { data, nonce, trusted: soon.root }),
      refused('certificate'),
    )
    const expired = await past.reply(timeStampRequest({ imprint, nonce }))
    await assert.rejects(
      verifyTimeStamp(expired, { data, nonce, trusted: past.root }),
      refused('certificate'),
    )
  } finally {
    await Promise.all([soon.stop(), past.stop()])
  }
})

test('an answer with any byte changed, cut off or with bytes behind it is refused', { skip }, async () => {
  const expected = { data, nonce, trusted: authority.root }
  const { stampedAtMs, policy, chain } = await verifyTimeStamp(response, expected)
  await assert.rejects(verifyTimeStamp(Buffer.concat([response, Buffer.of(0)]), expected), TimeStampError)
  await fc.assert(
    fc.asyncProperty(fc.nat(response.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      await assert.rejects(verifyTimeStamp(response.subarray(0, at), expected), TimeStampError)
      const changed = Buffer.from(response)
      changed[at] = (changed[at] ?? 0) ^ change
      // A few bytes are not signed (the status, unsigned certificates): what is then taken must be the same statement.
      const taken = await verifyTimeStamp(changed, expected).catch((error: unknown) => {
        assert.ok(error instanceof TimeStampError, String(error))
        return undefined
      })
      if (taken) assert.deepEqual(taken, { ...taken, stampedAtMs, policy, chain })
    }),
    { numRuns: 400 },
  )
})

test('an authority that is away, answers otherwise or without end is unreachable', { skip }, async () => {
  const answers: (Buffer | number)[] = [503, Buffer.alloc(100_000)]
  const odd = await startOpensslAuthority({ answer: async () => answers.shift() ?? 500 })
  const ask = (url: string, timeoutMs = 5_000) =>
    httpTimeStampAuthority({ url, trusted: odd.root, timeoutMs }).stamp(timeStampRequest({ imprint, nonce }))
  try {
    await assert.rejects(ask(odd.url), /answered 503/)
    await assert.rejects(ask(odd.url), /more than 65536 bytes/)
  } finally {
    await odd.stop()
  }
  await assert.rejects(ask(odd.url), refused('unreachable'))
})
