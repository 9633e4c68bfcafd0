/**
 * Verifies an extract (docs/formats/extract.md): opens the file, makes each check in turn, and gives the verdict. Trusts
 * nothing that comes with the extract but what the caller's keys vouch for. Without a key it says what is consistent.
 */

import type { Approval } from './approvals.ts'
import { equalBytes, toBase64 } from './bytes.ts'
import { checkCompleteness } from './completeness.ts'
import type { Context, Pinned } from './context.ts'
import { type Reading, readEvents } from './events.ts'
import {
  type Check,
  type CheckId,
  collectFindings,
  type Finding,
  type Findings,
  type Place,
} from './findings.ts'
import { checkKeys, checkManifestSignature } from './key-checks.ts'
import { type Manifest, parseManifest } from './manifest.ts'
import { type OpenedExtract, openExtract } from './members.ts'
import { type Checkpoint, parseCheckpoint, parseNote } from './note.ts'
import type { Platform, RandomAccess } from './platform.ts'
import { Refusal } from './refusal.ts'
import { checkRenderings } from './renderings.ts'
import type { StoryLine } from './report-facts.ts'
import { checkScope } from './scope.ts'
import { checkSigners, followKeys } from './signer-checks.ts'
import { checkTokens } from './tokens.ts'

export type Verdict = {
  /** 0 verified, 1 a finding, 2 not enough to say more than that it is consistent. */
  readonly exit: 0 | 1 | 2
  readonly verdict: string
  readonly checks: readonly Check[]
  readonly findings: readonly Finding[]
  readonly firstBadEvent: Place | undefined
  readonly manifest: Manifest | undefined
  readonly checkpoint: Checkpoint | undefined
  readonly counts: Readonly<Record<string, number>>
  readonly events: number
  readonly approvals: readonly Approval[]
  readonly story: readonly StoryLine[]
}

/** What a further check, such as reading the whole log, may look at. */
export type Examined = {
  readonly extract: OpenedExtract
  readonly manifest: Manifest
  readonly checkpoint: Checkpoint
  readonly reading: Reading
  readonly findings: Findings
}

