/** A way to tamper with an extract, and what a verifier must say to it. */
import type { NoteSigner } from '../../ledger/log/note.ts'
import type { CheckId, Place } from '../src/findings.ts'
import type { Members } from './extract-file.ts'

/** The honest extract that a case starts from, and who holds which key. */
export type Honest = {
  readonly members: () => Members
  readonly batchId: string
  readonly logKey: NoteSigner
  readonly exportKey: NoteSigner
}

export type TamperCase = {
  readonly name: string
  /** Members to be zipped, or the whole file. */
  readonly make: (honest: Honest) => Members | Buffer | Promise<Members | Buffer>
  /** A check that must be among those that fail. */
  readonly check: CheckId
  /** The first bad event, where an event is bad. */
  readonly event?: (honest: Honest) => Pick<Place, 'stream' | 'revision'> | undefined
  /** The key that the verifier is given, where it is not the log's. */
  readonly key?: (honest: Honest) => string
}
