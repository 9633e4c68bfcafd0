/** Tampering with the inclusion proof and with the fingerprints of the leaves. */
import { bytesIn, changed, flipped, resealed } from './member-edits.ts'
import type { TamperCase } from './tamper-case.ts'

export const tamperedProof: readonly TamperCase[] = [
  changed(
    'a hash of the proof: the first',
    'inclusion',
    resealed(
      bytesIn(
        'proof.bin',
        flipped(() => 26),
      ),
    ),
  ),
  changed(
    'a hash of the proof: in the middle',
    'inclusion',
    resealed(
      bytesIn(
        'proof.bin',
        flipped((bytes) => bytes.length >> 1),
      ),
    ),
  ),
  changed(
    'a hash of the proof: the last',
    'inclusion',
    resealed(
      bytesIn(
        'proof.bin',
        flipped((bytes) => bytes.length - 1),
      ),
    ),
  ),
  changed(
    'a hash of the proof, by anybody',
    'manifest',
    bytesIn(
      'proof.bin',
      flipped(() => 40),
    ),
  ),
  changed(
    'a proof that ends early',
    'inclusion',
    resealed(bytesIn('proof.bin', (bytes) => bytes.subarray(0, -32))),
  ),
  changed(
    'a proof with a hash more',
    'inclusion',
    resealed(bytesIn('proof.bin', (bytes) => Buffer.concat([bytes, Buffer.alloc(32)]))),
  ),
  changed(
    'a proof with a byte more',
    'inclusion',
    resealed(bytesIn('proof.bin', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))),
  ),
  changed(
    'a proof of another format',
    'container',
    resealed(
      bytesIn(
        'proof.bin',
        flipped(() => 24),
      ),
    ),
  ),
  changed(
    'two hashes of the proof exchanged',
    'inclusion',
    resealed(
      bytesIn('proof.bin', (bytes) =>
        Buffer.concat([
          bytes.subarray(0, 25),
          bytes.subarray(57, 89),
          bytes.subarray(25, 57),
          bytes.subarray(89),
        ]),
      ),
    ),
  ),
  changed('an empty proof', 'container', resealed(bytesIn('proof.bin', () => Buffer.alloc(0)))),
  changed(
    'a fingerprint',
    'leaves',
    bytesIn(
      'fingerprints.bin',
      flipped((bytes) => bytes.length >> 1),
    ),
  ),
  changed(
    'fingerprints cut off',
    'leaves',
    bytesIn('fingerprints.bin', (bytes) => bytes.subarray(0, -8)),
  ),
  changed(
    'a fingerprint more',
    'streams',
    bytesIn('fingerprints.bin', (bytes) => Buffer.concat([bytes, Buffer.alloc(8)])),
  ),
]
