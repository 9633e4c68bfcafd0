/** An extract taken apart into its members, changed, and put together again: as somebody would who tampers with it. */
import { hash } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'
import type { NoteSigner } from '../../ledger/log/note.ts'
import { signNote } from '../../ledger/log/note.ts'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { nodePlatform } from '../src/platform-node.ts'
import { memberBytes, readDirectory } from '../src/zip.ts'

export type Members = Map<string, Buffer>
export type JsonRecord = Record<string, unknown>

export function inMemory(bytes: Buffer) {
  return { size: bytes.length, read: async (at: number, length: number) => bytes.subarray(at, at + length) }
}

export async function takeApart(zip: Buffer): Promise<Members> {
  const file = inMemory(zip)
  const members: Members = new Map()
  for (const member of (await readDirectory(file)).values()) {
    const chunks: Uint8Array[] = []
    for await (const chunk of memberBytes(file, member, nodePlatform)) chunks.push(chunk)
    members.set(member.name, Buffer.concat(chunks))
  }
  return members
}

export type ZipEntry = {
  readonly name: string
  readonly bytes: Buffer
  readonly localName?: string
  readonly flags?: number
  readonly method?: number
  readonly crc?: number
  readonly size?: number
}

/** A zip of exactly these entries, as wrong as they say. */
export function zipOf(entries: readonly ZipEntry[], end: { comment?: Buffer; prefix?: Buffer } = {}): Buffer {
  const parts: Buffer[] = end.prefix ? [end.prefix] : []
  const directory: Buffer[] = []
  let offset = end.prefix?.length ?? 0
  for (const entry of entries) {
    const { name, bytes, localName = name, flags = 0, method = 8 } = entry
    const packed = method === 8 ? deflateRawSync(bytes, { level: 1 }) : bytes
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(flags, 2)
    fields.writeUInt16LE(method, 4)
    fields.writeUInt16LE(0x21, 8)
    fields.writeUInt32LE(entry.crc ?? crc32(bytes), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(entry.size ?? bytes.length, 18)
    fields.writeUInt16LE(localName.length, 22)
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), fields, Buffer.from(localName), packed])
    fields.writeUInt16LE(name.length, 22)
    const central = Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.of(20, 0), fields, Buffer.alloc(14)])
    central.writeUInt32LE(offset, 42)
    directory.push(central, Buffer.from(name))
    parts.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const last = Buffer.alloc(22)
  last.write('PK\u0005\u0006', 'latin1')
  last.writeUInt16LE(entries.length, 8)
  last.writeUInt16LE(entries.length, 10)
  last.writeUInt32LE(central.length, 12)
  last.writeUInt32LE(offset, 16)
  last.writeUInt16LE(end.comment?.length ?? 0, 20)
  return Buffer.concat([...parts, central, last, end.comment ?? Buffer.alloc(0)])
}

export function putTogether(members: Members): Buffer {
  return zipOf([...members].map(([name, bytes]) => ({ name, bytes })))
}

/** Makes the manifest say what the members are now; signed only by whoever holds the export key. */
export function reseal(
  members: Members,
  exportKey?: NoteSigner,
  edit: (manifest: JsonRecord) => void = () => {},
): void {
  const manifest = JSON.parse(String(members.get('manifest.json'))) as JsonRecord
  const listed = [...members.keys()].filter((name) => !name.startsWith('manifest.'))
  manifest.members = listed.map((name) => {
    const bytes = members.get(name) as Buffer
    return { name, size: String(bytes.length), sha256: hash('sha256', bytes, 'hex') }
  })
  edit(manifest)
  const text = canonicalJson(manifest)
  members.set('manifest.json', Buffer.from(text))
  if (!exportKey) return
  const { origin, checkpoint } = manifest as { origin: string; checkpoint: { size: string; root: string } }
  const lines = [
    'bioledger-extract/v1',
    origin,
    checkpoint.size,
    checkpoint.root,
    hash('sha256', text, 'base64'),
  ]
  members.set('manifest.sig', Buffer.from(signNote(`${lines.join('\n')}\n`, [exportKey])))
}

export const eventsMember = 'events-000001.ndjson'

export function linesOf(members: Members, name = eventsMember): string[] {
  return String(members.get(name)).slice(0, -1).split('\n')
}

export function setLines(members: Members, lines: readonly string[], name = eventsMember): void {
  members.set(name, Buffer.from(`${lines.join('\n')}\n`))
}
