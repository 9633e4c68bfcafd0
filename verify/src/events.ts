/**
 * One pass over the events in the order of the log, with constant memory: entry by entry the leaf, its place in its
 * stream, its payload, its time, its row in the table, and its hash in the tree whose root must be the signed one.
 */
import { approvalsOf, approvingTypes } from './approvals.ts'
import { equalBytes, fromBase64, toBase64 } from './bytes.ts'
import { isObject, type JsonObject } from './canonical.ts'
import { unlikeReading } from './csv.ts'
import type { Findings, Place } from './findings.ts'
import { type KeyHistory, keyHistory } from './keys.ts'
import { type Entry, parseLine, placeOf } from './leaf.ts'
import { linesOf, type Pieces, piecesOf } from './lines.ts'
import type { Manifest } from './manifest.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'
import { collectFacts, isReading, type ReadingData, type ReportFacts } from './report-facts.ts'
import type { Told } from './sentences.ts'
import { followStreams, type Streams } from './streams.ts'
import { readingsTables, type Tables } from './tables.ts'
import { timeBrackets } from './times.ts'
import { growingTree, tiling } from './tree.ts'

/** The event that states the heads. */
export type Statement = {
  readonly data: JsonObject
  readonly revision: number
  readonly index: number
  readonly prev: string | null
  readonly recordedAt: string
}

export type Reading = {
  readonly streams: Streams
  readonly keys: KeyHistory
  readonly statement: Statement | undefined
  readonly stamps: readonly JsonObject[]
  readonly tables: ReturnType<Tables['finish']>
  /** Events whose time a time stamp contradicts by no more than a clock that is off explains. */
  readonly deviations: { readonly count: number; readonly first: string | undefined }
  readonly facts: ReportFacts
  readonly events: number
  /** False when an event could not be read or the proof is broken: then no root could be computed. */
  readonly root: Uint8Array | undefined
  readonly first: Place | undefined
  readonly last: Place | undefined
}

export type Sources = {
  /** Each events member in order. */
  readonly events: readonly { readonly name: string; bytes(): AsyncIterable<Uint8Array> }[]
  readonly proof: AsyncIterable<Uint8Array>
  readonly fingerprints: AsyncIterable<Uint8Array>
}

export const proofLine = 'bioledger-multi-proof/v1\n'
export const fingerprintsLine = 'bioledger-fingerprints/v1\n'
/** Lines that cannot be read, after which the rest is not looked at. */
export const maximumBadLines = 1000
const maximumSearches = 1000
const mostHashesOfAGap = 2 * 53 * 32

