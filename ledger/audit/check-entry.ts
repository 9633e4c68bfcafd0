/**
 * One entry from three sides: the event in the store, its leaf in the bundle, the leaf's hash in the tile. Where they
 * do not agree, the side that stands against the other two was changed; where no two agree, all that differ are named.
 */
import type { RecordedEvent } from '../../schemas/event.ts'
import { leafText, parseLeaf } from '../leaf/leaf.ts'
import type { ReadingLeaf } from '../leaf/reading-leaf.ts'
import { tilePath } from '../log/tile.ts'
import { hashSize, leafHash } from '../log/tree-hash.ts'
import { type AuditFinding, eventSubject } from './finding.ts'

export type EntrySides = {
  readonly index: bigint
  readonly position: bigint | undefined
  readonly event: RecordedEvent | undefined
  readonly salt: Uint8Array | undefined
  /** Why the event cannot be read. */
  readonly damage: string | undefined
  readonly entry: Buffer | undefined
  /** 32 bytes of the tile. */
  readonly hash: Buffer | undefined
}

export type CheckedEntry = {
  /** What the entry's leaf hash must have been; undefined where nothing is left to tell. */
  readonly hash: Buffer | undefined
  readonly findings: readonly AuditFinding[]
}

/** A revision of a stream as the pass has it; `hash` in base64. */
export type Link = { readonly revision: bigint; readonly position: bigint; readonly hash: string }

/** `linkBefore`: the revision before, as far as this pass knows it. */
export function entryCheck(options: {
  readonly origin: string
  readonly fastLeaf: ReadingLeaf
  readonly linkBefore: (event: RecordedEvent) => Link | undefined
}): (sides: EntrySides) => CheckedEntry {
  function rebuilt({ event, salt, entry }: EntrySides): Buffer | string | undefined {
    if (!event) return undefined
    try {
      const prev = event.revision === 0n ? null : (options.linkBefore(event)?.hash ?? statedPrev(entry))
      if (prev === undefined) return 'the revision before it is not in the log'
      const text = options.fastLeaf(event, prev) ?? leafText(event, salt, prev, options.origin)
      return Buffer.from(text)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  return (sides) => {
    const leaf = rebuilt(sides)
    const bytes = leaf instanceof Buffer ? leaf : undefined
    const sealed = sides.entry && leafHash(sides.entry)
    // The usual case: three sides, one truth.
    if (
      bytes &&
      sides.entry &&
      sealed &&
      sides.hash &&
      bytes.equals(sides.entry) &&
      sealed.equals(sides.hash)
    )
      return { hash: sides.hash, findings: [] }

    const made = bytes && leafHash(bytes)
    const truth = agreed([made, sealed, sides.hash])
    const findings: AuditFinding[] = []
    const differs = (side: Buffer | undefined) => !side || !truth || !side.equals(truth)
    if (differs(made)) findings.push(eventFinding(sides, typeof leaf === 'string' ? leaf : undefined, bytes))
    const tile = { index: sides.index / 256n, width: 256 }
    const place = `entry ${sides.index}${sides.event ? ` (${eventPlace(sides)})` : ''}`
    if (differs(sealed))
      findings.push({
        kind: 'bundle',
        subject: `${tilePath({ level: 'entries', ...tile })} ${place}`,
        finding: sides.entry ? 'the leaf is not the one that was hashed' : 'the leaf is not there',
      })
    if (differs(sides.hash))
      findings.push({
        kind: 'tile',
        subject: `${tilePath({ level: 0, ...tile })} hash ${sides.index % 256n}, ${place}`,
        finding: sides.hash ? 'the hash is not that of the leaf' : 'the hash is not there',
      })
    return { hash: truth ?? sealed ?? sides.hash ?? made, findings }
  }

  /** An event whose only fault is what it says of the one before is as it was: the one before is not. */
  function eventFinding(
    sides: EntrySides,
    refusal: string | undefined,
    bytes: Buffer | undefined,
  ): AuditFinding {
    const { event, entry } = sides
    const fields = entry && bytes ? differingFields(entry, bytes) : []
    const before = event && options.linkBefore(event)
    if (event && before && fields.length === 1 && fields[0] === 'prev')
      return {
        kind: 'event',
        subject: eventSubject({ stream: event.stream, ...before }),
        finding:
          'it is not as it was sealed, nor are its leaf and hash: the revision after it names another leaf',
      }
    return { kind: 'event', subject: eventPlace(sides), finding: whatOfEvent(sides, refusal, fields) }
  }
}

/** The hash that at least two sides have. */
function agreed(sides: readonly (Buffer | undefined)[]): Buffer | undefined {
  return sides.find(
    (side, at) =>
      side?.length === hashSize && sides.some((other, place) => place !== at && other?.equals(side)),
  )
}

function statedPrev(entry: Buffer | undefined): string | null | undefined {
  try {
    return entry && parseLeaf(entry).prev
  } catch {
    return undefined
  }
}

function eventPlace({ event, entry, position, index }: EntrySides): string {
  if (entry) {
    try {
      const { stream, revision } = parseLeaf(entry)
      return position === undefined
        ? `${stream} revision ${revision}`
        : eventSubject({ stream, revision, position })
    } catch {
      // The bundle itself was changed: the store's word for it is all there is.
    }
  }
  if (event) return eventSubject(event)
  return position === undefined ? `the event of entry ${index}` : `the event at position ${position}`
}

function whatOfEvent(
  { event, damage }: EntrySides,
  refusal: string | undefined,
  fields: readonly string[],
): string {
  if (damage !== undefined) return `the store cannot read it: ${damage}`
  if (!event) return 'the store does not hold it'
  if (refusal !== undefined) return `it makes no leaf: ${refusal}`
  return fields.length > 0 ? `it is not as it was sealed: ${fields.join(', ')}` : 'it is not as it was sealed'
}

/** Names of the fields that differ, one level into `data`, `actor` and the like. */
function differingFields(sealed: Buffer, found: Buffer): string[] {
  try {
    const [one, other] = [sealed, found].map((bytes) => JSON.parse(bytes.toString('utf8'))) as [
      Fields,
      Fields,
    ]
    return namesOf(one, other).flatMap((name) => {
      const [a, b] = [one[name], other[name]]
      if (same(a, b)) return []
      if (!isFields(a) || !isFields(b)) return [name]
      return namesOf(a, b).flatMap((inner) => (same(a[inner], b[inner]) ? [] : [`${name}.${inner}`]))
    })
  } catch {
    return []
  }
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const namesOf = (one: Fields, other: Fields) => [...new Set([...Object.keys(one), ...Object.keys(other)])]
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
