/**
 * A real Kafka broker for tests (KRaft, one node): from Maven's jars where Java and Maven are, from a container where
 * Docker answers, else the tests skip by name. It can be killed like a power cut and started again on the same data.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../free-port.ts'
import { skipUnless } from '../../toolchain/require.ts'
import { brokerLibs } from './broker-libs.ts'
import type { TestBroker } from './test-broker.ts'

const libs = await brokerLibs()
const container = 'missing' in libs ? await import('./container-broker.ts') : undefined
const withoutDocker = await container?.containerReason()

/** What to give a test as `skip`. */
export const skipWithoutKafka: string | false = skipUnless(
  'kafka',
  'folder' in libs || withoutDocker === undefined,
  'missing' in libs ? `${libs.missing}; no Docker: ${withoutDocker}` : '',
)

export async function startTestBroker(): Promise<TestBroker> {
  if ('folder' in libs) return await startBrokerFromJars(libs.folder)
  if (!container || withoutDocker !== undefined) throw new Error(`no broker: ${libs.missing}`)
  return await container.startBrokerInContainer()
}

async function startBrokerFromJars(jars: string): Promise<TestBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-kafka-'))
  const port = await freePort()
  const properties = join(folder, 'server.properties')
  await writeFile(properties, serverProperties(folder, port, await freePort()))
  const java = (main: string, ...rest: string[]): ChildProcess =>
    spawn(
      'java',
      [
        '-Xmx512m',
        '-XX:TieredStopAtLevel=1',
        `-Dlog4j2.configurationFile=${fileURLToPath(new URL('./log4j2.yaml', import.meta.url))}`,
        '-cp',
        `${jars}/*`,
        main,
        ...rest,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
  let server: ChildProcess | undefined
  const end = (): void => {
    server?.kill('SIGKILL')
  }
  process.on('exit', end)

  const start = async (): Promise<void> => {
    const child = java('kafka.Kafka', properties)
    server = child
    await saying(child, 'Kafka Server started', 60_000)
  }
  const kill = async (): Promise<void> => {
    const child = server
    server = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((settle) => child.once('exit', settle))
    child.kill('SIGKILL')
    await gone
  }
  const stop = async (): Promise<void> => {
    await kill()
    process.off('exit', end)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const format = java('kafka.tools.StorageTool', 'format', '-t', 'Ymlvc2xlZGdlci10ZXN0cw', '-c', properties)
    await saying(format, 'Formatting', 60_000)
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return { brokers: [`127.0.0.1:${port}`], start, kill, stop }
}

/** Resolves when the process says it (a formatting also has to end); rejects with its output when it does not. */
async function saying(child: ChildProcess, phrase: string, withinMs: number): Promise<void> {
  let output = ''
  await new Promise<void>((settle, fail) => {
    const timer = setTimeout(() => fail(new Error(`Kafka did not start: ${output}`)), withinMs)
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-20_000)
      if (phrase !== 'Formatting' && output.includes(phrase)) done()
    }
    const done = (): void => {
      clearTimeout(timer)
      settle()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', fail)
    child.once('exit', (code) => {
      if (phrase === 'Formatting' && code === 0) return done()
      clearTimeout(timer)
      fail(new Error(`Kafka ended with ${code}: ${output}`))
    })
  })
}

const serverProperties = (folder: string, port: number, controllerPort: number): string =>
  Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(folder, 'log'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    'auto.create.topics.enable': false,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
