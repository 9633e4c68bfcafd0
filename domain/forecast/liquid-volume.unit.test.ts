import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liquidVolume } from './liquid-volume.ts'

test('the volume follows the weight from the filled vessel on', () => {
  const volume = liquidVolume()
  volume.apply(1 / 60, 4.24, 0, 0)
  const later = volume.apply(10, 4.24 - 0.0416, 3, 0)
  assert.ok(Math.abs(later - 0.96) < 0.001, String(later))
})

test('without a weight samples, base and evaporation are reckoned', () => {
  const later = liquidVolume().apply(10, undefined, 3, 2)
  assert.ok(Math.abs(later - (1 - 0.03 + 0.002 - 0.01275)) < 1e-9)
})

test('a weight that cannot be (a hand on the balance) is not believed', () => {
  const volume = liquidVolume()
  volume.apply(1 / 60, 4.24, 0, 0)
  const later = volume.apply(2, 5.5, 1, 0)
  assert.ok(Math.abs(later - 0.98745) < 1e-6, String(later))
})
