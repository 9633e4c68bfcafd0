/**
 * The outage drill: the database server is stopped under load for as long as the plant takes to publish a given
 * number of readings, then started again. Nothing may be lost, memory must stay bounded, and it must catch up.
 */
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../infra/postgres/embedded.ts'
import { startMosquitto } from './mosquitto.ts'
import { startPlant } from './plant.ts'
import { eventually, startProduct } from './product.ts'

export type OutageReport = {
  readonly secondsDown: number
  readonly publishedWhileDown: number
  readonly acknowledged: number
  readonly stored: number
  readonly secondsToCatchUp: number
  readonly peakMemoryMiB: number
}

type IngressList = {
  readonly items: readonly {
    readonly stored: number
    readonly quarantined: number
    readonly balanced: boolean
    readonly sinceStatement: number
  }[]
}

export async function outageDrill(options: {
  readingsPerSecond: number
  readingsWhileDown: number
}): Promise<OutageReport> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-outage-'))
  await chmod(folder, 0o755)
  const broker = await startMosquitto(folder)
  let postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
  await postgres.createDatabase('bioledger')
  const { port } = postgres
  try {
    const product = await startProduct({
      dataFolder: join(folder, 'data'),
      environment: {
        BIOLEDGER_MQTT_URL: broker.url,
        BIOLEDGER_POSTGRES_URL: postgres.appUrl(),
        BIOLEDGER_POSTGRES_ADMIN_URL: postgres.adminUrl(),
      },
    })
    try {
      const plant = await startPlant({
        url: broker.url,
        vessels: 10,
        readingsPerSecond: options.readingsPerSecond,
        startMs: Date.now() - 86_400_000,
      })
      const flowed = async (readings: number, deadlineMs: number) => {
        const target = plant.acknowledged.size + readings
        await eventually('the plant publishes', async () => plant.acknowledged.size >= target, deadlineMs)
      }
      await flowed(options.readingsPerSecond * 3, 60_000)
      await postgres.stop()
      const downAt = performance.now()
      const before = plant.acknowledged.size
      await flowed(options.readingsWhileDown, 300_000)
      const publishedWhileDown = plant.acknowledged.size - before
      const secondsDown = (performance.now() - downAt) / 1000
      assert.equal((await fetch(new URL('/healthz', product.url))).status, 200, 'the process lives on')
      assert.equal(
        (await fetch(new URL('/readyz', product.url))).status,
        503,
        'and says that it is not ready',
      )
      postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), port })
      const upAt = performance.now()
      await flowed(options.readingsPerSecond, 60_000)
      await plant.stop()
      const stored = await eventually(
        'it catches up',
        async () => {
          const { items } = await product.get<IngressList>('/api/v1/ingress')
          const sum = items.reduce((total, item) => total + item.stored, 0)
          return (
            sum >= plant.acknowledged.size &&
            items.every((item) => item.balanced && item.sinceStatement === 0 && item.quarantined === 0) &&
            sum
          )
        },
        300_000,
      )
      const status = await readFile(`/proc/${product.process.pid}/status`, 'utf8')
      return {
        secondsDown,
        publishedWhileDown,
        acknowledged: plant.acknowledged.size,
        stored,
        secondsToCatchUp: (performance.now() - upAt) / 1000,
        peakMemoryMiB: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024,
      }
    } finally {
      await product.stop()
    }
  } finally {
    await postgres.stop()
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
