import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gainFromPhReadings, idealSlopeMvPerPh, slopeFromMillivolts } from './ph-slope.ts'

const at = (buffer: number, reading?: number) => ({ buffer, reading })

test('the ideal slope is 58.17, 59.16 and 60.15 mV/pH at 20, 25 and 30 °C', () => {
  assert.deepEqual(
    [20, 25, 30].map((celsius) => idealSlopeMvPerPh(celsius).toFixed(2)),
    ['58.17', '59.16', '60.15'],
  )
})

test('+172.0 mV at pH 4.01 and −1.5 mV at 7.00 are 98.1 % at 25 °C and 96.5 % at 30 °C', () => {
  const slope = slopeFromMillivolts(at(4.01, 172), at(7, -1.5), 25)
  assert.ok(slope.kind === 'measured')
  assert.equal(slope.perPh.toFixed(2), '-58.03')
  assert.equal(slope.percent.toFixed(1), '98.1')
  assert.equal(slope.offsetMv, -1.5)
  assert.equal(slope.passes, true)
  const warm = slopeFromMillivolts(at(4.01, 172), at(7, -1.5), 30)
  assert.ok(warm.kind === 'measured')
  assert.equal(warm.percent.toFixed(1), '96.5')
})

test('a transmitter that shows 4.02 and 6.99 in buffers 4.01 and 7.00 has a gain of 99.3 %', () => {
  const gain = gainFromPhReadings(at(4.01, 4.02), at(7, 6.99))
  assert.ok(gain.kind === 'measured')
  assert.equal(gain.percent.toFixed(1), '99.3')
  assert.equal(gain.passes, true)
})

test('pH readings taken for mV do not pass', () => {
  const slope = slopeFromMillivolts(at(4.01, 4.02), at(7, 6.99), 25)
  assert.ok(slope.kind === 'measured' && slope.percent < 2)
  assert.equal(slope.passes, false)
})

test('exactly 0 mV is a measurement, and a missing one does not pass', () => {
  const slope = slopeFromMillivolts(at(4.01, 176.9), at(7, 0), 25)
  assert.ok(slope.kind === 'measured' && slope.passes)
  assert.deepEqual(slopeFromMillivolts(at(4.01, 172), at(7), 25), { kind: 'not-measured', passes: false })
  assert.deepEqual(gainFromPhReadings(at(4.01), at(7, 7)), { kind: 'not-measured', passes: false })
  assert.equal(slopeFromMillivolts(at(7, 0), at(7, 0), 25).passes, false)
  assert.equal(slopeFromMillivolts(at(4.01, 172), at(7, -1.5), Number.NaN).passes, false)
})

test('a rising mV, a worn electrode and a shifted zero fail', () => {
  assert.equal(slopeFromMillivolts(at(4.01, -177), at(7, 0), 25).passes, false)
  assert.equal(slopeFromMillivolts(at(4.01, 165), at(7, -1.5), 25).passes, false)
  assert.equal(slopeFromMillivolts(at(4.01, 177 + 31), at(7, 31), 25).passes, false)
  assert.equal(gainFromPhReadings(at(4.01, 4.3), at(7, 7)).passes, false)
})
