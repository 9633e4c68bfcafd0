/** `npm run train -- [data-set|fit|calibrate|judge|document] --out <folder> --work <folder>`: makes the model; see README.md. */
import { availableParallelism } from 'node:os'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { calibrate, document, fitHeads, judge, makeDataSet, type TrainingOptions } from './steps.ts'

const steps = { 'data-set': makeDataSet, fit: fitHeads, calibrate, judge, document } as const
type Step = keyof typeof steps
const names = Object.keys(steps) as Step[]

const command = new Command('train')
  .addArgument(new Argument('[step]', 'one step alone; all of them when absent').choices(names))
  .requiredOption('--out <folder>', 'where the artefact goes')
  .requiredOption('--work <folder>', 'data set, rows and figures')
  .option('--python <path>', 'a Python with requirements.txt installed', 'python3')
  .option('--windows <folder>', 'keep folded windows here, and take them from here')
  .option('--events <folder>', 'event files of further batches, as `bioledger export-events` writes them')
  .option('--trials <n>', 'trials of the search for regularisation', whole, 12)
  .option('--parameters <file>', 'training.json of an earlier search, instead of searching')
  .option('--campaigns <k>', 'fresh campaigns that judge', whole, 100)
  .option('--fault-batches <k>', 'batches a fault', whole, 3)
  .parse()

function whole(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('a whole number from 0 to 9999.')
  return Number(text)
}

const options: TrainingOptions = {
  ...command.opts<Omit<TrainingOptions, 'say'>>(),
  say: (text) => process.stderr.write(`${text}\n`),
}
const [only] = command.processedArgs as [Step | undefined]
for (const step of only === undefined ? names : [only]) {
  options.say(`${step} (${availableParallelism()} processors)`)
  await steps[step](options)
}
