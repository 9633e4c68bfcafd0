/**
 * The contract of the event store port, as tests that run over any adapter: what `event-store.ts` promises. The suite
 * never assumes an empty store: its streams have names of their own, so it also runs against a server with data.
 */
import { after, before, describe } from 'node:test'
import type { EventStore } from '../event-store.ts'
import { appendContract } from './contract-append.ts'
import { concurrencyContract } from './contract-concurrency.ts'
import { idempotencyContract } from './contract-idempotency.ts'
import { inputContract } from './contract-input.ts'
import { readContract } from './contract-read.ts'
import type { Capabilities, ContractContext, ContractStore } from './contract-store.ts'
import { subscriptionContract } from './contract-subscription.ts'
import { timeContract } from './contract-time.ts'

export function eventStoreContract(
  name: string,
  open: () => Promise<ContractStore>,
  capabilities: Capabilities & { readonly reopens?: boolean } = {},
): void {
  // Begun outside the suite: what `open` leaves to be done after the tests is done after all of them.
  const opening = open()
  opening.catch(() => {})

  describe(`event store contract: ${name}`, () => {
    let opened: ContractStore | undefined
    const reopened: EventStore[] = []

    before(async () => {
      opened = await opening
    })
    after(async () => {
      for (const store of reopened) await store.close()
      await opened?.cleanup()
    })

    const context: ContractContext = {
      store() {
        if (!opened) throw new Error('the store is not open')
        return opened.store
      },
      async reopen() {
        if (!opened?.reopen) throw new Error('the store cannot be opened again')
        const store = await opened.reopen()
        reopened.push(store)
        return store
      },
      canReopen: capabilities.reopens ?? true,
      capabilities,
    }
    appendContract(context)
    idempotencyContract(context)
    inputContract(context)
    concurrencyContract(context)
    readContract(context)
    subscriptionContract(context)
    timeContract(context)
  })
}
