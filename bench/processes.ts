/**
 * What a process and its descendants cost, from `/proc` (Linux only), Postgres apart from the rest; and the means
 * to leave none of our own descendants behind.
 */
import { readdir, readFile } from 'node:fs/promises'

export type Cost = {
  /** CPU seconds, user and system, since the processes began. */
  readonly productCpu: number
  readonly postgresCpu: number
  /** Peak resident bytes since the processes began, summed over them, without Postgres. */
  readonly productPeakBytes: number
  readonly productBytes: number
}

/** Ticks a second of the CPU times in `/proc`: USER_HZ, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

export async function costOf(pid: number): Promise<Cost> {
  const cost = { productCpu: 0, postgresCpu: 0, productPeakBytes: 0, productBytes: 0 }
  for (const process of await treeOf(pid)) {
    if (process.name === 'postgres') {
      cost.postgresCpu += process.cpuSeconds
      continue
    }
    cost.productCpu += process.cpuSeconds
    const status = await readFile(`/proc/${process.pid}/status`, 'utf8').catch(() => '')
    cost.productPeakBytes += kibibytes(status, 'VmHWM') * 1024
    cost.productBytes += kibibytes(status, 'VmRSS') * 1024
  }
  return cost
}

/** Who used the CPU between two looks, e.g. "CPU: product 1.02, Postgres 0.61 cores". */
export function splitOf(before: Cost, after: Cost, seconds: number): string {
  const product = (after.productCpu - before.productCpu) / seconds
  const postgres = (after.postgresCpu - before.postgresCpu) / seconds
  return `CPU: product ${product.toFixed(2)}, Postgres ${postgres.toFixed(2)} cores`
}

/** Ends what this process started and has not ended yet. Embedded Postgres follows its parent by itself. */
export async function endDescendants(): Promise<void> {
  for (const { pid, name } of await treeOf(process.pid))
    if (pid !== process.pid && name !== 'postgres' && name !== 'sh')
      try {
        process.kill(pid, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
}

type Process = { readonly pid: number; readonly name: string; readonly cpuSeconds: number }

async function treeOf(root: number): Promise<Process[]> {
  const found = new Map<number, Process & { parent: number }>()
  for (const entry of await readdir('/proc').catch(() => []))
    if (/^\d+$/.test(entry)) {
      const line = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => undefined)
      const process = line === undefined ? undefined : parseStat(line)
      if (process) found.set(process.pid, process)
    }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = found.get(at)?.parent)
      if (at === root) return true
    return false
  }
  return [...found.values()].filter(({ pid }) => isBelow(pid))
}

/** A line of `/proc/<pid>/stat` (proc(5)); the name stands in brackets and may hold blanks and brackets itself. */
export function parseStat(line: string): (Process & { readonly parent: number }) | undefined {
  const match = /^(\d+) \((.*)\) (.*)$/s.exec(line.trim())
  if (!match) return undefined
  const [, pid, name, rest] = match
  const fields = rest!.split(' ')
  return {
    pid: Number(pid),
    name: name!,
    parent: Number(fields[1]),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
  }
}

const kibibytes = (status: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
