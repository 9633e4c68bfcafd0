import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { skipUnless } from './require.ts'

const asGiven = process.env.BIOLEDGER_REQUIRE
beforeEach(() => {
  process.env.BIOLEDGER_REQUIRE = 'kafka, docker'
})
afterEach(() => {
  if (asGiven === undefined) delete process.env.BIOLEDGER_REQUIRE
  else process.env.BIOLEDGER_REQUIRE = asGiven
})

test('what is there is not skipped', () => {
  assert.equal(skipUnless('docker', true, 'no daemon answers'), false)
})

test('what is not there is skipped by name, with the reason', () => {
  assert.equal(
    skipUnless('browser', false, 'no /usr/bin/chromium'),
    'browser is not here: no /usr/bin/chromium',
  )
})

test('what this machine must have and has not is a failure', () => {
  assert.throws(
    () => skipUnless('docker', false, 'no daemon answers'),
    /BIOLEDGER_REQUIRE names docker.*no daemon answers/,
  )
})

test('a part of a name requires nothing', () => {
  assert.equal(typeof skipUnless('dock', false, 'x'), 'string')
})
