/** Two loops of one process: `wake` lets the other's `wait` go on, also one that begins just afterwards. */
export function wakeSignal(): { wake(): void; wait(): Promise<void> } {
  let woken = false
  let settle: (() => void) | undefined
  return {
    wake() {
      woken = true
      settle?.()
    },
    async wait() {
      if (!woken)
        await new Promise<void>((done) => {
          settle = done
        })
      settle = undefined
      woken = false
    },
  }
}
