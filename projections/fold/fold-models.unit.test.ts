import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldModels, type ModelFact } from './fold-models.ts'

const hash = (digit: string) => digit.repeat(64)
const identity = (version: string) => ({ version, modelHash: hash(version[0] ?? '0'), use: 'od600-forecast' })
const facts = (...steps: [type: string, version: string, data?: Record<string, unknown>][]): ModelFact[] =>
  steps.map(([type, version, data], index) => ({
    position: BigInt(index + 1),
    modelId: 'od600',
    type,
    recordedAt: `2026-11-20T08:00:0${index}.000Z`,
    data: { modelId: 'od600', ...identity(version), ...data },
  }))
const statesOf = (list: readonly ModelFact[]) =>
  Object.fromEntries(foldModels(list).map(({ version, state }) => [version, state]))

test('a model goes from registered over approved to active', () => {
  const life = facts(
    ['ModelRegistered', '1.0.0'],
    ['ModelApproved', '1.0.0', { origins: ['simulated', 'replayed'] }],
    ['ModelActivated', '1.0.0'],
  )
  assert.deepEqual(statesOf(life.slice(0, 1)), { '1.0.0': 'registered' })
  assert.deepEqual(statesOf(life.slice(0, 2)), { '1.0.0': 'approved' })
  assert.deepEqual(statesOf(life), { '1.0.0': 'active' })
  assert.deepEqual(foldModels(life)[0]?.approvedFor, ['replayed', 'simulated'])
})

test('activating a model takes the use from the one before: one is active per use', () => {
  const states = statesOf(
    facts(['ModelActivated', '1.0.0'], ['ModelRegistered', '2.0.0'], ['ModelActivated', '2.0.0']),
  )
  assert.deepEqual(states, { '1.0.0': 'superseded', '2.0.0': 'active' })
})

test('approving an active model for live data leaves it active and widens what it is approved for', () => {
  const [version] = foldModels(
    facts(
      ['ModelApproved', '1.0.0', { origins: ['simulated'] }],
      ['ModelActivated', '1.0.0'],
      ['ModelApproved', '1.0.0', { origins: ['live'] }],
    ),
  )
  assert.equal(version?.state, 'active')
  assert.deepEqual(version?.approvedFor, ['live', 'simulated'])
})

test('a suspended model names rule and finding until it is activated again', () => {
  const suspended = facts(
    ['ModelActivated', '1.0.0'],
    ['ModelSuspended', '1.0.0', { automatic: true, rule: 'hash', finding: 'the file changed' }],
    ['ModelActivated', '1.0.0'],
    ['ModelRetired', '1.0.0'],
  )
  const at = (length: number) => foldModels(suspended.slice(0, length))[0]
  assert.equal(at(2)?.state, 'suspended')
  assert.deepEqual(at(2)?.suspension, { rule: 'hash', finding: 'the file changed', automatic: true })
  assert.equal(at(3)?.suspension, undefined)
  assert.equal(at(4)?.state, 'retired')
})

test('a model suspended for one kind of data stays active for the others', () => {
  const life = facts(
    ['ModelApproved', '1.0.0', { origins: ['live', 'simulated'] }],
    ['ModelActivated', '1.0.0'],
    ['ModelSuspended', '1.0.0', { rule: 'r', finding: 'f', automatic: true, origins: ['live'] }],
    ['ModelSuspended', '1.0.0', { rule: 'r', finding: 'f', automatic: true, origins: ['simulated'] }],
  )
  const at = (length: number) => foldModels(life.slice(0, length))[0]
  assert.deepEqual([at(3)?.state, at(3)?.approvedFor], ['active', ['simulated']])
  assert.equal(at(3)?.suspension?.rule, 'r')
  assert.deepEqual([at(4)?.state, at(4)?.approvedFor], ['suspended', []])
})
