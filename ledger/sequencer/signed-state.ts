/**
 * What was signed last, or was about to be, kept outside the database: whoever restores an old backup of the database
 * does not restore this with it, and the log notices that it has become smaller.
 *
 * In the folder: `ledger.signed`, and the last steps as `ledger.signed.<step>`. Each is a checkpoint's text (origin,
 * size, root) with the lines `fence` (whose sequencer) and `step` (how many came before); the highest step counts. A step
 * is made once and never replaced, so that of two processes that saw the same state only one goes on from it, however
 * long either is held up in between, whichever databases they stand on.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Checkpoint, checkpointText, parseCheckpoint } from '../log/checkpoint.ts'
import { parseNote } from '../log/note.ts'
import { createDurably, writeDurably } from '../storage/durable-file.ts'
import { LedgerRefusedError } from './refusal.ts'

export type Signed = Pick<Checkpoint, 'origin' | 'size' | 'root'> & {
  readonly step: bigint
  readonly text: string
}

export type SignedState = {
  /** Undefined when nothing was ever signed here. Throws `LedgerRefusedError` for what is no checkpoint. */
  read(): Promise<Signed | undefined>
  /**
   * Compare and set, durable when it resolves. Throws `SignedStateMovedError` when the state is not `before` (as read or
   * advanced to by the caller); what is there stays.
   */
  advance(
    before: Signed | undefined,
    next: Pick<Checkpoint, 'origin' | 'size' | 'root'> & { readonly fence: bigint },
  ): Promise<Signed>
}

export class SignedStateMovedError extends Error {
  readonly code = 'signed-state-moved'
  constructor(
    readonly expected: Signed | undefined,
    readonly found: Signed | undefined,
  ) {
    super(`the signed state is ${told(found)}, this process left it at ${told(expected)}`)
  }
}

const name = 'ledger.signed'
const stepsKept = 4n

/** `createStep`: how a step's file is made, at most once. */
export function signedStateFile(folder: string, createStep = createDurably): SignedState {
  async function read(): Promise<Signed | undefined> {
    const all = (await Promise.all((await filesOf(folder)).map((file) => readOne(join(folder, file))))).flat()
    const last = all.reduce<Signed | undefined>(
      (furthest, one) => (furthest && furthest.step >= one.step ? furthest : one),
      undefined,
    )
    const other = all.find(({ step, text }) => step === last?.step && text !== last.text)
    if (last && other)
      throw new LedgerRefusedError(
        `${folder} holds two different states of step ${last.step}, ${told(last)} and ${told(other)}: remove the one that was not signed`,
      )
    return last
  }

  return {
    read,
    async advance(before, { origin, size, root, fence }) {
      const present = await read()
      if (present?.text !== before?.text) throw new SignedStateMovedError(before, present)
      const step = (before?.step ?? 0n) + 1n
      const text = `${checkpointText({ origin, size, root })}fence ${fence}\nstep ${step}\n`
      const file = join(folder, `${name}.${step}`)
      const isMade = await createStep(file, text, 0o644)
      const now = await read()
      if (!isMade) throw new SignedStateMovedError(before, now)
      if (now?.text !== text) {
        // This process was held up, and others came so much further that they had removed the step it made.
        await rm(file, { force: true })
        throw new SignedStateMovedError(before, now)
      }
      await writeDurably(join(folder, name), text, 0o644)
      for (const old of await filesOf(folder))
        if (old !== name && stepOf(old) + stepsKept <= step) await rm(join(folder, old), { force: true })
      return { origin, size, root, step, text }
    },
  }
}

async function filesOf(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => /^ledger\.signed(\.\d+)?$/.test(file))
}

const stepOf = (file: string): bigint => BigInt(file.slice(name.length + 1))

/** Nothing for a file that another process has removed since it was listed. */
async function readOne(file: string): Promise<Signed[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    // Before there were steps, the file held the signed note itself.
    const { origin, size, root, extensions } = parseCheckpoint(
      text.includes('\n\n') ? parseNote(text).text : text,
    )
    const step = extensions.map((line) => /^step (\d{1,18})$/.exec(line)?.[1]).find(Boolean)
    return [{ origin, size, root, step: BigInt(step ?? 0), text }]
  } catch (error) {
    throw new LedgerRefusedError(
      `${file} does not hold the checkpoint that was signed last: restore that file`,
      { cause: error },
    )
  }
}

const told = (state: Signed | undefined): string =>
  state === undefined ? 'absent' : `${state.size} entries of ${state.origin} (step ${state.step})`
