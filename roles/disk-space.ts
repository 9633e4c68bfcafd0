/** Free disk space of the folders that data go to, as a part of the product: not ready before the store is full. */
import { statfs } from 'node:fs/promises'
import type { Part } from './part.ts'

/** Below this the store could not write its next files. */
export const neededDiskBytes = 512 * 1024 * 1024

export async function freeDiskBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

export function diskSpacePart(folders: readonly string[], neededBytes = neededDiskBytes): Part {
  let lastFree: number | undefined
  const least = async (): Promise<{ folder: string; bytes: number }> => {
    let tightest = { folder: '', bytes: Number.POSITIVE_INFINITY }
    for (const folder of folders) {
      const bytes = await freeDiskBytes(folder)
      if (bytes < tightest.bytes) tightest = { folder, bytes }
    }
    lastFree = tightest.bytes
    return tightest
  }
  return {
    name: 'disk',
    readiness: async () => {
      const { folder, bytes } = await least()
      if (bytes >= neededBytes) return { ok: true }
      return {
        ok: false,
        detail: `${Math.floor(bytes / 1_048_576)} MiB left in ${folder}, at least ${Math.floor(neededBytes / 1_048_576)} MiB are needed`,
      }
    },
    metrics: {
      bioledger_disk_free_bytes: {
        kind: 'gauge',
        unit: 'By',
        description: 'Free disk space where the data lie, as last looked at',
        read: () => {
          // Looked at beside the export, so that reading the figure never waits for a disk.
          least().catch(() => {})
          return lastFree
        },
      },
    },
  }
}
