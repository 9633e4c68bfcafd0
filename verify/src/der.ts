/** DER (ITU-T X.690) as far as time stamp tokens and certificates need it: definite, shortest lengths, one byte tags, bounded. */
import { toHex } from './bytes.ts'
import { Refusal } from './refusal.ts'

export type Element = {
  readonly tag: number
  /** The content. */
  readonly bytes: Uint8Array
  /** With tag and length, as it stands. */
  readonly whole: Uint8Array
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

const mostElements = 256

/** The elements of a content. Throws `Refusal`. */
export function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = []
  for (let place = 0; place < bytes.length; ) {
    if (found.length >= mostElements) throw new Refusal(`it has more than ${mostElements} elements in one`)
    const tag = bytes[place] as number
    const first = bytes[place + 1] ?? 0x80
    const more = first < 0x80 ? 0 : first - 0x80
    const start = place + 2 + more
    if ((tag & 0x1f) === 0x1f || first === 0x80 || more > 4 || start > bytes.length)
      throw new Refusal('it is no DER')
    let length = more === 0 ? first : 0
    for (let digit = 0; digit < more; digit++) length = length * 256 + (bytes[place + 2 + digit] as number)
    const isShortest = more === 0 || (bytes[place + 2] !== 0 && (more > 1 || length >= 0x80))
    if (!isShortest || start + length > bytes.length) throw new Refusal('it is no DER')
    const end = start + length
    found.push({ tag, bytes: bytes.subarray(start, end), whole: bytes.subarray(place, end) })
    place = end
  }
  return found
}

export function at(all: readonly Element[], place: number, tag: number): Element {
  const element = all[place]
  if (element?.tag !== tag) throw new Refusal('it is not of the form of RFC 3161, RFC 5652 and RFC 5280')
  return element
}

/** The elements in the one at `place`. */
export function inside(all: readonly Element[], place: number, tag: number): Element[] {
  return elements(at(all, place, tag).bytes)
}

/** The content of an object identifier in hex. */
export const oid = (all: readonly Element[], place: number): string => toHex(at(all, place, tags.oid).bytes)

/** Algorithm of an AlgorithmIdentifier that stands at `place`. */
export const algorithm = (all: readonly Element[], place: number): string =>
  oid(inside(all, place, tags.sequence), 0)

/** GeneralizedTime or UTCTime in the spelling of DER, to the millisecond, as in events. */
export function instantOf({ tag, bytes }: Element): string {
  const text = String.fromCharCode(...bytes.subarray(0, 40))
  const long = tag === tags.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z$/.exec(long) ?? []
  if ((tag !== tags.generalizedTime && tag !== tags.utcTime) || year === undefined)
    throw new Refusal('a time in it is not as DER spells it')
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`
}
