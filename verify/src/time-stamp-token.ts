/**
 * What a time-stamping authority's answer says (RFC 3161 2.4.2): over which digest, and when. Its signature is not checked
 * here. Only the path to TSTInfo is walked: TimeStampResp, ContentInfo, SignedData, EncapsulatedContentInfo (RFC 5652).
 */
import { toBase64, toHex } from './bytes.ts'
import { Refusal } from './refusal.ts'

export type TokenFacts = {
  /** SHA-256 of what was stamped, base64. */
  readonly imprint: string
  /** To the millisecond, as in the events. */
  readonly stampedAt: string
}

type Element = { readonly tag: number; readonly from: number; readonly to: number }

const [integer, octets, oid, time, sequence, explicit] = [0x02, 0x04, 0x06, 0x18, 0x30, 0xa0]
const signedData = '2a864886f70d010702'
const tstInfo = '2a864886f70d0109100104'
const sha256 = '608648016503040201'

/** Throws `Refusal` for anything else than a granted answer in DER with a SHA-256 imprint. */
export function readToken(bytes: Uint8Array): TokenFacts {
  const whole = { tag: 0, from: 0, to: bytes.length }
  const inside = (element: Element) => children(bytes, element)
  const answer = inside(at(inside(whole), 0, sequence))
  const status = at(inside(at(answer, 0, sequence)), 0, integer)
  if (status.to - status.from !== 1 || (bytes[status.from] as number) > 1)
    throw new Refusal('it is no granted time stamp')
  const contentInfo = inside(at(answer, 1, sequence))
  requireOid(contentInfo, signedData)
  const signed = inside(at(inside(at(contentInfo, 1, explicit)), 0, sequence))
  const content = inside(at(signed, 2, sequence))
  requireOid(content, tstInfo)
  const info = inside(at(inside(at(inside(at(content, 1, explicit)), 0, octets)), 0, sequence))
  const imprint = inside(at(info, 2, sequence))
  requireOid(inside(at(imprint, 0, sequence)), sha256)
  const { from, to } = at(imprint, 1, octets)
  return { imprint: toBase64(bytes.subarray(from, to)), stampedAt: instantOf(bytes, at(info, 4, time)) }

  function requireOid(elements: readonly Element[], expected: string): void {
    const found = at(elements, 0, oid)
    if (toHex(bytes.subarray(found.from, found.to)) !== expected)
      throw new Refusal('it is no time stamp token over a SHA-256 digest')
  }
}

function children(bytes: Uint8Array, { from, to }: Element): Element[] {
  const found: Element[] = []
  for (let place = from; place < to && found.length < 16; ) {
    const tag = bytes[place] as number
    const first = bytes[place + 1] ?? 0x80
    const more = first < 0x80 ? 0 : first - 0x80
    if (first === 0x80 || more > 4 || place + 2 + more > to) throw new Refusal('it is no DER')
    let length = more === 0 ? first : 0
    for (let digit = 0; digit < more; digit++) length = length * 256 + (bytes[place + 2 + digit] as number)
    const start = place + 2 + more
    if (start + length > to) throw new Refusal('it is no DER')
    found.push({ tag, from: start, to: start + length })
    place = start + length
  }
  return found
}

function at(elements: readonly Element[], place: number, tag: number): Element {
  const element = elements[place]
  if (element?.tag !== tag) throw new Refusal('it is no time stamp token (RFC 3161)')
  return element
}

/** GeneralizedTime of DER: `20261120060000.25Z`. */
function instantOf(bytes: Uint8Array, { from, to }: Element): string {
  const text = String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 40)))
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d+))?Z$/.exec(text) ?? []
  if (year === undefined) throw new Refusal('its time is no GeneralizedTime')
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`
}
