/**
 * An authority's answer (RFC 3161 2.4.2): over which digest and when, and whether a certificate that the person who verifies
 * gave vouches for who signed it (RFC 5652 5.4, RFC 5816). Strict DER; later expiry of a certificate changes nothing.
 */
import { equalBytes, toBase64 } from './bytes.ts'
import { type Certificate, parseCertificate, requirePath, requireTimeStamping } from './certificates.ts'
import { algorithm, at, type Element, elements, inside, instantOf, oid, tags } from './der.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'
import { hashes, withDigest } from './signature-algorithms.ts'

export type TokenFacts = {
  /** SHA-256 of what was stamped, base64. */
  readonly imprint: string
  /** To the millisecond, as in the events. */
  readonly stampedAt: string
}

export type Token = TokenFacts & {
  /** SignedData of RFC 5652. */
  readonly signed: readonly Element[]
  readonly content: Uint8Array
}

const signedData = '2a864886f70d010702'
const tstInfo = '2a864886f70d0109100104'
const sha256 = '608648016503040201'
const [contentType, messageDigest] = ['2a864886f70d010903', '2a864886f70d010904']
const [signingCertificate, signingCertificateV2] = ['2a864886f70d010910020c', '2a864886f70d010910022f']

/** Throws `Refusal` for anything else than a granted answer in DER with a SHA-256 imprint. */
export function readToken(bytes: Uint8Array): Token {
  const whole = elements(bytes)
  if (whole.length !== 1) throw new Refusal('it is no time stamp token (RFC 3161)')
  const answer = inside(whole, 0, tags.sequence)
  const status = at(inside(answer, 0, tags.sequence), 0, tags.integer).bytes
  if (status.length !== 1 || (status[0] as number) > 1) throw new Refusal('it is no granted time stamp')
  const contentInfo = inside(answer, 1, tags.sequence)
  requireOid(contentInfo, signedData)
  const signed = inside(inside(contentInfo, 1, 0xa0), 0, tags.sequence)
  const encapsulated = inside(signed, 2, tags.sequence)
  requireOid(encapsulated, tstInfo)
  const content = at(inside(encapsulated, 1, 0xa0), 0, tags.octets).bytes
  const info = inside(elements(content), 0, tags.sequence)
  const imprint = inside(info, 2, tags.sequence)
  requireOid(inside(imprint, 0, tags.sequence), sha256)
  const stampedAt = instantOf(at(info, 4, tags.generalizedTime))
  return { imprint: toBase64(at(imprint, 1, tags.octets).bytes), stampedAt, signed, content }
}

/** Throws `Refusal` unless one of `given` vouches, at the time stamped, for the one who signed. */
export async function requireAuthority(
  { signed, content, stampedAt }: Token,
  given: readonly Certificate[],
  platform: Platform,
): Promise<void> {
  const held = signed.find(({ tag }) => tag === 0xa0)
  const found = held
    ? elements(held.bytes)
        .filter(({ tag }) => tag === tags.sequence)
        .map(({ whole }) => parseCertificate(whole))
    : []
  const signers = inside(signed, signed.length - 1, tags.set)
  const [signer, ...others] = signers
  if (!signer || others.length > 0) throw new Refusal('it has not exactly one signer')
  const parts = inside(signers, 0, tags.sequence)
  const digest = hashes[algorithm(parts, 2)]
  if (!digest) throw new Refusal('its digest is of an unknown algorithm')
  const attributes = attributesOf(at(parts, 3, 0xa0))
  if (toHexOid(attributes, contentType) !== tstInfo)
    throw new Refusal('its signature is over another kind of content')
  const stated = at(attributes.get(messageDigest) ?? [], 0, tags.octets).bytes
  if (!equalBytes(stated, await platform.digest(digest, content)))
    throw new Refusal('its content is not the one that was signed')
  const named = [...given, ...found].filter((certificate) => isNamed(certificate, parts[1] as Element))
  const certificate = await firstThat(named, (one) => isMeant(one, attributes, platform))
  if (!certificate)
    throw new Refusal('neither it nor you gave the certificate that it says it was signed with')
  // RFC 5652 5.4: what is signed is the SET OF, not its implicit tag.
  const message = at(parts, 3, 0xa0).whole.slice()
  message[0] = tags.set
  const signature = at(parts, 5, tags.octets).bytes
  const by = withDigest(algorithm(parts, 4), digest)
  if (!(await platform.verifySignature(certificate.spki, by, message, signature)))
    throw new Refusal('its signature is wrong')
  requireTimeStamping(certificate)
  await requirePath(certificate, { given, found, instant: stampedAt }, platform)
}

/** Values of each signed attribute. */
function attributesOf({ bytes }: Element): ReadonlyMap<string, readonly Element[]> {
  const found = new Map<string, readonly Element[]>()
  for (const { bytes: one } of elements(bytes)) {
    const parts = elements(one)
    const type = oid(parts, 0)
    const values = inside(parts, 1, tags.set)
    if (found.has(type) || values.length !== 1)
      throw new Refusal('a signed attribute of it has not one value')
    found.set(type, values)
  }
  return found
}

const toHexOid = (attributes: ReadonlyMap<string, readonly Element[]>, type: string): string =>
  oid(attributes.get(type) ?? [], 0)

/** Whether the signer's identifier names it: by issuer and serial number, or by its key. */
function isNamed({ issuer, serial, keyId }: Certificate, identifier: Element): boolean {
  if (identifier.tag === 0x80) return keyId !== undefined && equalBytes(keyId, identifier.bytes)
  const parts = elements(identifier.bytes)
  return (
    equalBytes(at(parts, 0, tags.sequence).whole, issuer) &&
    equalBytes(at(parts, 1, tags.integer).bytes, serial)
  )
}

/** Whether the signature itself names it by its digest (ESSCertIDv2 of RFC 5816, else ESSCertID of RFC 2634). */
async function isMeant(
  { whole }: Certificate,
  attributes: ReadonlyMap<string, readonly Element[]>,
  platform: Platform,
): Promise<boolean> {
  const second = attributes.get(signingCertificateV2)
  const value = second ?? attributes.get(signingCertificate)
  if (!value) throw new Refusal('it does not name the certificate that it was signed with')
  const id = inside(inside(inside(value, 0, tags.sequence), 0, tags.sequence), 0, tags.sequence)
  const isStated = second !== undefined && id[0]?.tag === tags.sequence
  const hash = second ? (isStated ? hashes[algorithm(id, 0)] : 'SHA-256') : 'SHA-1'
  if (!hash) throw new Refusal('it names its certificate by an unknown digest')
  return equalBytes(at(id, isStated ? 1 : 0, tags.octets).bytes, await platform.digest(hash, whole))
}

async function firstThat<T>(all: readonly T[], holds: (one: T) => Promise<boolean>): Promise<T | undefined> {
  for (const one of all) if (await holds(one)) return one
  return undefined
}

function requireOid(all: readonly Element[], expected: string): void {
  if (oid(all, 0) !== expected) throw new Refusal('it is no time stamp token over a SHA-256 digest')
}
