/**
 * Signs and publishes what is durable: the note is kept outside the database before anybody can see it, so that a log
 * that becomes smaller later is found out. During a rotation the first checkpoint that covers the new key's event carries
 * both signatures; then the replaced key is destroyed.
 */
import type { Pool } from '../../infra/postgres/pool.ts'
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
import type { SignedState } from './signed-state.ts'

export type PublisherDeps = {
  readonly pool: Pool
  readonly lease: Lease
  readonly origin: string
  readonly fence: bigint
  readonly vault: KeyVault
  readonly keys: KeyStatements
  readonly signed: SignedState
}

export async function publish(deps: PublisherDeps, state: DurableState): Promise<void> {
  const { vault, keys } = deps
  const { current, replaced } = await vault.logKeys()
  // A revoked key vouches for nothing: the new one signs alone from now on.
  const vouching = replaced && (await keys.holds(replaced.verifierKey)) ? replaced : undefined
  const isCovered = vouching === undefined || (await covers(deps, current, state.size))
  const signers = vouching === undefined ? [current] : isCovered ? [current, vouching] : [vouching]
  const note = await sign(deps.origin, state, signers)
  await deps.lease.exclusive(async (client) => {
    await deps.signed.write(note)
    const { size, root, position, eventId, recordedAt } = state
    const values = [deps.fence, size, root, note, position, eventId, recordedAt]
    const { count } = await run(client, statements.publishCheckpoint, values)
    if (count !== 1) throw new LogMovedError(size)
  })
  if (replaced === undefined || !isCovered) return
  await keys.retire(replaced.verifierKey, state.size)
  await vault.destroyReplaced(replaced.verifierKey)
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
