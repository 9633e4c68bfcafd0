import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { SimulationError } from '../simulation-error.ts'
import { type ColumnMap, readColumnMap, shippedMap } from './column-map.ts'
import { parseReplayCsv } from './parse-csv.ts'

const latestMs = Date.parse('2026-01-01T00:00:00Z')
const bytes = (text: string) => new TextEncoder().encode(text)
const parse = (text: string, map?: ColumnMap, timeZone = 'Europe/Vienna') =>
  parseReplayCsv(bytes(text), { name: 'run.csv', timeZone, latestMs, ...(map ? { map } : {}) })
const refusal = (text: string, map?: ColumnMap): SimulationError => {
  try {
    parse(text, map)
  } catch (error) {
    assert.ok(error instanceof SimulationError)
    return error
  }
  assert.fail('the file was accepted')
}

const header =
  'timestamp,hours_after_inoculation,offgas_co2_percent,offgas_o2_percent,gas_flow_outlet_l_per_h,gas_flow_inlet_l_per_h'
const shipped = (name: string) =>
  readFileSync(new URL(`../../examples/kphaffii-offgas/${name}`, import.meta.url))

test('every cell of the shipped files comes back exactly, in true time order, with T = 0 of its run', () => {
  for (const [name, rows, inoculatedAt] of [
    ['offgas_C023.csv', 4114, '2018-10-10T16:47:50.000Z'],
    ['offgas_C024.csv', 4114, '2018-10-10T16:47:50.000Z'],
    ['offgas_C030.csv', 3457, '2019-04-10T16:13:52.000Z'],
  ] as const) {
    const file = parseReplayCsv(shipped(name), { name, timeZone: 'Europe/Vienna', latestMs })
    assert.equal(file.rows.length, rows)
    assert.equal(new Date(file.inoculatedAtMs).toISOString(), inoculatedAt)
    const lines = shipped(name).toString().trim().split('\n').slice(1)
    let readings = 0
    for (const [index, row] of file.rows.entries()) {
      const cells = (lines[index] ?? '').trim().split(',').slice(2)
      const expected = cells.filter((cell) => cell !== '')
      assert.deepEqual(
        row.values.map(({ value }) => String(value)),
        expected.map((cell) => String(Number(cell))),
      )
      assert.equal(row.sequence, index + 1)
      assert.equal(row.line, index + 2)
      const before = file.rows[index - 1]
      if (before) assert.ok(row.atMs > before.atMs, `line ${row.line}`)
      readings += expected.length
    }
    assert.equal(file.readings, readings)
  }
})

test('steps of the shipped files stay 15 min across the repeated hour', () => {
  const file = parseReplayCsv(shipped('offgas_C024.csv'), {
    name: 'C024',
    timeZone: 'Europe/Vienna',
    latestMs,
  })
  const around = file.rows.filter(({ line }) => line >= 1665 && line <= 1690)
  for (const [index, row] of around.entries()) {
    const before = around[index - 1]
    if (before) assert.equal(row.atMs - before.atMs, 900_000)
  }
})

test('flows keep the unit of the file', () => {
  const file = parse(
    `${header}\n2018-10-10T16:42:07,,0.03,20.69,9.514,9.494\n2018-10-10T18:57:07,0.1547,,20.62,,\n`,
  )
  assert.deepEqual(file.rows[0]?.values, [
    { tag: 'Off_Gas_CO2', unit: '%', value: 0.03 },
    { tag: 'Off_Gas_O2', unit: '%', value: 20.69 },
    { tag: 'Gas_Flow_Outlet', unit: 'L/h', value: 9.514 },
    { tag: 'Gas_Flow_Inlet', unit: 'L/h', value: 9.494 },
  ])
  assert.deepEqual(file.rows[1]?.values, [{ tag: 'Off_Gas_O2', unit: '%', value: 20.62 }])
})

test('a wrong cell is refused with line, column, value and rule', () => {
  const good = '2018-10-10T16:42:07,0.5,0.03,20.69,9.514,9.494'
  for (const [bad, column, rule] of [
    ['2018-10-10T16:57:07,0.75,abc,20.69,9.514,9.494', 'offgas_co2_percent', /finite number/],
    ['2018-10-10T16:57:07,0.75,0.03,NaN,9.514,9.494', 'offgas_o2_percent', /finite number/],
    ['2018-10-10T16:57:07,0.75,0.03,1e999,9.514,9.494', 'offgas_o2_percent', /finite number/],
    ['2018-10-10T16:57:07,0.75,0.03,0x10,9.514,9.494', 'offgas_o2_percent', /finite number/],
    ['2018-10-10T16:57:07,soon,0.03,20.69,9.514,9.494', 'hours_after_inoculation', /finite number/],
    ['2018-10-10T16:57:07,9.75,0.03,20.69,9.514,9.494', 'hours_after_inoculation', /within a minute/],
    ['10.10.2018 16:57,0.75,0.03,20.69,9.514,9.494', 'timestamp', /format/],
    ['2018-10-10T16:12:07,0.75,0.03,20.69,9.514,9.494', 'timestamp', /not before the row above/],
    ['2018-10-10T16:57:07,0.75,0.03,20.69,9.514', undefined, /6 cells/],
    ['2099-10-10T16:57:07,0.75,0.03,20.69,9.514,9.494', 'timestamp', /future/],
  ] as const) {
    const error = refusal(`${header}\n${good}\n${bad}\n`)
    assert.equal(error.code, 'bad-file')
    assert.equal(error.facts.line, 3, error.message)
    assert.equal(error.facts.column, column, error.message)
    assert.match(String(error.facts.rule), rule)
    assert.match(error.message, /^run\.csv, line 3/)
  }
})

