/**
 * RFC 9457 problems: the only form in which the product answers an error over HTTP. Every problem has a `code`
 * for machines and a `detail` for people, names the rule that was broken, and carries the correlation id.
 */

/**
 * One broken rule. `pointer` is a JSON pointer (RFC 6901) into the part of the request that `in` names; `record` is
 * what the product knows already, not the request.
 */
export type InputError = {
  readonly in: 'body' | 'query' | 'path' | 'header' | 'record'
  readonly pointer: string
  readonly value?: unknown
  readonly rule: string
}

export type ProblemFacts = {
  readonly status: number
  /** Kebab-case, stable; also the last part of `type`. */
  readonly code: string
  /** One or two sentences that say what is wrong and what would be right; never from an exception. */
  readonly detail: string
  readonly rule?: string | undefined
  /** The state of the thing that the request spoke of. */
  readonly state?: string | undefined
  /** What may be asked for in that state. */
  readonly allowed?: readonly string[] | undefined
  readonly errors?: readonly InputError[] | undefined
  /** The current revision of the stream, where an `If-Match` was stale. */
  readonly revision?: string | undefined
}

/** Thrown by a handler to answer with a problem. */
export class ProblemError extends Error {
  readonly code: string
  constructor(
    readonly facts: ProblemFacts,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(`${facts.status} ${facts.code}: ${facts.detail}`)
    this.code = facts.code
  }
}

export const problemMediaType = 'application/problem+json'

/** The body of a problem answer. `title` is the code in words, so that both always agree. */
export function problemBody(
  facts: ProblemFacts,
  context: { readonly correlationId: string; readonly instance?: string | undefined },
): string {
  const words = facts.code.replaceAll('-', ' ')
  return JSON.stringify({
    type: `urn:bioledger:problem:${facts.code}`,
    title: `${words.charAt(0).toUpperCase()}${words.slice(1)}`,
    status: facts.status,
    detail: facts.detail,
    instance: context.instance,
    code: facts.code,
    rule: facts.rule,
    state: facts.state,
    allowed: facts.allowed,
    revision: facts.revision,
    errors: facts.errors,
    correlationId: context.correlationId,
  })
}

/** Names in a pointer: `~` and `/` escaped (RFC 6901 3). */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
