import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientEvent } from '../../schemas/event.ts'
import {
  artefactHashRule,
  evolveGovernance,
  type Governance,
  modelInForce,
  noGovernance,
} from './governance.ts'

const at = '2026-11-21T09:00:00.000Z'
const use = 'od600-forecast'

function event(
  type: string,
  version: string,
  data: Record<string, unknown> = {},
  by = 'inference',
): ClientEvent {
  return {
    id: '01a1f7ff-11b8-7439-8947-a9c3b648dffe',
    type,
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: by === 'inference' ? 'service' : 'human', id: by, role: 'r' },
    origin: 'live',
    site: 'site-1',
    data: { modelId: 'm', version, modelHash: hashOf(version), use, ...data },
  }
}
const hashOf = (version: string): string => version.replaceAll('.', '').padEnd(64, '0')
const given = (...events: ClientEvent[]): Governance => events.reduce(evolveGovernance, noGovernance)

const registered = event('ModelRegistered', '1.0.0', { featureSchemaHash: 'f'.repeat(64) })
const approved = event('ModelApproved', '1.0.0', { origins: ['simulated', 'replayed'] })
const activated = event('ModelActivated', '1.0.0')
const running = [registered, approved, activated]

test('before any model was registered there is no forecaster', () => {
  assert.equal(modelInForce(noGovernance, use, 'live').kind, 'never-registered')
})

test('a model that is registered or approved but not active forecasts nothing', () => {
  for (const state of [given(registered), given(registered, approved)]) {
    const inForce = modelInForce(state, use, 'simulated')
    assert.equal(inForce.kind === 'withheld' && inForce.reason, 'no-model')
  }
})

test('the active model is in force for the origins it is approved for, and withheld for others', () => {
  const state = given(...running)
  assert.equal(modelInForce(state, use, 'simulated').kind, 'approved')
  const live = modelInForce(state, use, 'live')
  assert.equal(live.kind === 'withheld' && live.reason, 'model-not-approved')
  const withPerson = evolveGovernance(state, event('ModelApproved', '1.0.0', { origins: ['live'] }, 'qa-1'))
  assert.equal(modelInForce(withPerson, use, 'live').kind, 'approved')
})

test('exactly one model is active for a use: the one activated last', () => {
  const state = given(
    ...running,
    event('ModelRegistered', '1.1.0', { featureSchemaHash: 'f'.repeat(64) }),
    event('ModelApproved', '1.1.0', { origins: ['simulated'] }),
    event('ModelActivated', '1.1.0'),
  )
  const inForce = modelInForce(state, use, 'simulated')
  assert.equal(inForce.kind === 'approved' && inForce.model.version, '1.1.0')
  assert.deepEqual(
    [...state.models.values()].map(({ status }) => status),
    ['replaced', 'active'],
  )
})

test('a suspension withholds until the model is approved anew and activated again', () => {
  const suspended = event('ModelSuspended', '1.0.0', { rule: 'live-error', finding: 'x', automatic: true })
  const state = given(...running, suspended)
  const now = modelInForce(state, use, 'simulated')
  assert.equal(now.kind === 'withheld' && now.reason, 'model-suspended')
  assert.equal(modelInForce(given(...running, suspended, activated), use, 'simulated').kind, 'withheld')
  assert.equal(modelInForce(given(...running, suspended, approved), use, 'simulated').kind, 'withheld')
  assert.equal(
    modelInForce(given(...running, suspended, approved, activated), use, 'simulated').kind,
    'approved',
  )
})

test('a suspension for one origin leaves the others in force', () => {
  const state = given(
    ...running,
    event('ModelSuspended', '1.0.0', {
      rule: 'live-coverage',
      finding: 'x',
      automatic: true,
      origins: ['simulated'],
    }),
  )
  assert.equal(modelInForce(state, use, 'simulated').kind, 'withheld')
  assert.equal(modelInForce(state, use, 'replayed').kind, 'approved')
})

test('changed files are their own reason', () => {
  const state = given(
    ...running,
    event('ModelSuspended', '1.0.0', { rule: artefactHashRule, finding: 'x', automatic: true }),
  )
  const inForce = modelInForce(state, use, 'simulated')
  assert.equal(inForce.kind === 'withheld' && inForce.reason, 'hash-mismatch')
})

test('a retired model is in force no more and comes back by no event', () => {
  const retired = event('ModelRetired', '1.0.0', { justification: 'old enough now' })
  for (const state of [given(...running, retired), given(...running, retired, approved, activated)]) {
    const inForce = modelInForce(state, use, 'simulated')
    assert.equal(inForce.kind === 'withheld' && inForce.reason, 'no-model')
  }
})

test('an event about another hash than the registered one changes nothing', () => {
  const state = given(...running)
  assert.equal(
    evolveGovernance(state, event('ModelSuspended', '1.0.0', { modelHash: 'e'.repeat(64) })),
    state,
  )
})
