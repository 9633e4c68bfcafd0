/**
 * A log in memory with the very leaves, trees, heads statements and notes of the product, for tests of extracts and
 * their verifiers: thousands of small logs in one process, and single events forged where a test needs it.
 */
import { createHash } from 'node:crypto'
import type { ClientEvent, RecordedEvent } from '../../../schemas/event.ts'
import { findEventType } from '../../../schemas/events/registry.ts'
import { type HeadRecord, recordText, sortedByKey, streamKeyOf } from '../../heads/heads-list.ts'
import type { SigningKey } from '../../keys/key-vault.ts'
import { buildLeaf } from '../../leaf/leaf.ts'
import { payloadText } from '../../leaf/payload.ts'
import { checkpointText } from '../../log/checkpoint.ts'
import { type NoteSigner, noteSigner, signNote } from '../../log/note.ts'
import type { SubtreeReader } from '../../log/proof.ts'
import { leafHash, nodeHash } from '../../log/tree-hash.ts'
import type { HeadsStatement, LogEntry, PublishedCheckpoint, StreamRun } from '../../storage/log-reader.ts'
import type { Payload, PayloadReader } from '../payloads.ts'
import type { ExtractLog } from '../selection.ts'

export const testOrigin = 'ledger.example.org/site-1/test'

export type MemoryLog = ExtractLog & {
  readonly logKey: NoteSigner
  readonly exportKey: NoteSigner
  readonly payloadOf: PayloadReader
  readonly size: number
  countOf(stream: string): number
  append(stream: string, event: ClientEvent, recordedAtMs: number): { index: number; leaf: Buffer }
  /** Appends bytes as they are, as an operator could who forges the log itself. */
  appendRaw(stream: string, leaf: Buffer): number
  /** Appends the heads statement about the log as it is, after what comes `meanwhile`. */
  stateHeads(
    recordedAtMs: number,
    forge?: (records: HeadRecord[]) => HeadRecord[],
    meanwhile?: () => void,
  ): void
  publish(): PublishedCheckpoint
  /** Adds a new log key and publishes the checkpoint that both sign; the old one signs no more. */
  changeKey(recordedAtMs: number): NoteSigner
}

