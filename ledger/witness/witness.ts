/**
 * A witness (C2SP tlog-witness v1.0.0): cosigns a log's checkpoint only when it proves to be an extension of the
 * last one that it cosigned, so that nobody can be shown a shorter or another history under its signature. What it
 * cosigned is durable before it answers; checking and remembering are one step for each log.
 */
import type { Metric } from '../../infra/telemetry/metric.ts'
import { type CheckpointError, parseCheckpoint } from '../log/checkpoint.ts'
import type { CosignatureSigner } from '../log/cosignature.ts'
import { type NoteSignature, type NoteVerifier, openNote, parseNote, signatureLine } from '../log/note.ts'
import { verifyConsistency } from '../log/proof.ts'
import { emptyRoot } from '../log/tree-hash.ts'
import { type AddCheckpoint, AddCheckpointError, parseAddCheckpoint } from './add-checkpoint.ts'
import type { WitnessState } from './witness-state.ts'

export type WitnessedLog = { readonly origin: string; readonly verifiers: readonly NoteVerifier[] }

export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly size: bigint; readonly lines: string }
  /** The witness stands at `size` (v1.0.0: also when the sizes are equal and the roots are not). */
  | { readonly kind: 'conflict'; readonly size: bigint }
  | {
      readonly kind: 'malformed' | 'unknown-origin' | 'unsigned' | 'inconsistent'
      readonly rule: string
    }

export type Witness = {
  readonly verifierKey: string
  readonly origins: readonly string[]
  /** Rejects when the state cannot be read or written: then nothing was answered and nothing may be assumed. */
  addCheckpoint(body: Uint8Array): Promise<WitnessAnswer>
  readonly metrics: Readonly<Record<string, Metric>>
  /** The latest cosigned checkpoint with all its signatures. */
  latest(origin: string): Promise<string | undefined>
}

export function witness(deps: {
  readonly signer: CosignatureSigner
  readonly logs: readonly WitnessedLog[]
  readonly state: WitnessState
  readonly nowMs: () => number
}): Witness {
  const logs = new Map(deps.logs.map((log) => [log.origin, log]))
  const inTurn = queues()
  const sizes = new Map<string, bigint>()
  const answers = new Map<WitnessAnswer['kind'], number>()

  return {
    verifierKey: deps.signer.verifierKey,
    origins: [...logs.keys()],
    latest: (origin) => deps.state.read(origin),
    metrics: {
      bioledger_witness_cosigned_entries: {
        kind: 'gauge',
        unit: '{entry}',
        description: 'Size of the checkpoint cosigned last, by log',
        read: () => [...sizes].map(([origin, size]) => ({ value: Number(size), attributes: { origin } })),
      },
      bioledger_witness_requests_total: {
        kind: 'counter',
        unit: '{request}',
        description: 'add-checkpoint requests by answer',
        read: () => [...answers].map(([answer, value]) => ({ value, attributes: { answer } })),
      },
    },
    addCheckpoint: async (body) => {
      const answer = await answerTo(body)
      answers.set(answer.kind, (answers.get(answer.kind) ?? 0) + 1)
      return answer
    },
  }

  async function answerTo(body: Uint8Array): Promise<WitnessAnswer> {
    let request: Asked
    try {
      request = read(body)
    } catch (error) {
      if (!isRefusal(error)) throw error
      return { kind: 'malformed', rule: error.rule }
    }
    const { origin, size } = request.checkpoint
    const log = logs.get(origin)
    if (!log) return { kind: 'unknown-origin', rule: `this witness does not know the log ${origin}` }
    const signatures = signaturesOf(log, request.note)
    if (!signatures) return { kind: 'unsigned', rule: `no key known for ${origin} signed the checkpoint` }
    if (request.oldSize > size)
      return { kind: 'malformed', rule: `the old size ${request.oldSize} is larger than the size ${size}` }
    return await inTurn(origin, () => checkAndSet(request, signatures))
  }

  async function checkAndSet(request: Asked, signatures: readonly NoteSignature[]): Promise<WitnessAnswer> {
    const { checkpoint, oldSize, proof } = request
    const known = await deps.state.read(checkpoint.origin)
    const before = known === undefined ? undefined : parseCheckpoint(parseNote(known).text)
    const beforeSize = before?.size ?? 0n
    if (oldSize !== beforeSize) return { kind: 'conflict', size: beforeSize }
    if (before && checkpoint.size === beforeSize && !before.root.equals(checkpoint.root))
      return { kind: 'conflict', size: beforeSize }
    const broken = inconsistency({ before, checkpoint, proof })
    if (broken !== undefined) return { kind: 'inconsistent', rule: broken }

    const cosignature = deps.signer.cosign(request.text, BigInt(Math.floor(deps.nowMs() / 1000)))
    const lines = signatureLine(cosignature)
    await deps.state.replace(
      checkpoint.origin,
      `${request.text}\n${signatures.map(signatureLine).join('')}${lines}`,
    )
    sizes.set(checkpoint.origin, checkpoint.size)
    return { kind: 'cosigned', size: checkpoint.size, lines }
  }
}

type Asked = AddCheckpoint & {
  readonly text: string
  readonly checkpoint: ReturnType<typeof parseCheckpoint>
}

function read(body: Uint8Array): Asked {
  const request = parseAddCheckpoint(body)
  const { text } = parseNote(request.note)
  return { ...request, text, checkpoint: parseCheckpoint(text) }
}

/** The log's own signatures, verified; undefined where a known one is wrong or none is there. */
function signaturesOf(log: WitnessedLog, note: string): readonly NoteSignature[] | undefined {
  try {
    return openNote(note, log.verifiers).verified
  } catch (error) {
    if (!isRefusal(error)) throw error
    return undefined
  }
}

function inconsistency({
  before,
  checkpoint,
  proof,
}: {
  before: Asked['checkpoint'] | undefined
  checkpoint: Asked['checkpoint']
  proof: readonly Uint8Array[]
}): string | undefined {
  if (checkpoint.size === 0n && !checkpoint.root.equals(emptyRoot))
    return 'the root of size 0 is not that of the empty tree'
  if (!before || before.size === 0n)
    return proof.length === 0 ? undefined : 'from size 0 the proof must be empty'
  try {
    verifyConsistency({
      first: before.size,
      firstRoot: before.root,
      second: checkpoint.size,
      secondRoot: checkpoint.root,
      path: proof,
    })
    return undefined
  } catch (error) {
    if (!isRefusal(error)) throw error
    return error.rule
  }
}

type Refusal = Pick<CheckpointError, 'rule' | 'code'>

function isRefusal(error: unknown): error is Refusal {
  if (error instanceof AddCheckpointError) return true
  const { code } = error as { code?: unknown }
  return code === 'note' || code === 'checkpoint' || code === 'proof'
}

/** Works of one key run one after the other, in the order of the calls. */
function queues() {
  const last = new Map<string, Promise<unknown>>()
  return async <Result>(key: string, work: () => Promise<Result>): Promise<Result> => {
    const before = last.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    const settled = mine.catch(() => {})
    last.set(key, settled)
    await settled
    if (last.get(key) === settled) last.delete(key)
    return await mine
  }
}
