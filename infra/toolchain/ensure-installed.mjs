// Runs before `npm start` and `npm test` on whatever Node the machine has (>= 20, plain JavaScript on purpose):
// installs what the lockfile names when it is missing or has changed, and builds the console when its sources
// are newer than what was built (`--console`). Says nothing when there is nothing to do.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const [major] = process.versions.node.split('.').map(Number)
if (major < 20)
  fail(`Node ${process.versions.node} is too old: Node 20 or newer is needed to install the project`)

installDependencies()
if (process.argv.includes('--console')) buildConsole()

function installDependencies() {
  const stampFile = join(root, 'node_modules', '.bioledger-lock')
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lock && existsSync(nodeBinary())) return
  process.stderr.write('Installing what package-lock.json names (once) …\n')
  const npm = process.env.npm_execpath
  const [command, ...prefix] = npm?.endsWith('js') ? [process.execPath, npm] : ['npm']
  const installed = spawnSync(command, [...prefix, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (installed.status !== 0) fail('npm ci failed; see above')
  if (!existsSync(nodeBinary()))
    fail(
      "the pinned Node was not installed: npm's install scripts must be allowed for the package `node` (see allowScripts in package.json)",
    )
  writeFileSync(stampFile, lock)
}

function nodeBinary() {
  return join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
}

function buildConsole() {
  const sources = join(root, 'console')
  const stampFile = join(sources, 'dist', '.built-from')
  const fingerprint = createHash('sha256')
  for (const file of [
    ...filesBelow(sources),
    ...filesBelow(join(root, 'schemas')),
    join(root, 'package-lock.json'),
  ]) {
    fingerprint.update(file.slice(root.length))
    fingerprint.update(readFileSync(file))
  }
  const built = fingerprint.digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === built) return
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const result = spawnSync(
    nodeBinary(),
    [vite, 'build', '--config', 'console/vite.config.ts', '--logLevel', 'error'],
    { cwd: root, stdio: ['ignore', 2, 2] },
  )
  if (result.status !== 0) fail('building the console failed; see above')
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, built)
}

function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .filter((name) => name !== 'dist' && name !== 'node_modules')
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? filesBelow(path) : [path]
    })
}

function fail(line) {
  process.stderr.write(`bioledger: ${line}\n`)
  process.exit(1)
}
