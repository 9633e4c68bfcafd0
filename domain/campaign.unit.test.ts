import assert from 'node:assert/strict'
import { test } from 'node:test'
import { campaignBatch, campaignPlan, plannedBatch, runNamed } from './campaign.ts'
import { planOfRun, simulateProcess } from './process-model/process.ts'
import { presets } from './process-model/settings.ts'

test('the plan has 18 batches in phases A 1-3, B 4-15 and C 16-18', () => {
  assert.deepEqual(
    campaignPlan.map(({ number, phase }) => `${number}${phase}`).join(' '),
    '1A 2A 3A 4B 5B 6B 7B 8B 9B 10B 11B 12B 13B 14B 15B 16C 17C 18C',
  )
  assert.equal(plannedBatch(7)?.temperatureCelsius, 29)
  assert.equal(plannedBatch(9)?.temperatureCelsius, 31)
  assert.equal(plannedBatch(12)?.inoculumOd, 6)
  assert.equal(plannedBatch(15)?.startPH, 5.3)
  assert.equal(plannedBatch(1)?.controlled, false)
  assert.equal(plannedBatch(19), undefined)
})

test('a seed and a number name one realisation', () => {
  const planned = plannedBatch(16)
  assert.ok(planned)
  assert.deepEqual(campaignBatch(planned, { seed: 5 }), campaignBatch(planned, { seed: 5 }))
  assert.notDeepEqual(campaignBatch(planned, { seed: 5 }), campaignBatch(planned, { seed: 6 }))
  assert.equal(campaignBatch(planned, { seed: 5 }).noise, 'realistic')
  assert.deepEqual(campaignBatch(planned, { seed: 5 }).duplicatePoints, ['0h', '8h', 'depletion'])
})

test('without spread a batch is exactly as planned', () => {
  const planned = plannedBatch(10)
  assert.ok(planned)
  const { settings } = campaignBatch(planned, { seed: 1, spread: false, vessel: 'R' })
  assert.equal(settings.start.od, 0.25)
  assert.deepEqual(settings.biology, presets.R.biology)
})

test('spread over 60 nominal batches has the CVs of the process description', () => {
  const planned = plannedBatch(5)
  assert.ok(planned)
  const depletion: number[] = []
  const early: number[] = []
  const late: number[] = []
  const final: number[] = []
  for (let seed = 0; seed < 60; seed++) {
    const { settings } = campaignBatch(planned, { seed, vessel: 'N' })
    let last = 0
    const idealised = { ...settings, vessel: { ...settings.vessel, volumeEffects: 'weight-only' as const } }
    for (const truth of simulateProcess(idealised)) {
      if (truth.second === 6 * 3600) early.push(truth.od)
      if (truth.second === 16 * 3600) late.push(truth.od)
      last = truth.biomassGPerL
    }
    final.push(last)
    depletion.push(planOfRun(idealised).depletionHours ?? 0)
  }
  const cv = (values: readonly number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return (
      (100 * Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))) /
      mean
    )
  }
  // Tabulated: 2.8 % depletion time, 1.7 % final DCW, 9 % OD at 4-8 h, 12 % OD at 16 h; 60 draws give a CV to +-20 %.
  for (const [values, expected] of [
    [depletion, 2.8],
    [final, 1.7],
    [early, 9],
    [late, 12],
  ] as const)
    assert.ok(Math.abs(cv(values) / expected - 1) < 0.35, `CV ${cv(values)} against ${expected}`)
})

test('a name stands for a preset or a batch of the campaign, and for nothing else', () => {
  assert.equal(runNamed('N', 1)?.noise, 'kind')
  assert.deepEqual(runNamed('R-O2', 1)?.settings, presets['R-O2'])
  assert.equal(runNamed('batch-1', 1)?.settings.control.pH, 'free')
  assert.equal(runNamed('batch-13', 1)?.noise, 'realistic')
  assert.equal(runNamed('batch-13', 1, 'none')?.noise, 'none')
  for (const name of ['batch-0', 'batch-19', 'n', '', 'toString', 'batch-100'])
    assert.equal(runNamed(name, 1), undefined)
})
