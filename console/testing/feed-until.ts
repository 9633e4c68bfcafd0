/** Waits until a feed's snapshot is as wanted; the deadline only tells a test that hangs. */
export function feedUntil(
  feed: { readonly subscribe: (listener: () => void) => () => void },
  condition: () => boolean,
): Promise<void> {
  return new Promise((settle, fail) => {
    const timer = setTimeout(() => {
      forget()
      fail(new Error('not within 120 s'))
    }, 120_000)
    const check = () => {
      if (!condition()) return
      clearTimeout(timer)
      forget()
      settle()
    }
    const forget = feed.subscribe(check)
    check()
  })
}
