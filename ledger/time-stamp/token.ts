/**
 * Reads and verifies the answer of a time-stamping authority (RFC 3161 2.4.2, RFC 5816): granted, over exactly our
 * bytes, with our nonce, under the policy asked for, signed by a certificate that may do nothing but stamp time, whose
 * chain ends in a certificate that the caller trusts and was valid *at the time stamped*; later expiry changes nothing.
 */
import { createHash, timingSafeEqual, webcrypto, X509Certificate } from 'node:crypto'
import { fromBER, ObjectIdentifier, OctetString, Sequence } from 'asn1js'
import {
  Certificate,
  ContentInfo,
  CryptoEngine,
  ExtKeyUsage,
  SignedData,
  TimeStampResp,
  TSTInfo,
} from 'pkijs'
import { nonceNumber, sha256Oid } from './request.ts'
import { TimeStampError } from './time-stamp-error.ts'

export type VerifiedTimeStamp = {
  /** The token's genTime, ms since the epoch. */
  readonly stampedAtMs: number
  readonly policy: string
  /** Of the token, as the authority numbers it, in hex. */
  readonly serialNumber: string
  /** PEM, the authority's certificate first, the trusted one last. */
  readonly chain: string
}

export type TimeStampExpectation = {
  /** What was stamped, as it is hashed. */
  readonly data: Uint8Array
  /** Undefined where the request is not at hand any more: then the nonce is not looked at. */
  readonly nonce?: Uint8Array | undefined
  readonly policy?: string | undefined
  /** PEM of the certificates that are trusted for this authority, never taken from the answer. */
  readonly trusted: string
}

