/** One role as `bioledger serve <role>`: a process of its own, told ready by its line on stdout. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './product.ts'

export type ServedRole = {
  readonly url: string
  /** Resolves with the exit code of a polite end. */
  stop(): Promise<number | null>
  /** SIGKILL, no warning. */
  kill(): Promise<void>
}

/** Throws with the child's stderr when it ends, or does not come up in time. */
export async function serveRole(
  role: string,
  environment: Record<string, string>,
  deadlineMs = 60_000,
): Promise<ServedRole> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BIOLEDGER_'))
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'main.ts'), 'serve', role], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...Object.fromEntries(inherited),
      BIOLEDGER_HTTP_PORT: '0',
      BIOLEDGER_LOG_LEVEL: 'warn',
      ...environment,
    },
  })
  let output = ''
  const exited = new Promise<number | null>((settle) => child.once('exit', (code) => settle(code)))
  const end = (signal: 'SIGINT' | 'SIGKILL') => async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return await exited
  }
  const kill = async (): Promise<void> => {
    await end('SIGKILL')()
  }
  process.once('exit', () => child.kill('SIGKILL'))
  try {
    const url = await new Promise<string>((settle, fail) => {
      const timer = setTimeout(() => fail(new Error(`serve ${role} is not ready: ${output}`)), deadlineMs)
      const read = (text: string): void => {
        output = (output + text).slice(-20_000)
        const ready = /^bioledger \S+ ready (\S+)$/m.exec(output)?.[1]
        if (!ready) return
        clearTimeout(timer)
        settle(ready)
      }
      child.stdout.setEncoding('utf8').on('data', read)
      child.stderr.setEncoding('utf8').on('data', read)
      void exited.then((code) => {
        clearTimeout(timer)
        fail(new Error(`serve ${role} ended with ${code}: ${output}`))
      })
    })
    return { url, kill, stop: end('SIGINT') }
  } catch (error) {
    await kill()
    throw error
  }
}
