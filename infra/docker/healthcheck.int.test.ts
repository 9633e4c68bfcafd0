import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { test } from 'node:test'

const script = new URL('./healthcheck.mjs', import.meta.url).pathname

async function exitCode(port: number): Promise<number | null> {
  const child = spawn(process.execPath, [script], {
    env: { BIOLEDGER_HTTP_PORT: String(port) },
    stdio: 'ignore',
  })
  return new Promise((settle) => child.once('exit', settle))
}

test('a container is healthy while its role answers healthz with success, and only then', async () => {
  let status = 200
  const asked: (string | undefined)[] = []
  const role = createServer((request, response) => {
    asked.push(request.url)
    response.statusCode = status
    response.end('{}')
  })
  await new Promise<void>((settle) => role.listen(0, '127.0.0.1', settle))
  const address = role.address()
  assert.ok(address && typeof address === 'object')
  assert.equal(await exitCode(address.port), 0)
  status = 503
  assert.equal(await exitCode(address.port), 1)
  await new Promise((settle) => role.close(settle))
  assert.equal(await exitCode(address.port), 1)
  assert.deepEqual(asked, ['/healthz', '/healthz'])
})
