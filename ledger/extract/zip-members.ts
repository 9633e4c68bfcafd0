/** The zip as an extract writes it: members in a given order, each streamed and hashed, times fixed, nothing else. */
import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'

export type WrittenMember = { readonly name: string; readonly size: number; readonly sha256: string }

export type MemberSource = {
  readonly name: string
  /** Called when the member's turn comes, with the members written before it. */
  readonly bytes: (before: readonly WrittenMember[]) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** Local midnight, as zip times have no zone: the same bytes in any zone. */
const fixedTime = new Date(1980, 0, 1)

/** Writes the members in order to `out` and ends it. Rejects with the first error of a source or of `out`. */
export async function writeZip(
  members: readonly MemberSource[],
  out: Writable,
): Promise<readonly WrittenMember[]> {
  const zip = new ZipFile()
  const written: WrittenMember[] = []
  const failing = new Promise<never>((_, reject) => {
    zip.on('error', reject)
    for (const { name, bytes } of members)
      zip.addReadStreamLazy(
        name,
        // A stored member whose size follows it has no end for who reads onwards, so all are deflated.
        { compress: true, mtime: fixedTime, mode: 0o100644, forceDosTimestamp: true },
        (give) => {
          const stream = Readable.from(hashed(name, bytes(written), written), { objectMode: false })
          stream.on('error', reject)
          give(null, stream)
        },
      )
  })
  zip.end()
  await Promise.race([failing, pipeline(zip.outputStream, out)])
  return written
}

async function* hashed(
  name: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  written: WrittenMember[],
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of bytes) {
    hash.update(chunk)
    size += chunk.length
    yield chunk
  }
  written.push({ name, size, sha256: hash.digest('hex') })
}
