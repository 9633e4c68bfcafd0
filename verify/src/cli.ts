import { verifyCommandLine } from './command-line.ts'

process.exitCode = await verifyCommandLine(process.argv.slice(2), 'node verify.mjs')
