/** The members of an extract: which names there may be, small ones whole, large ones as streams; digests on the way. */
import { toHex } from './bytes.ts'
import type { Platform, RandomAccess } from './platform.ts'
import { Refusal } from './refusal.ts'
import { type Member, memberBytes, readDirectory } from './zip.ts'

export type OpenedExtract = {
  readonly names: readonly string[]
  has(name: string): boolean
  sizeOf(name: string): number
  bytes(name: string): AsyncIterable<Uint8Array>
  /** A small member at once. */
  whole(name: string): Promise<Uint8Array>
  /** SHA-256 in hexadecimal digits. */
  digest(name: string): Promise<string>
}

const required = [
  'VERIFY.txt',
  'events-000001.ndjson',
  'proof.bin',
  'fingerprints.bin',
  'checkpoint.txt',
  'readings.csv',
  'readings.parquet',
  'report.html',
  'manifest.json',
  'manifest.sig',
]
const allowed =
  /^(events-\d{6}\.ndjson|heads\.ndjson|export-key\.txt|key-change-[1-9]\d{0,15}\.txt|timestamp-[1-9]\d{0,15}\.(tsr|txt))$/
const maximumWhole = { 'manifest.json': 16 << 20, other: 1_000_000 }

/** Throws `Refusal` unless it is a zip of exactly such members as an extract has. */
export async function openExtract(file: RandomAccess, platform: Platform): Promise<OpenedExtract> {
  const members = await readDirectory(file)
  for (const name of required) if (!members.has(name)) throw new Refusal(`the member ${name} is missing`)
  for (const name of members.keys())
    if (!required.includes(name) && !allowed.test(name))
      throw new Refusal(`the member ${name} belongs to no extract`)
  const chunks = [...members.keys()].filter((name) => name.startsWith('events-')).sort()
  for (const [at, name] of chunks.entries())
    if (name !== `events-${String(at + 1).padStart(6, '0')}.ndjson`)
      throw new Refusal(`the member events-${String(at + 1).padStart(6, '0')}.ndjson is missing`)
  const digests = new Map<string, string>()
  function find(name: string): Member {
    const member = members.get(name)
    if (!member) throw new Refusal(`the member ${name} is missing`)
    return member
  }
  async function* bytes(name: string): AsyncIterable<Uint8Array> {
    const hasher = platform.sha256()
    for await (const chunk of memberBytes(file, find(name), platform)) {
      hasher.update(chunk)
      yield chunk
    }
    digests.set(name, toHex(hasher.digest()))
  }
  return {
    names: [...members.keys()],
    has: (name) => members.has(name),
    sizeOf: (name) => find(name).size,
    bytes,
    whole: async (name) => {
      const { size } = find(name)
      const limit = name === 'manifest.json' ? maximumWhole['manifest.json'] : maximumWhole.other
      if (size > limit) throw new Refusal(`${name} is larger than ${limit} bytes`)
      const whole = new Uint8Array(size)
      let at = 0
      for await (const chunk of bytes(name)) {
        whole.set(chunk, at)
        at += chunk.length
      }
      return whole
    },
    digest: async (name) => {
      if (!digests.has(name)) for await (const chunk of bytes(name)) void chunk
      return digests.get(name) as string
    },
  }
}