export function memoryLog(seed = 'log', origin = testOrigin): MemoryLog {
  const digest = (text: string) => createHash('sha256').update(`${seed} ${text}`).digest()
  const logKey = noteSigner(origin, digest('log key'))
  let signing = [logKey]
  const exportKey = noteSigner(`${origin}/export`, digest('export key'))
  const siteKey = digest('site key')
  const leaves: Buffer[] = []
  const levels: Buffer[][] = [[]]
  const places = new Map<string, number[]>()
  const payloads = new Map<string, Payload>()
  const recordedAts: string[] = []
  const statements: (HeadsStatement & { records: readonly HeadRecord[] })[] = []
  const published: PublishedCheckpoint[] = []
  let ids = 0

  function appendRaw(stream: string, leaf: Buffer): number {
    const index = leaves.length
    leaves.push(leaf)
    const indexes = places.get(stream)
    if (indexes) indexes.push(index)
    else places.set(stream, [index])
    let hash = leafHash(leaf)
    for (let level = 0; ; level++) {
      const at = levels[level] ?? []
      levels[level] = at
      at.push(hash)
      if (at.length % 2 === 1) break
      hash = nodeHash(at.at(-2) as Buffer, at.at(-1) as Buffer)
    }
    return index
  }
  function append(stream: string, event: ClientEvent, recordedAtMs: number) {
    const before = places.get(stream)
    const revision = BigInt(before?.length ?? 0)
    const previous = before?.at(-1)
    const prev = previous === undefined ? null : leafHash(leaves[previous] as Buffer)
    const recordedAt = new Date(recordedAtMs).toISOString()
    const recorded: RecordedEvent = {
      ...event,
      stream,
      revision,
      position: BigInt(leaves.length),
      recordedAt,
    }
    const salt = findEventType(event.type)?.typedByPeople ? digest(`salt ${stream} ${revision}`) : undefined
    const leaf = buildLeaf(recorded, salt, prev, origin)
    if (leaf.includes('"payload":'))
      payloads.set(`${stream}@${revision}`, {
        payload: payloadText(event),
        ...(salt ? { salt: salt.toString('base64') } : {}),
      })
    recordedAts[leaves.length] = recordedAt
    return { index: appendRaw(stream, leaf), leaf }
  }
  const subtree: SubtreeReader = async (level, index) => {
    const hash = levels[level]?.[Number(index)]
    if (!hash) throw new RangeError(`no subtree ${index} of level ${level}`)
    return hash
  }
  function records(): HeadRecord[] {
    return sortedByKey(
      [...places].map(([stream, indexes]) => ({
        streamKey: streamKeyOf({ siteKey, origin }, stream),
        count: BigInt(indexes.length),
        lastIndex: BigInt(indexes.at(-1) as number),
        lastLeafHash: leafHash(leaves[indexes.at(-1) as number] as Buffer),
      })),
    )
  }
  function publish(): PublishedCheckpoint {
    const size = BigInt(leaves.length)
    const root = rootNow(levels)
    const checkpoint: PublishedCheckpoint = {
      size,
      root,
      note: signNote(checkpointText({ origin, size, root }), signing),
      signedAt: recordedAts.at(-1) as string,
      position: size - 1n,
      eventId: '',
      recordedAt: recordedAts.at(-1) as string,
    }
    published.push(checkpoint)
    return checkpoint
  }
  const byIndex = (size: bigint) => published.find((one) => one.size === size)
  return {
    logKey,
    exportKey,
    get size() {
      return leaves.length
    },
    countOf: (stream) => places.get(stream)?.length ?? 0,
    payloadOf: async (stream, revision) => {
      const payload = payloads.get(`${stream}@${revision}`)
      if (!payload) throw new Error(`no payload of ${stream}@${revision}`)
      return payload
    },
    append,
    appendRaw,
    stateHeads: (recordedAtMs, forge = (all) => all, meanwhile = () => {}) => {
      const size = BigInt(leaves.length)
      const list = forge(records())
      const root = treeRoot(list.map((record) => leafHash(Buffer.from(recordText(record)))))
      const streams = BigInt(list.length)
      const recordedUpTo = recordedAts[leaves.length - 1]
      const event = ledgerEvent(digest(`heads ${ids++}`), 'HeadsStated', recordedAtMs, {
        size: String(size),
        streams: String(streams),
        total: String(size),
        root: root.toString('base64'),
        ...(recordedUpTo === undefined ? {} : { recordedUpTo }),
      })
      meanwhile()
      const { index } = append('ledger-heads', event, recordedAtMs)
      statements.push({ size, index: BigInt(index), root, streams, records: list })
    },
    publish,
    changeKey: (recordedAtMs) => {
      const next = noteSigner(origin, digest('next log key'))
      const data = { verifierKey: next.verifierKey, purpose: 'log', fromSize: String(leaves.length) }
      append(
        'ledger-keys',
        ledgerEvent(digest('change of key'), 'LedgerKeyAdded', recordedAtMs, data),
        recordedAtMs,
      )
      signing = [logKey, next]
      publish()
      signing = [next]
      const retired = { verifierKey: logKey.verifierKey, purpose: 'log', lastSize: String(leaves.length) }
      append(
        'ledger-keys',
        ledgerEvent(digest('old key'), 'LedgerKeyRetired', recordedAtMs, retired),
        recordedAtMs,
      )
      return next
    },
    origin: async () => origin,
    head: async () => published.at(-1),
    checkpointOf: async (size) => byIndex(size),
    checkpointAtOrBefore: async (limit) =>
      published.findLast((one) =>
        'recordedAt' in limit
          ? one.recordedAt <= limit.recordedAt
          : 'size' in limit
            ? one.size <= limit.size
            : one.position <= limit.position,
      ),
    checkpointCovering: async (size) => published.find((one) => one.size >= size),
    entries: async function* (from, to) {
      for (let index = from; index < to; index++) yield { index, leaf: leaves[Number(index)] as Buffer }
    },
    entriesOf: async function* (runs) {
      for await (const { index, count } of runs)
        for (let at = 0n; at < BigInt(count); at++)
          yield { index: index + at, leaf: leaves[Number(index + at)] as Buffer } satisfies LogEntry
    },
    indexesOf: async function* (stream, { from = 0n, to, size }) {
      const indexes = (places.get(stream) ?? []).filter((index) => BigInt(index) < size)
      for (const [revision, index] of indexes.entries())
        if (BigInt(revision) >= from && (to === undefined || BigInt(revision) <= to))
          yield { revision: BigInt(revision), index: BigInt(index), count: 1 } satisfies StreamRun
    },
    subtrees: () => subtree,
    headsStatement: async (size) => statements.findLast((one) => one.index < size),
    headsRecords: async (size) => statements.find((one) => one.size === size)?.records ?? [],
    requestHeads: async () => {},
  }

  function rootNow(all: readonly (readonly Buffer[])[]): Buffer {
    let root: Buffer | undefined
    let size = leaves.length
    for (let level = 0; size > 0; level++, size = Math.floor(size / 2))
      if (size % 2 === 1) {
        const hash = all[level]?.[size - 1] as Buffer
        root = root ? nodeHash(hash, root) : hash
      }
    return root as Buffer
  }
}

/** The signer as the key vault would give it. */
export const asSigningKey = (signer: NoteSigner): SigningKey => ({
  verifierKey: signer.verifierKey,
  sign: async (text) => ({
    name: signer.name,
    keyId: signer.keyId,
    signature: Buffer.from(signer.sign(text)),
  }),
})

/** Root over the leaf hashes (RFC 6962 2.1), of lists that are no true statement too. */
function treeRoot(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 1) return hashes[0] as Buffer
  let half = 1
  while (half * 2 < hashes.length) half *= 2
  return nodeHash(treeRoot(hashes.slice(0, half)), treeRoot(hashes.slice(half)))
}

export function uuidFrom(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, 16)).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export function ledgerEvent(
  id: Uint8Array,
  type: string,
  atMs: number,
  data: Record<string, unknown>,
): ClientEvent {
  const at = new Date(atMs).toISOString()
  const actor = { kind: 'service', id: 'ledger', role: 'ledger' } as const
  return {
    id: uuidFrom(id),
    type,
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor,
    origin: 'live',
    site: 'site-1',
    data,
  }
}
