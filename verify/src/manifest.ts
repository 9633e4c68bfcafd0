/** The manifest: what was asked, what is in the extract, and what each member's bytes are. Unknown fields are refused. */
import { fromUtf8 } from './bytes.ts'
import { isObject, type Json, type JsonObject, parseCanonical } from './canonical.ts'
import { Refusal } from './refusal.ts'

export type Manifest = {
  readonly origin: string
  readonly batchId: string
  readonly checkpoint: { readonly size: number; readonly root: string }
  readonly heads: { readonly index: number; readonly size: number } | null
  readonly request: {
    readonly scope: 'whole' | 'range' | 'signatures-only'
    readonly purpose: string
    readonly purposeText?: string
    readonly asOf?: string
    readonly from?: string
    readonly to?: string
  }
  readonly events: number
  readonly readings: number
  readonly streams: readonly {
    readonly stream: string
    readonly first: number
    readonly last: number
    readonly events: number
  }[]
  readonly omitted: readonly string[]
  readonly signatureTypes: readonly string[]
  readonly stamps: readonly { readonly index: number; readonly size: number; readonly stampedAt: string }[]
  readonly members: readonly { readonly name: string; readonly size: number; readonly sha256: string }[]
}

export const formatLine = 'bioledger-extract/v1'
const fields = [
  'batchId',
  'checkpoint',
  'events',
  'format',
  'heads',
  'members',
  'omitted',
  'origin',
  'readings',
].concat(['request', 'signatureTypes', 'stamps', 'streams', 'timeZone'])

export function parseManifest(bytes: Uint8Array): Manifest {
  const text = fromUtf8(bytes)
  if (text === undefined) throw new Refusal('manifest.json is not valid UTF-8')
  const value = parseCanonical(text, 'manifest.json')
  const whole = object(value, 'manifest.json', fields)
  if (whole.format !== formatLine) throw new Refusal(`the format ${JSON.stringify(whole.format)} is unknown`)
  if (whole.timeZone !== 'UTC') throw new Refusal('the time zone is not UTC')
  const checkpoint = object(whole.checkpoint, 'checkpoint', ['size', 'root'])
  const request = object(whole.request, 'request', ['scope', 'purpose', 'purposeText', 'asOf', 'from', 'to'])
  if (request.scope !== 'whole' && request.scope !== 'range' && request.scope !== 'signatures-only')
    throw new Refusal(`the scope ${JSON.stringify(request.scope)} is unknown`)
  const optional = (key: string) => (request[key] === undefined ? {} : { [key]: textOf(request[key], key) })
  return {
    origin: textOf(whole.origin, 'origin'),
    batchId: textOf(whole.batchId, 'batchId'),
    checkpoint: { size: count(checkpoint.size, 'size'), root: textOf(checkpoint.root, 'root') },
    heads: whole.heads === null ? null : headsOf(whole.heads),
    request: {
      scope: request.scope,
      purpose: textOf(request.purpose, 'purpose'),
      ...optional('purposeText'),
      ...optional('asOf'),
      ...optional('from'),
      ...optional('to'),
    },
    events: count(whole.events, 'events'),
    readings: count(whole.readings, 'readings'),
    streams: list(whole.streams, 'streams').map((one) => {
      const stream = object(one, 'streams', ['stream', 'first', 'last', 'events'])
      return {
        stream: textOf(stream.stream, 'stream'),
        first: count(stream.first, 'first'),
        last: count(stream.last, 'last'),
        events: count(stream.events, 'events'),
      }
    }),
    omitted: list(whole.omitted, 'omitted').map((one) => textOf(one, 'omitted')),
    signatureTypes:
      whole.signatureTypes === undefined
        ? []
        : list(whole.signatureTypes, 'signatureTypes').map((one) => textOf(one, 'signatureTypes')),
    stamps: list(whole.stamps, 'stamps').map((one) => {
      const stamp = object(one, 'stamps', ['index', 'size', 'stampedAt'])
      return {
        index: count(stamp.index, 'index'),
        size: count(stamp.size, 'size'),
        stampedAt: textOf(stamp.stampedAt, 'stampedAt'),
      }
    }),
    members: list(whole.members, 'members').map((one) => {
      const member = object(one, 'members', ['name', 'size', 'sha256'])
      if (typeof member.size !== 'string') throw new Refusal('a member has no size')
      return {
        name: textOf(member.name, 'name'),
        size: count(member.size, 'size'),
        sha256: textOf(member.sha256, 'sha256'),
      }
    }),
  }
}

function headsOf(value: Json | undefined): { index: number; size: number } {
  const heads = object(value, 'heads', ['index', 'size'])
  return { index: count(heads.index, 'index'), size: count(heads.size, 'size') }
}

function object(value: Json | undefined, what: string, allowed: readonly string[]): JsonObject {
  if (!isObject(value)) throw new Refusal(`${what} of the manifest is no object`)
  for (const key of Object.keys(value))
    if (!allowed.includes(key)) throw new Refusal(`${what} of the manifest has the unknown field ${key}`)
  return value
}

function list(value: Json | undefined, what: string): readonly Json[] {
  if (!Array.isArray(value)) throw new Refusal(`${what} of the manifest is no list`)
  return value as readonly Json[]
}

function textOf(value: Json | undefined, what: string): string {
  if (typeof value !== 'string') throw new Refusal(`${what} of the manifest is no text`)
  return value
}

/** A whole number below 2^53 in decimal digits. */
export function count(value: Json | undefined, what: string): number {
  if (typeof value !== 'string' || !/^(0|[1-9]\d{0,15})$/.test(value) || !Number.isSafeInteger(Number(value)))
    throw new Refusal(`${what} is no whole number in digits`)
  return Number(value)
}
