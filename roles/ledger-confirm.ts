/**
 * `bioledger ledger-confirm`: a person answers for what was signed last, where `ledger.signed` is lost. The statement
 * becomes an event; the ledger goes on when it is started anew.
 */
import { resolve } from 'node:path'
import { systemClock } from '../infra/clock.ts'
import { readConfig } from '../infra/config.ts'
import { createLogger } from '../infra/log.ts'
import { confirmState, StateNotConfirmedError } from '../ledger/sequencer/confirm-state.ts'
import { LedgerRefusedError } from '../ledger/sequencer/refusal.ts'
import { signedStateFile } from '../ledger/sequencer/signed-state.ts'
import { openLedger } from '../ledger/storage/database.ts'
import { actor } from '../schemas/event.ts'
import { openEventStore } from './foundations.ts'
import { shutdownOrder } from './shutdown.ts'
import { storedDataUrls } from './stored-data.ts'
import { UserError } from './user-error.ts'

type Options = { dataDir: string; size: number; by: string; reason: string; json: boolean }

/** Exit 0: confirmed; 1: it cannot be confirmed; 2: usage. */
export async function confirmLedgerCommand(given: Options): Promise<void> {
  const read = readConfig(process.env)
  if (!('config' in read)) throw new UserError(read.errors.join('; '))
  const person = actor.safeParse({ kind: 'human', id: given.by, role: 'administrator' })
  if (!person.success)
    throw new UserError(`--by is ${given.by}, expected the id of a person, at most 100 characters`)
  if (given.reason.length < 10 || given.reason.length > 2000)
    throw new UserError('--reason: say in 10 to 2000 characters how you know what was signed last')
  const config = { ...read.config, dataFolder: given.dataDir }
  const shutdown = shutdownOrder()
  try {
    const urls = await storedDataUrls(config, given.dataDir, shutdown)
    const store = await openEventStore(
      { ...config, eventStoreAdminUrl: undefined },
      { app: urls.app, admin: undefined },
      createLogger('silent'),
    )
    shutdown.add(() => store.close())
    const pool = openLedger(urls.app, { name: 'ledger-confirm', max: 1 })
    shutdown.add(() => pool.end())
    const signedState = signedStateFile(resolve(given.dataDir))
    const { origin, size, root } = await confirmState(
      { pool, store, clock: systemClock, site: config.site, signedState },
      { size: BigInt(given.size), finding: given.reason, actor: person.data },
    )
    const answer = { origin, size: String(size), root: root.toString('base64'), by: given.by }
    process.stdout.write(
      given.json
        ? `${JSON.stringify(answer)}\n`
        : `${given.by} confirmed ${answer.size} entries of ${origin}, root ${answer.root}: start the ledger anew\n`,
    )
  } catch (error) {
    if (error instanceof StateNotConfirmedError || error instanceof LedgerRefusedError)
      throw new UserError(error.message, 1)
    throw error
  } finally {
    await shutdown.run()
  }
}
