/** Keeps the static files up with the published log, one pass at a time; a pass that fails is tried at the next checkpoint. */
import type { Logger } from '../../infra/log.ts'
import type { LogReader } from './log-reader.ts'
import { publishFiles } from './static-files.ts'

export type FileMirror = {
  /** There is a newer checkpoint. */
  follow(): void
  /** Why the last pass failed; undefined when it did not. */
  failure(): string | undefined
  idle(): Promise<void>
}

export function fileMirror(deps: {
  readonly reader: LogReader
  readonly folder: string
  readonly log: Logger
}): FileMirror {
  let failure: string | undefined
  let isDue = false
  let running: Promise<void> | undefined

  async function passes(): Promise<void> {
    while (isDue) {
      isDue = false
      try {
        await publishFiles(deps.reader, deps.folder)
        failure = undefined
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error)
        deps.log.error({ err: error }, "the ledger's static files are behind")
      }
    }
    running = undefined
  }

  return {
    follow() {
      isDue = true
      running ??= passes()
    },
    failure: () => failure,
    idle: async () => {
      await running
    },
  }
}
