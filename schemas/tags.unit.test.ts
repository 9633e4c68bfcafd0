import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findTag, resolveUnit, tagDefinitions } from './tags.ts'

test('the registry holds the 19 tags of a vessel, each name and alias once', () => {
  assert.equal(tagDefinitions.length, 19)
  const names = tagDefinitions.flatMap((definition) =>
    [definition.tag, ...definition.aliases].map((name) => name.toLowerCase()),
  )
  const repeated = names.filter((name, index) => names.indexOf(name) !== index)
  const within = tagDefinitions.flatMap((definition) =>
    definition.aliases.filter((alias) => alias.toLowerCase() === definition.tag.toLowerCase()),
  )
  assert.deepEqual(
    repeated.filter((name) => !within.some((alias) => alias.toLowerCase() === name)),
    [],
  )
})

test('a vessel sends 1,563,840 readings a day at the registered cadences', () => {
  assert.equal(
    tagDefinitions.reduce((sum, definition) => sum + 86_400 / definition.cadenceSeconds, 0),
    1_563_840,
  )
})

test('operating ranges lie within hard bounds', () => {
  for (const { tag, operatingRange, hardBounds } of tagDefinitions)
    assert.ok(hardBounds[0] <= operatingRange[0] && operatingRange[1] <= hardBounds[1], tag)
})

test('topic aliases lead to the canonical tag; an unknown name leads nowhere', () => {
  assert.equal(findTag('offgas/co2')?.tag, 'Off_Gas_CO2')
  assert.equal(findTag('temperature/BROTH')?.tag, 'Temp_Broth')
  assert.equal(findTag('OFF_GAS_CO2')?.tag, 'Off_Gas_CO2')
  assert.equal(findTag('glucose'), undefined)
})

test('units are matched exactly and another unit keeps its own name', () => {
  const flow = findTag('Gas_Flow_Inlet')!
  assert.deepEqual(resolveUnit(flow, 'L/min'), { unit: 'L/min', factor: 1 })
  assert.deepEqual(resolveUnit(flow, 'L/h'), { unit: 'L/h', factor: 1 / 60 })
  assert.equal(resolveUnit(flow, 'm3/h'), undefined)
  assert.deepEqual(resolveUnit(findTag('Temp_Broth')!, '°C'), { unit: 'Cel', factor: 1 })
})
