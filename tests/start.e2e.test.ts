/** `npm start` as its user meets it: the first start, the second, Ctrl-C, and everything that can stand in its way. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually, root, startProduct, withoutSettings } from './support/product.ts'

let base: string
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'bioledger-start-'))
  await chmod(base, 0o755)
})
after(() => rm(base, { recursive: true, force: true }))

type BatchList = { items: { id: string; status: string; origin: string; vessel: string }[] }

test('a simulated batch runs, Ctrl-C leaves no process behind, and the second start finds the data again', async () => {
  const dataFolder = join(base, 'twice')
  const first = await startProduct({
    dataFolder,
    environment: { BIOLEDGER_SIMULATE: 'N', BIOLEDGER_SIMULATE_SPEED: '600' },
  })
  assert.equal((await stat(join(dataFolder, 'api-token'))).mode & 0o777, 0o600)
  const batch = await eventually('a simulated batch appears', async () => {
    const { items } = await first.get<BatchList>('/api/v1/batches?status=running')
    return items[0]
  })
  assert.equal(batch.origin, 'simulated')
  const count = await eventually('readings arrive', async () => {
    const { sourceCount } = await first.get<{ sourceCount: number }>(
      `/api/v1/batches/${batch.id}/series?tag=DO&reduce=minmax&points=100`,
    )
    return sourceCount > 500 && sourceCount
  })
  assert.equal(await first.stop(), 0)
  assert.deepEqual(processesOf(dataFolder), [])

  const second = await startProduct({
    dataFolder,
    environment: { BIOLEDGER_SIMULATE: 'N', BIOLEDGER_SIMULATE_SPEED: '600' },
  })
  try {
    const found = await second.get<{ id: string }>(`/api/v1/batches/${batch.id}`)
    assert.equal(found.id, batch.id)
    await eventually('the interrupted simulation goes on', async () => {
      const { sourceCount } = await second.get<{ sourceCount: number }>(
        `/api/v1/batches/${batch.id}/series?tag=DO&reduce=minmax&points=100`,
      )
      return sourceCount > count + 500
    })
    const { items } = await second.get<BatchList>('/api/v1/batches')
    assert.equal(items.length, 1, 'no second batch was begun beside the interrupted one')
  } finally {
    assert.equal(await second.stop(), 0)
  }
})

test('the one-time link opens a read-only session once; without any proof nothing is told', async () => {
  const product = await startProduct({ dataFolder: join(base, 'link') })
  try {
    assert.equal((await fetch(new URL('/api/v1/batches', product.url))).status, 401)
    const opened = await fetch(product.openLink, { redirect: 'manual' })
    assert.equal(opened.status, 303)
    const cookie = opened.headers.get('set-cookie') ?? ''
    assert.match(cookie, /HttpOnly/i)
    assert.match(cookie, /SameSite=Strict/i)
    const headers = { cookie: cookie.split(';')[0]! }
    assert.equal((await fetch(new URL('/api/v1/batches', product.url), { headers })).status, 200)
    const write = await fetch(new URL('/api/v1/batches', product.url), {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': 'k' },
      body: '{"number":1,"phase":"A","vessel":"V-01"}',
    })
    assert.equal(write.status, 403)
    assert.equal((await fetch(product.openLink, { redirect: 'manual' })).status, 403)
  } finally {
    await product.stop()
  }
})

test('each thing that can stand in the way of a start is told in one line, with an exit code other than 0', async () => {
  const taken = createServer()
  await new Promise<void>((settle) => taken.listen(0, '127.0.0.1', settle))
  const { port } = taken.address() as { port: number }
  const strange = join(base, 'strange')
  await mkdir(strange)
  await writeFile(join(strange, 'thesis.docx'), 'years of work')
  const broken = join(base, 'broken')
  await mkdir(join(broken, 'postgres', 'cluster'), { recursive: true })
  await writeFile(join(broken, 'bioledger.json'), '{"product":"bioprocess-ledger","layout":1}')
  await writeFile(join(broken, 'postgres', 'cluster', 'PG_VERSION'), '9.6\n')
  await writeFile(join(broken, 'postgres', 'passwords.json'), '{"admin":"a","app":"b"}')
  try {
    const cases: [string, Record<string, string>, RegExp][] = [
      [
        'a taken HTTP port',
        { BIOLEDGER_HTTP_PORT: String(port) },
        new RegExp(`port ${port} is in use.*BIOLEDGER_HTTP_PORT`),
      ],
      [
        'a taken MQTT port',
        { BIOLEDGER_MQTT_PORT: String(port) },
        new RegExp(`port ${port} is in use.*BIOLEDGER_MQTT_PORT`),
      ],
      ["somebody else's folder", { BIOLEDGER_DATA_DIR: strange }, /thesis\.docx and is not ours/],
      [
        'a Postgres that does not come up',
        { BIOLEDGER_DATA_DIR: broken },
        /embedded Postgres.*did not come up/,
      ],
      [
        'an event store that does not answer',
        { BIOLEDGER_EVENTSTORE_URL: 'postgres://me:secret@127.0.0.1:9/x' },
        /event store postgres:\/\/me:…@127\.0\.0\.1:9\/x: /,
      ],
    ]
    for (const [what, environment, line] of cases) {
      const { code, stderr } = await failedStart({
        BIOLEDGER_DATA_DIR: join(base, `case-${what.replaceAll(/\W/g, '-')}`),
        ...environment,
      })
      assert.notEqual(code, 0, what)
      const told = stderr
        .trim()
        .split('\n')
        .filter((text) => text.startsWith('bioledger:'))
      assert.equal(told.length, 1, `${what}: ${stderr}`)
      assert.match(told[0]!, line, what)
      assert.ok(!/^\s+at /m.test(stderr), `${what}: no stack trace: ${stderr}`)
      assert.ok(!stderr.includes('secret'), what)
    }
  } finally {
    await new Promise((settle) => taken.close(settle))
  }
})

test('every wrong setting is told at once, one line each, and the exit code is 2', async () => {
  const { code, stderr } = await failedStart({
    BIOLEDGER_HTTP_PORT: 'http',
    BIOLEDGER_SIMULATE: 'Q',
    BIOLEDGER_SIMULATE_SPEED: '0',
    BIOLEDGER_HTPP_PORT: '1',
  })
  assert.equal(code, 2)
  assert.equal(stderr.trim().split('\n').length, 4, stderr)
})

async function failedStart(
  environment: Record<string, string>,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'main.ts', 'start'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...withoutSettings(process.env),
      BIOLEDGER_HTTP_PORT: '0',
      BIOLEDGER_MQTT_PORT: '0',
      BIOLEDGER_SIMULATE: 'off',
      BIOLEDGER_LOG_LEVEL: 'fatal',
      BIOLEDGER_DATA_DIR: join(base, 'failed'),
      ...environment,
    },
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const code = await new Promise<number | null>((settle) => child.once('close', settle))
  return { code, stderr }
}

/** Command lines of living processes that name the folder. */
function processesOf(folder: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line.includes(folder) && !line.includes(' ps '))
}
