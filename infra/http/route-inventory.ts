/** All registered routes: refuses one without an access policy, and knows which methods a path has (for 405). */
import type { RouteOptions } from 'fastify'
import type { Access } from './access.ts'

export type RouteInventory = {
  /** An `onRoute` hook. */
  readonly add: (route: RouteOptions & { path: string }) => void
  readonly methodsOf: (path: string) => readonly string[]
}

export function createRouteInventory(): RouteInventory {
  const byUrl = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  return {
    add: (route) => {
      const access: Access | undefined = route.config?.access
      if (access === undefined) throw new MissingAccessPolicyError(String(route.method), route.url)
      const known = byUrl.get(route.url) ?? { pattern: patternOf(route.url), methods: new Set<string>() }
      for (const method of [route.method].flat()) known.methods.add(method)
      byUrl.set(route.url, known)
      if (route.schema && !route.schema.security && access !== 'public')
        route.schema.security = access === 'read' ? [{ token: [] }, { session: [] }] : [{ token: [] }]
    },
    methodsOf: (path) => [
      ...new Set(
        [...byUrl.values()]
          .filter((route) => route.pattern.test(path))
          .flatMap((route) => [...route.methods]),
      ),
    ],
  }
}

export class MissingAccessPolicyError extends Error {
  readonly code = 'missing-access-policy'
  constructor(
    readonly method: string,
    readonly url: string,
  ) {
    super(`route ${method} ${url} declares no access policy (config.access)`)
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) =>
      part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('/')
  return new RegExp(`^${source}$`)
}
