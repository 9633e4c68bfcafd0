import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domainWatch } from './in-domain.ts'
import { sampleEstimate, sampleFilter, sampleWindow } from './testing/sample-estimate.ts'
import type { VesselEstimate } from './vessel-estimate.ts'

const judge = (changes: Partial<VesselEstimate>) => domainWatch().apply(sampleEstimate(changes))
const seeing = (changes: Partial<VesselEstimate['signals']>): Partial<VesselEstimate> => ({
  signals: { ...sampleEstimate().signals, ...changes },
})
const filtered = (facts: Parameters<typeof sampleFilter>[0]): Partial<VesselEstimate> => ({
  filters: { ...sampleEstimate().filters, all: sampleFilter(facts) },
})
const after = (minutes: number, changes: Partial<VesselEstimate>) => {
  const watch = domainWatch()
  let judged = watch.apply(sampleEstimate())
  for (let window = 1; window <= minutes * 2; window++)
    judged = watch.apply(sampleEstimate({ ...changes, hours: 14 + window / 120 }))
  return judged
}

test('a healthy batch in the middle of what was trained is forecast, with a score above 0', () => {
  const judged = judge({})
  assert.equal(judged.withhold, undefined)
  assert.ok(judged.score > 0.2 && judged.score <= 1, String(judged.score))
})

for (const [what, changes, detail] of [
  ['temperature', seeing({ Temp_Broth: { mean: 34.1, last: 34.1, count: 30 } }), /temperature 34.10 °C/],
  ['pH', seeing({ pH: { mean: 3.9, last: 3.9, count: 30 } }), /pH 3.90/],
  ['dissolved oxygen', seeing({ DO: { mean: 0.4, last: 0.4, count: 30 } }), /dissolved oxygen 0.40 %/],
  ['air flow', seeing({ Gas_MFC_air: { mean: 0, last: 0, count: 30 } }), /air flow 0.00/],
  [
    'pressure',
    seeing({ Reactor_Pressure: { mean: 1.06, last: 1.06, count: 30 } }),
    /headspace pressure 1.06/,
  ],
] as const)
  test(`${what} outside what was trained withholds the forecast and says what was found`, () => {
    const { withhold, score } = judge(changes)
    assert.equal(withhold?.reason, 'outside-trained-range')
    assert.match(withhold?.detail ?? '', detail)
    assert.equal(score, 0)
  })

test('a batch long after depletion, or without a phase, is not covered', () => {
  assert.equal(judge({ depletedAtHours: 12 }).withhold?.reason, 'phase-not-covered')
  assert.equal(judge({ window: { ...sampleWindow, phase: undefined } }).withhold?.reason, 'phase-not-covered')
})

test('a signal may be missing for less than 5 min, no longer', () => {
  const { OD: _gone, ...others } = sampleEstimate().signals
  const without = { signals: { ...others, missing: ['OD' as const] } }
  assert.equal(after(4, without).withhold, undefined)
  const { withhold } = after(6, without)
  assert.equal(withhold?.reason, 'too-many-missing')
  assert.match(withhold?.detail ?? '', /OD is missing/)
})

test('a signal that hangs is named as one that does not move', () => {
  const { Off_Gas_CO2: _gone, ...others } = sampleEstimate().signals
  const { withhold } = after(6, { signals: { ...others, stuck: ['Off_Gas_CO2' as const] } })
  assert.match(withhold?.detail ?? '', /Off_Gas_CO2 does not move/)
})

for (const [what, changes] of [
  ['a probe gain that other signals deny', filtered({ odGain: -0.1 })],
  ['signals that surprise the equations', filtered({ surprise: 9 })],
  ['instrument errors that cannot all be', filtered({ strain: 60 })],
  ['a signal that leans one way', filtered({ innovation: 3 })],
  ['a sample far from all signals', filtered({ sample: -5 })],
  ['online OD far from the soft sensor', filtered({ lnOd: Math.log(12.5) })],
] as const)
  test(`${what} withholds the forecast: inputs disagree`, () => {
    assert.equal(judge(changes).withhold?.reason, 'inputs-disagree')
  })

test('ammonia that does not follow growth is a contradiction after 3 min, not before', () => {
  assert.equal(after(2, { baseShare: 0 }).withhold, undefined)
  assert.equal(after(4, { baseShare: 0 }).withhold?.reason, 'inputs-disagree')
})

test('above its setpoint the pH loop feeds nothing, and that is no contradiction', () => {
  assert.equal(
    after(4, { baseShare: 0, ...seeing({ pH: { mean: 5.25, last: 5.25, count: 30 } }) }).withhold,
    undefined,
  )
})

test('after a contradiction forecasts stay withheld for 10 min', () => {
  const watch = domainWatch()
  watch.apply(sampleEstimate(filtered({ surprise: 9 })))
  assert.equal(watch.apply(sampleEstimate({ hours: 14 + 9 / 60 })).withhold?.reason, 'inputs-disagree')
  assert.equal(watch.apply(sampleEstimate({ hours: 14 + 11 / 60 })).withhold, undefined)
})

test('a batch that lacks a signal from the start is never forecast', () => {
  const { OD: _gone, ...others } = sampleEstimate().signals
  const { withhold } = judge({ signals: { ...others, missing: ['OD' as const] } })
  assert.equal(withhold?.reason, 'too-many-missing')
  assert.match(withhold?.detail ?? '', /OD has not been seen/)
})
