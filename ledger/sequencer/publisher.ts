/**
 * Signs and publishes what is durable, in this order: size and root are durable in the database; the fence still holds;
 * size and root are kept outside the database (compare and set); they are signed; the note is published. During a rotation
 * the first checkpoint that covers the new key's event carries both signatures; then the replaced key is destroyed.
 *
 * Why there are never two roots for one size. Whatever was signed stands in the chain of states outside the database
 * before its signature exists. A state of that chain has one successor, and only a process makes it that found the state
 * before it in its own tree (when it opened the log, or because it made that state itself) and has only appended since. So
 * every state extends the one before it, over all processes and all databases, and a kill between two steps leaves at
 * worst a state that nobody signed: the next process finds it in the tree and goes on from there. What this cannot see
 * is a chain that was itself set back together with the database; that is what witnesses are for.
 */
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import { streams } from '../../schemas/streams.ts'
import type { KeyVault, SigningKey } from '../keys/key-vault.ts'
import type { KeyStatements } from '../keys/state-keys.ts'
import { checkpointText } from '../log/checkpoint.ts'
import { openNote, parseVerifierKey, signNote } from '../log/note.ts'
import { run, statements } from '../storage/database.ts'
import { readRuns } from '../storage/read-entries.ts'
import { LogMovedError } from '../storage/write-batch.ts'
import type { Lease } from './lease.ts'
import type { DurableState } from './open-log.ts'
import { LedgerRefusedError } from './refusal.ts'
import { type Signed, type SignedState, SignedStateMovedError } from './signed-state.ts'

export type PublisherDeps = {
  readonly pool: Pool
  readonly lease: Lease
  readonly origin: string
  readonly fence: bigint
  readonly vault: KeyVault
  readonly keys: KeyStatements
  readonly signedState: SignedState
  /** Nothing is signed after it aborts. */
  readonly signal: AbortSignal
}

/**
 * Gives the state outside the database as it is then; `before` is what it was. Throws `LedgerRefusedError` when that was
 * set back behind our back, and errors that ask for opening the log anew when somebody else went on from it.
 */
export async function publish(
  deps: PublisherDeps,
  state: DurableState,
  before: Signed | undefined,
): Promise<Signed> {
  const { vault, keys } = deps
  const { current, replaced } = await vault.logKeys()
  // A revoked key vouches for nothing: the new one signs alone from now on.
  const vouching = replaced && (await keys.holds(replaced.verifierKey)) ? replaced : undefined
  const isCovered = vouching === undefined || (await covers(deps, current, state.size))
  const signers = vouching === undefined ? [current] : isCovered ? [current, vouching] : [vouching]
  const kept = await deps.lease.exclusive((client) => keepOutside(client, deps, state, before))
  deps.signal.throwIfAborted()
  const note = await sign(deps.origin, state, signers)
  await deps.lease.exclusive(async (client) => {
    const { size, root, position, eventId, recordedAt } = state
    const values = [deps.fence, size, root, note, position, eventId, recordedAt]
    const { count } = await run(client, statements.publishCheckpoint, values)
    if (count !== 1) throw new LogMovedError(size)
  })
  if (replaced === undefined || !isCovered) return kept
  await keys.retire(replaced.verifierKey, state.size)
  await vault.destroyReplaced(replaced.verifierKey)
  return kept
}

/** The transaction keeps the fence where it is: who takes over waits, and then reads what was kept here. */
async function keepOutside(
  client: PoolClient,
  { origin, fence, signedState, signal }: PublisherDeps,
  { size, root }: DurableState,
  before: Signed | undefined,
): Promise<Signed> {
  signal.throwIfAborted()
  await client.query('BEGIN')
  try {
    const { count } = await run(client, statements.holdFence, [fence, size])
    if (count !== 1) throw new LogMovedError(size)
    return await signedState.advance(before, { origin, size, root, fence })
  } catch (error) {
    if (!(error instanceof SignedStateMovedError)) throw error
    const { expected, found } = error
    // Somebody went on from it: opening the log anew tells whether on this tree.
    if (found && found.step > (expected?.step ?? 0n)) throw error
    throw new LedgerRefusedError(`ledger.signed was changed behind the ledger's back: ${error.message}`, {
      cause: error,
    })
  } finally {
    await client.query('ROLLBACK').catch(() => {})
  }
}

async function sign(
  origin: string,
  { size, root }: DurableState,
  signers: readonly SigningKey[],
): Promise<string> {
  const text = checkpointText({ origin, size, root })
  const bytes = Buffer.from(text)
  const signatures = await Promise.all(signers.map((signer) => signer.sign(bytes)))
  const note = signNote(text, [], signatures)
  // A vault that signs wrongly is found out here, not by an inspector.
  openNote(
    note,
    signers.map((signer) => parseVerifierKey(signer.verifierKey)),
  )
  return note
}

/** Whether the event that adds the key is among the first `size` entries. */
async function covers({ pool, keys }: PublisherDeps, key: SigningKey, size: bigint): Promise<boolean> {
  const revision = await keys.revisionOfAdded(key.verifierKey)
  if (revision === undefined) return false
  const range = { from: revision, to: revision, size }
  for await (const _ of readRuns(pool, streams.ledgerKeys, range)) return true
  return false
}
