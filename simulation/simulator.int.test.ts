import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../infra/clock.ts'
import { manyTagPayload } from '../schemas/mqtt.ts'
import { batchApi } from './api-client.ts'
import { mqttPublisher } from './publish.ts'
import { type ReplayOptions, replay } from './replay/replay.ts'
import { SimulationError } from './simulation-error.ts'
import { type SimulateOptions, simulate } from './simulator.ts'
import { standInProduct } from './testing/stand-in-product.ts'

const folder = mkdtempSync(join(tmpdir(), 'simulation-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const example = (name: string) =>
  fileURLToPath(new URL(`../examples/kphaffii-offgas/${name}`, import.meta.url))

type Product = Awaited<ReturnType<typeof standInProduct>>

async function withProduct(body: (product: Product) => Promise<void>): Promise<void> {
  const product = await standInProduct()
  try {
    await body(product)
  } finally {
    await product.stop()
  }
}

const apiOf = (product: Product) => batchApi({ url: product.httpUrl, token: product.token })

async function runSimulation(product: Product, options: SimulateOptions, clock = systemClock) {
  const publisher = await mqttPublisher({ url: product.mqttUrl })
  try {
    return await simulate(options, { clock, publisher, api: apiOf(product) })
  } finally {
    await publisher.close()
  }
}

const runReplay = (product: Product, options: ReplayOptions) =>
  replay(options, {
    clock: systemClock,
    api: apiOf(product),
    connect: () => mqttPublisher({ url: product.mqttUrl }),
  })

test('a whole simulated batch goes over MQTT with its technician over HTTP', { timeout: 120_000 }, () =>
  withProduct(async (product) => {
    const nowMs = Date.now()
    const options = { preset: 'N', seed: 7, speed: 'max', vessel: 'V-01' } as const
    const result = await runSimulation(product, options, { nowMs: () => nowMs })

    assert.equal(product.messages.length, result.messages)
    assert.equal(product.readings(), result.readings)
    assert.ok(Math.abs((result.depletionHours ?? 0) - 20.7) <= 0.1)
    assert.deepEqual(
      product.commands.map(({ part }) => part),
      ['batches', 'inoculation', ...Array(8).fill('samples'), 'closure'],
    )
    const [created, inoculated] = product.commands
    assert.equal(created?.body.origin, 'simulated')
    assert.equal(inoculated?.body.occurredAt, result.from)
    // Each sample is recorded when its readings are on their way, not all at the start.
    const afterReadings = product.commands.map((command) => command.afterReadings)
    assert.ok((afterReadings.at(-1) ?? 0) === result.readings)
    assert.ok((afterReadings[8] ?? 0) > 900_000 && (afterReadings[8] ?? 0) < result.readings)
    assert.equal(new Set(product.commands.map(({ key }) => key)).size, product.commands.length)
    const closure = product.commands.at(-1)?.body
    assert.ok(Math.abs(Number(closure?.finalOd600) - 59.5) <= 0.5)
    assert.equal(closure?.glycerolDepletionHours, '20.69')

    let previous = 0
    for (const { payload } of product.messages) {
      const { seq, at } = manyTagPayload.parse(payload)
      assert.equal(seq, previous + 1)
      previous = seq ?? 0
      assert.ok(Date.parse(at) <= nowMs, `${at} lies in the future`)
    }
    assert.ok(nowMs - Date.parse(result.to) < 5000, 'it ends now')
  }),
)

test(
  'a simulated batch on a busy vessel takes the next attempt and a vessel of its own',
  { timeout: 60_000 },
  () =>
    withProduct(async (product) => {
      const options = { preset: 'N', seed: 1, speed: 'max', limitHours: 0.01 } as const
      const first = await runSimulation(product, options)
      const second = await runSimulation(product, options)
      assert.equal(first.vessel, 'V-01')
      assert.equal(second.vessel, 'V-01-2')
      assert.equal(second.closed, false)
      await assert.rejects(runSimulation(product, { ...options, vessel: 'V-01' }), (error: unknown) => {
        assert.ok(error instanceof SimulationError)
        assert.equal(error.code, 'api-refused')
        assert.equal(error.facts.problemCode, 'vessel-reserved')
        return true
      })
    }),
)

test(
  'every reading of a shipped file is published with its own time, unit and row',
  { timeout: 60_000 },
  () =>
    withProduct(async (product) => {
      const result = await runReplay(product, { file: example('offgas_C023.csv') })
      assert.deepEqual(result, {
        batchId: result.batchId,
        published: 16_456,
        stored: 16_456,
        duplicate: 0,
        quarantined: 0,
      })
      assert.equal(product.messages.length, 4114)
      assert.equal(product.messages[0]?.topic, 'bioprocess/pichia/offgas_C023/sensors')
      assert.deepEqual(product.messages[1]?.payload, {
        at: '2018-10-10T14:42:07.000Z',
        seq: 2,
        values: { Off_Gas_CO2: 0.03, Off_Gas_O2: 20.69, Gas_Flow_Outlet: 9.514, Gas_Flow_Inlet: 9.494 },
        units: { Off_Gas_CO2: '%', Off_Gas_O2: '%', Gas_Flow_Outlet: 'L/h', Gas_Flow_Inlet: 'L/h' },
        origin: 'replayed',
      })
      const [created, inoculated] = product.commands
      assert.equal(created?.body.campaign, 'replay-offgas_C023')
      assert.equal(created?.body.origin, 'replayed')
      assert.ok(String(created?.body.occurredAt) < '2018-10-10T14:27:07.000Z')
      assert.equal(inoculated?.body.occurredAt, '2018-10-10T16:47:50.000Z')
    }),
)

test('the same file replayed again becomes another attempt on another vessel', { timeout: 60_000 }, () =>
  withProduct(async (product) => {
    const options = { file: example('offgas_C030.csv'), form: 'one-tag' } as const
    const first = await runReplay(product, options)
    const second = await runReplay(product, options)
    assert.notEqual(first.batchId, second.batchId)
    const created = product.commands.filter(({ part }) => part === 'batches').map(({ body }) => body)
    assert.deepEqual(
      created.map((body) => [body.campaign, body.attempt, body.vessel]),
      [
        ['replay-offgas_C030', 1, 'offgas_C030'],
        ['replay-offgas_C030', 2, 'offgas_C030-2'],
      ],
    )
    assert.equal(product.messages.length, 2 * first.published)
    assert.deepEqual(product.messages[2]?.payload, {
      value: 0,
      unit: 'L/h',
      at: '2019-04-10T12:34:23.000Z',
      seq: 1,
      origin: 'replayed',
    })
  }),
)

test('of a file with one wrong cell nothing is created and nothing published', () =>
  withProduct(async (product) => {
    const file = join(folder, 'wrong.csv')
    writeFileSync(
      file,
      'timestamp,hours_after_inoculation,offgas_co2_percent,offgas_o2_percent,gas_flow_outlet_l_per_h,gas_flow_inlet_l_per_h\n2018-10-10T16:42:07,0.5,0.03,20.69,9.5,9.5\n2018-10-10T16:57:07,0.75,0.03,20.69,9.5,nine\n',
    )
    await assert.rejects(
      runReplay(product, { file }),
      /^Error: wrong\.csv, line 3, column gas_flow_inlet_l_per_h: "nine"/,
    )
    await assert.rejects(runReplay(product, { file: join(folder, 'none.csv') }), /no such file/)
    await assert.rejects(runReplay(product, { file, timeZone: 'Mars/Olympus' }), /tz: "Mars\/Olympus"/)
    assert.deepEqual(product.commands, [])
    assert.deepEqual(product.messages, [])
  }))

test(
  'a command is repeated with the same key while the store is away, and once only',
  { timeout: 60_000 },
  () =>
    withProduct(async (product) => {
      const api = apiOf(product)
      product.failNext(2)
      const batchId = await api.createBatch({ number: 1, phase: 'A', vessel: 'V-09', campaign: 'c' })
      product.failNext(2)
      await api.inoculate(batchId, { goDecision: true })
      assert.deepEqual(
        product.commands.map(({ part }) => part),
        ['batches', 'inoculation'],
      )
    }),
)

test(
  'a batch that somebody else wrote to is read again before the command is repeated',
  { timeout: 60_000 },
  () =>
    withProduct(async (product) => {
      const api = apiOf(product)
      const batchId = await api.createBatch({ number: 1, phase: 'A', vessel: 'V-09', campaign: 'c' })
      product.moveOn(0)
      await api.inoculate(batchId, { goDecision: true })
      product.moveOn(2)
      await api.recordSample(batchId, { od600Raw: '0.4000' })
      assert.equal(product.commands.length, 3)
    }),
)

test('a refusal says what was refused and why, a silent product that it is silent', { timeout: 60_000 }, () =>
  withProduct(async (product) => {
    await assert.rejects(
      batchApi({ url: product.httpUrl, token: 'wrong' }).createBatch({
        number: 1,
        phase: 'A',
        vessel: 'V-09',
      }),
      /POST batches was answered with 401: refused: no-token/,
    )
    const api = batchApi({ url: product.httpUrl, token: product.token, retryForMs: 1 })
    product.failNext(5)
    await assert.rejects(api.ingress('x'), { code: 'api-unreachable' })
  }),
)

test('a simulation that is stopped ends at once and says so', { timeout: 60_000 }, () =>
  withProduct(async (product) => {
    const controller = new AbortController()
    const publisher = await mqttPublisher({ url: product.mqttUrl, signal: controller.signal })
    const running = simulate(
      { preset: 'N', seed: 1, speed: 60 },
      {
        clock: systemClock,
        publisher,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      },
    )
    await assert.rejects(running, { code: 'aborted' })
    await publisher.close()
  }),
)

test('batches of the campaign pass the rules of inoculation and closure', { timeout: 120_000 }, () =>
  withProduct(async (product) => {
    // Batch 12 has the highest inoculum; its spread must not carry the seed's measured OD out of the window.
    for (const preset of ['batch-12', 'batch-18']) {
      const result = await runSimulation(product, { preset, seed: 3, speed: 'max' })
      assert.ok(result.closed, preset)
    }
    const samples = product.commands.filter(({ part }) => part === 'samples')
    assert.equal(samples.length, 8 + 11)
    assert.equal(samples.filter(({ body }) => body.replicate === 2).length, 3)
  }),
)

test('a start that would put readings into the future is refused before anything is created', () =>
  withProduct(async (product) => {
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString()
    const anHourAgo = new Date(Date.now() - 3_600_000).toISOString()
    for (const [speed, start] of [
      [1, inAnHour],
      ['max', anHourAgo],
    ] as const)
      await assert.rejects(
        runSimulation(product, { preset: 'N', seed: 1, speed, start }),
        /no reading lies in the future/,
      )
    assert.deepEqual(product.commands, [])
  }))
