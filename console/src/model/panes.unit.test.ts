import assert from 'node:assert/strict'
import test from 'node:test'
import { chartedTags, derivedTags, leastSpans, panes, scalesByUnit } from './panes.ts'

const line = (tag: string, scale: string, unitLabel: string) => ({
  tag,
  scale,
  unitLabel,
  style: 'solid' as const,
  ink: 'strong' as const,
})

test('lines share an axis only in one unit', () => {
  const scales = scalesByUnit([
    line('Temp_Broth', 'Cel', '°C'),
    line('Temp_pH_Probe', 'Cel', 'K'),
    line('Temp_DO_Probe', 'Cel', '°C'),
    line('Temp_Exhaust', 'Cel', 'K'),
  ]).map(({ scale }) => scale)
  assert.deepEqual(scales, ['Cel', 'Cel in K', 'Cel', 'Cel in K'])
})

test('no line of readings stands for a derived value, and every scale says the least it spans', () => {
  assert.ok(!chartedTags.some((tag) => derivedTags.includes(tag)))
  for (const { lines } of panes)
    for (const { scale } of lines) assert.ok(leastSpans[scale] !== undefined, scale)
})
