/**
 * Settings: `BIOLEDGER_*` variables, checked all at once at start. One line an error, every error reported, exit 2.
 * An unknown `BIOLEDGER_*` variable is an error too: a misspelt setting must not be silently ignored.
 */
import { z } from 'zod'
import { logLevels } from './log.ts'

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'a port number 0–65535 (0 = any free)')
  .transform(Number)
  .refine((value) => value <= 65_535, 'a port number 0–65535 (0 = any free)')

const url = (rule: string, ...schemes: string[]) =>
  z.string().refine((text) => {
    const parsed = URL.parse(text)
    return parsed !== null && schemes.includes(parsed.protocol)
  }, rule)

const wholeNumber = (minimum: number, maximum: number) => {
  const rule = `a whole number ${minimum}–${maximum}`
  return z
    .string()
    .regex(/^(0|[1-9]\d{0,9})$/, rule)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, rule)
}

const presets = /^(N|R|R-O2|batch-([1-9]|1[0-8])|off)$/

const settings = z.object({
  DATA_DIR: z.string().min(1, 'a folder').default('./data'),
  HTTP_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:-]+$/, 'an address to listen on, e.g. 127.0.0.1 or 0.0.0.0')
    .default('127.0.0.1'),
  HTTP_PORT: port.default(8080),
  HTTP_ALLOWED_HOSTS: z
    .string()
    .regex(
      /^[A-Za-z0-9.-]+(:\d+)?(,[A-Za-z0-9.-]+(:\d+)?)*$/,
      'name or name:port, more of them separated by commas',
    )
    .optional(),
  MQTT_PORT: port.default(1883),
  MQTT_URL: url(
    'an MQTT URL: mqtt://…, mqtts://…, ws://… or wss://…',
    'mqtt:',
    'mqtts:',
    'ws:',
    'wss:',
  ).optional(),
  EVENTSTORE_URL: url(
    'an event store URL: esdb://…, esdb+discover://… or postgres://…',
    'esdb:',
    'esdb+discover:',
    'postgres:',
    'postgresql:',
  ).optional(),
  EVENTSTORE_ADMIN_URL: url('a Postgres URL: postgres://…', 'postgres:', 'postgresql:').optional(),
  POSTGRES_URL: url('a Postgres URL: postgres://…', 'postgres:', 'postgresql:').optional(),
  POSTGRES_ADMIN_URL: url('a Postgres URL: postgres://…', 'postgres:', 'postgresql:').optional(),
  KAFKA_BROKERS: z
    .string()
    .regex(/^[^,:\s]+:\d+(,[^,:\s]+:\d+)*$/, 'host:port, more of them separated by commas')
    .optional(),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, . - _ (at most 100)')
    .default('bioprocess'),
  KAFKA_PARTITIONS: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, 'a whole number 1–1000')
    .transform(Number)
    .default(12),
  SIMULATE: z.string().regex(presets, 'N, R, R-O2, batch-1 … batch-18 or off').optional(),
  SIMULATE_SPEED: z
    .string()
    .regex(/^(max|[1-9]\d{0,5})$/, 'max or a whole number of times real time, 1–999999')
    .default('60'),
  SIMULATE_SEED: z
    .string()
    .regex(/^\d{1,9}$/, 'a whole number 0–999999999')
    .transform(Number)
    .default(1),
  SITE: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/, 'a site id of letters, digits, . - _ (at most 50)')
    .default('site-1'),
  LEDGER_NAME: z
    .string()
    .regex(/^[^\s+/]{1,150}$/, 'a name without spaces, slashes and plus signs, e.g. ledger.company.example')
    .default('ledger.localhost'),
  LEDGER_FILES: z.string().min(1, 'a folder').optional(),
  LEDGER_HEADS_EVERY_MIN: wholeNumber(1, 1_440).default(60),
  LEDGER_WITNESSES: z
    .string()
    .regex(
      /^\S+ https?:\/\/[^\s,]+(,\S+ https?:\/\/[^\s,]+)*$/,
      'a witness key and its URL with a space between, more of them separated by commas',
    )
    .optional(),
  LEDGER_WITNESS_QUORUM: wholeNumber(1, 16).optional(),
  LEDGER_WITNESS_EVERY_S: wholeNumber(1, 300).default(10),
  LEDGER_AUDIT_EVENTS_PER_S: wholeNumber(100, 1_000_000).optional(),
  TIME_STAMP_AUTHORITIES: z
    .string()
    .regex(
      /^https?:\/\/[^\s,]+ [^\s,]+( \d+(\.\d+)+)?(,https?:\/\/[^\s,]+ [^\s,]+( \d+(\.\d+)+)?)*$/,
      'URL, file of CA certificates and optionally a policy OID with spaces between, more of them separated by commas',
    )
    .optional(),
  TIME_STAMP_EVERY_MIN: wholeNumber(1, 10_080).default(60),
  TIME_STAMP_MAX_GAP_H: wholeNumber(1, 720).default(24),
  WITNESS_NAME: z
    .string()
    .regex(/^[^\s+,]{1,200}$/, 'a key name without spaces, commas and plus signs, e.g. qa.example/witness')
    .optional(),
  WITNESS_LOGS: z
    .string()
    .regex(
      /^[^\s,]+\+[0-9a-f]{8}\+[^\s,]+(,[^\s,]+\+[0-9a-f]{8}\+[^\s,]+)*$/,
      'verifier keys of logs, separated by commas',
    )
    .optional(),
  LOG_LEVEL: z.enum(logLevels, { error: `one of ${logLevels.join(', ')}` }).default('info'),
})

