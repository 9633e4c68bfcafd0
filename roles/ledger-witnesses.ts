/** The witnesses that the settings name. */
import type { Config } from '../infra/config.ts'
import { parseCosignatureKey } from '../ledger/log/cosignature.ts'
import { NoteError } from '../ledger/log/note.ts'
import type { ConfiguredWitness } from '../ledger/witness/witness-client.ts'
import { UserError } from './user-error.ts'

/** Throws `UserError` for a key that is none. */
export function configuredWitnesses(config: Config): readonly ConfiguredWitness[] {
  return config.ledgerWitnesses.map(({ verifierKey, url }) => {
    try {
      return { verifier: parseCosignatureKey(verifierKey), url }
    } catch (error) {
      if (!(error instanceof NoteError)) throw error
      throw new UserError(`BIOLEDGER_LEDGER_WITNESSES: ${verifierKey} is no witness key: ${error.rule}`)
    }
  })
}
