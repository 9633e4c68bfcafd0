/** The pinned key against the log's own key history, and the manifest's signature by a key of that history. */
import { toBase64 } from './bytes.ts'
import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import { exportKeysOf } from './export-keys.ts'
import type { Findings } from './findings.ts'
import { formatLine } from './manifest.ts'
import { type Checkpoint, type Key, parseNote, signersOf } from './note.ts'
import { Refusal } from './refusal.ts'

/** `signers`: who signed the checkpoint, of the pinned keys and those they vouch for. */
export function checkKeys(
  reading: Reading,
  { size }: Checkpoint,
  signers: readonly Key[],
  findings: Findings,
): void {
  const { keys } = reading
  if (keys.count === 0) {
    findings.fail('keys', 'the log names no key', { event: { stream: 'ledger-keys', revision: 0 } })
    return
  }
  const objections = signers.map(({ verifierKey }) => keys.objection(verifierKey, 'log', size))
  const first = objections.find((objection) => objection !== undefined)
  // Two keys sign while one takes over from the other; one of them must hold.
  if (first !== undefined && !objections.includes(undefined)) findings.fail('keys', first)
  else findings.note('keys', `${keys.count} keys in the log's history; the export key is one of them`)
}

/** Five lines, signed by an export key that the log names or that was pinned. */
export async function checkManifestSignature(context: Context, reading: Reading): Promise<void> {
  const { extract, manifest, manifestBytes, checkpoint, pinned, findings, platform } = context
  const member = 'manifest.sig'
  try {
    const note = parseNote(await extract.whole(member), member)
    const expected = `${formatLine}\n${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n${toBase64(platform.hash(manifestBytes))}\n`
    if (note.text !== expected) throw new Refusal('it is the signature of another manifest or checkpoint')
    const candidates: readonly Key[] =
      pinned.exportKeys.length > 0 ? pinned.exportKeys : await exportKeysOf(context, reading)
    const signers = await signersOf(note, candidates, 'the manifest', platform)
    if (signers.length === 0) throw new Refusal('no export key that holds signed it')
    const ids = signers.map(({ keyId }) => keyId).join(', ')
    findings.note('manifest', `${manifest.members.length} members, signed by the export key ${ids}`)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    findings.fail('manifest', error.message, { member })
  }
}
