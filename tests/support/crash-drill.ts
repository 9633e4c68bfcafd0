/**
 * The crash drill: a plant publishes through a real broker outside the process while the whole product is killed
 * (SIGKILL, Postgres with it on every second time) and started again; then the record is checked event by event.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresEventStore } from '../../infra/event-store/postgres/postgres-event-store.ts'
import { startEmbeddedPostgres } from '../../infra/postgres/embedded.ts'
import { startMosquitto } from './mosquitto.ts'
import { startPlant } from './plant.ts'
import { eventually, type RunningProduct, root, startProduct, withoutSettings } from './product.ts'

export type DrillReport = {
  readonly kills: number
  readonly acknowledged: number
  readonly stored: number
  readonly duplicates: number
}

export async function crashDrill(options: {
  kills: number
  readingsPerSecond: number
  seed: number
  log?: (line: string) => void
}): Promise<DrillReport> {
  const log = options.log ?? (() => {})
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-drill-'))
  await chmod(folder, 0o755)
  const dataFolder = join(folder, 'data')
  const broker = await startMosquitto(folder)
  const environment = { BIOLEDGER_MQTT_URL: broker.url }
  const random = generator(options.seed)
  try {
    // The first start makes the broker session, so that nothing published afterwards can miss it.
    let product = await startProduct({ dataFolder, environment })
    const plant = await startPlant({
      url: broker.url,
      vessels: 10,
      readingsPerSecond: options.readingsPerSecond,
      startMs: Date.now() - 86_400_000,
    })
    // One vessel is in a batch that is aborted halfway: routing, sealing and rerouting are killed too.
    const drilled = await createBatch(product, plant.startMs)
    for (let kill = 1; kill <= options.kills; kill++) {
      if (kill === Math.ceil(options.kills / 2)) await abortBatch(product, drilled)
      // The moment is drawn; what is waited for is progress of the plant, so that load really flows.
      const target = plant.acknowledged.size + Math.floor(random() * options.readingsPerSecond * 2)
      await eventually('the plant publishes', async () => plant.acknowledged.size >= target, 120_000)
      const withPostgres = kill % 2 === 0
      const postmaster = withPostgres ? await postmasterOf(dataFolder) : undefined
      await product.kill()
      if (postmaster) killQuietly(postmaster)
      product = await startProduct({ dataFolder, environment })
      log(
        `kill ${kill}${withPostgres ? ' with Postgres' : ''}: ${plant.acknowledged.size} acknowledged so far`,
      )
    }
    await plant.stop()
    await eventually(
      'everything published is stored and stated',
      async () => {
        const { items } = await product.get<{
          items: { stream: string; stored: number; balanced: boolean; sinceStatement: number }[]
        }>('/api/v1/ingress')
        return (
          items.reduce((sum, item) => sum + item.stored, 0) >= plant.acknowledged.size &&
          items.every((item) => item.balanced && item.sinceStatement === 0)
        )
      },
      240_000,
    )
    await eventually('the readings of the aborted batch are sealed', async () => {
      const { items } = await product.get<{ items: { stream: string }[] }>(
        `/api/v1/batches/${drilled}/timeline?type=StreamSealed`,
      )
      return items.some(({ stream }) => stream === `reading-${drilled}`)
    })
    assert.equal(await product.stop(), 0, 'Ctrl-C ends cleanly')
    const record = await inspect(dataFolder, plant, drilled)
    const rebuild = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'main.ts', 'rebuild', '--data-dir', dataFolder, '--json'],
      {
        cwd: root,
        encoding: 'utf8',
        env: withoutSettings(process.env),
        timeout: 300_000,
      },
    )
    assert.equal(rebuild.status, 0, `rebuild: ${rebuild.stdout} ${rebuild.stderr}`)
    assert.equal(JSON.parse(rebuild.stdout).differences.length, 0, 'projections equal a rebuild')
    return { kills: options.kills, acknowledged: plant.acknowledged.size, ...record }
  } finally {
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function createBatch(product: RunningProduct, startMs: number): Promise<string> {
  const created = await product.post('/api/v1/batches', {
    number: 1,
    phase: 'B',
    campaign: 'drill',
    vessel: 'P-1',
    occurredAt: new Date(startMs - 60_000).toISOString(),
  })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  return (created.headers.get('location') ?? '').split('/').at(-1) ?? ''
}

async function abortBatch(product: RunningProduct, batchId: string): Promise<void> {
  const aborted = await product.post(
    `/api/v1/batches/${batchId}/abort`,
    { outcome: 'Aborted_Other', reason: { code: 'drill', text: 'half of the drill is over' } },
    { 'if-match': `"batch-${batchId}@0"` },
  )
  assert.equal(aborted.status, 201, JSON.stringify(aborted.body))
}

/** Reads the whole store with nothing else running: order, gaplessness, every acknowledged reading, each once. */
async function inspect(
  dataFolder: string,
  plant: { acknowledged: Set<string>; published: Set<string> },
  batchId: string,
): Promise<{ stored: number; duplicates: number }> {
  const postgres = await startEmbeddedPostgres({ folder: join(dataFolder, 'postgres') })
  const store = await postgresEventStore({ appUrl: postgres.appUrl() })
  const stored = new Set<string>()
  const revisions = new Map<string, bigint>()
  const sealed = new Set<string>()
  const readings = new Map<string, number>()
  let last: bigint | undefined
  let duplicates = 0
  try {
    for await (const page of store.readAll())
      for (const event of page.events) {
        assert.equal(event.position, last === undefined ? 1n : last + 1n, 'positions are gapless')
        last = event.position
        assert.equal(
          event.revision,
          revisions.get(event.stream) ?? 0n,
          `revisions of ${event.stream} are contiguous`,
        )
        revisions.set(event.stream, event.revision + 1n)
        if (event.type === 'ReadingQuarantined') assert.fail(`quarantined: ${JSON.stringify(event.data)}`)
        if (event.type === 'IngressStated')
          for (const source of (event.data as { sources: { duplicate: number }[] }).sources)
            duplicates = Math.max(duplicates, source.duplicate)
        assert.ok(!sealed.has(event.stream), `${event.stream} goes on after its seal`)
        if (event.type === 'StreamSealed') {
          sealed.add(event.stream)
          assert.equal(BigInt((event.data as { count: number }).count), event.revision)
        }
        if (event.type !== 'SensorReadingRecorded') continue
        readings.set(event.stream, (readings.get(event.stream) ?? 0) + 1)
        assert.ok(!stored.has(event.id), `reading ${event.id} is stored twice`)
        assert.ok(plant.published.has(event.id), `reading ${event.id} was never published`)
        stored.add(event.id)
      }
  } finally {
    await store.close()
    await postgres.stop()
  }
  assert.ok(sealed.has(`reading-${batchId}`), 'the stream of the aborted batch is sealed')
  assert.ok((readings.get(`reading-${batchId}`) ?? 0) > 0, 'readings reached the batch')
  const lost = [...plant.acknowledged].filter((id) => !stored.has(id))
  assert.deepEqual(lost, [], 'no acknowledged reading is lost')
  return { stored: stored.size, duplicates }
}

async function postmasterOf(dataFolder: string): Promise<number> {
  return Number(
    (await readFile(join(dataFolder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0],
  )
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Mulberry32: enough to draw moments, the same ones for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
