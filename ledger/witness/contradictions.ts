/**
 * Asks every witness before the log signs: does it hold more than we published, or another tree? A witness that cannot be
 * reached, or answers nonsense, contradicts nothing; it never holds up the log longer than `timeoutMs`.
 */
import { parseCheckpoint } from '../log/checkpoint.ts'
import { openNote } from '../log/note.ts'
import {
  type ConfiguredWitness,
  type ProofFrom,
  type WitnessFinding,
  witnessClient,
} from './witness-client.ts'
import { originHash } from './witness-state.ts'

export type WitnessContradictionsDeps = {
  readonly witnesses: readonly ConfiguredWitness[]
  readonly nowMs: () => number
  /** For one request; default 5 s. */
  readonly timeoutMs?: number
}

/** A sentence for each witness that holds what the published log does not contain. Never rejects. */
export async function witnessContradictions(
  deps: WitnessContradictionsDeps,
  origin: string,
  published: { readonly note: string; readonly proofFrom: ProofFrom } | undefined,
): Promise<readonly string[]> {
  const timeoutMs = deps.timeoutMs ?? 5_000
  if (!published) {
    const sizes = await Promise.all(deps.witnesses.map((witness) => heldSize(witness, origin, timeoutMs)))
    return deps.witnesses.flatMap(({ verifier }, at) => {
      const witnessSize = sizes[at] ?? 0n
      return witnessSize > 0n
        ? [contradictionText({ witness: verifier.name, kind: 'ahead', ourSize: 0n, witnessSize })]
        : []
    })
  }
  const findings: WitnessFinding[] = []
  // The checkpoint was published before: asking for a cosignature tells nobody anything new.
  const client = witnessClient({ ...deps, timeoutMs, onFinding: (finding) => findings.push(finding) })
  await client.cosign(published.note, published.proofFrom)
  return findings.map(contradictionText)
}

export const contradictionText = ({ witness, kind, ourSize, witnessSize }: WitnessFinding): string =>
  kind === 'ahead'
    ? `witness ${witness} cosigned ${witnessSize} entries, the ledger has ${ourSize}: entries were lost, or an old backup was restored`
    : `the checkpoint of ${ourSize} entries does not extend the ${witnessSize} that witness ${witness} cosigned: the ledger was rewritten`

/**
 * Size of the checkpoint that the witness shows as its latest of the origin, under its own cosignature. Not every witness
 * shows it at this address; then nothing is known until there is a checkpoint to ask it about.
 */
async function heldSize(
  { verifier, url }: ConfiguredWitness,
  origin: string,
  timeoutMs: number,
): Promise<bigint | undefined> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/${originHash(origin)}/checkpoint`, {
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (response.status !== 200) return undefined
    const held = parseCheckpoint(openNote(await response.text(), [verifier]).text)
    return held.origin === origin ? held.size : undefined
  } catch {
    return undefined
  }
}
