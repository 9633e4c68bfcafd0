import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import {
  age,
  clockTime,
  elapsed,
  fullTime,
  offsetLabel,
  readTypedInstant,
  sinceStart,
  typedForm,
} from './time.ts'

const vienna = 'Europe/Vienna'

test('a time is shown in the zone with its offset, summer and winter', () => {
  assert.equal(fullTime(vienna, Date.parse('2026-07-03T12:20:07.900Z')), '03 Jul 2026 14:20:07 (UTC+02:00)')
  assert.equal(fullTime(vienna, Date.parse('2026-11-03T13:20:07.000Z')), '03 Nov 2026 14:20:07 (UTC+01:00)')
  assert.equal(offsetLabel('UTC', 0), 'UTC±00:00')
  assert.equal(offsetLabel('America/St_Johns', Date.parse('2026-01-01T00:00:00Z')), 'UTC−03:30')
})

test('midnight is 00, not 24', () => {
  assert.equal(clockTime('UTC', Date.parse('2026-11-03T00:00:00.000Z')), '00:00:00')
})

test('elapsed batch time runs past 24 hours and carries a sign before inoculation', () => {
  assert.equal(elapsed(30_664_000), '8:31:04')
  assert.equal(elapsed(26 * 3_600_000), '26:00:00')
  assert.equal(elapsed(-90_000), '−0:01:30')
  assert.equal(elapsed(-400), '0:00:00')
  assert.equal(sinceStart(-90_000), 'T−0:01:30')
  assert.equal(sinceStart(7_200_000), 'T+2:00:00')
})

test('an age has two digits each and is never negative', () => {
  assert.equal(age(42_000), '00:00:42')
  assert.equal(age(-5_000), '00:00:00')
})

test('a typed time without offset is read as wall-clock time of the zone', () => {
  assert.deepEqual(readTypedInstant('2026-11-03 14:20:07', vienna), {
    kind: 'instant',
    ms: Date.parse('2026-11-03T13:20:07Z'),
  })
  assert.deepEqual(readTypedInstant('2026-11-03T14:20', 'UTC'), {
    kind: 'instant',
    ms: Date.parse('2026-11-03T14:20:00Z'),
  })
  assert.deepEqual(readTypedInstant('2018-10-28 02:30:00 +01:00', vienna), {
    kind: 'instant',
    ms: Date.parse('2018-10-28T01:30:00Z'),
  })
})

test('a wall-clock time that the zone had twice or never is refused, not guessed', () => {
  const twice = readTypedInstant('2018-10-28 02:30:00', vienna)
  assert.equal(twice.kind, 'refused')
  assert.match(twice.kind === 'refused' ? twice.rule : '', /twice/)
  const never = readTypedInstant('2018-03-25 02:30:00', vienna)
  assert.match(never.kind === 'refused' ? never.rule : '', /skipped/)
})

test('what is no date is refused with the form to write', () => {
  for (const text of ['', 'now', '03.11.2026 14:20', '2026-02-30 10:00:00', '2026-01-01 24:01'])
    assert.equal(readTypedInstant(text, vienna).kind, 'refused', text)
})

test('what the control shows it reads back as the same second, in any zone', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2060, 0, 1) / 1000 }),
      fc.constantFrom('UTC', vienna, 'America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland'),
      (seconds, zone) => {
        const read = readTypedInstant(typedForm(zone, seconds * 1000), zone)
        if (read.kind === 'refused') assert.match(read.rule, /twice/)
        else assert.equal(read.ms, seconds * 1000)
      },
    ),
  )
})
