/** At most `limit` holders at a time; the others wait in the order they came. */
export type Semaphore = {
  acquire(): Promise<() => void>
  run<Result>(work: () => Promise<Result>): Promise<Result>
}

export function semaphore(limit: number): Semaphore {
  let free = limit
  const waiting: (() => void)[] = []
  const release = () => {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
  const acquire = async (): Promise<() => void> => {
    if (free > 0) free--
    else await new Promise<void>((settle) => waiting.push(settle))
    let released = false
    return () => {
      if (released) return
      released = true
      release()
    }
  }
  return {
    acquire,
    async run(work) {
      const done = await acquire()
      try {
        return await work()
      } finally {
        done()
      }
    },
  }
}
