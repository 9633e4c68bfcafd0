import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from './random.ts'

test('a seed and a label always give the same numbers', () => {
  const draw = (seed: number, label: string) => {
    const stream = randomStream(seed, label)
    return Array.from({ length: 4 }, () => stream.uniform())
  }
  assert.deepEqual(draw(7, 'OD'), draw(7, 'OD'))
  assert.notDeepEqual(draw(7, 'OD'), draw(8, 'OD'))
  assert.notDeepEqual(draw(7, 'OD'), draw(7, 'DO'))
  // Written down once, so that a change of the generator cannot go unnoticed.
  assert.deepEqual(draw(7, 'OD'), pinned)
})

test('uniform numbers fill [0, 1) evenly and normal ones have mean 0 and SD 1', () => {
  const stream = randomStream(1, 'moments')
  const count = 200_000
  let sum = 0
  let outside = 0
  for (let index = 0; index < count; index++) {
    const value = stream.uniform()
    if (value < 0 || value >= 1) outside++
    sum += value
  }
  assert.equal(outside, 0)
  assert.ok(Math.abs(sum / count - 0.5) < 0.003)
  let first = 0
  let second = 0
  let fourth = 0
  for (let index = 0; index < count; index++) {
    const value = stream.normal()
    first += value
    second += value * value
    fourth += value ** 4
  }
  assert.ok(Math.abs(first / count) < 0.01)
  assert.ok(Math.abs(second / count - 1) < 0.02)
  assert.ok(Math.abs(fourth / count - 3) < 0.1)
})

const pinned = [0.13143935310654342, 0.757019778015092, 0.05128187662921846, 0.5800563788507134]
