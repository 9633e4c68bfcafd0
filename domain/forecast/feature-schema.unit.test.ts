import assert from 'node:assert/strict'
import { test } from 'node:test'
import { featureHash, featureNames, featureSchema, softFeatures } from './feature-schema.ts'

test('each feature has a name of its own', () => {
  assert.equal(new Set(featureNames).size, featureNames.length)
})

test('the soft sensor comes first and rests on nothing of the online OD probe', () => {
  assert.deepEqual(
    featureSchema.features.slice(0, softFeatures.length).map(({ name }) => name),
    softFeatures.map(({ name }) => name),
  )
  assert.ok(softFeatures.every(({ group }) => group !== 'online OD'))
})

test('the input hash is that of the little-endian float32 bytes', () => {
  // SHA-256 of 00 00 80 3f 00 00 00 c0 (1 and -2), computed with sha256sum.
  assert.equal(
    featureHash(Float32Array.of(1, -2)),
    'ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b',
  )
})
