/**
 * The history of the ledger's keys as the log has it: the stream `ledger-keys`. A key holds from `fromSize`, up to
 * `lastSize` when it was retired, below `firstBadSize` when it was revoked.
 */
import type { JsonObject } from './canonical.ts'
import { count } from './manifest.ts'
import { Refusal } from './refusal.ts'

export type KeyRecord = { purpose: string; index: number; from: number; last?: number; firstBad?: number }
export type KeyHistory = {
  apply(type: string, data: JsonObject, index: number): void
  /** Why the key may not sign for `size` events, or undefined when it may. */
  objection(verifierKey: string, purpose: 'log' | 'export', size: number): string | undefined
  /** Verifier keys that may sign for `size` events. */
  holding(purpose: 'log' | 'export', size: number): readonly string[]
  has(verifierKey: string): boolean
  /** Log keys whose event stands among the first `size`. */
  logKeysAddedBefore(size: number): readonly string[]
  readonly count: number
}

export function keyHistory(): KeyHistory {
  const keys = new Map<string, KeyRecord>()
  function objection(verifierKey: string, purpose: 'log' | 'export', size: number): string | undefined {
    const key = keys.get(verifierKey)
    const id = verifierKey.split('+')[1] ?? verifierKey
    if (!key || key.purpose !== purpose) return `the log's key history has no ${purpose} key ${id}`
    if (key.firstBad !== undefined && size >= key.firstBad)
      return `the ${purpose} key ${id} was revoked from size ${key.firstBad} on`
    if (key.last !== undefined && size > key.last)
      return `the ${purpose} key ${id} was retired at size ${key.last}`
    return size < key.from ? `the ${purpose} key ${id} holds only from size ${key.from} on` : undefined
  }
  function known(data: JsonObject): KeyRecord {
    const key = keys.get(String(data.verifierKey))
    if (!key || key.purpose !== data.purpose) throw new Refusal('it speaks of a key that was never added')
    return key
  }
  /** Nobody takes a revocation back by stating a later size. */
  function lower(key: KeyRecord, field: 'last' | 'firstBad', size: number): void {
    key[field] = Math.min(key[field] ?? size, size)
  }
  return {
    get count() {
      return keys.size
    },
    apply: (type, data, index) => {
      if (type === 'LedgerKeyAdded') {
        if (
          typeof data.verifierKey !== 'string' ||
          typeof data.purpose !== 'string' ||
          keys.has(data.verifierKey)
        )
          throw new Refusal('it adds no new key')
        keys.set(data.verifierKey, { purpose: data.purpose, index, from: count(data.fromSize, 'fromSize') })
      } else if (type === 'LedgerKeyRetired') lower(known(data), 'last', count(data.lastSize, 'lastSize'))
      else if (type === 'LedgerKeyRevoked')
        lower(known(data), 'firstBad', count(data.firstBadSize, 'firstBadSize'))
      else throw new Refusal(`${type} is no event of a key`)
    },
    objection,
    has: (verifierKey) => keys.has(verifierKey),
    logKeysAddedBefore: (size) =>
      [...keys].filter(([, key]) => key.purpose === 'log' && key.index < size).map(([key]) => key),
    holding: (purpose, size) =>
      [...keys.keys()].filter((verifierKey) => objection(verifierKey, purpose, size) === undefined),
  }
}
