/**
 * The jars of a Kafka broker: from the folder that `BIOLEDGER_TEST_KAFKA_LIBS` names, or from the user's cache, into which
 * Maven fetches them once. Java 17 or newer runs them.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const kafkaVersion = '4.3.1'
const oldestJava = 17

/** The folder with the jars, or why there is none. */
export async function brokerLibs(): Promise<{ folder: string } | { missing: string }> {
  const java = await javaMajorVersion()
  if (java === undefined || java < oldestJava)
    return { missing: `Java ${oldestJava} or newer (${java === undefined ? 'none' : java} found)` }
  const named = process.env.BIOLEDGER_TEST_KAFKA_LIBS
  if (named) return (await holdsJars(named)) ? { folder: named } : { missing: `no Kafka jars in ${named}` }
  const folder = join(
    process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
    'bioledger',
    `kafka-${kafkaVersion}`,
  )
  if (await holdsJars(folder)) return { folder }
  try {
    await fetchJars(folder)
    return { folder }
  } catch (error) {
    return { missing: `Kafka's jars could not be fetched with Maven: ${firstLine(error)}` }
  }
}

async function javaMajorVersion(): Promise<number | undefined> {
  try {
    const { stderr } = await run('java', ['-version'])
    const version = /version "(\d+)/.exec(stderr)?.[1]
    return version === undefined ? undefined : Number(version)
  } catch {
    return undefined
  }
}

async function holdsJars(folder: string): Promise<boolean> {
  const files = await readdir(folder).catch(() => [])
  return files.some((file) => /^kafka_2\.13-.*\.jar$/.test(file))
}

/** Into a folder beside, then renamed: two test processes may come at the same time, and one may be interrupted. */
async function fetchJars(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const half = await mkdtemp(`${folder}-`)
  try {
    await run(
      'mvn',
      [
        '-q',
        '-B',
        '-f',
        fileURLToPath(new URL('./pom.xml', import.meta.url)),
        'dependency:copy-dependencies',
        `-DoutputDirectory=${half}`,
        '-DincludeScope=runtime',
      ],
      { timeout: 300_000 },
    )
    await rename(half, folder)
  } catch (error) {
    await rm(half, { recursive: true, force: true })
    if (!(await holdsJars(folder))) throw error
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
