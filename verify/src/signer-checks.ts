/** Who signed the checkpoint: a pinned key, or one that a pinned key vouches for; and the witnesses that were named. */
import type { Context } from './context.ts'
import type { Reading } from './events.ts'
import { trustedKeys } from './key-changes.ts'
import { type Checkpoint, type Key, type Note, parseNote, signersOf } from './note.ts'
import { Refusal } from './refusal.ts'

type SignersContext = Pick<Context, 'extract' | 'pinned' | 'findings' | 'platform'>

/** By a pinned key and by the pinned witnesses. */
export async function checkSigners(
  note: Note,
  checkpoint: Checkpoint,
  context: SignersContext,
): Promise<void> {
  const { extract, pinned, findings, platform } = context
  if (pinned.logKeys.length === 0)
    findings.skip(
      'checkpoint',
      `size ${checkpoint.size} of ${checkpoint.origin}; no key was given, so nobody vouches for it`,
    )
  else {
    // A key that a pinned one vouches for is known only once the log's key events are read.
    const mayFollow = extract.names.some((name) => name.startsWith('key-change-'))
    await attemptSigners(note, checkpoint, pinned.logKeys, context, mayFollow)
  }
  const { witnesses, quorum = witnesses.length } = pinned
  if (witnesses.length === 0) {
    findings.skip('witnesses', 'no witness key was given')
    return
  }
  try {
    const cosigners = await signersOf(note, witnesses, 'the checkpoint', platform)
    if (cosigners.length < quorum)
      throw new Refusal(`${cosigners.length} of ${witnesses.length} cosigned, ${quorum} are needed`)
    findings.note('witnesses', `cosigned by ${cosigners.map((key) => key.name).join(', ')}`)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    findings.fail('witnesses', error.message, { member: 'checkpoint.txt' })
  }
}

/** Says who signed, and gives them; where nobody did and `mayFollow`, leaves it open. */
async function attemptSigners(
  note: Note,
  { origin, size }: Checkpoint,
  keys: readonly Key[],
  { findings, platform }: SignersContext,
  mayFollow: boolean,
): Promise<readonly Key[]> {
  try {
    const mine = keys.filter((key) => key.name === origin)
    const signers = await signersOf(note, mine, 'the checkpoint', platform)
    const ids = signers.map((key) => key.keyId).join(', ')
    if (signers.length > 0) findings.note('checkpoint', `size ${size} of ${origin}, signed by ${ids}`)
    else if (!mayFollow) throw new Refusal('no key that you gave signed it')
    return signers
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    findings.fail('checkpoint', error.message, { member: 'checkpoint.txt' })
    return []
  }
}

/** Who signed the checkpoint: of the pinned keys, and of those they vouch for through the changes of key in the extract. */
export async function followKeys(context: Context, reading: Reading): Promise<readonly Key[]> {
  const { extract, checkpoint, pinned, findings } = context
  if (pinned.logKeys.length === 0) return []
  try {
    const trusted = await trustedKeys(context, reading.keys)
    const note = parseNote(await extract.whole('checkpoint.txt'), 'the checkpoint')
    return findings.has('checkpoint') ? [] : await attemptSigners(note, checkpoint, trusted, context, false)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    findings.fail('keys', error.message)
    return []
  }
}
