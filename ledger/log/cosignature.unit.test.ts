/** Golden bytes: sigsum-go, pkg/checkpoint/checkpoint_test.go (seed 11 00 … 00, time 1234). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cosignatureSigner, cosignedAt, parseCosignatureKey } from './cosignature.ts'
import { NoteError, openNote, parseNote, parseVerifierKey, signatureLine } from './note.ts'

const seed = Buffer.alloc(32)
seed[0] = 0x11
const text = 'example.org/log\n10\nHA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n'
const golden =
  '— example.org/witness ys8uUAAAAAAAAATSftMzceM8zssdZ9jin9SjwIxzx9iADMf63VqirX2hafol9RsqNqbofIz0LVRqHXI2kpEBSki5RTXFtxz1vo9+Cg==\n'

test('a cosignature is made of the bytes that sigsum-go makes', () => {
  const signer = cosignatureSigner('example.org/witness', seed)
  assert.equal(signatureLine(signer.cosign(text, 1234n)), golden)
  const opened = openNote(`${text}\n${golden}`, [parseCosignatureKey(signer.verifierKey)])
  assert.equal(opened.verified[0] && cosignedAt(opened.verified[0]), 1234n)
})

test('a cosignature with any bit flipped, also in its time, refuses the note', () => {
  const verifier = parseCosignatureKey(cosignatureSigner('example.org/witness', seed).verifierKey)
  const [signature] = parseNote(`${text}\n${golden}`).signatures
  assert.ok(signature)
  fc.assert(
    fc.property(fc.nat(signature.signature.length * 8 - 1), (bit) => {
      const flipped = Buffer.from(signature.signature)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const note = `${text}\n${signatureLine({ ...signature, signature: flipped })}`
      assert.throws(() => openNote(note, [verifier]), NoteError)
    }),
  )
})

test('a cosignature key is no key of a log, and the other way round', () => {
  const { verifierKey } = cosignatureSigner('example.org/witness', seed)
  assert.throws(() => parseVerifierKey(verifierKey), NoteError)
  assert.throws(
    () => parseCosignatureKey('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'),
    NoteError,
  )
  assert.throws(() => cosignatureSigner('with space', seed), NoteError)
})
