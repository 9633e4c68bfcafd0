/**
 * Writes the extract of a batch (docs/formats/extract.md): one pass over the entries makes the event files and, beside
 * them on disk, tables and fingerprints; then the proof, the statements, the report and the signed manifest. Memory does
 * not grow with the number of events beyond their ranges of indexes. The same request at the same checkpoint size gives
 * the same bytes: no clock, no randomness, fixed order.
 */
import { hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { approvingTypes } from '../../verify/src/approvals.ts'
import { type ReportHead, reportPieces } from '../../verify/src/report.ts'
import { recordText } from '../heads/heads-list.ts'
import type { SigningKey } from '../keys/key-vault.ts'
import { signNote } from '../log/note.ts'
import type { PublishedCheckpoint } from '../storage/log-reader.ts'
import { eventPass, eventsPerMember } from './event-pass.ts'
import { exportKeyProof } from './export-key-proof.ts'
import { keyChanges } from './key-changes.ts'
import { multiProof } from './multi-proof.ts'
import type { PayloadReader } from './payloads.ts'
import { type ExtractRequest, scopeOf } from './request.ts'
import { type ExtractLog, type Selection, select } from './selection.ts'
import { type TokenReader, tokenMembers } from './time-stamp-tokens.ts'
import { verifyText } from './verify-text.ts'
import { type MemberSource, type WrittenMember, writeZip } from './zip-members.ts'

export type ExtractDeps = {
  readonly log: ExtractLog
  readonly payloadOf: PayloadReader
  readonly exportKey: SigningKey
  /** Gives undefined where the token is not kept. */
  readonly tokenOf?: TokenReader
}

export type WrittenExtract = {
  readonly size: bigint
  readonly events: number
  readonly manifestSha256: string
}

const blockBytes = 1 << 16

/**
 * Writes to the new file `out`; temporary files stand beside it and are gone at the end. `checkpoint` is a published one.
 * Throws `ExtractError`; a file half written is removed.
 */
export async function writeExtract(
  request: ExtractRequest,
  checkpoint: PublishedCheckpoint,
  deps: ExtractDeps,
  out: string,
  options: { onProgress?: (done: number, total: number) => void; signal?: AbortSignal } = {},
): Promise<WrittenExtract> {
  const origin = (await deps.log.origin()) ?? ''
  const selection = await select(deps.log, request, checkpoint.size)
  const folder = await mkdtemp(join(dirname(out), '.extract-'))
  try {
    const pass = await eventPass({ request, selection, deps, folder, options })
    const members = await sources({ request, checkpoint, selection, deps, folder, pass, origin })
    const file = createWriteStream(out, { flags: 'wx' })
    const written = await writeZip(members, file)
    await finished(file).catch(() => {})
    const manifest = written.find(({ name }) => name === 'manifest.json') as WrittenMember
    return {
      size: checkpoint.size,
      events: selection.events,
      manifestSha256: Buffer.from(manifest.sha256, 'hex').toString('base64'),
    }
  } catch (error) {
    await rm(out, { force: true })
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Context = {
  readonly request: ExtractRequest
  readonly checkpoint: PublishedCheckpoint
  readonly selection: Selection
  readonly deps: ExtractDeps
  readonly folder: string
  readonly pass: Awaited<ReturnType<typeof eventPass>>
  readonly origin: string
}

async function sources(context: Context): Promise<MemberSource[]> {
  const { checkpoint, selection, deps, folder, pass } = context
  const { statement } = selection
  const text = (name: string, make: (before: readonly WrittenMember[]) => string): MemberSource => ({
    name,
    bytes: (before) => [Buffer.from(make(before))],
  })
  const file = (name: string): MemberSource => ({
    name,
    bytes: () => createReadStream(join(folder, name), { highWaterMark: 1 << 18 }),
  })
  const chunks = Math.max(1, Math.ceil(selection.events / eventsPerMember))
  return [
    text('VERIFY.txt', () => verifyText),
    ...Array.from({ length: chunks }, (_, at) => ({
      name: `events-${String(at + 1).padStart(6, '0')}.ndjson`,
      bytes: () => pass.nextChunk(),
    })),
    { name: 'proof.bin', bytes: () => proofBytes(context) },
    file('fingerprints.bin'),
    text('checkpoint.txt', () => checkpoint.note),
    ...(await keyChanges(deps.log, selection, checkpoint)),
    ...(await exportKeyProof(deps.log, deps.exportKey.verifierKey, selection)),
    ...(statement ? [{ name: 'heads.ndjson', bytes: () => headsBytes(deps, statement.size) }] : []),
    ...(await tokenMembers(deps, selection, checkpoint.size)),
    file('readings.csv'),
    file('readings.parquet'),
    { name: 'report.html', bytes: () => reportBytes(context) },
    text('manifest.json', (before) => manifestText(context, before)),
    {
      name: 'manifest.sig',
      bytes: (before) => manifestSignature(context, before),
    },
  ]
}

function* reportBytes({ request, checkpoint, selection, origin, pass }: Context): Iterable<Uint8Array> {
  const { statement, events, omitted } = selection
  const { batchId, purpose, purposeText, asOf, from, to } = request
  const head: ReportHead = {
    origin,
    batchId,
    checkpoint: { size: Number(checkpoint.size), root: checkpoint.root.toString('base64') },
    heads: statement ? { index: Number(statement.index), size: Number(statement.size) } : null,
    request: {
      scope: scopeOf(request),
      purpose,
      ...(purposeText === undefined ? {} : { purposeText }),
      ...(asOf === undefined ? {} : { asOf }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    },
    events,
    streams: selection.streams.map((one) => ({ ...one, first: Number(one.first), last: Number(one.last) })),
    omitted,
  }
  for (const { html } of reportPieces(head, pass.facts())) yield Buffer.from(html)
}

async function* proofBytes({ selection, checkpoint, deps }: Context): AsyncIterable<Uint8Array> {
  const { size } = checkpoint
  let held: Buffer[] = [Buffer.from('bioledger-multi-proof/v1\n')]
  for await (const one of multiProof(selection.ranges, Number(size), deps.log.subtrees(size))) {
    held.push(one)
    if (held.length < blockBytes / 32) continue
    yield Buffer.concat(held)
    held = []
  }
  yield Buffer.concat(held)
}

async function* headsBytes({ log }: ExtractDeps, size: bigint): AsyncIterable<Uint8Array> {
  let text = ''
  for (const record of await log.headsRecords(size)) {
    text += `${recordText(record)}\n`
    if (text.length < blockBytes) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

function manifestText(context: Context, members: readonly WrittenMember[]): string {
  const { request, checkpoint, selection, pass, origin } = context
  const { statement } = selection
  const { batchId, purpose, purposeText, asOf, from, to, signaturesOnly } = request
  const given = Object.fromEntries(
    Object.entries({ purposeText, asOf, from, to }).filter(([, value]) => value !== undefined),
  )
  return canonicalJson({
    format: 'bioledger-extract/v1',
    origin,
    batchId,
    checkpoint: { size: String(checkpoint.size), root: checkpoint.root.toString('base64') },
    heads: statement ? { index: String(statement.index), size: String(statement.size) } : null,
    request: { scope: scopeOf(request), purpose, ...given },
    events: String(selection.events),
    readings: String(pass.readings()),
    streams: selection.streams.map(({ stream, first, last, events }) => ({
      stream,
      first: String(first),
      last: String(last),
      events: String(events),
    })),
    omitted: selection.omitted,
    ...(signaturesOnly ? { signatureTypes: approvingTypes } : {}),
    stamps: pass.stamps,
    timeZone: 'UTC',
    members: members.map(({ name, size, sha256 }) => ({ name, size: String(size), sha256 })),
  })
}

/** Five lines, signed by the export key. */
async function* manifestSignature(
  context: Context,
  members: readonly WrittenMember[],
): AsyncIterable<Uint8Array> {
  const { checkpoint, deps, origin } = context
  const text = manifestText(
    context,
    members.filter(({ name }) => name !== 'manifest.json'),
  )
  const root = checkpoint.root.toString('base64')
  const lines = [
    'bioledger-extract/v1',
    origin,
    String(checkpoint.size),
    root,
    hash('sha256', text, 'base64'),
  ]
  const signed = `${lines.join('\n')}\n`
  const signature = await deps.exportKey.sign(Buffer.from(signed))
  yield Buffer.from(signNote(signed, [], [signature]))
}
