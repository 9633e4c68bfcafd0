/**
 * The event that adds the export key, where the log took it only after the size that the extract is about: an extract as of
 * an earlier time is signed with the key of today (docs/formats/extract.md).
 */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import { streams as names } from '../../schemas/streams.ts'
import { holds, keyHistory, readKeyEvents } from '../keys/key-history.ts'
import { inclusionProof } from '../log/proof.ts'
import { ExtractError } from './errors.ts'
import type { ExtractLog, Selection } from './selection.ts'
import type { MemberSource } from './zip-members.ts'

/** Nothing where the key stands among the events of the extract, or is not in the log at all. */
export async function exportKeyProof(
  log: ExtractLog,
  verifierKey: string,
  { bound }: Selection,
): Promise<MemberSource[]> {
  const head = await log.head()
  if (!head) return []
  for await (const { index, leaf } of log.entriesOf(log.indexesOf(names.ledgerKeys, { size: head.size }))) {
    const text = leaf.toString()
    const { type, data } = JSON.parse(text) as { type: string; data?: { verifierKey?: string } }
    if (type !== 'LedgerKeyAdded' || data?.verifierKey !== verifierKey) continue
    const checkpoint = index < bound ? undefined : await log.checkpointCovering(index + 1n)
    if (!checkpoint) return []
    const path = await inclusionProof(index, checkpoint.size, log.subtrees(checkpoint.size))
    const lines = ['bioledger-export-key/v1', String(index), ...path.map((one) => one.toString('base64'))]
    const whole = `${lines.join('\n')}\n\n${text}\n${checkpoint.note}`
    return [{ name: 'export-key.txt', bytes: () => [Buffer.from(whole)] }]
  }
  return []
}

/** Throws `ExtractError` `export-key` unless the key was added to the log and neither retired nor revoked. */
export async function requireExportKey(store: EventStore, verifierKey: string): Promise<void> {
  const key = keyHistory(await readKeyEvents(store)).find((one) => one.verifierKey === verifierKey)
  if (key?.purpose === 'export' && holds(key)) return
  throw new ExtractError(
    'export-key',
    `the export key ${verifierKey.split('+')[1]} ${key ? 'was retired or revoked' : 'is not in the log'}: nobody could verify what it signs`,
    { verifierKey },
  )
}
