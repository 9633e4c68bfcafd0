/** Tells people who wait for the one-time check how far it is: a line every few seconds. */

export type AuditProgress = {
  begin(size: bigint): void
  took(entries: number): void
  compare(): void
}

const everyMs = 5_000

export function auditProgress(write: (line: string) => void, now = () => performance.now()): AuditProgress {
  let [began, told] = [now(), now()]
  let [done, size] = [0, 0]
  const seconds = (ms: number) => `${Math.round(ms / 1000)} s`
  return {
    begin: (entries) => {
      began = told = now()
      size = Number(entries)
      write(`checking ${spelt(size)} entries`)
    },
    took: (entries) => {
      done = Math.min(size, done + entries)
      const at = now()
      if (at - told < everyMs) return
      told = at
      const elapsed = at - began
      write(
        `${spelt(done)} of ${spelt(size)} entries (${Math.floor((100 * done) / size)} %), ` +
          `${spelt(Math.round((done / elapsed) * 1000))} a second, about ${seconds((elapsed / done) * (size - done))} to go`,
      )
    },
    compare: () => write(`all entries checked in ${seconds(now() - began)}; now the read models`),
  }
}

const spelt = (count: number): string => count.toLocaleString('en-US')
