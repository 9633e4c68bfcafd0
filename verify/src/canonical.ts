/**
 * Canonical JSON (RFC 8785) of parsed JSON. A text is accepted only if it equals the canonical spelling of what it
 * parses to: duplicate keys, other number spellings, other key orders and white space all differ. Nesting is bounded.
 */
import { Refusal } from './refusal.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

const maximumDepth = 64

export function canonical(value: Json, depth = 0): string {
  if (typeof value === 'string') return quoted(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (depth > maximumDepth) throw new Refusal(`nesting deeper than ${maximumDepth}`)
  if (isArray(value)) {
    let text = '['
    for (let at = 0; at < value.length; at++)
      text += (at > 0 ? ',' : '') + canonical(value[at] as Json, depth + 1)
    return `${text}]`
  }
  const keys = Object.keys(value)
  if (keys.length > 1) keys.sort()
  let text = '{'
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string
    text += `${(at > 0 ? ',' : '') + quoted(key)}:${canonical(value[key] as Json, depth + 1)}`
  }
  return `${text}}`
}

/**
 * Whether `text`, which parsed to `value`, is canonical, seen the fast way: `JSON.stringify` spells strings and numbers as
 * RFC 8785 does and keeps the order of the text, so that only the order of keys and lone surrogates are left to look at.
 * False also for a canonical text with keys that are whole numbers, which JavaScript reorders.
 */
export function isPlainlyCanonical(value: Json, text: string): boolean {
  return hasSortedKeys(value, 0) && !text.includes('\\ud') && JSON.stringify(value) === text
}

function hasSortedKeys(value: Json, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth > maximumDepth) throw new Refusal(`nesting deeper than ${maximumDepth}`)
  if (isArray(value)) {
    for (let at = 0; at < value.length; at++) if (!hasSortedKeys(value[at] as Json, depth + 1)) return false
    return true
  }
  let before: string | undefined
  for (const key in value) {
    if (before !== undefined && key <= before) return false
    before = key
    if (!hasSortedKeys(value[key] as Json, depth + 1)) return false
  }
  return true
}

/** The value of a canonical text. Throws `Refusal` for any other text. */
export function parseCanonical(text: string, what: string): Json {
  const value = parseJson(text, what)
  if (canonical(value) !== text)
    throw new Refusal(`${what} is not the canonical spelling (RFC 8785) of what it says`)
  return value
}

export function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new Refusal(`${what} is no JSON`)
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isArray(value)
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

/** ES2019 `JSON.stringify` escapes a lone surrogate, which RFC 8785 forbids altogether. */
function quoted(text: string): string {
  const spelt = JSON.stringify(text)
  if (spelt.includes('\\ud') && !text.isWellFormed()) throw new Refusal('a lone surrogate in a text')
  return spelt
}
