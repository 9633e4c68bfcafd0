import assert from 'node:assert/strict'
import test from 'node:test'
import { derivedQuantities } from '../../../domain/process-windows/derived-quantities.ts'
import {
  chartedTags,
  derivedPanes,
  derivedTags,
  furtherPanes,
  furtherTags,
  leastSpans,
  panes,
  scalesByUnit,
} from './panes.ts'
import { derivedKey } from './series-merge.ts'

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
  for (const { lines } of [...panes, ...derivedPanes, ...furtherPanes])
    for (const { scale } of lines) assert.ok(leastSpans[scale] !== undefined, scale)
})

test('every derived quantity has a line, and none has two', () => {
  const drawn = [...derivedTags, ...furtherTags].map(derivedKey)
  assert.deepEqual(drawn.toSorted(), derivedQuantities.map(({ key }) => key).toSorted())
})
