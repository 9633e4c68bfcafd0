import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { skipUnless } from '../infra/toolchain/require.ts'
import { eventually, type RunningProduct, root, startProduct } from './support/product.ts'

const goVersion = spawnSync('go', ['version']).stdout?.toString() ?? ''
const skip = skipUnless('go', goVersion !== '', 'no Go on this machine')

describe("other people's tools", { skip, timeout: 600_000 }, () => {
  let folder: string
  let verifier: string
  let product: RunningProduct
  let vkey: string
  let older: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bioledger-outside-'))
    await chmod(folder, 0o755)
    verifier = join(folder, 'outside-verifier')
    const built = await run('go', ['build', '-o', verifier, '.'], {
      cwd: join(root, 'tests/outside-verifier'),
      env: { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false' },
    })
    assert.equal(built.code, 0, built.stderr)
    const dataFolder = join(folder, 'data')
    product = await startProduct({
      dataFolder,
      environment: { BIOLEDGER_SIMULATE: 'N', BIOLEDGER_SIMULATE_SPEED: '120' },
    })
    vkey = (await readFile(await present(join(dataFolder, 'ledger.vkey')), 'utf8')).trim()
    older = join(folder, 'older-checkpoint')
    await writeFile(older, await grown(700))
    await grown(2_000)
    // A log at rest from here on, so that each run verifies the same one.
    await product.stop()
    product = await startProduct({ dataFolder })
  })

  after(async () => {
    await product?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const checkpoint = async (): Promise<string | undefined> => {
    const response = await fetch(`${product.url}/api/v1/ledger/checkpoint`, {
      headers: { authorization: `Bearer ${product.token}` },
    })
    return response.ok ? await response.text() : undefined
  }

  /** The first checkpoint of at least so many entries. */
  async function grown(size: number): Promise<string> {
    let note: string | undefined
    await eventually(
      `the log has ${size} entries`,
      async () => {
        note = await checkpoint()
        return Number(note?.split('\n')[1] ?? 0) >= size
      },
      120_000,
    )
    return note as string
  }

  const verify = (url = product.url, key = vkey, ...files: string[]) =>
    run(verifier, [`${url}/api/v1/ledger`, product.token, key, ...files])

  test('golang.org/x/mod/sumdb and transparency-dev/merkle verify checkpoint, tiles, entries and proofs', async (context) => {
    const { code, stdout, stderr } = await verify(product.url, vkey, older)
    assert.equal(code, 0, stderr)
    const found = JSON.parse(stdout) as Record<string, number>
    context.diagnostic(stdout.trim())
    assert.ok((found.size ?? 0) >= 2_000)
    assert.equal(found.entries, found.size)
    assert.ok((found.inclusions ?? 0) >= 50)
    assert.equal(found.consistencies, 9)
  })

  test('the same tools refuse another key, and a server that changes one bit of anything', async () => {
    const other = vkey.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    assert.equal((await verify(product.url, other)).code, 1)
    for (const path of [
      '/checkpoint',
      '/tile/0/000',
      '/tile/0/001',
      '/tile/1/000',
      '/tile/entries/002',
      '/proofs/inclusion?index=0',
      '/proofs/consistency?from=255',
    ]) {
      const liar = await lyingProxy(product.url, path)
      try {
        const { code, stderr } = await verify(liar.url)
        assert.ok(liar.lies() > 0, `${path} was never asked for`)
        assert.equal(code, 1, `${path}: ${stderr}`)
        assert.match(stderr, /^FAIL: /)
      } finally {
        await liar.stop()
      }
    }
  })
})

async function present(file: string): Promise<string> {
  await eventually(file, () =>
    readFile(file).then(
      () => true,
      () => false,
    ),
  )
  return file
}

function run(
  command: string,
  parameters: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((settle) => {
    execFile(command, parameters, { ...options, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      settle({ code: error ? (typeof error.code === 'number' ? error.code : 127) : 0, stdout, stderr }),
    )
  })
}

/** Passes everything on but changes one bit of the answers whose path begins with `path` (below `/api/v1/ledger`). */
async function lyingProxy(target: string, path: string) {
  let lies = 0
  const server = createServer(async (request, response) => {
    const { authorization } = request.headers
    const answer = await fetch(new URL(request.url ?? '/', target), {
      headers: authorization === undefined ? {} : { authorization },
    })
    const body = Buffer.from(await answer.arrayBuffer())
    if (request.url?.startsWith(`/api/v1/ledger${path}`)) {
      lies++
      flipInside(body)
    }
    response.writeHead(answer.status).end(body)
  })
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lies: () => lies,
    stop: () =>
      new Promise<void>((settle) => {
        server.closeAllConnections()
        server.close(() => settle())
      }),
  }
}

/** In text: the first digit after the middle becomes another one. In bytes: one bit in the middle. */
function flipInside(body: Buffer): void {
  const text = body.toString('latin1')
  if (text.startsWith('{"index"') || text.startsWith('{"from"')) {
    const at = text.indexOf('"path":["') + '"path":["'.length + 3
    body[at] = body[at] === 0x41 ? 0x42 : 0x41
  } else if (text.includes('\n\n')) {
    const at = text.indexOf('\n', text.indexOf('\n') + 1) + 4
    body[at] = body[at] === 0x41 ? 0x42 : 0x41
  } else {
    const middle = body.length >> 1
    body[middle] = (body[middle] ?? 0) ^ 1
  }
}
