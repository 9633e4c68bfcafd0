/**
 * JSON request bodies, read strictly: UTF-8 without errors (RFC 8259 8.1), no name twice in an object (RFC 8259 4
 * leaves that open, so two readers could see two different records), nesting bounded, only text that every part of
 * the product can keep (no lone surrogates: they have no UTF-8 form; no U+0000: Postgres has no text with it).
 */
import { ProblemError } from './problem.ts'
import { invalidRequest } from './validation.ts'

export const maximumDepth = 20

export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) throw malformed('an empty body', 'a JSON body')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed('the body has bytes that are not UTF-8', 'UTF-8 text')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed('the body is not JSON', 'JSON (RFC 8259)')
  }
  const finding = scan(text)
  if (finding) throw invalidRequest([{ in: 'body', pointer: '', ...finding }])
  return value
}

function malformed(what: string, rule: string): ProblemError {
  return new ProblemError({
    status: 400,
    code: 'malformed-body',
    detail: `${what}; expected ${rule}`,
    rule,
    errors: [{ in: 'body', pointer: '', rule }],
  })
}

/** Walks text that is known to be JSON; finds what `JSON.parse` lets pass in silence. */
function scan(text: string): { readonly value?: string; readonly rule: string } | undefined {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === '{' || sign === '[') {
      open.push(sign === '{' ? new Set() : undefined)
      if (open.length > maximumDepth) return { rule: `at most ${maximumDepth} levels of nesting` }
    } else if (sign === '}' || sign === ']') open.pop()
    else if (sign === '"') {
      const end = endOfString(text, at)
      const content = JSON.parse(text.slice(at, end + 1)) as string
      if (!content.isWellFormed() || content.includes('\0'))
        return { value: content.toWellFormed(), rule: 'text without U+0000 and without half surrogate pairs' }
      const names = open.at(-1)
      if (names && nextSign(text, end + 1) === ':') {
        if (content === '__proto__') return { value: content, rule: 'no such field' }
        if (names.has(content)) return { value: content, rule: 'each name once in an object' }
        names.add(content)
      }
      at = end
    }
  }
  return undefined
}

function nextSign(text: string, from: number): string | undefined {
  let at = from
  while (/\s/.test(text[at] ?? '')) at++
  return text[at]
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
