import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type DataClockInput,
  dataClock,
  elapsedSinceInoculation,
  freshness,
  staleAfterMs,
} from './freshness.ts'

const noon = Date.parse('2026-11-21T12:00:00.000Z')
const live: DataClockInput = {
  status: 'running',
  origin: 'live',
  newestSourceMs: noon - 1000,
  wallMs: noon,
  arrivedMs: noon,
  asOfMs: null,
}

test('a live value older than 10 s by the wall clock is stale', () => {
  const clock = dataClock(live)
  assert.equal(clock.meant, 'wall')
  assert.deepEqual(freshness('pH', noon - 10_000, clock), { ageMs: 10_000, stale: false })
  assert.deepEqual(freshness('pH', noon - 42_000, clock), { ageMs: 42_000, stale: true })
})

test('a slow tag is stale only after five times its cadence', () => {
  assert.equal(staleAfterMs('Weight'), 50_000)
  assert.equal(staleAfterMs('pH'), 10_000)
  assert.equal(freshness('Weight', noon - 45_000, dataClock(live)).stale, false)
})

test('a back-dated simulation does not look stale while data flow', () => {
  const yesterday = noon - 86_400_000
  const clock = dataClock({ ...live, origin: 'simulated', newestSourceMs: yesterday })
  assert.equal(clock.meant, 'source')
  assert.equal(freshness('pH', yesterday - 1000, clock).stale, false)
})

test('a simulation whose data stop goes stale by the seconds in which nothing arrived', () => {
  const yesterday = noon - 86_400_000
  const clock = dataClock({
    ...live,
    origin: 'simulated',
    newestSourceMs: yesterday,
    arrivedMs: noon - 42_000,
  })
  assert.deepEqual(freshness('pH', yesterday, clock), { ageMs: 42_000, stale: true })
})

test('one tag that falls silent goes stale although the others flow', () => {
  const clock = dataClock({ ...live, origin: 'simulated', newestSourceMs: noon - 5000 })
  assert.equal(freshness('DO', noon - 65_000, clock).stale, true)
})

test('the last values of a closed batch do not age', () => {
  const clock = dataClock({ ...live, status: 'complete', newestSourceMs: noon - 9_000_000 })
  assert.equal(clock.meant, 'closed')
  assert.equal(freshness('pH', noon - 9_900_000, clock).stale, false)
})

test('a view of a past instant measures live values against that instant', () => {
  const clock = dataClock({ ...live, asOfMs: noon - 3_600_000, newestSourceMs: noon - 3_600_500 })
  assert.equal(freshness('pH', noon - 3_600_500, clock).ageMs, 500)
})

test('elapsed time ends at closure and does not exist before inoculation', () => {
  const clock = dataClock(live)
  const inoculatedAt = new Date(noon - 7_200_000).toISOString()
  assert.equal(elapsedSinceInoculation({ inoculatedAt, closedAt: null }, clock), 7_200_000)
  assert.equal(
    elapsedSinceInoculation({ inoculatedAt, closedAt: new Date(noon - 3_600_000).toISOString() }, clock),
    3_600_000,
  )
  assert.equal(elapsedSinceInoculation({ inoculatedAt: null, closedAt: null }, clock), null)
})