export async function readEvents(
  sources: Sources,
  manifest: Manifest,
  findings: Findings,
  platform: Platform,
): Promise<Reading> {
  const streams = followStreams(manifest)
  const keys = keyHistory()
  const tables = readingsTables(platform)
  const brackets = timeBrackets(manifest.stamps)
  const tree = growingTree(platform)
  const proof = await opened(sources.proof, proofLine, 'proof.bin')
  const fingerprints = await opened(sources.fingerprints, fingerprintsLine, 'fingerprints.bin')
  const stamps: JsonObject[] = []
  const facts = collectFacts(manifest.batchId, manifest.request.asOf)
  let statement: Statement | undefined
  let badLines = 0
  const deviations: { count: number; first: string | undefined } = { count: 0, first: undefined }
  let events = 0
  let canProve = true
  let searches = 0
  let lastIndex = -1
  let first: Place | undefined
  let last: Place | undefined

  for (const { name, bytes } of sources.events) {
    try {
      for await (const lines of linesOf(bytes(), name))
        for (const line of lines) {
          if (proof.held < mostHashesOfAGap) await proof.fill(1 << 18)
          if (fingerprints.held < 8) await fingerprints.fill(1 << 18)
          take(line)
        }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      canProve = false
      const after = last ? `, after ${last.stream} revision ${last.revision}` : ''
      findings.fail('leaves', `${error.message}${after}`, { member: name })
      if (badLines > maximumBadLines) break
    }
  }
  if (canProve) fillGap(lastIndex + 1, manifest.checkpoint.size)
  if ((await proof.drain()) > 0)
    findings.fail('inclusion', 'it holds more hashes than the proof needs', { member: 'proof.bin' })
  if ((await fingerprints.drain()) > 0)
    findings.fail(
      'streams',
      'something after it is missing: the list of fingerprints is longer',
      last ? { event: last } : {},
    )
  return {
    streams,
    keys,
    statement,
    stamps,
    tables: tables.finish(),
    deviations,
    facts: facts.finish(),
    events,
    root: canProve && tree.size === manifest.checkpoint.size ? tree.root() : undefined,
    first,
    last,
  }

  function take(line: string): void {
    events++
    const entry = read(line)
    if (!entry) {
      fingerprints.take(8)
      canProve = false
      if (++badLines > maximumBadLines)
        throw new Refusal(`more than ${maximumBadLines} lines cannot be read; the rest was not looked at`)
      return
    }
    const event: Place = { stream: entry.stream, revision: entry.revision, index: entry.index }
    first ??= event
    last = event
    compareFingerprint(entry, event)
    const objection = streams.apply(entry)
    if (objection) findings.fail('streams', objection.message, { event: objection.event })
    prove(entry, event)
    const late = brackets.objection(entry.index, entry.recordedAt)
    if (late?.isDeviation) {
      deviations.count++
      deviations.first ??= `${entry.stream} revision ${entry.revision}: ${late.message}`
    } else if (late) findings.fail('times', late.message, { event })
    look(entry, event)
  }

  /** A leaf that is listed further on shows that events before it are missing, which their streams will name. */
  function compareFingerprint(entry: Entry, event: Place): void {
    if (searches > maximumSearches) return
    const fingerprint = fingerprints.take(8)
    const own = entry.hash.subarray(0, 8)
    if (fingerprint && equalBytes(fingerprint, own)) return
    searches++
    const missing = fingerprints.ahead(own)
    if (fingerprint && missing !== undefined) fingerprints.take(8 * (missing + 1))
    else findings.fail('leaves', 'its leaf is not the one that the extract was made with', { event })
  }

  function read(line: string): Entry | undefined {
    try {
      return parseLine(line, manifest.origin, platform)
    } catch (error) {
      const place = placeOf(line)
      const message = error instanceof Refusal ? error.message : 'the line cannot be read'
      const check = error instanceof Refusal && error.isPayload ? 'payloads' : 'leaves'
      findings.fail(
        check,
        message,
        place ? { event: place } : last ? { event: { ...last, revision: last.revision } } : {},
      )
      return undefined
    }
  }

  function prove(entry: Entry, event: Place): void {
    if (!canProve) return
    if (entry.index <= lastIndex || entry.index >= manifest.checkpoint.size) {
      canProve = false
      findings.fail('streams', 'its index does not rise, or is beyond the checkpoint', { event })
      return
    }
    fillGap(lastIndex + 1, entry.index)
    if (!canProve) return
    tree.appendLeaf(entry.hash)
    lastIndex = entry.index
  }

  function fillGap(from: number, to: number): void {
    for (const level of tiling(from, to)) {
      const hash = proof.take(32)
      if (!hash) {
        canProve = false
        findings.fail('inclusion', 'it ends before the proof is complete', { member: 'proof.bin' })
        return
      }
      tree.appendSubtree(level, hash)
    }
  }

  /** What the event says, for the checks and the story that rest on it. */
  function look(entry: Entry, event: Place): void {
    const { type, stream, data } = entry
    const isOfBatch = stream.endsWith(manifest.batchId)
    if (entry.payload === 'left out') {
      const isRecord = stream === `batch-${manifest.batchId}`
      const isAllowed =
        isRecord && manifest.request.scope === 'signatures-only' && !approvingTypes.includes(type)
      if (!isAllowed) findings.fail('payloads', 'its payload is missing', { event })
    }
    if (isOfBatch && data?.batchId !== undefined && data.batchId !== manifest.batchId)
      findings.fail('streams', `it speaks of batch ${JSON.stringify(data.batchId)}`, { event })
    if (isReading(type, stream)) {
      const unlike = data && unlikeReading(data)
      if (unlike) findings.fail('leaves', unlike, { event })
      else if (data) {
        tables.add(entry, data)
        facts.addReading(
          {
            type,
            occurredAt: entry.leaf.occurredAt as string,
            recordedAt: entry.recordedAt,
            origin: entry.leaf.origin as string,
          },
          data as ReadingData,
        )
      }
      return
    }
    try {
      if (stream === 'ledger-keys' && data) keys.apply(type, data, entry.index)
      if (stream === 'ledger-timestamps' && data) stamps.push({ ...data, index: entry.index })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      findings.fail('keys', error.message, { event })
    }
    if (stream === 'ledger-heads') {
      if (type !== 'HeadsStated' || entry.index !== manifest.heads?.index)
        findings.fail('completeness', 'it is not the heads statement that the manifest names', { event })
      else if (data)
        statement = {
          data,
          revision: entry.revision,
          index: entry.index,
          prev: entry.prev,
          recordedAt: entry.recordedAt,
        }
    }
    const told = toldOf(entry)
    const { objection } = approvalsOf(told)
    if (objection) findings.fail('signatures', objection, { event })
    facts.add(told)
  }
}

function toldOf({ leaf, stream, revision, index, type, recordedAt, data, reason }: Entry): Told {
  const who = isObject(leaf.actor) ? String(leaf.actor.id) : ''
  const { occurredAt, origin } = leaf as { occurredAt: string; origin: string }
  return { type, stream, revision, index, occurredAt, recordedAt, origin, who, data, reason }
}

/** The pieces after the first line, which names the format. */
async function opened(bytes: AsyncIterable<Uint8Array>, line: string, name: string): Promise<Pieces> {
  const pieces = piecesOf(bytes)
  await pieces.fill(line.length)
  const start = pieces.take(line.length)
  if (!start || String.fromCharCode(...start) !== line)
    throw new Refusal(`${name} does not begin with ${line.trim()}`)
  return pieces
}

export function rootMatches(root: Uint8Array, stated: string): boolean {
  const bytes = fromBase64(stated)
  return bytes !== undefined && equalBytes(root, bytes) && toBase64(root) === stated
}
