/** A time-stamp request (RFC 3161 2.4.1) over a SHA-256 imprint, with nonce, asking for the authority's certificates. */
import { Integer, Null, OctetString } from 'asn1js'
import { AlgorithmIdentifier, MessageImprint, TimeStampReq } from 'pkijs'

export const sha256Oid = '2.16.840.1.101.3.4.2.1'

/** DER. `imprint`: 32 bytes; `nonce`: its first bit makes no difference, it is sent as a positive number. */
export function timeStampRequest(asked: {
  readonly imprint: Uint8Array
  readonly nonce: Uint8Array
  readonly policy?: string | undefined
}): Buffer {
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: sha256Oid, algorithmParams: new Null() }),
      hashedMessage: new OctetString({ valueHex: asked.imprint }),
    }),
    nonce: Integer.fromBigInt(nonceNumber(asked.nonce)),
    certReq: true,
    ...(asked.policy === undefined ? {} : { reqPolicy: asked.policy }),
  })
  return Buffer.from(request.toSchema().toBER())
}

export const nonceNumber = (nonce: Uint8Array): bigint => BigInt(`0x00${Buffer.from(nonce).toString('hex')}`)
