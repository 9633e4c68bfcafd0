/**
 * Reads the query side over HTTP, same origin. Every way in which a question can fail is a value with what is
 * needed to say it in a sentence; nothing throws but an aborted request.
 */
import type { Problem } from './answers.ts'

export type Failure =
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'unauthorised' }
  | { readonly kind: 'not-found'; readonly detail: string }
  /** The instant asked for is not projected yet. */
  | { readonly kind: 'later'; readonly detail: string; readonly retryAfterMs: number }
  | { readonly kind: 'refused'; readonly status: number; readonly detail: string }

export type Reply<Body> = { readonly kind: 'answer'; readonly body: Body } | Failure

export type Api = {
  /** `path` below `/api/v1/`, parameters without `undefined` ones. */
  readonly get: <Body>(
    path: string,
    parameters?: Readonly<Record<string, string | undefined>>,
    signal?: AbortSignal,
  ) => Promise<Reply<Body>>
  /** The server's clock, as far as its `Date` headers tell (whole seconds). */
  readonly serverNowMs: () => number
}

export function createApi(root = '/api/v1/'): Api {
  let offsetMs = 0
  return {
    get: async <Body>(
      path: string,
      parameters: Readonly<Record<string, string | undefined>> = {},
      signal?: AbortSignal,
    ): Promise<Reply<Body>> => {
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value)
      const text = query.toString()
      try {
        const response = await fetch(`${root}${path}${text ? `?${text}` : ''}`, {
          headers: { accept: 'application/json' },
          ...(signal ? { signal } : {}),
        })
        noteServerClock(response)
        if (response.ok) return { kind: 'answer', body: (await response.json()) as Body }
        return await failureOf(response)
      } catch (error) {
        if (signal?.aborted) throw error
        return { kind: 'unreachable' }
      }
    },
    serverNowMs: () => Date.now() + offsetMs,
  }

  /** The header has whole seconds: only a difference that these cannot explain is a wrong clock here. */
  function noteServerClock(response: Response): void {
    const server = Date.parse(response.headers.get('date') ?? '')
    if (Number.isNaN(server)) return
    const difference = server - Date.now()
    offsetMs = Math.abs(difference) > 3000 ? difference : 0
  }
}

export async function failureOf(response: Response): Promise<Failure> {
  const { status } = response
  if (status === 401) return { kind: 'unauthorised' }
  const problem = (await response.json().catch(() => undefined)) as Partial<Problem> | undefined
  const detail = problem?.detail ?? `the server answered ${status}`
  if (status === 404) return { kind: 'not-found', detail }
  if (status === 503) {
    const seconds = Number(response.headers.get('retry-after') ?? '2')
    return {
      kind: 'later',
      detail,
      retryAfterMs: Number.isFinite(seconds) ? Math.max(1, seconds) * 1000 : 2000,
    }
  }
  if (status >= 502) return { kind: 'unreachable' }
  return { kind: 'refused', status, detail }
}