const engine = new CryptoEngine({ name: 'node', crypto: webcrypto as unknown as typeof globalThis.crypto })
const timeStampingPurpose = '1.3.6.1.5.5.7.3.8'
const extendedKeyUsage = '2.5.29.37'
const tokenContent = '1.2.840.113549.1.9.16.1.4'
const signingCertificateV2 = '1.2.840.113549.1.9.16.2.47'
const signingCertificateV1 = '1.2.840.113549.1.9.16.2.12'
const hashes: Readonly<Record<string, string>> = {
  [sha256Oid]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** `response`: DER of the TimeStampResp. Throws `TimeStampError`. */
export async function verifyTimeStamp(
  response: Uint8Array,
  expected: TimeStampExpectation,
): Promise<VerifiedTimeStamp> {
  const { signedData, info } = readResponse(response)
  const imprint = createHash('sha256').update(expected.data).digest()
  const stated = Buffer.from(info.messageImprint.hashedMessage.valueBlock.valueHexView)
  if (info.messageImprint.hashAlgorithm.algorithmId !== sha256Oid || !same(stated, imprint))
    throw new TimeStampError('imprint', 'the token is over other bytes than ours')
  if (expected.nonce && info.nonce?.toBigInt() !== nonceNumber(expected.nonce))
    throw new TimeStampError('nonce', 'the answer does not carry the nonce of our request')
  if (expected.policy !== undefined && info.policy !== expected.policy)
    throw new TimeStampError('policy', `the policy is ${info.policy}, ${expected.policy} was asked for`)
  const path = await verifySignature(signedData, expected)
  return {
    stampedAtMs: info.genTime.getTime(),
    policy: info.policy,
    serialNumber: Buffer.from(info.serialNumber.valueBlock.valueHexView).toString('hex'),
    chain: path.map(pemOf).join(''),
  }
}

function readResponse(response: Uint8Array): { signedData: SignedData; info: TSTInfo } {
  let parsed: TimeStampResp
  try {
    parsed = new TimeStampResp({ schema: wholeBer(response) })
  } catch (error) {
    throw new TimeStampError('malformed', 'the answer is no TimeStampResp (RFC 3161 2.4.2)', { cause: error })
  }
  const { status, statusStrings } = parsed.status
  if (status !== 0 && status !== 1)
    throw new TimeStampError(
      'rejected',
      `the authority answered with status ${status}${(statusStrings ?? []).map((text) => `: ${text.valueBlock.value}`).join('')}`,
    )
  if (!parsed.timeStampToken) throw new TimeStampError('malformed', 'a granted answer without a token')
  try {
    const content = new ContentInfo({ schema: parsed.timeStampToken.toSchema() })
    const signedData = new SignedData({ schema: content.content })
    const { eContent, eContentType } = signedData.encapContentInfo
    if (eContentType !== tokenContent || !eContent) throw new Error(`content ${eContentType}`)
    return { signedData, info: TSTInfo.fromBER(eContent.getValue()) }
  } catch (error) {
    throw new TimeStampError('malformed', 'the token holds no TSTInfo', { cause: error })
  }
}

async function verifySignature(
  signedData: SignedData,
  { data, trusted }: TimeStampExpectation,
): Promise<readonly Certificate[]> {
  if (signedData.signerInfos.length !== 1)
    throw new TimeStampError('signature', `${signedData.signerInfos.length} signers, exactly one is allowed`)
  const verified = await signedData
    .verify(
      {
        signer: 0,
        data: new Uint8Array(data).buffer,
        trustedCerts: certificatesOf(trusted),
        checkChain: true,
        extendedMode: true,
      },
      engine,
    )
    .catch((error: unknown) => {
      const { code, message } = error as { code?: number; message?: string }
      // 3 and 5 are the library's codes for a missing signer certificate and a chain that does not hold.
      const reason = code === 2 || code === 3 || code === 5 ? 'certificate' : 'signature'
      throw new TimeStampError(reason, message ?? String(error), { cause: error })
    })
  if (!verified.signatureVerified || !verified.signerCertificate)
    throw new TimeStampError('signature', 'the signature over the token is wrong')
  requirePurpose(verified.signerCertificate)
  requireNamedSigner(signedData, verified.signerCertificate)
  return verified.certificatePath
}

/** RFC 3161 2.3: the certificate may be used for time stamping and for nothing else, and says so critically. */
function requirePurpose(certificate: Certificate): void {
  const extension = certificate.extensions?.find(({ extnID }) => extnID === extendedKeyUsage)
  const usage = extension?.parsedValue
  if (
    !extension?.critical ||
    !(usage instanceof ExtKeyUsage) ||
    usage.keyPurposes.length !== 1 ||
    usage.keyPurposes[0] !== timeStampingPurpose
  )
    throw new TimeStampError(
      'certificate',
      'the signer’s certificate is not for time stamping alone (critical extended key usage)',
    )
}

/** The signature itself names the certificate it was made with (RFC 5816), so that none can be put in its place. */
function requireNamedSigner(signedData: SignedData, certificate: Certificate): void {
  const attributes = signedData.signerInfos[0]?.signedAttrs?.attributes ?? []
  const der = Buffer.from(certificate.toSchema().toBER())
  const [named, isV2] = [signingCertificateV2, signingCertificateV1]
    .map((type) => attributes.find((attribute) => attribute.type === type))
    .map((attribute, at) => [attribute?.values[0], at === 0] as const)
    .find(([value]) => value !== undefined) ?? [undefined, false]
  // SigningCertificate(V2) ::= SEQUENCE { certs SEQUENCE OF ESSCertID(v2), … }; the first names the signer.
  const first = sequenceOf(sequenceOf(sequenceOf(named)[0])[0])
  const [algorithm, digest] =
    first[0] instanceof Sequence ? [oidOf(first[0]), first[1]] : [undefined, first[0]]
  const hash = isV2 ? hashes[algorithm ?? sha256Oid] : 'sha1'
  if (!(digest instanceof OctetString) || hash === undefined)
    throw new TimeStampError('signature', 'the token does not name the certificate it was signed with')
  if (!same(Buffer.from(digest.valueBlock.valueHexView), createHash(hash).update(der).digest()))
    throw new TimeStampError(
      'certificate',
      'the token names another certificate than the one it verifies under',
    )
}

const sequenceOf = (value: unknown): readonly unknown[] =>
  value instanceof Sequence ? value.valueBlock.value : []

function oidOf(algorithm: Sequence): string | undefined {
  const [oid] = algorithm.valueBlock.value
  return oid instanceof ObjectIdentifier ? oid.valueBlock.toString() : undefined
}

/** PEM certificates in `text`. Throws `TimeStampError` when there is none or one cannot be read. */
export function certificatesOf(text: string): Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new TimeStampError('certificate', 'no PEM certificate is trusted')
  return blocks.map((block) => {
    try {
      return new Certificate({ schema: wholeBer(new X509Certificate(block).raw) })
    } catch (error) {
      throw new TimeStampError('certificate', 'a trusted certificate cannot be read', { cause: error })
    }
  })
}

function pemOf(certificate: Certificate): string {
  return new X509Certificate(Buffer.from(certificate.toSchema().toBER())).toString()
}

/** The one value that the bytes are, nothing behind it. */
function wholeBer(bytes: Uint8Array) {
  const { offset, result } = fromBER(new Uint8Array(bytes).buffer)
  if (offset !== bytes.length) throw new Error('not one DER value')
  return result
}

const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && timingSafeEqual(a, b)
