/**
 * The contract of the event store port over the EventStoreDB adapter: with the stand-in always (which is no evidence
 * about EventStoreDB), and with a real server when `BIOLEDGER_TEST_EVENTSTORE` names one. Each run feeds an index of
 * its own from the server's whole log.
 */
import { test } from 'node:test'
import { createLogger } from '../../log.ts'
import { eventStoreContract } from '../testing/contract.ts'
import type { ContractStore } from '../testing/contract-store.ts'
import { eventStoreDbEventStore } from './eventstoredb-event-store.ts'
import { indexDatabase } from './testing/open-store.ts'
import { startEventStoreDbStandIn } from './testing/stand-in-server.ts'

async function contractStore(url: string, cleanup: () => Promise<void>): Promise<ContractStore> {
  const { appUrl } = await indexDatabase()
  const open = () =>
    eventStoreDbEventStore({ url, indexUrl: appUrl, log: createLogger('silent'), indexTimeoutMs: 60_000 })
  const store = await open()
  return {
    store,
    reopen: open,
    cleanup: async () => {
      await store.close()
      await cleanup()
    },
  }
}

eventStoreContract('EventStoreDB adapter with the stand-in', async () => {
  const standIn = await startEventStoreDbStandIn()
  return await contractStore(standIn.url, standIn.kill)
})

const realServer = process.env.BIOLEDGER_TEST_EVENTSTORE
if (realServer?.startsWith('esdb'))
  eventStoreContract('EventStoreDB adapter with a real server', () =>
    contractStore(realServer, async () => {}),
  )
else
  test('event store contract: EventStoreDB adapter with a real server', {
    skip: 'BIOLEDGER_TEST_EVENTSTORE names no esdb:// server',
  })
