/**
 * Certificates (RFC 5280) as far as a time-stamping authority needs them: who signed whom, when it was valid, what it may
 * do. A critical extension that is not known here is refused.
 */
import { equalBytes, fromBase64 } from './bytes.ts'
import { algorithm, at, type Element, elements, inside, instantOf, oid, tags } from './der.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'

export type Certificate = {
  readonly whole: Uint8Array
  readonly signed: Uint8Array
  readonly signatureAlgorithm: string
  readonly signature: Uint8Array
  readonly serial: Uint8Array
  /** Names as they stand. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly from: string
  readonly to: string
  readonly spki: Uint8Array
  readonly keyId: Uint8Array | undefined
  readonly authority: { readonly is: boolean; readonly pathLength: number }
  /** Bit 0 is the first of RFC 5280 4.2.1.3; undefined: no key usage is stated. */
  readonly keyUsage: number | undefined
  readonly purposes: readonly string[]
  readonly purposesCritical: boolean
}

const [subjectKeyId, keyUsage, basicConstraints, extendedKeyUsage] = ['551d0e', '551d0f', '551d13', '551d25']
/** Read by others, and no limit on what is checked here: alternative names, policies, where revocations are. */
const harmless = ['551d11', '551d12', '551d20', '551d1f', '551d23']
const timeStamping = '2b06010505070308'
const certificateSigning = 5
const longestPath = 8

export function parseCertificate(whole: Uint8Array): Certificate {
  const [outer, ...others] = elements(whole)
  if (outer?.tag !== tags.sequence || others.length > 0) throw new Refusal('it is no certificate')
  const parts = elements(outer.bytes)
  const signed = at(parts, 0, tags.sequence)
  const all = elements(signed.bytes)
  const fields = all[0]?.tag === 0xa0 ? all.slice(1) : all
  const validity = inside(fields, 3, tags.sequence)
  const signatureAlgorithm = algorithm(parts, 1)
  if (signatureAlgorithm !== algorithm(fields, 1)) throw new Refusal('its two algorithms differ')
  return {
    whole,
    signed: signed.whole,
    signatureAlgorithm,
    signature: bitsOf(at(parts, 2, tags.bits)),
    serial: at(fields, 0, tags.integer).bytes,
    issuer: at(fields, 2, tags.sequence).whole,
    from: instantOf(timeAt(validity, 0)),
    to: instantOf(timeAt(validity, 1)),
    subject: at(fields, 4, tags.sequence).whole,
    spki: at(fields, 5, tags.sequence).whole,
    ...extensionsOf(fields.find(({ tag }) => tag === 0xa3)),
  }
}

function extensionsOf(element: Element | undefined) {
  const known = new Map<string, { value: Uint8Array; isCritical: boolean }>()
  const list = element ? inside(elements(element.bytes), 0, tags.sequence) : []
  for (const one of list) {
    const parts = elements(one.bytes)
    const id = oid(parts, 0)
    const isCritical = parts[1]?.tag === tags.boolean && parts[1].bytes[0] === 0xff
    if (known.has(id)) throw new Refusal('a certificate has an extension twice')
    known.set(id, { value: at(parts, parts.length - 1, tags.octets).bytes, isCritical })
    const isKnown = [subjectKeyId, keyUsage, basicConstraints, extendedKeyUsage, ...harmless].includes(id)
    if (isCritical && !isKnown) throw new Refusal('a certificate has a critical extension that is unknown')
  }
  const read = (id: string): Element[] => {
    const found = known.get(id)
    return found ? elements(found.value) : []
  }
  const constraints = known.has(basicConstraints) ? inside(read(basicConstraints), 0, tags.sequence) : []
  const length = constraints[1]
  const usage = known.has(keyUsage) ? bitsOf(at(read(keyUsage), 0, tags.bits)) : undefined
  const purposes = known.has(extendedKeyUsage) ? inside(read(extendedKeyUsage), 0, tags.sequence) : []
  return {
    keyId: known.has(subjectKeyId) ? at(read(subjectKeyId), 0, tags.octets).bytes : undefined,
    authority: {
      is: constraints[0]?.tag === tags.boolean && constraints[0].bytes[0] === 0xff,
      pathLength:
        length?.tag === tags.integer && length.bytes.length === 1 ? (length.bytes[0] as number) : longestPath,
    },
    keyUsage: usage && ((usage[0] ?? 0) << 8) | (usage?.[1] ?? 0),
    purposes: purposes.map((_, place) => oid(purposes, place)),
    purposesCritical: known.get(extendedKeyUsage)?.isCritical ?? false,
  }
}

function timeAt(all: readonly Element[], place: number): Element {
  const element = all[place]
  if (!element) throw new Refusal('a certificate says not how long it is valid')
  return element
}

function bitsOf({ bytes }: Element): Uint8Array {
  if (bytes.length === 0 || (bytes[0] as number) > 7) throw new Refusal('it is no DER')
  return bytes.subarray(1)
}

/** Certificates of a PEM text. Throws `Refusal` where there is none or one cannot be read. */
export function parsePem(text: string): Certificate[] {
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)]
  if (blocks.length === 0) throw new Refusal('there is no certificate in PEM')
  return blocks.map(([, body = '']) => {
    const bytes = fromBase64(body.replace(/\s/g, ''))
    if (!bytes) throw new Refusal('a certificate in PEM is no base64')
    return parseCertificate(bytes)
  })
}

const mayUse = ({ keyUsage: usage }: Certificate, bit: number): boolean =>
  usage === undefined || (usage & (0x8000 >> bit)) !== 0

/** RFC 3161 2.3: for stamping time and nothing else, which it says critically. Throws `Refusal`. */
export function requireTimeStamping(certificate: Certificate): void {
  const { purposes, purposesCritical } = certificate
  if (purposes.length !== 1 || purposes[0] !== timeStamping || !purposesCritical)
    throw new Refusal("its signer's certificate is not for time stamping alone (extended key usage)")
  if (!mayUse(certificate, 0) && !mayUse(certificate, 1))
    throw new Refusal("its signer's certificate is not for signatures (key usage)")
}

/** From `certificate` up to one of `given`, each valid at `instant`. Throws `Refusal`. */
export async function requirePath(
  certificate: Certificate,
  {
    given,
    found,
    instant,
  }: { given: readonly Certificate[]; found: readonly Certificate[]; instant: string },
  platform: Platform,
): Promise<void> {
  let current = certificate
  for (let depth = 0; depth < longestPath; depth++) {
    if (instant < current.from || instant > current.to)
      throw new Refusal(`a certificate that it rests on was valid from ${current.from} to ${current.to} only`)
    if (given.some(({ whole }) => equalBytes(whole, current.whole))) return
    const issuer = await issuerOf(current, [...given, ...found], depth, platform)
    if (!issuer) throw new Refusal('its signer is vouched for by no certificate that you gave')
    current = issuer
  }
  throw new Refusal('its certificates form too long a path')
}

async function issuerOf(
  of: Certificate,
  candidates: readonly Certificate[],
  between: number,
  platform: Platform,
): Promise<Certificate | undefined> {
  for (const one of candidates) {
    if (!equalBytes(one.subject, of.issuer) || equalBytes(one.whole, of.whole)) continue
    if (!one.authority.is || between > one.authority.pathLength || !mayUse(one, certificateSigning)) continue
    if (await platform.verifySignature(one.spki, of.signatureAlgorithm, of.signed, of.signature)) return one
  }
  return undefined
}
