/** `bioledger serve witness` as a child process on a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, withoutSettings } from './product.ts'

export type RunningWitness = {
  readonly url: string
  readonly vkey: string
  /** Resolves with the exit code; `null` after a signal. */
  stop(): Promise<number | null>
  /** SIGKILL, no warning. */
  kill(): Promise<void>
}

/** Throws with what it said when it ends, or does not come up in time. */
export async function startWitness(
  folder: string,
  logs: readonly string[],
  port = '0',
): Promise<RunningWitness> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'main.ts'), 'serve', 'witness'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...withoutSettings(process.env),
      BIOLEDGER_DATA_DIR: folder,
      BIOLEDGER_HTTP_PORT: port,
      BIOLEDGER_WITNESS_NAME: 'qa.example/witness',
      BIOLEDGER_WITNESS_LOGS: logs.join(','),
      BIOLEDGER_LOG_LEVEL: 'warn',
    },
  })
  const { url, vkey } = await ready(child)
  return {
    url,
    vkey,
    stop: () => end(child, 'SIGTERM'),
    kill: async () => {
      await end(child, 'SIGKILL')
    },
  }
}

function ready(child: ChildProcess): Promise<{ url: string; vkey: string }> {
  let said = ''
  return new Promise((settle, fail) => {
    const timer = setTimeout(() => fail(new Error(`not ready in time: ${said}`)), 60_000)
    const read = (text: string) => {
      said += text
      const url = /^bioledger witness ready (\S+)$/m.exec(said)?.[1]
      const vkey = /^vkey (\S+)$/m.exec(said)?.[1]
      if (!url || !vkey) return
      clearTimeout(timer)
      settle({ url, vkey })
    }
    child.stdout?.setEncoding('utf8').on('data', read)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(new Error(`ended with ${code}: ${said}`))
    })
  })
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const ended = new Promise<number | null>((settle) => child.once('exit', (code) => settle(code)))
  child.kill(signal)
  return await ended
}
