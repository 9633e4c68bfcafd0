/**
 * Asks the configured witnesses to cosign a checkpoint (C2SP tlog-witness v1.0.0). What the log publishes never waits
 * for it: a witness that is away, slow or refuses shows in `standing()` and in the metrics. A cosignature is passed on
 * only after it verified under the witness's pinned key and its time is ours within five minutes.
 */
import { parseCheckpoint } from '../log/checkpoint.ts'
import { cosignedAt } from '../log/cosignature.ts'
import { NoteError, type NoteVerifier, openNote, parseNote, signatureLine } from '../log/note.ts'
import { addCheckpointText } from './add-checkpoint.ts'
import { sizeMediaType } from './witness-routes.ts'

export type ConfiguredWitness = {
  /** Of type 0x04, as `parseCosignatureKey` gives it. */
  readonly verifier: NoteVerifier
  /** Submission prefix, e.g. `https://qa.example/witness`; `/add-checkpoint` is put behind it. */
  readonly url: string
}

/** Consistency proof from `oldSize` (≥ 1, at most the checkpoint's) to the checkpoint's size. */
export type ProofFrom = (oldSize: bigint) => Promise<readonly Uint8Array[]>

export type WitnessFinding = {
  readonly witness: string
  /** `ahead`: it cosigned more than the log holds now; `fork`: another tree of the same or a smaller size. */
  readonly kind: 'ahead' | 'fork'
  readonly ourSize: bigint
  readonly witnessSize: bigint
}

export type WitnessStanding = {
  readonly name: string
  readonly url: string
  /** Size it cosigned last for us in this process. */
  cosignedSize: bigint | undefined
  cosignedAtMs: number | undefined
  failures: number
  /** Why the last try failed; undefined after a success. */
  problem: string | undefined
}

export type WitnessClient = {
  /** Verified cosignature lines, in the order of the configuration; witnesses that failed give none. Never rejects. */
  cosign(note: string, proofFrom: ProofFrom): Promise<readonly string[]>
  readonly standing: () => readonly Readonly<WitnessStanding>[]
}

export type WitnessClientOptions = {
  readonly witnesses: readonly ConfiguredWitness[]
  readonly nowMs: () => number
  /** For one request; default 10 s. */
  readonly timeoutMs?: number
  /** A log that shrank or split: worth an alarm, whatever else is going on. */
  readonly onFinding?: (finding: WitnessFinding) => void
}

const answerLimitBytes = 16 * 1024
const clockToleranceMs = 5 * 60_000
/** A first guess, the size from a conflict, and one more for a witness that moved meanwhile. */
const attempts = 3

export function witnessClient(options: WitnessClientOptions): WitnessClient {
  const known = options.witnesses.map((configured) => ({
    configured,
    /** What the witness stands at as far as we know. */
    size: 0n,
    standing: {
      name: configured.verifier.name,
      url: configured.url,
      cosignedSize: undefined,
      cosignedAtMs: undefined,
      failures: 0,
      problem: undefined,
    } as WitnessStanding,
  }))

  return {
    standing: () => known.map(({ standing }) => standing),
    cosign: async (note, proofFrom) => {
      const lines = await Promise.all(
        known.map(async (entry) => {
          try {
            const line = await ask(entry, note, proofFrom)
            entry.standing.problem = undefined
            return [line]
          } catch (error) {
            entry.standing.failures++
            entry.standing.problem = reasonOf(error)
            return []
          }
        }),
      )
      return lines.flat()
    },
  }

  async function ask(entry: (typeof known)[number], note: string, proofFrom: ProofFrom): Promise<string> {
    const { text } = parseNote(note)
    const { size } = parseCheckpoint(text)
    for (let attempt = 1; ; attempt++) {
      if (entry.size > size) return report(entry, 'ahead', size, entry.size)
      const oldSize = entry.size
      const proof = oldSize === 0n || oldSize === size ? [] : await proofFrom(oldSize)
      const answer = await post(entry.configured, addCheckpointText({ oldSize, proof, note }))
      if (answer.status === 200) {
        const line = verifiedLine(entry.configured.verifier, text, answer.body)
        entry.size = size
        entry.standing.cosignedSize = size
        entry.standing.cosignedAtMs = options.nowMs()
        return line
      }
      if (answer.status === 422 && oldSize > 0n) return report(entry, 'fork', size, oldSize)
      if (answer.status !== 409) throw new WitnessRefusalError(answer.status, answer.body)
      const stands = sizeOf(answer)
      // The same size refused: the roots differ (v1.0.0 answers 409 where later drafts answer 422).
      if (stands === oldSize) return report(entry, 'fork', size, stands)
      if (attempt === attempts) throw new WitnessRefusalError(409, `it moved on to ${stands} meanwhile`)
      entry.size = stands
    }
  }

  function report(
    entry: (typeof known)[number],
    kind: WitnessFinding['kind'],
    ourSize: bigint,
    witnessSize: bigint,
  ): never {
    // Asked afresh next time: the answer, not our memory, must say where it stands.
    entry.size = 0n
    options.onFinding?.({ witness: entry.configured.verifier.name, kind, ourSize, witnessSize })
    throw new WitnessSplitError(kind, ourSize, witnessSize)
  }

  async function post({ url }: ConfiguredWitness, body: string): Promise<Answer> {
    const response = await fetch(`${url.replace(/\/+$/, '')}/add-checkpoint`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
    })
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      body: await limitedText(response),
    }
  }

  function verifiedLine(verifier: NoteVerifier, text: string, body: string): string {
    const [signature] = openNote(`${text}\n${body}`, [verifier]).verified
    if (!signature) throw new NoteError('no cosignature in the answer')
    const offMs = Number(cosignedAt(signature)) * 1000 - options.nowMs()
    if (Math.abs(offMs) > clockToleranceMs)
      throw new NoteError(`the cosignature's time is ${Math.round(offMs / 1000)} s from our clock`)
    return signatureLine(signature)
  }
}

type Answer = { readonly status: number; readonly type: string; readonly body: string }

function sizeOf({ type, body }: Answer): bigint {
  const spelt = /^(0|[1-9]\d{0,18})\n$/.exec(body)?.[1]
  if (!type.startsWith(sizeMediaType) || spelt === undefined)
    throw new WitnessRefusalError(409, 'without the size it stands at')
  return BigInt(spelt)
}

async function limitedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > answerLimitBytes)
      throw new WitnessRefusalError(response.status, `more than ${answerLimitBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

export class WitnessRefusalError extends Error {
  readonly code = 'witness-refused'
  constructor(
    readonly status: number,
    readonly answer: string,
  ) {
    super(`the witness answered ${status}: ${answer.slice(0, 200).trim()}`)
  }
}

export class WitnessSplitError extends Error {
  readonly code = 'witness-split'
  constructor(
    readonly kind: WitnessFinding['kind'],
    readonly ourSize: bigint,
    readonly witnessSize: bigint,
  ) {
    super(
      kind === 'ahead'
        ? `the witness cosigned size ${witnessSize}, the log has only ${ourSize}: it lost entries or was restored`
        : `the checkpoint of size ${ourSize} is not consistent with size ${witnessSize} that the witness cosigned`,
    )
  }
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  const told = cause instanceof Error ? cause : error
  return told instanceof Error ? told.message || told.name : String(told)
}
