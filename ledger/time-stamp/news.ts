/** Whether a log grew by anything but what stamping and stating heads themselves add, so that an idle log stays as it is. */
import { parseLeaf } from '../leaf/leaf.ts'
import type { LogReader } from '../storage/log-reader.ts'

const ownStatements = new Set(['CheckpointTimeStamped', 'HeadsStated'])

/** Looks at entries `from` … `to` − 1 until the first that counts. */
export async function hasNews(reader: LogReader, from: bigint, to: bigint): Promise<boolean> {
  for await (const { leaf } of reader.entries(from, to))
    if (!ownStatements.has(parseLeaf(leaf).type)) return true
  return false
}
