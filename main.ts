/** The command line of bioprocess-ledger: which command starts which role. Everything else is in `roles/`. */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { readConfig } from './infra/config.ts'
import { extractPurposes } from './ledger/extract/request.ts'
import { exportEventsCommand } from './roles/export-events.ts'
import { extractCommand } from './roles/extract.ts'
import { ledgerAuditCommand } from './roles/ledger-audit.ts'
import { confirmLedgerCommand } from './roles/ledger-confirm.ts'
import { rotateLedgerKeyCommand } from './roles/ledger-key.ts'
import { migrateCommand } from './roles/migrate.ts'
import { rebuildCommand } from './roles/rebuild.ts'
import { replayCommand } from './roles/replay.ts'
import { replayForecastsCommand } from './roles/replay-forecasts.ts'
import { serveCommand, servedRoles } from './roles/serve.ts'
import { simulateCommand } from './roles/simulate.ts'
import { startCommand } from './roles/start.ts'
import { UserError } from './roles/user-error.ts'
import { verifyCommand } from './roles/verify.ts'
import { version } from './roles/version.ts'

const program = new Command('bioledger')
  .description('Event-sourced digital shadow for Pichia pastoris fermentation')
  .version(version)
  .showHelpAfterError('(bioledger --help tells the commands)')
  .exitOverride()
  .addHelpText(
    'after',
    '\nSettings are BIOLEDGER_* variables (docs/operations.md).\nExit status: 0 good, 1 a finding, 2 usage or incomplete.',
  )

const wholeNumber = (minimum: number, maximum: number) => (text: string) => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < minimum || value > maximum)
    throw new InvalidArgumentError(`a whole number ${minimum}–${maximum} is expected.`)
  return value
}
const speed = (text: string) => (text === 'max' ? 'max' : wholeNumber(1, 999_999)(text))
const dataDir = () =>
  new Option('--data-dir <folder>', 'data folder of the running product')
    .env('BIOLEDGER_DATA_DIR')
    .default('./data')

program
  .command('start')
  .description('start everything embedded: store, broker, ingest, projections, page, and a simulated batch')
  .action(() => startCommand(config()))

program
  .command('serve')
  .description('run one role against the servers that BIOLEDGER_* name')
  .argument('<role>', servedRoles.join(', '))
  .action((role: string) => serveCommand(role, config()))

program
  .command('migrate')
  .description('make or update the database schemas that BIOLEDGER_*_ADMIN_URL may change, then end')
  .action(() => migrateCommand(config()))

program
  .command('simulate')
  .description('simulate a batch: over MQTT like real sensors, or into a file')
  .requiredOption('--preset <name>', 'N, R, R-O2 or batch-1 … batch-18')
  .option('--seed <number>', 'same seed, same bytes', wholeNumber(0, 999_999_999), 1)
  .option('--speed <factor>', 'times real time, or max', speed, 'max')
  .option('--mqtt <url>', 'broker to publish to')
  .option('--vessel <id>', 'vessel to publish as')
  .option('--out <file>', 'write the messages to this NDJSON file instead')
  .option('--start <time>', 'source time of T = 0 (ISO 8601 with zone)')
  .option('--noise <kind>', 'none, kind or realistic')
  .option('--hours <number>', 'stop after so many hours of the batch', wholeNumber(1, 100))
  .option('--json', 'answer for machines', false)
  .action(simulateCommand)

program
  .command('replay')
  .description('replay a CSV of a real run over MQTT into a batch of its own')
  .argument('<file>', 'CSV file')
  .addOption(dataDir())
  .option('--vessel <id>', 'vessel to publish as')
  .option('--map <file>', 'which column is which tag and unit (JSON)')
  .option('--tz <zone>', 'zone of times without one, e.g. Europe/Vienna')
  .option('--campaign <id>', 'campaign of the batch (default: the name of the file)')
  .option('--json', 'answer for machines', false)
  .action(replayCommand)

program
  .command('replay-forecasts')
  .description(
    "recompute a batch's forecasts from its events and compare them with the recorded ones, byte by byte",
  )
  .argument('<batch>', 'id of the batch')
  .addOption(dataDir())
  .option('--json', 'answer for machines', false)
  .action(replayForecastsCommand)

program
  .command('export-events')
  .description("write a batch's events as one Parquet file, for analysis and training")
  .argument('<batch>', 'id of the batch')
  .requiredOption('--out <file>', 'file to write')
  .addOption(dataDir())
  .option('--json', 'answer for machines', false)
  .action(exportEventsCommand)

program
  .command('rebuild')
  .description('build the read models anew beside the old ones, compare them, switch')
  .addOption(dataDir())
  .option('--json', 'answer for machines', false)
  .action(rebuildCommand)

program
  .command('ledger-audit')
  .description('hold the event store, the ledger and the read models against one another')
  .addOption(dataDir())
  .option('--once', 'check everything once and end (serve ledger and start check continuously)', true)
  .option('--json', 'answer for machines', false)
  .action(ledgerAuditCommand)

program
  .command('extract')
  .description('write the extract of a batch: one zip that proves it complete, offline')
  .requiredOption('--batch <id>', 'id of the batch')
  .requiredOption('--out <file>', 'file to write')
  .addOption(dataDir())
  .option('--as-of <time>', 'what was recorded up to then (ISO 8601 with zone)')
  .addOption(new Option('--purpose <code>', 'what the copy is for').choices(extractPurposes))
  .option('--purpose-text <text>', 'the same in words, e.g. the number of an inspection')
  .option('--from <time>', 'sensor data, process values and forecasts only as recorded from here')
  .option('--to <time>', 'and up to here')
  .option('--signatures-only', 'only the record, with the payloads of signatures and approvals', false)
  .option('--json', 'answer for machines', false)
  .action(extractCommand)

program
  .command('verify')
  .description('verify an extract (verify --help tells the options)')
  .argument('[arguments...]')
  .helpOption(false)
  .allowUnknownOption()
  .action((_given: string[], _options: unknown, command: Command) => verifyCommand(command.args))

program
  .command('ledger-key')
  .description('keys of the ledger: rotate makes a new one, which the old one vouches for')
  .addArgument(new Argument('<what>', 'what to do').choices(['rotate']))
  .addOption(dataDir())
  .option('--json', 'answer for machines', false)
  .action((_what: string, given: { dataDir: string; json: boolean }) => rotateLedgerKeyCommand(given))

program
  .command('ledger-confirm')
  .description(
    'answer for what the ledger signed last, where ledger.signed is lost: an event keeps who did, and why',
  )
  .addOption(dataDir())
  .requiredOption(
    '--size <number>',
    'entries under the newest checkpoint ever signed',
    wholeNumber(1, Number.MAX_SAFE_INTEGER),
  )
  .requiredOption('--by <person>', 'who answers for it')
  .requiredOption('--reason <text>', 'how that person knows')
  .option('--json', 'answer for machines', false)
  .action(confirmLedgerCommand)

await run()

async function run(): Promise<void> {
  try {
    await program.parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else if (error instanceof UserError) {
      process.stderr.write(`bioledger: ${error.message}\n`)
      process.exitCode = error.exitCode
    } else {
      process.stderr.write(`bioledger: ${error instanceof Error ? error.message : String(error)}\n`)
      if (process.env.BIOLEDGER_LOG_LEVEL === 'debug' && error instanceof Error)
        process.stderr.write(`${error.stack}\n`)
      process.exitCode = 2
    }
  }
}

function config() {
  const read = readConfig(process.env)
  if ('config' in read) return read.config
  for (const line of read.errors) process.stderr.write(`bioledger: ${line}\n`)
  process.exit(2)
}