export async function verifyExtract(
  file: RandomAccess,
  pinned: Pinned,
  platform: Platform,
  further?: (examined: Examined) => Promise<void>,
): Promise<Verdict> {
  const findings = collectFindings()
  const seen: { manifest?: Manifest; checkpoint?: Checkpoint; reading?: Reading } = {}
  try {
    const extract = await openExtract(file, platform)
    findings.note('container', `${extract.names.length} members`)
    const manifestBytes = await extract.whole('manifest.json')
    const manifest = attempt(findings, 'manifest', 'manifest.json', () => parseManifest(manifestBytes))
    if (manifest) {
      seen.manifest = manifest
      const checkpoint = await checkCheckpoint(extract, manifest, pinned, findings, platform)
      if (checkpoint) {
        seen.checkpoint = checkpoint
        seen.reading = await examine({
          extract,
          manifest,
          manifestBytes,
          checkpoint,
          pinned,
          findings,
          platform,
        })
        findings.skip('deep', 'only with --deep, where the log can be reached')
        await further?.({ extract, manifest, checkpoint, reading: seen.reading, findings })
      }
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    findings.fail('container', error.message)
  }
  return verdictOf(findings, pinned, seen)
}

async function examine(context: Context): Promise<Reading> {
  const { extract, manifest, checkpoint, findings, platform } = context
  const reading = await readEvents(
    {
      events: extract.names
        .filter((name) => name.startsWith('events-'))
        .sort()
        .map((name) => ({ name, bytes: () => extract.bytes(name) })),
      proof: extract.bytes('proof.bin'),
      fingerprints: extract.bytes('fingerprints.bin'),
    },
    manifest,
    findings,
    platform,
  )
  checkCounts(reading, manifest, findings)
  checkRoot(reading, checkpoint, findings)
  const heads = await checkCompleteness(context, reading)
  checkScope(reading, manifest, heads, findings)
  checkKeys(reading, checkpoint, await followKeys(context, reading), findings)
  await checkTokens(context, reading)
  await checkMembers(extract, manifest, findings)
  await checkManifestSignature(context, reading)
  await checkRenderings(context, reading)
  findings.note(
    'signatures',
    `${reading.facts.approvalCount} signatures and approvals; who enters a closure does not approve it`,
  )
  return reading
}

async function checkCheckpoint(
  extract: OpenedExtract,
  manifest: Manifest,
  pinned: Pinned,
  findings: Findings,
  platform: Platform,
): Promise<Checkpoint | undefined> {
  const bytes = await extract.whole('checkpoint.txt')
  const member = 'checkpoint.txt'
  const note = attempt(findings, 'checkpoint', member, () => parseNote(bytes, 'the checkpoint'))
  const checkpoint = note && attempt(findings, 'checkpoint', member, () => parseCheckpoint(note.text))
  if (!note || !checkpoint) return undefined
  await checkSigners(note, checkpoint, { extract, pinned, findings, platform })
  const { origin, size, root } = checkpoint
  if (
    manifest.origin !== origin ||
    manifest.checkpoint.size !== size ||
    manifest.checkpoint.root !== toBase64(root)
  ) {
    findings.fail('manifest', 'it speaks of another checkpoint than checkpoint.txt', {
      member: 'manifest.json',
    })
    return undefined
  }
  return checkpoint
}

function checkCounts(reading: Reading, manifest: Manifest, findings: Findings): void {
  if (reading.events !== manifest.events)
    findings.fail('leaves', `${reading.events} events are in it, the manifest counts ${manifest.events}`)
  findings.note('leaves', `${reading.events} events`)
  const stated = new Map(manifest.streams.map((stream) => [stream.stream, stream]))
  if (stated.size !== manifest.streams.length)
    findings.fail('manifest', 'it lists a stream twice', { member: 'manifest.json' })
  for (const state of reading.streams.states.values()) {
    const one = stated.get(state.stream)
    stated.delete(state.stream)
    if (one && one.first === state.first && one.last === state.last && one.events === state.events) continue
    const { stream, last, lastIndex } = state
    if (one && one.last > last)
      findings.fail('streams', 'it is missing', { event: { stream, revision: last + 1 } })
    else
      findings.fail('streams', 'the manifest counts its stream otherwise', {
        event: { stream, revision: last, index: lastIndex },
      })
  }
  for (const { stream, first } of stated.values())
    findings.fail('streams', 'the whole stream is missing', { event: { stream, revision: first } })
  findings.note('streams', `${reading.streams.states.size} streams`)
  findings.note('payloads', 'every payload has the digest that its leaf states')
}

function checkRoot(reading: Reading, checkpoint: Checkpoint, findings: Findings): void {
  const { root, first, last } = reading
  if (findings.has('inclusion')) return
  if (!root) findings.skip('inclusion', 'not made, as an event could not be read or is out of order')
  else if (equalBytes(root, checkpoint.root))
    findings.note('inclusion', `${reading.events} events under the root of size ${checkpoint.size}`)
  else
    findings.fail(
      'inclusion',
      `the events lead to another root than the signed one; which of them is not in the log (${first?.stream} revision ${first?.revision} to ${last?.stream} revision ${last?.revision}) only the log itself can say`,
    )
}

async function checkMembers(extract: OpenedExtract, manifest: Manifest, findings: Findings): Promise<void> {
  const stated = new Map(manifest.members.map((member) => [member.name, member]))
  if (stated.size !== manifest.members.length)
    findings.fail('manifest', 'it lists a member twice', { member: 'manifest.json' })
  for (const name of extract.names) {
    if (name === 'manifest.json' || name === 'manifest.sig') continue
    const member = stated.get(name)
    stated.delete(name)
    if (!member) findings.fail('manifest', 'the manifest does not list it', { member: name })
    else
      try {
        const digest = await extract.digest(name)
        if (digest !== member.sha256 || extract.sizeOf(name) !== member.size)
          findings.fail('manifest', 'it is not what the manifest lists', { member: name })
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        findings.fail('manifest', error.message, { member: name })
      }
  }
  for (const name of stated.keys()) findings.fail('manifest', 'it is missing', { member: name })
}

/** Checks that may be left open: they ask for more than the extract and the ledger's key. */
const extra: readonly CheckId[] = ['witnesses', 'times', 'authorities', 'deep']

function verdictOf(
  findings: Findings,
  pinned: Pinned,
  { manifest, checkpoint, reading }: { manifest?: Manifest; checkpoint?: Checkpoint; reading?: Reading },
): Verdict {
  const checks = findings.checks()
  const isFailed = findings.all.length > 0
  const isAsked = (id: CheckId) =>
    !extra.includes(id) || (id === 'authorities' && (pinned.authorities ?? []).length > 0)
  const isIncomplete = checks.some(({ id, status }) => status === 'not-checked' && isAsked(id))
  const exit = isFailed ? 1 : pinned.logKeys.length === 0 || isIncomplete ? 2 : 0
  const heads = manifest?.heads
  const verdict = {
    0: `VERIFIED${manifest?.request.asOf === undefined ? '' : ` as recorded up to ${manifest.request.asOf},`} as of size ${heads?.size} of the log, stated at ${reading?.statement?.recordedAt}${reading?.deviations.count ? ', with a noted deviation of clocks' : ''}`,
    1: 'FAILED: do not rely on this extract',
    2:
      pinned.logKeys.length === 0
        ? 'CONSISTENT WITH ITSELF, but nobody vouches for it: verify with --key'
        : 'INCOMPLETE: nothing contradicts it, but not everything could be shown',
  }[exit]
  return {
    exit,
    verdict,
    checks,
    findings: findings.all,
    firstBadEvent: findings.all.find((finding) => finding.event)?.event,
    manifest,
    checkpoint,
    counts: Object.fromEntries(reading?.facts.counts ?? []),
    events: reading?.events ?? 0,
    approvals: reading?.facts.approvals ?? [],
    story: reading?.facts.story ?? [],
  }
}

function attempt<T>(
  findings: Findings,
  check: 'manifest' | 'checkpoint',
  member: string,
  make: () => T,
): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    findings.fail(check, error.message, { member })
    return undefined
  }
}
