/** What must be undone in whatever way the bench ends, newest first. */
import type { RunningProduct } from '../tests/support/product.ts'

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

/** Ends it as Ctrl-C does, so that its Postgres is gone too; by force when that takes long. */
export async function endProduct(product: RunningProduct): Promise<void> {
  const timer = setTimeout(() => void product.kill(), 20_000)
  await product.stop()
  clearTimeout(timer)
}
