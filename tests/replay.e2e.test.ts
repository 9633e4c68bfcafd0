/** Real K. phaffii runs through the whole product: file → MQTT → events → read models → HTTP. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type RunningProduct, root, startProduct, withoutSettings } from './support/product.ts'

type Series = {
  unit: string
  reduced: boolean
  sourceCount: number
  points: { at: string; value: number; quality: string; position: string }[]
}

const columns = [
  ['Off_Gas_CO2', 'offgas_co2_percent', '%'],
  ['Off_Gas_O2', 'offgas_o2_percent', '%'],
  ['Gas_Flow_Outlet', 'gas_flow_outlet_l_per_h', 'L/h'],
  ['Gas_Flow_Inlet', 'gas_flow_inlet_l_per_h', 'L/h'],
] as const

let folder: string
let product: RunningProduct

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bioledger-replay-'))
  await chmod(folder, 0o755)
  product = await startProduct({ dataFolder: join(folder, 'data') })
})
after(async () => {
  await product.stop()
  await rm(folder, { recursive: true, force: true })
})

for (const run of ['C023', 'C024', 'C030'])
  test(`every value of the real run ${run} comes back over HTTP exactly, in true time order, with a closed balance`, async () => {
    const { rows, cells } = await readRun(`examples/kphaffii-offgas/offgas_${run}.csv`)
    const answer = await replay(
      `examples/kphaffii-offgas/offgas_${run}.csv`,
      '--tz',
      'Europe/Vienna',
      '--vessel',
      run,
    )
    assert.equal(answer.code, 0, answer.stderr)
    const { batchId, published, stored, duplicate, quarantined } = JSON.parse(answer.stdout)
    assert.deepEqual(
      { published, stored, duplicate, quarantined },
      { published: cells, stored: cells, duplicate: 0, quarantined: 0 },
    )
    const ingress = await product.get<{
      received: number
      stored: number
      balanced: boolean
      sinceStatement: number
    }>(`/api/v1/batches/${batchId}/ingress`)
    assert.deepEqual(
      [ingress.received, ingress.stored, ingress.balanced, ingress.sinceStatement],
      [cells, cells, true, 0],
    )
    for (const [tag, column, unit] of columns) {
      const series = await product.get<Series>(`/api/v1/batches/${batchId}/series?tag=${tag}&reduce=none`)
      assert.equal(series.unit, unit)
      assert.deepEqual(
        series.points.map((point) => point.value),
        rows.map((row) => Number(row[column])).filter((_, at) => rows[at]![column] !== ''),
      )
      assert.equal(
        new Set(series.points.map((point) => point.at)).size,
        series.points.length,
        'no two readings share a time',
      )
      const steps = series.points
        .slice(1)
        .map((point, at) => Date.parse(point.at) - Date.parse(series.points[at]!.at))
      assert.ok(
        steps.every((step) => step > 14 * 60_000 && step < 16 * 60_000),
        `steps of 15 min, also over the repeated hour: ${Math.min(...steps)} … ${Math.max(...steps)} ms`,
      )
    }
  })

test('a wrong file is refused with line, column and rule, and nothing is created', async () => {
  const before = await product.get<{ items: unknown[] }>('/api/v1/batches')
  const text = await readFile(join(root, 'examples/kphaffii-offgas/offgas_C023.csv'), 'utf8')
  const file = join(folder, 'broken.csv')
  await writeFile(
    file,
    text
      .split('\n')
      .map((line, at) => (at === 99 ? line.replace(/,[^,\r]*(\r?)$/, ',n.d.$1') : line))
      .join('\n'),
  )
  const answer = await replay(file)
  assert.equal(answer.code, 2)
  assert.match(answer.stderr, /line 100/)
  assert.match(answer.stderr, /gas_flow_inlet_l_per_h/)
  assert.equal(answer.stderr.trim().split('\n').length, 1, answer.stderr)
  assert.deepEqual(
    await product.get('/api/v1/batches').then((list) => (list as typeof before).items),
    before.items,
  )
})

async function replay(
  file: string,
  ...more: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'main.ts', 'replay', file, '--data-dir', join(folder, 'data'), '--json', ...more],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: withoutSettings(process.env),
    },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const code = await new Promise<number | null>((settle) => child.once('close', settle))
  return { code, stdout, stderr }
}

/** The file as a spreadsheet would read it; its cells are plain numbers without quotes. */
async function readRun(file: string): Promise<{ rows: Record<string, string>[]; cells: number }> {
  const [header, ...lines] = (await readFile(join(root, file), 'utf8')).trim().split(/\r?\n/)
  const names = header!.split(',')
  const rows = lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at], cell])))
  return {
    rows,
    cells: rows.reduce((sum, row) => sum + columns.filter(([, column]) => row[column] !== '').length, 0),
  }
}
