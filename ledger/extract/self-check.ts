/** An extract is handed out only once the verifier has read it as its reader will: a log that was damaged makes no evidence. */
import { describe } from '../../verify/src/findings.ts'
import { parseKey } from '../../verify/src/note.ts'
import { nodePlatform, openFile } from '../../verify/src/platform-node.ts'
import { verifyExtract } from '../../verify/src/verify.ts'
import { holds, type KeyRecord } from '../keys/key-history.ts'
import { ExtractError } from './errors.ts'

/**
 * The verdict, under the log keys that hold. Throws `ExtractError` `not-verified` unless it is "verified": with the first
 * finding, or with the first check that could not be made.
 */
export async function requireVerified(path: string, history: readonly KeyRecord[]): Promise<string> {
  const keys = history.filter((key) => key.purpose === 'log' && holds(key))
  const logKeys = keys.map(({ verifierKey }) => parseKey(verifierKey, nodePlatform))
  const file = await openFile(path)
  try {
    const { exit, verdict, findings, checks } = await verifyExtract(
      file,
      { logKeys, exportKeys: [], witnesses: [] },
      nodePlatform,
    )
    if (exit === 0) return verdict
    const [finding] = findings
    const open = checks.find(({ id, status }) => status === 'not-checked' && id !== 'witnesses')
    const why = finding ? describe(finding) : (open?.detail ?? verdict)
    throw new ExtractError(
      'not-verified',
      `the extract does not verify and is not handed out: ${why}. Let the whole log be read: bioledger ledger-audit --once`,
    )
  } finally {
    await file.close()
  }
}