export type Config = {
  readonly dataFolder: string
  /** Where HTTP listens: loopback, except in a container, whose published port then decides who comes in. */
  readonly httpHost: string
  readonly httpPort: number
  /** Names that a proxy in front is asked for, beside the loopback ones. */
  readonly httpAllowedHosts: readonly string[]
  readonly mqttPort: number
  readonly mqttUrl: string | undefined
  readonly eventStoreUrl: string | undefined
  /** For migrations of an event store in an outside Postgres. */
  readonly eventStoreAdminUrl: string | undefined
  readonly postgresUrl: string | undefined
  /** For migrations; without it `postgresUrl` must be allowed to create what is missing. */
  readonly postgresAdminUrl: string | undefined
  readonly kafkaBrokers: readonly string[]
  /** Topics are called `<prefix>.vessels.v1` and so on. */
  readonly kafkaTopicPrefix: string
  /** Of the topics that the relay makes. */
  readonly kafkaPartitions: number
  /** Preset, `batch-<n>` or `off`. */
  readonly simulate: string
  readonly simulateSpeed: number | 'max'
  readonly simulateSeed: number
  readonly site: string
  /** Begins the origin of a new log. */
  readonly ledgerName: string
  /** Where the log is kept as static files, too. */
  readonly ledgerFiles: string | undefined
  /** Least time between heads statements that nobody asked for. */
  readonly ledgerHeadsEveryMs: number
  /** Key of type 0x04 and submission prefix of each witness that cosigns the ledger's checkpoints. */
  readonly ledgerWitnesses: readonly { readonly verifierKey: string; readonly url: string }[]
  /** How many of them must have cosigned lately; all of them without it. */
  readonly ledgerWitnessQuorum: number | undefined
  readonly ledgerWitnessEveryMs: number
  /** Events that the continuous check re-hashes a second at most; undefined: as many as the log's size asks for. */
  readonly ledgerAuditEventsPerS: number | undefined
  /** RFC 3161 authorities: URL, PEM file of the CA certificates trusted for it, policy OID where one is asked for. */
  readonly timeStampAuthorities: readonly {
    readonly url: string
    readonly caFile: string
    readonly policy: string | undefined
  }[]
  readonly timeStampEveryMs: number
  /** A longer time without a stamp makes the part not ready. */
  readonly timeStampMaxGapMs: number
  /** For `serve witness`. */
  readonly witnessName: string | undefined
  /** Verifier keys of the logs that this witness cosigns; a key's name is its log's origin. */
  readonly witnessLogs: readonly string[]
  readonly logLevel: (typeof logLevels)[number]
}

