import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageOf } from './containers.ts'

test('the servers under test are those that the stack names', async () => {
  assert.match(await imageOf('eventstoredb'), /^eventstore\/eventstore:23\.10\./)
  assert.match(await imageOf('postgres'), /^postgres:18\./)
  assert.match(await imageOf('kafka'), /^apache\/kafka:4\./)
  assert.match(await imageOf('mosquitto'), /^eclipse-mosquitto:2\./)
  await assert.rejects(imageOf('ingress'), /names no image for ingress/)
})
