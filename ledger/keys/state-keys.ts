/**
 * Keeps the stream `ledger-keys` true to the keys that the vault holds. A key enters the log before it may be relied on,
 * and a log that is signed with one key is never signed with another one that the first did not vouch for.
 */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import { streams } from '../../schemas/streams.ts'
import type { OwnEvents } from '../sequencer/own-event.ts'
import { holds, keyHistory, readKeyEvents } from './key-history.ts'
import { KeyError, type KeyVault } from './key-vault.ts'

export type KeyStatements = {
  /** States keys that the stream does not know yet. `size`: published size. Throws `KeyError` for a log key nobody vouched for. */
  state(size: bigint): Promise<void>
  /** Revision of the event that adds the key; undefined when it is not there. */
  revisionOfAdded(verifierKey: string): Promise<bigint | undefined>
  /** Whether the key may still sign: it was added, and neither retired nor revoked. */
  holds(verifierKey: string): Promise<boolean>
  retire(verifierKey: string, lastSize: bigint): Promise<void>
}

export function keyStatements(deps: {
  readonly store: EventStore
  readonly vault: KeyVault
  readonly own: OwnEvents
}): KeyStatements {
  const { vault, own } = deps

  const add = (verifierKey: string, purpose: 'log' | 'export', size: bigint) =>
    own.append(streams.ledgerKeys, 'LedgerKeyAdded', { verifierKey, purpose, fromSize: String(size) })

  return {
    async state(size) {
      const known = keyHistory(await readKeyEvents(deps.store))
      const { current, replaced } = await vault.logKeys()
      const logKeys = known.filter((key) => key.purpose === 'log')
      const present = logKeys.find((key) => key.verifierKey === current.verifierKey)
      if (present && !holds(present))
        throw new KeyError(
          current.verifierKey,
          'this log key was retired or revoked: rotate it before the log is signed again',
        )
      if (!present) {
        const before = logKeys.findLast(holds)
        const vouchedFor = before === undefined || before.verifierKey === replaced?.verifierKey
        if (!vouchedFor)
          throw new KeyError(
            current.verifierKey,
            `the log is signed with ${before.verifierKey}, and that key is not here to vouch for another one: restore it, or revoke it`,
          )
        await add(current.verifierKey, 'log', size)
      }
      const { verifierKey } = await vault.exportKey()
      if (!known.some((key) => key.purpose === 'export' && key.verifierKey === verifierKey))
        await add(verifierKey, 'export', size)
    },

    async revisionOfAdded(verifierKey) {
      return (await readKeyEvents(deps.store)).find(
        (event) => event.type === 'LedgerKeyAdded' && event.data.verifierKey === verifierKey,
      )?.revision
    },

    async holds(verifierKey) {
      const known = keyHistory(await readKeyEvents(deps.store))
      return known.some((key) => key.verifierKey === verifierKey && holds(key))
    },

    async retire(verifierKey, lastSize) {
      const known = keyHistory(await readKeyEvents(deps.store)).find((key) => key.verifierKey === verifierKey)
      if (!known || !holds(known)) return
      await own.append(streams.ledgerKeys, 'LedgerKeyRetired', {
        verifierKey,
        purpose: 'log',
        lastSize: String(lastSize),
      })
    },
  }
}
