/**
 * Waits for what a test knows will come. The deadline only tells a test that hangs from a slow machine, so it is a long
 * one; nothing may rest on how soon the answer is there.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** What `probe` gives as soon as it gives something; fails with `what` after `withinMs`. */
export async function until<Value>(
  what: string,
  probe: () => Promise<Value | undefined | false> | Value | undefined | false,
  withinMs = 120_000,
): Promise<Value> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`)
    await delay(20)
  }
}
