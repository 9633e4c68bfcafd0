/**
 * Changes of the log's key: the checkpoint that old and new key both signed, and the proof that the extract's checkpoint
 * continues it. So who pinned an earlier key can follow to the present one (docs/formats/extract.md).
 */
import { streams as names } from '../../schemas/streams.ts'
import { consistencyProof } from '../log/proof.ts'
import type { PublishedCheckpoint } from '../storage/log-reader.ts'
import type { ExtractLog, Selection } from './selection.ts'
import type { MemberSource } from './zip-members.ts'

export async function keyChanges(
  log: ExtractLog,
  { bound }: Selection,
  checkpoint: PublishedCheckpoint,
): Promise<MemberSource[]> {
  const found = new Map<string, MemberSource>()
  let isFirst = true
  for await (const { index, leaf } of log.entriesOf(log.indexesOf(names.ledgerKeys, { size: bound }))) {
    const { type, data } = JSON.parse(leaf.toString()) as { type: string; data?: { purpose?: string } }
    if (type !== 'LedgerKeyAdded' || data?.purpose !== 'log') continue
    const change = isFirst ? undefined : await log.checkpointCovering(index + 1n)
    isFirst = false
    if (!change || change.size >= checkpoint.size) continue
    const path = await consistencyProof(change.size, checkpoint.size, log.subtrees(checkpoint.size))
    const lines = ['bioledger-key-change/v1', ...path.map((hash) => hash.toString('base64'))]
    const name = `key-change-${change.size}.txt`
    found.set(name, {
      name,
      bytes: () => [Buffer.from(`${lines.join('\n')}\n\n${change.note}`)],
    })
  }
  return [...found.values()]
}