test('a file that is no table of readings is refused', () => {
  assert.match(refusal('a,b\n1,2\n').message, /map file/)
  assert.match(refusal('').message, /map file/)
  assert.match(refusal(`${header}\n`).message, /at least one reading/)
  assert.match(refusal(`${header}\n2018-10-10T16:42:07,0.5,,,,\n`).message, /at least one reading/)
  assert.match(refusal(`${header}\n2018-10-10T16:42:07,,1,2,3,4\n`).message, /at least one row/)
  assert.match(refusal(`${header}\n"2018-10-10T16:42:07,,1,2,3,4\n`).message, /RFC 4180/)
  assert.throws(
    () => parseReplayCsv(new Uint8Array([0xff, 0xfe, 0x41]), { name: 'x.csv', timeZone: 'UTC', latestMs }),
    /UTF-8/,
  )
})

test('a byte order mark, CRLF and quotes change nothing', () => {
  const rows = `${header}\r\n2018-10-10T16:42:07,0.5,0.03,"20.69",9.514,9.494\r\n`
  assert.deepEqual(parse(`\uFEFF${rows}`).rows[0]?.values, parse(rows.replaceAll('\r', '')).rows[0]?.values)
})

test('a file of another shape is read by its map', () => {
  const map = readColumnMap(
    JSON.stringify({
      headerRow: 3,
      delimiter: ';',
      decimal: ',',
      missing: ['n/a'],
      timestamp: { column: 'Zeit', format: 'dd.MM.yyyy HH:mm:ss' },
      inoculation: { at: '24.03.2025 09:15:00' },
      columns: [
        { column: 'pO2 [%]', tag: 'DO', unit: '%' },
        { column: 'Luft [L/h]', tag: 'Gas_MFC_air', unit: 'L/h' },
        { column: 'CO2', tag: 'offgas/co2', unit: '% v/v' },
      ],
      ignore: ['Bemerkung'],
    }),
    'map.json',
  )
  const file = parse(
    'Export;Anlage 3\nStand;1\nZeit;pO2 [%];Luft [L/h];CO2;Bemerkung\n24.03.2025 09:00:00;99,5;60;n/a;Start\n24.03.2025 09:30:00;98;;0,12;\n',
    map,
  )
  assert.equal(new Date(file.inoculatedAtMs).toISOString(), '2025-03-24T08:15:00.000Z')
  assert.equal(file.rows[0]?.line, 4)
  assert.deepEqual(file.rows[0]?.values, [
    { tag: 'DO', unit: '%', value: 99.5 },
    { tag: 'Gas_MFC_air', unit: 'L/h', value: 60 },
  ])
  assert.deepEqual(file.rows[1]?.values, [
    { tag: 'DO', unit: '%', value: 98 },
    { tag: 'Off_Gas_CO2', unit: '% v/v', value: 0.12 },
  ])
})

test('columns that the map does not name are refused, never dropped in silence', () => {
  const map: ColumnMap = { ...shippedMap, columns: shippedMap.columns.slice(0, 3) }
  const text = `${header}\n2018-10-10T16:42:07,0.5,0.03,20.69,9.514,9.494\n`
  assert.equal(refusal(text, map).facts.column, 'gas_flow_inlet_l_per_h')
  assert.equal(parse(text, { ...map, ignore: 'others' }).readings, 3)
  assert.match(
    refusal(text, { ...map, timestamp: { column: 'time', format: 'iso' } }).message,
    /column "time"/,
  )
})

test('a wrong map is refused with field, value and rule', () => {
  const map = { timestamp: { column: 't' }, columns: [{ column: 'a', tag: 'DO', unit: '%' }] }
  for (const [change, field] of [
    [{ columns: [{ column: 'a', tag: 'Dissolved', unit: '%' }] }, 'columns.0.tag'],
    [{ columns: [{ column: 'a', tag: 'DO', unit: 'mg/L' }] }, 'columns.0.unit'],
    [{ columns: [...map.columns, { column: 'b', tag: 'pO2', unit: '%' }] }, 'columns.1.tag'],
    [{ columns: [...map.columns, { column: 'a', tag: 'pH', unit: 'pH' }] }, 'columns.1.column'],
    [{ columns: [] }, 'columns'],
    [{ timestamp: { column: 't', format: 'HH:mm' } }, 'timestamp.format'],
    [{ headerRow: -1 }, 'headerRow'],
  ] as const) {
    assert.throws(
      () => readColumnMap(JSON.stringify({ ...map, ...change }), 'map.json'),
      (error) => error instanceof SimulationError && error.code === 'bad-map' && error.facts.field === field,
      field,
    )
  }
  assert.throws(() => readColumnMap('{', 'map.json'), /JSON/)
})

test('without a header columns go by number, and T = 0 is the first row', () => {
  const map = readColumnMap(
    '{"headerRow":0,"timestamp":{"column":"1","format":"epoch-seconds"},"columns":[{"column":"2","tag":"OD","unit":"AU"}]}',
    'map.json',
  )
  const file = parse('1700000000,0.26\n1700000005,0.27\n', map)
  assert.equal(file.inoculatedAtMs, 1_700_000_000_000)
  assert.deepEqual(
    file.rows.map(({ line, values }) => [line, values[0]?.value]),
    [
      [1, 0.26],
      [2, 0.27],
    ],
  )
})

test('any number written in decimal comes back as that number', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const cell = String(value)
      const file = parse(`${header}\n2018-10-10T16:42:07,0.5,${cell},1,1,1\n`)
      assert.equal(String(file.rows[0]?.values[0]?.value), cell)
    }),
  )
})
