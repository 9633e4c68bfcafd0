/** Bounds what is in memory: who comes when the budget is spent waits, in the order of coming. */
export type Budget = {
  /** Undefined when there is room at once. */
  take(cost: number): Promise<void> | undefined
  give(cost: number): void
  isSpent(): boolean
}

export function budget(limit: number): Budget {
  let taken = 0
  let waiting: { cost: number; resolve: () => void }[] = []
  /** One that is larger than the whole budget passes when nothing else is in flight. */
  const fits = (cost: number): boolean => taken === 0 || taken + cost <= limit
  return {
    take(cost) {
      if (waiting.length === 0 && fits(cost)) {
        taken += cost
        return undefined
      }
      return new Promise<void>((resolve) => waiting.push({ cost, resolve }))
    },
    give(cost) {
      taken -= cost
      let passed = 0
      for (const one of waiting) {
        if (!fits(one.cost)) break
        taken += one.cost
        passed++
        one.resolve()
      }
      if (passed > 0) waiting = waiting.slice(passed)
    },
    isSpent: () => waiting.length > 0,
  }
}
