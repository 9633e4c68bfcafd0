#!/usr/bin/env node
// The `bioledger` command. Whatever Node runs this file, the product runs on the pinned Node of the checkout.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const [major] = process.versions.node.split('.').map(Number)
const node = existsSync(pinned) ? pinned : process.execPath
if (node === process.execPath && major < 24) {
  process.stderr.write(
    `bioledger: Node ${process.versions.node} is too old and the pinned one is not installed: run npm ci in ${root}\n`,
  )
  process.exit(2)
}
const tsx = pathToFileURL(join(root, 'node_modules', 'tsx', 'dist', 'esm', 'index.mjs')).href
const child = spawn(node, ['--import', tsx, join(root, 'main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
