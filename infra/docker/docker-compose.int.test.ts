import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { readConfig } from '../config.ts'
import { skipUnless } from '../toolchain/require.ts'

const run = promisify(execFile)
const root = new URL('../../', import.meta.url).pathname
const read = (path: string) => readFile(join(root, path), 'utf8')

/** `docker-compose` 1.29, or the plugin of a newer Docker: whichever this machine has. */
const compose = [['docker-compose'], ['docker', 'compose']].find(
  ([command = '', ...prefix]) => spawnSync(command, [...prefix, 'version'], { timeout: 20_000 }).status === 0,
)
const skip = skipUnless(
  'docker-compose',
  compose !== undefined,
  'neither docker-compose nor docker compose runs',
)

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bioledger-compose-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function resolvedStack(settings: string): Promise<string> {
  const file = join(folder, 'stack.env')
  await writeFile(file, settings)
  const [command = '', ...prefix] = compose ?? []
  const environment = { PATH: process.env.PATH, HOME: process.env.HOME }
  const { stdout } = await run(command, [...prefix, '--env-file', file, 'config'], {
    cwd: root,
    env: environment,
    timeout: 60_000,
  })
  return stdout
}

async function filledExample(): Promise<string> {
  return (await read('infra/docker/stack.env.example')).replaceAll(/PASSWORD=$/gm, 'PASSWORD=secret0123')
}

test('the stack is valid with the settings of the example, and every role is configured by it', {
  skip,
}, async () => {
  const stack = await resolvedStack(await filledExample())
  const services = servicesOf(stack)
  assert.deepEqual([...services.keys()].sort(), [
    'api',
    'eventstoredb',
    'inference',
    'ingest',
    'kafka',
    'ledger',
    'migrate',
    'mosquitto',
    'otel-collector',
    'postgres',
    'projector',
    'relay',
  ])
  for (const role of ['api', 'inference', 'ingest', 'ledger', 'projector', 'relay']) {
    const settings = Object.fromEntries(
      [...(services.get(role) ?? '').matchAll(/^\s+(BIOLEDGER_\w+): (.*)$/gm)].map(([, name, value]) => [
        name,
        (value ?? '').replaceAll(/^['"]|['"]$/g, ''),
      ]),
    )
    const config = readConfig(settings)
    assert.ok('config' in config, `${role}: ${'errors' in config ? config.errors.join('; ') : ''}`)
    assert.equal(config.config.eventStoreUrl, 'esdb://eventstoredb:2113?tls=false')
    assert.match(config.config.postgresUrl ?? '', /^postgres:\/\/bioledger_app:secret0123@postgres:5432\//)
    assert.equal(config.config.mqttUrl !== undefined, role === 'ingest' || role === 'inference')
    assert.equal(config.config.kafkaBrokers.length > 0, role === 'relay' || role === 'inference')
    assert.equal(config.config.simulate, 'off')
    assert.equal(config.config.postgresAdminUrl, undefined, `${role} holds no rights of the owner`)
  }
  assert.match(services.get('migrate') ?? '', /BIOLEDGER_POSTGRES_ADMIN_URL: .*bioledger_owner/)
})

test('the stack does not start with an empty password', { skip }, async () => {
  await assert.rejects(resolvedStack(await read('infra/docker/stack.env.example')), /stack\.env\.example/)
})

test('every image is pinned to a version, and every file that a container mounts is there', async () => {
  const text = await read('docker-compose.yml')
  const images = [...text.matchAll(/^\s+image: (\S+)$/gm)].map(([, image]) => image)
  assert.equal(images.length, 6)
  for (const image of images) assert.match(image ?? '', /:v?\d+\.\d+\.\d+[\w.-]*$|:18\.\d+-\w+$/)
  const mounts = [...text.matchAll(/(\.\/infra\/docker\/[^:'\s]+):\//g)].map(([, path]) => path ?? '')
  assert.equal(mounts.length, 3)
  for (const path of mounts) assert.ok(existsSync(join(root, path)), path)
})

test('nothing that docker-compose 1.29 does not know stands in the stack', async () => {
  const settings = (await read('docker-compose.yml')).replaceAll(/^\s*#.*$/gm, '')
  assert.doesNotMatch(settings, /start_interval|required:/)
})

test('the image runs the Node that package.json pins, as a user who is not root, under the product version', async () => {
  const dockerfile = await read('infra/docker/Dockerfile')
  const packageJson = JSON.parse(await read('package.json'))
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
  assert.deepEqual(new Set(bases), new Set([`node:${packageJson.devDependencies.node}-slim`]))
  assert.match(dockerfile, /^USER node$/m)
  assert.ok(
    (await read('docker-compose.yml')).includes(`image: ${packageJson.name}:${packageJson.version}\n`),
  )
})

test('no password and no certificate of the stack gets into the image', async () => {
  const dockerignore = await read('infra/docker/Dockerfile.dockerignore')
  for (const line of [
    'infra/docker/*.env',
    'infra/docker/mosquitto/passwords',
    'infra/docker/mosquitto/certificates',
  ])
    assert.ok(dockerignore.split('\n').includes(line), line)
  assert.doesNotMatch(await read('infra/docker/stack.env.example'), /PASSWORD=\S/)
})

const skipWithoutGit = skipUnless('git', existsSync(join(root, '.git')), 'this is no checkout of git')

test('no password and no certificate of the stack can be committed', { skip: skipWithoutGit }, () => {
  for (const path of [
    'infra/docker/stack.env',
    'infra/docker/mosquitto/passwords',
    'infra/docker/mosquitto/certificates/broker.key',
  ]) {
    const ignored = spawnSync('git', ['check-ignore', '--quiet', path], { cwd: root })
    assert.equal(ignored.status, 0, `git ignores ${path}`)
  }
})

/** The resolved stack's text of each service: enough for what is asked here, without a YAML reader. */
function servicesOf(stack: string): Map<string, string> {
  const section = /^services:\n((?: .*\n|\n)*)/m.exec(stack)?.[1] ?? ''
  return new Map(
    [...section.matchAll(/^ {2}(\S+):\n((?: {3,}.*\n|\n)*)/gm)].map(([, name = '', body = '']) => [
      name,
      body,
    ]),
  )
}
