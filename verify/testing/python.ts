/** The Python verifier as one process for many extracts. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { skipUnless } from '../../infra/toolchain/require.ts'
import type { Place } from '../src/findings.ts'

export type PythonVerdict = {
  readonly exit: number
  readonly events: number
  readonly checks: Readonly<Record<string, 'pass' | 'fail' | 'not-checked'>>
  readonly firstBadEvent: Place | null
  readonly findings: readonly { readonly check: string; readonly message: string }[]
}

const isHere =
  spawnSync('python3', ['-c', 'import cryptography'], { stdio: 'ignore', timeout: 60_000 }).status === 0

/** Where it is not, cases are tried in the one verifier only; `BIOLEDGER_REQUIRE=python` makes that a failure. */
export const hasPython = skipUnless('python', isHere, 'python3 with the package cryptography') === false

export function pythonVerifier() {
  const script = fileURLToPath(new URL('verify_many.py', import.meta.url))
  const child = spawn('python3', [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    verify: async (asked: {
      path: string
      key?: string
      witnesses?: readonly string[]
      authorities?: string
    }): Promise<PythonVerdict> => {
      child.stdin.write(`${JSON.stringify(asked)}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error('the Python verifier ended')
      return JSON.parse(value) as PythonVerdict
    },
    stop: async () => {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
