/** `bioledger verify`: the very verifier that stands in `verify/verify.mjs`. */
import { verifyCommandLine } from '../verify/src/command-line.ts'

export async function verifyCommand(args: readonly string[]): Promise<void> {
  process.exitCode = await verifyCommandLine(args, 'bioledger verify')
}