/** The settings, or every error at once as lines `BIOLEDGER_X: <value> is not <rule>`. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
): { config: Config } | { errors: readonly string[] } {
  const given: Record<string, string> = {}
  const errors: string[] = []
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('BIOLEDGER_') || value === undefined || reservedForTests.test(name)) continue
    const key = name.slice('BIOLEDGER_'.length)
    if (!(key in settings.shape))
      errors.push(
        `${name}: no such setting (known: ${Object.keys(settings.shape)
          .map((known) => `BIOLEDGER_${known}`)
          .join(', ')})`,
      )
    else given[key] = value
  }
  const checked = settings.safeParse(given)
  if (!checked.success)
    for (const issue of checked.error.issues) {
      const key = String(issue.path[0])
      errors.push(
        `BIOLEDGER_${key}: ${JSON.stringify(withoutPassword(given[key] ?? ''))} is not ${issue.message}`,
      )
    }
  if (errors.length > 0 || !checked.success) return { errors }
  const value = checked.data
  const outside = value.MQTT_URL ?? value.EVENTSTORE_URL ?? value.POSTGRES_URL ?? value.KAFKA_BROKERS
  return {
    config: {
      dataFolder: value.DATA_DIR,
      httpHost: value.HTTP_HOST,
      httpPort: value.HTTP_PORT,
      httpAllowedHosts: value.HTTP_ALLOWED_HOSTS?.split(',') ?? [],
      mqttPort: value.MQTT_PORT,
      mqttUrl: value.MQTT_URL,
      eventStoreUrl: value.EVENTSTORE_URL,
      eventStoreAdminUrl: value.EVENTSTORE_ADMIN_URL,
      postgresUrl: value.POSTGRES_URL,
      postgresAdminUrl: value.POSTGRES_ADMIN_URL,
      kafkaBrokers: value.KAFKA_BROKERS?.split(',') ?? [],
      kafkaTopicPrefix: value.KAFKA_TOPIC_PREFIX,
      kafkaPartitions: value.KAFKA_PARTITIONS,
      simulate: value.SIMULATE ?? (outside ? 'off' : 'N'),
      simulateSpeed: value.SIMULATE_SPEED === 'max' ? 'max' : Number(value.SIMULATE_SPEED),
      simulateSeed: value.SIMULATE_SEED,
      site: value.SITE,
      ledgerName: value.LEDGER_NAME,
      ledgerFiles: value.LEDGER_FILES,
      ledgerHeadsEveryMs: value.LEDGER_HEADS_EVERY_MIN * 60_000,
      ledgerWitnesses: (value.LEDGER_WITNESSES?.split(',') ?? []).map((entry) => {
        const [verifierKey = '', url = ''] = entry.split(' ')
        return { verifierKey, url }
      }),
      ledgerWitnessQuorum: value.LEDGER_WITNESS_QUORUM,
      ledgerWitnessEveryMs: value.LEDGER_WITNESS_EVERY_S * 1000,
      ledgerAuditEventsPerS: value.LEDGER_AUDIT_EVENTS_PER_S,
      timeStampAuthorities: (value.TIME_STAMP_AUTHORITIES?.split(',') ?? []).map((entry) => {
        const [url = '', caFile = '', policy] = entry.split(' ')
        return { url, caFile, policy }
      }),
      timeStampEveryMs: value.TIME_STAMP_EVERY_MIN * 60_000,
      timeStampMaxGapMs: value.TIME_STAMP_MAX_GAP_H * 3_600_000,
      witnessName: value.WITNESS_NAME,
      witnessLogs: value.WITNESS_LOGS?.split(',') ?? [],
      logLevel: value.LOG_LEVEL,
    },
  }
}

/** Every setting with its default, as one would write both: what the documentation is checked against. */
export function knownSettings(): ReadonlyMap<string, string | undefined> {
  const defaults = new Map<string, unknown>(Object.entries(settings.parse({})))
  return new Map(
    Object.keys(settings.shape).map((key) => {
      const value = defaults.get(key)
      return [`BIOLEDGER_${key}`, value === undefined ? undefined : String(value)]
    }),
  )
}

/** The test runner's own variables are no settings of the product. */
const reservedForTests = /^BIOLEDGER_(TEST_|REQUIRE$)/

function withoutPassword(value: string): string {
  return value.replace(/^([a-z+]+:\/\/[^:/@]+):[^@]*@/i, '$1:…@')
}
