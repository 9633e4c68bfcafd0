/**
 * Checks requests against the zod schema of their route. Every broken rule is reported at once, with pointer,
 * value and rule; a query parameter that the route does not know is an error, never ignored.
 */
import type { FastifySchemaCompiler } from 'fastify'
import { z } from 'zod'
import { type InputError, jsonPointer, ProblemError } from './problem.ts'

const parts = { body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const
type Part = (typeof parts)[keyof typeof parts]

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = parts[(httpPart ?? 'body') as keyof typeof parts]
  const known = part === 'query' && schema instanceof z.ZodObject ? Object.keys(schema.shape) : undefined
  return (data: unknown) => {
    const errors = known ? unknownParameters(data, known) : []
    const checked = schema.safeParse(data)
    if (!checked.success) errors.push(...inputErrors(part, data, checked.error))
    if (errors.length > 0 || !checked.success) return { error: invalidRequest(errors) }
    // The schema names the headers that matter; the others stay.
    return { value: part === 'header' ? data : checked.data }
  }
}

/** 400 with every broken rule; `detail` spells out the first. */
export function invalidRequest(errors: readonly InputError[]): ProblemError {
  const first = errors[0]
  const where = first?.pointer ? `${first.in} ${first.pointer}` : `the ${first?.in ?? 'request'}`
  const shown =
    first?.value === undefined ? '' : ` is ${shortened(JSON.stringify(first.value) ?? String(first.value))}`
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return new ProblemError({
    status: 400,
    code: 'invalid-request',
    detail: `${where}${shown}: ${first?.rule ?? 'not understood'}${more}`,
    rule: first?.rule,
    errors: errors.slice(0, maximumErrors),
  })
}

export function unknownParameters(query: unknown, known: readonly string[]): InputError[] {
  if (typeof query !== 'object' || query === null) return []
  const rule = known.length > 0 ? `a known query parameter: ${known.join(', ')}` : 'no query parameter'
  return Object.entries(query)
    .filter(([name]) => !known.includes(name))
    .map(([name, value]) => ({ in: 'query', pointer: jsonPointer([name]), value: excerpt(value), rule }))
}

function inputErrors(part: Part, data: unknown, error: z.ZodError): InputError[] {
  return error.issues.flatMap((issue) => flattened(part, data, issue, []))
}

function flattened(
  part: Part,
  data: unknown,
  issue: z.core.$ZodIssue,
  base: readonly PropertyKey[],
): InputError[] {
  const path = [...base, ...issue.path]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      in: part,
      pointer: jsonPointer([...path, key]),
      value: excerpt(valueAt(data, [...path, key])),
      rule: 'no such field',
    }))
  const value = valueAt(data, path)
  return [
    {
      in: part,
      pointer: jsonPointer(path),
      ...(value === undefined ? {} : { value: excerpt(value) }),
      rule: value === undefined ? `required: ${ruleOf(issue)}` : ruleOf(issue),
    },
  ]
}

/** A union says what each of its branches wants, for the branch that came furthest. */
function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union') return issue.message
  const rules = issue.errors.flatMap((branch) => branch.slice(0, 1).map((inner) => ruleOf(inner)))
  return [...new Set(rules)].join(', or ') || issue.message
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key)
        ? (at as Record<PropertyKey, unknown>)[key]
        : undefined,
    data,
  )
}

const maximumErrors = 50
const maximumExcerpt = 200

/** The value as sent, or the beginning of its JSON when it is long. */
function excerpt(value: unknown): unknown {
  const text = JSON.stringify(value)
  return text !== undefined && text.length > maximumExcerpt ? shortened(text) : value
}

function shortened(text: string): string {
  return text.length > maximumExcerpt ? `${text.slice(0, maximumExcerpt)}…` : text
}
