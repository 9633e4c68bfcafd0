// `npm test`: starts one embedded Postgres for the whole run, then Node's test runner over every test file.
// `--crash` runs the long crash tests, `--containers` those against real servers in containers; further
// arguments name test files (or parts of their paths).
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'

register()
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const { startEmbeddedPostgres } = await import('../postgres/embedded.ts')

const kinds = { '--crash': '.crash.test.ts', '--containers': '.containers.test.ts' }
const kind = process.argv.find((argument) => argument in kinds)
const unknown = process.argv.slice(2).find((argument) => argument.startsWith('--') && !(argument in kinds))
if (unknown) {
  process.stderr.write(`${unknown}: no such kind of test (${Object.keys(kinds).join(', ')})\n`)
  process.exit(2)
}
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const files = (await testFiles(root)).filter((file) => {
  const special = Object.values(kinds).find((ending) => file.endsWith(ending))
  return (
    special === (kind ? kinds[kind] : undefined) &&
    (wanted.length === 0 || wanted.some((part) => file.includes(part)))
  )
})
if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(' ')}\n`)
  process.exit(2)
}

const folder = await mkdtemp(join(tmpdir(), 'bioledger-tests-'))
await chmod(folder, 0o755)
const postgres = await startEmbeddedPostgres({
  folder: join(folder, 'postgres'),
  settings: { fsync: 'off', full_page_writes: 'off', max_connections: '200' },
})
const runner = spawn(
  process.execPath,
  [
    '--import',
    'tsx',
    '--test',
    '--test-reporter=spec',
    '--test-timeout=3600000',
    `--test-concurrency=${process.env.BIOLEDGER_TEST_CONCURRENCY ?? '2'}`,
    ...files,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      BIOLEDGER_TEST_POSTGRES: JSON.stringify({
        admin: postgres.adminUrl('postgres'),
        app: postgres.appUrl('postgres'),
      }),
    },
  },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill(signal))
const code = await new Promise((settle) => runner.on('exit', (status) => settle(status ?? 1)))
await postgres.stop()
await rm(folder, { recursive: true, force: true })
process.exit(code)

async function testFiles(below) {
  const found = []
  for (const entry of await readdir(below, { withFileTypes: true })) {
    if (entry.name.startsWith('.') || ['node_modules', 'dist', 'data', 'docs'].includes(entry.name)) continue
    const path = join(below, entry.name)
    if (entry.isDirectory()) found.push(...(await testFiles(path)))
    else if (/\.test\.tsx?$/.test(entry.name)) found.push(path)
  }
  return found.sort()
}
