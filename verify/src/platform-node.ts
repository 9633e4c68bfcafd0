/** The verifier's surroundings in Node 20 and later: hashes, signatures and inflation of Node itself. */
import * as crypto from 'node:crypto'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { crc32 } from './crc32.ts'
import type { Platform, RandomAccess } from './platform.ts'
import { publicKind, sideBySide, signatureKind } from './signature-algorithms.ts'

const spki = Buffer.from('302a300506032b6570032100', 'hex')

function once(bytes: Uint8Array | string): Uint8Array {
  return typeof crypto.hash === 'function'
    ? crypto.hash('sha256', bytes, 'buffer')
    : crypto.createHash('sha256').update(bytes).digest()
}

export const nodePlatform: Platform = {
  sha256: () => {
    const hash = crypto.createHash('sha256')
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
  },
  hash: once,
  leafHash: (text) => once(`\u0000${text}`),
  crc32: typeof zlib.crc32 === 'function' ? (bytes, before) => zlib.crc32(bytes, before) : crc32,
  inflate,
  digest: async (hash, bytes) =>
    crypto.createHash(hash.replace('-', '').toLowerCase()).update(bytes).digest(),
  verifySignature: async (spki, algorithm, message, signature) => {
    const { kind, hash } = signatureKind(algorithm)
    const own = publicKind(spki)
    if (own.kind !== kind) return false
    const given = own.kind === 'ECDSA' ? sideBySide(signature, own.curve) : signature
    if (!given) return false
    try {
      const key = crypto.createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
      return crypto.verify(hash.replace('-', ''), message, { key, dsaEncoding: 'ieee-p1363' }, given)
    } catch {
      // A key that is none, such as a point beside its curve, has signed nothing.
      return false
    }
  },
  verifyEd25519: async (publicKey, message, signature) =>
    crypto.verify(
      null,
      message,
      crypto.createPublicKey({ key: Buffer.concat([spki, publicKey]), format: 'der', type: 'spki' }),
      signature,
    ),
}

async function* inflate(compressed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let given = 0
  async function* counted() {
    for await (const chunk of compressed) {
      given += chunk.length
      yield chunk
    }
  }
  const inflater = zlib.createInflateRaw({ chunkSize: 1 << 18 })
  const input = Readable.from(counted(), { objectMode: false })
  input.on('error', (error) => inflater.destroy(error))
  input.pipe(inflater)
  try {
    yield* inflater
    if (inflater.bytesWritten !== given) throw new Error('bytes after the end of the deflate stream')
  } finally {
    input.destroy()
    inflater.destroy()
  }
}

/** The file at `path`, opened for reading at any offset. */
export async function openFile(path: string): Promise<RandomAccess & { close(): Promise<void> }> {
  const file = await open(path, 'r')
  const { size } = await file.stat()
  return {
    size,
    read: async (offset, length) => {
      const bytes = Buffer.allocUnsafe(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled)
        if (bytesRead === 0) throw new Error('the file ended early')
        filled += bytesRead
      }
      return bytes
    },
    close: () => file.close(),
  }
}
