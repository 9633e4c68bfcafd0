/**
 * Builds the verifier from `verify/src`: `verify.mjs` for Node and `verify.html` for a browser, each one file without
 * dependencies. The same source gives the same bytes; `--check` only compares. Their SHA-256 stand in
 * `verify/README.md` and in the README of the product.
 */
import { hash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Where the digests of the built files are printed. */
export const readmes: readonly string[] = [`${folder}README.md`, `${folder}../README.md`]

/** Name and text of each built file. */
export async function builtFiles(): Promise<ReadonlyMap<string, string>> {
  const node = await bundle('cli.ts', 'node')
  const page = await bundle('page.ts', 'browser')
  const template = await readFile(`${folder}src/page.html`, 'utf8')
  // A script's text is matched by its digest (CSP level 3), so that nothing else can run in the page.
  const policy = `sha256-${hash('sha256', `\n${page}`, 'base64')}`
  const html = template
    .replace('SCRIPT_DIGEST', policy)
    .replace('<script></script>', () => `<script>\n${page}</script>`)
  return new Map([
    ['verify.mjs', `${banner}${node}`],
    ['verify.html', html],
  ])
}

const banner =
  '// Verifier of bioprocess-ledger extracts. One file, no dependencies: node verify.mjs <extract.zip> --key <key>\n'

async function bundle(entry: string, platform: 'node' | 'browser'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${folder}src/${entry}`],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    platform,
    format: platform === 'node' ? 'esm' : 'iife',
    target: platform === 'node' ? 'node20' : 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    tsconfigRaw: { compilerOptions: {} },
  })
  const text = outputFiles[0]?.text ?? ''
  if (text.includes('</script')) throw new Error('the bundle would end its script element')
  return text
}

async function main(isCheck: boolean): Promise<void> {
  const digests: [name: string, sha256: string][] = []
  for (const [name, text] of await builtFiles()) {
    const held = await readFile(`${folder}${name}`, 'utf8').catch(() => undefined)
    if (held !== text) {
      process.stdout.write(`${name} ${isCheck ? 'is not what the source gives' : 'written'}\n`)
      if (isCheck) process.exitCode = 1
      else await writeFile(`${folder}${name}`, text)
    }
    digests.push([name, hash('sha256', text)])
  }
  if (isCheck) return
  for (const readme of readmes) {
    let text = await readFile(readme, 'utf8')
    for (const [name, sha256] of digests)
      text = text.replace(new RegExp(`[0-9a-f]{64}(?=  ${name.replace('.', '\\.')})`), sha256)
    await writeFile(readme, text)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.includes('--check'))
