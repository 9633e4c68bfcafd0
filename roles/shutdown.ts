/** Ending in order: what was started last stops first; a part that fails to stop does not keep the others. */

export type ShutdownOrder = { add(stop: () => Promise<void>): void; run(): Promise<void> }

export function shutdownOrder(): ShutdownOrder {
  const stops: (() => Promise<void>)[] = []
  return {
    add: (stop) => {
      stops.push(stop)
    },
    run: async () => {
      for (let stop = stops.pop(); stop; stop = stops.pop())
        try {
          await stop()
        } catch (error) {
          process.stderr.write(
            `bioledger: while stopping: ${error instanceof Error ? error.message : String(error)}\n`,
          )
          process.exitCode = 1
        }
    },
  }
}

/** Resolves at Ctrl-C or SIGTERM; rejects when `failure` does. A second signal ends the process at once. */
export async function untilStopped(failure: Promise<unknown>): Promise<void> {
  await new Promise<void>((settle, fail) => {
    const onSignal = () => {
      process.once('SIGINT', () => process.exit(130))
      process.once('SIGTERM', () => process.exit(143))
      settle()
    }
    process.once('SIGINT', onSignal)
    process.once('SIGTERM', onSignal)
    failure.then(() => settle(), fail)
  })
}
