/** The verifier's surroundings in a page that was opened from disk: no network, no storage, no library. */
import { concat, utf8 } from './bytes.ts'
import { crc32 } from './crc32.ts'
import { verifyEd25519 } from './ed25519.ts'
import type { Platform, RandomAccess } from './platform.ts'
import { Refusal } from './refusal.ts'
import { sha256 } from './sha256.ts'
import { publicKind, sideBySide, signatureKind } from './signature-algorithms.ts'

const leafPrefix = Uint8Array.of(0)

function once(...parts: readonly Uint8Array[]): Uint8Array {
  const hasher = sha256()
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}

export const browserPlatform: Platform = {
  sha256,
  hash: (bytes) => once(bytes),
  leafHash: (text) => once(leafPrefix, utf8(text)),
  crc32,
  inflate,
  digest: async (hash, bytes) => new Uint8Array(await subtle().digest(hash, owned(bytes))),
  verifySignature: async (spki, algorithm, message, signature) => {
    const { kind, hash } = signatureKind(algorithm)
    const own = publicKind(spki)
    if (own.kind !== kind) return false
    const isCurve = own.kind === 'ECDSA'
    const imported = isCurve ? { name: 'ECDSA', namedCurve: own.curve } : { name: 'RSASSA-PKCS1-v1_5', hash }
    const given = isCurve ? sideBySide(signature, own.curve) : signature
    if (!given) return false
    const crypto = subtle()
    const check = isCurve ? { name: 'ECDSA', hash } : imported.name
    return await crypto
      .importKey('spki', owned(spki), imported, false, ['verify'])
      // A key that is none, such as a point beside its curve, has signed nothing.
      .then((key) => crypto.verify(check, key, owned(given), owned(message)))
      .catch(() => false)
  },
  verifyEd25519: async (publicKey, message, signature) => {
    const viaWebCrypto = await viaSubtle(publicKey, message, signature)
    return viaWebCrypto ?? verifyEd25519(publicKey, message, signature)
  },
}

function subtle(): SubtleCrypto {
  const found: SubtleCrypto | undefined = globalThis.crypto?.subtle
  if (!found) throw new Refusal('this browser has no WebCrypto here: use verify.mjs')
  return found
}

const owned = (bytes: Uint8Array): ArrayBuffer => concat(bytes).buffer as ArrayBuffer

/** Undefined where this browser has no Ed25519. */
async function viaSubtle(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean | undefined> {
  try {
    const key = await crypto.subtle.importKey(
      'raw',
      concat(publicKey).buffer as ArrayBuffer,
      'Ed25519',
      false,
      ['verify'],
    )
    return await crypto.subtle.verify(
      'Ed25519',
      key,
      concat(signature).buffer as ArrayBuffer,
      concat(message).buffer as ArrayBuffer,
    )
  } catch {
    return undefined
  }
}

async function* inflate(compressed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = compressed[Symbol.asyncIterator]()
  const source = new ReadableStream<BufferSource>({
    pull: async (controller) => {
      const next = await iterator.next()
      if (next.done) controller.close()
      else controller.enqueue(next.value as BufferSource)
    },
    cancel: async () => {
      await iterator.return?.()
    },
  })
  const reader = source.pipeThrough(new DecompressionStream('deflate-raw')).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

export function openBlob(blob: Blob): RandomAccess {
  return {
    size: blob.size,
    read: async (offset, length) => {
      const bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
      if (bytes.length !== length) throw new Error('the file ended early')
      return bytes
    },
  }
}
