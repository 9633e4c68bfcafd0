/** What must be undone in whatever way the bench ends, newest first. */
export type Cleanup = {
  /** `done` takes the step off the list: it has been taken. */
  add(step: () => Promise<unknown>): { done(): void }
  run(): Promise<void>
}

export function cleanupList(): Cleanup {
  const steps: (() => Promise<unknown>)[] = []
  return {
    add: (step) => {
      steps.push(step)
      return {
        done: () => {
          const at = steps.indexOf(step)
          if (at >= 0) steps.splice(at, 1)
        },
      }
    },
    run: async () => {
      for (let step = steps.pop(); step; step = steps.pop()) await step().catch(() => {})
    },
  }
}
