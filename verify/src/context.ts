/** What every check may look at: the opened extract, what it states, and what the person who verifies brought along. */
import type { Certificate } from './certificates.ts'
import type { Findings } from './findings.ts'
import type { Manifest } from './manifest.ts'
import type { OpenedExtract } from './members.ts'
import type { Checkpoint, Key } from './note.ts'
import type { Platform } from './platform.ts'

export type Pinned = {
  /** Log keys (type 0x01), any of which may have signed the checkpoint. */
  readonly logKeys: readonly Key[]
  /** Instead of the export keys that the log names. */
  readonly exportKeys: readonly Key[]
  readonly witnesses: readonly Key[]
  /** How many of the witnesses must have cosigned; all of them by default. */
  readonly quorum?: number
  /** Of time-stamping authorities: their own, or those that vouch for them. */
  readonly authorities?: readonly Certificate[]
}

export type Context = {
  readonly extract: OpenedExtract
  readonly manifest: Manifest
  readonly manifestBytes: Uint8Array
  readonly checkpoint: Checkpoint
  readonly pinned: Pinned
  readonly findings: Findings
  readonly platform: Platform
}
