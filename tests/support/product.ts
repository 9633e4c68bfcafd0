/** The product as its user starts it: a child process on a data folder, told apart by its ready line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export type RunningProduct = {
  readonly process: ChildProcess
  readonly url: string
  readonly openLink: string
  readonly endpoints: { readonly http: string; readonly mqtt: string; readonly postgres: string | null }
  readonly token: string
  /** GET under the API token; throws on anything but 2xx. */
  get<Answer>(path: string): Promise<Answer>
  /** POST with a fresh idempotency key (or the one given); the parsed answer with its status. */
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL, no warning. */
  kill(): Promise<void>
}

export type StartOptions = {
  readonly dataFolder: string
  readonly environment?: Record<string, string>
  readonly deadlineMs?: number
}

/** Throws with the child's stderr when it ends, or does not come up in time. */
export async function startProduct(options: StartOptions): Promise<RunningProduct> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'main.ts'), 'start'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...withoutSettings(process.env),
      BIOLEDGER_DATA_DIR: options.dataFolder,
      BIOLEDGER_HTTP_PORT: '0',
      BIOLEDGER_MQTT_PORT: '0',
      BIOLEDGER_SIMULATE: 'off',
      BIOLEDGER_LOG_LEVEL: 'warn',
      ...options.environment,
    },
  })
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-20_000)
  })
  const exited = new Promise<number | null>((settle) => child.once('exit', (code) => settle(code)))
  const ready = await new Promise<{ url: string; openLink: string }>((settle, fail) => {
    const timer = setTimeout(
      () => fail(new Error(`not ready in time; stderr: ${stderr}`)),
      options.deadlineMs ?? 300_000,
    )
    const done = (act: () => void) => {
      clearTimeout(timer)
      act()
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      const url = /^bioledger ready (\S+) data /m.exec(stdout)?.[1]
      const openLink = /^open (\S+)$/m.exec(stdout)?.[1]
      if (url && openLink) done(() => settle({ url, openLink }))
    })
    void exited.then((code) =>
      done(() => fail(new Error(`ended with ${code} before it was ready; stderr: ${stderr}`))),
    )
  }).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  const token = (await readFile(join(options.dataFolder, 'api-token'), 'utf8')).trim()
  const endpoints = JSON.parse(await readFile(join(options.dataFolder, 'endpoints.json'), 'utf8'))
  return {
    process: child,
    ...ready,
    endpoints,
    token,
    get: async (path) => {
      const response = await fetch(new URL(path, ready.url), {
        headers: { authorization: `Bearer ${token}` },
      })
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as never
    },
    post: async (path, body, headers = {}) => {
      const response = await fetch(new URL(path, ready.url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': crypto.randomUUID(),
          ...headers,
        },
        body: JSON.stringify(body),
      })
      return {
        status: response.status,
        body: (await response.json()) as Record<string, unknown>,
        headers: response.headers,
      }
    },
    stop: async () => {
      child.kill('SIGINT')
      return await exited
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Settings of the machine that runs the tests must not reach the product under test. */
export function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith('BIOLEDGER_') && !name.startsWith('OTEL_'),
    ),
  )
}

/** Polls until `condition` gives something truthy; throws naming `what` when the deadline passes. */
export async function eventually<Result>(
  what: string,
  condition: () => Promise<Result | undefined | false>,
  deadlineMs = 60_000,
): Promise<Result> {
  const deadline = Date.now() + deadlineMs
  let lastError: unknown
  for (;;) {
    try {
      const result = await condition()
      if (result) return result
    } catch (error) {
      lastError = error
    }
    if (Date.now() > deadline)
      throw new Error(`${what}: not within ${deadlineMs / 1000} s`, { cause: lastError })
    await new Promise((settle) => setTimeout(settle, 100))
  }
}
