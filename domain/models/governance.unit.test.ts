import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  approvedOrigins,
  artefactHashRule,
  evolveGovernance,
  type Governance,
  type GovernanceEvent,
  modelInForce,
  modelKey,
  noGovernance,
  originsInForce,
  standingSuspension,
} from './governance.ts'

const use = 'od600-forecast'
let second = 0

/** Each a second after the one before. */
function event(
  type: string,
  version: string,
  data: Record<string, unknown> = {},
  by = 'inference',
): GovernanceEvent {
  return {
    type,
    recordedAt: new Date(Date.UTC(2026, 10, 21, 9, 0, second++)).toISOString(),
    actor: { kind: by === 'inference' ? 'service' : 'human', id: by, role: 'r' },
    data: { modelId: 'm', version, modelHash: hashOf(version), use, ...data },
  }
}
const hashOf = (version: string): string => version.replaceAll('.', '').padEnd(64, '0')
const given = (...events: GovernanceEvent[]): Governance => events.reduce(evolveGovernance, noGovernance)
const model = (state: Governance, version = '1.0.0') => {
  const found = state.models.get(modelKey('m', version))
  assert.ok(found)
  return found
}

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
    [...state.models.values()].map((one) => [one.state, originsInForce(one)]),
    [
      ['superseded', []],
      ['active', ['simulated']],
    ],
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

test('a model goes from registered over approved to active, and each state says since when', () => {
  const states = [1, 2, 3].map((count) => model(given(...running.slice(0, count))))
  assert.deepEqual(
    states.map(({ state, stateSince }) => [state, stateSince]),
    [
      ['registered', registered.recordedAt],
      ['approved', approved.recordedAt],
      ['active', activated.recordedAt],
    ],
  )
  assert.deepEqual(states.map(originsInForce), [[], [], ['replayed', 'simulated']])
})

test('approving an active model for live data leaves it active and widens what it is in force for', () => {
  const widened = model(given(...running, event('ModelApproved', '1.0.0', { origins: ['live'] }, 'qa-1')))
  assert.deepEqual([widened.state, widened.stateSince], ['active', activated.recordedAt])
  assert.deepEqual(originsInForce(widened), ['live', 'replayed', 'simulated'])
})

const suspension = (origins?: readonly string[]) =>
  event('ModelSuspended', '1.0.0', {
    rule: 'hash',
    finding: 'x',
    automatic: true,
    ...(origins && { origins }),
  })

test('a suspension takes the approvals away and is named until an approval answers it', () => {
  const suspended = given(...running, suspension())
  const found = model(suspended)
  assert.deepEqual([found.state, approvedOrigins(found)], ['suspended', []])
  assert.deepEqual(standingSuspension(found), {
    rule: 'hash',
    finding: 'x',
    automatic: true,
    origins: undefined,
  })
  const anew = evolveGovernance(suspended, event('ModelApproved', '1.0.0', { origins: ['replayed'] }, 'qa-1'))
  assert.deepEqual([model(anew).state, standingSuspension(model(anew))], ['approved', undefined])
  const again = model(evolveGovernance(anew, event('ModelActivated', '1.0.0')))
  assert.deepEqual([again.state, originsInForce(again)], ['active', ['replayed']])
  const retired = model(evolveGovernance(suspended, event('ModelRetired', '1.0.0')))
  assert.deepEqual([retired.state, standingSuspension(retired)], ['retired', undefined])
})

test('a model suspended for one kind of data stays active for the others, until none is left', () => {
  const forSimulated = given(...running, suspension(['simulated']))
  assert.deepEqual([model(forSimulated).state, originsInForce(model(forSimulated))], ['active', ['replayed']])
  assert.equal(standingSuspension(model(forSimulated))?.rule, 'hash')
  assert.equal(model(evolveGovernance(forSimulated, suspension(['replayed']))).state, 'suspended')
})

test('what a model is said to be in force for is what it forecasts for, whatever happened to it', () => {
  const kinds = fc.constantFrom(
    'ModelRegistered',
    'ModelApproved',
    'ModelActivated',
    'ModelSuspended',
    'ModelRetired',
  )
  const origins = fc.subarray(['live', 'simulated', 'replayed'], { minLength: 1 })
  const step = fc
    .record({ kind: kinds, version: fc.constantFrom('1.0.0', '1.1.0'), origins, isForAll: fc.boolean() })
    .map(({ kind, version, origins: some, isForAll }) =>
      event(kind, version, kind === 'ModelSuspended' && isForAll ? {} : { origins: some }),
    )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const state = given(...steps)
      const models = [...state.models.values()]
      assert.ok(models.filter((one) => one.state === 'active').length <= 1)
      for (const origin of ['live', 'simulated', 'replayed'] as const) {
        const inForce = modelInForce(state, use, origin)
        assert.deepEqual(
          models.filter((one) => originsInForce(one).includes(origin)),
          inForce.kind === 'approved' ? [inForce.model] : [],
        )
      }
    }),
  )
})
