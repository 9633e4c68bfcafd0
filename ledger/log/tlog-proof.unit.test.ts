import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTlogProof, TlogProofError, tlogProofText } from './tlog-proof.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))
const proofs = fc.record(
  {
    extra: fc.option(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      { nil: undefined },
    ),
    index: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    path: fc.array(hash, { maxLength: 63 }),
    checkpoint: fc.constantFrom('o\n1\nx=\n\n— o abc=\n', 'any text'),
  },
  { noNullPrototype: true },
)

test('a proof comes back from its text', () => {
  fc.assert(
    fc.property(proofs, (proof) => {
      assert.deepEqual(parseTlogProof(tlogProofText(proof)), proof)
    }),
  )
})

test('the text of a proof is spelt so', () => {
  const path = [Buffer.alloc(32, 1)]
  assert.equal(
    tlogProofText({ extra: undefined, index: 7n, path, checkpoint: 'note\n' }),
    'c2sp.org/tlog-proof@v1\nindex 7\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\nnote\n',
  )
})

test('other spellings are refused', () => {
  const good = tlogProofText({
    extra: Buffer.from('x'),
    index: 7n,
    path: [Buffer.alloc(32, 1)],
    checkpoint: 'note\n',
  })
  for (const bad of [
    good.replace('@v1', '@v2'),
    good.replace('index 7', 'index 07'),
    good.replace('index 7', 'index -7'),
    good.replace('index 7\n', ''),
    good.replace('extra eA==', 'extra eA='),
    good.replace('extra eA==', 'extra eB=='),
    good.replace('AQE=', 'AQF='),
    good.replace('AQEB', 'AQE'),
    good.replace('\n\n', '\n'),
    '',
    tlogProofText({ extra: undefined, index: 1n, path: Array(64).fill(Buffer.alloc(32)), checkpoint: 'n' }),
  ])
    assert.throws(() => parseTlogProof(bad), TlogProofError, bad)
})
