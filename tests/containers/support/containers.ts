/**
 * The servers of the production stack in containers, each from the very image and with the very files that
 * docker-compose.yml names. Only where Docker answers; elsewhere the tests skip by name and say why.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import { skipUnless } from '../../../infra/toolchain/require.ts'

const root = new URL('../../../', import.meta.url).pathname
const startupMs = 180_000

/** What to give a test as `skip`. */
export async function skipWithoutDocker(): Promise<string | false> {
  const reason = await getContainerRuntimeClient().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  return skipUnless('docker', reason === undefined, reason ?? '')
}

export async function imageOf(service: string): Promise<string> {
  const stack = await readFile(join(root, 'docker-compose.yml'), 'utf8')
  const image = new RegExp(`^  ${service}:\\n(?:(?! {2}\\S).*\\n)*? {4}image: (\\S+)$`, 'm').exec(stack)?.[1]
  if (!image) throw new Error(`docker-compose.yml names no image for ${service}`)
  return image
}

export type EventStoreDbContainer = { readonly url: string; stop(): Promise<void> }

export async function startEventStoreDb(): Promise<EventStoreDbContainer> {
  const container = await new GenericContainer(await imageOf('eventstoredb'))
    .withEnvironment({
      EVENTSTORE_CLUSTER_SIZE: '1',
      EVENTSTORE_RUN_PROJECTIONS: 'None',
      EVENTSTORE_INSECURE: 'true',
    })
    .withExposedPorts(2113)
    .withWaitStrategy(Wait.forHttp('/health/live', 2113).forStatusCodeMatching((code) => code < 300))
    .withStartupTimeout(startupMs)
    .start()
  return {
    url: `esdb://${container.getHost()}:${container.getMappedPort(2113)}?tls=false`,
    stop: stopping(container),
  }
}

export type PostgresContainer = {
  readonly adminUrl: string
  readonly ownerUrl: string
  readonly appUrl: string
  stop(): Promise<void>
}

export async function startPostgres(): Promise<PostgresContainer> {
  const passwords = { admin: password(), owner: password(), app: password() }
  const container = await new GenericContainer(await imageOf('postgres'))
    .withEnvironment({
      POSTGRES_DB: 'bioledger',
      POSTGRES_PASSWORD: passwords.admin,
      POSTGRES_OWNER_PASSWORD: passwords.owner,
      POSTGRES_APP_PASSWORD: passwords.app,
      POSTGRES_INITDB_ARGS: '--encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C',
    })
    .withCopyFilesToContainer([
      {
        source: join(root, 'infra/docker/postgres/roles.sql'),
        target: '/docker-entrypoint-initdb.d/roles.sql',
        mode: 0o644,
      },
    ])
    .withExposedPorts(5432)
    // Once while the cluster is made, on its socket; once for everybody.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .withStartupTimeout(startupMs)
    .start()
  const at = `${container.getHost()}:${container.getMappedPort(5432)}/bioledger`
  return {
    adminUrl: `postgres://postgres:${passwords.admin}@${at}`,
    ownerUrl: `postgres://bioledger_owner:${passwords.owner}@${at}`,
    appUrl: `postgres://bioledger_app:${passwords.app}@${at}`,
    stop: stopping(container),
  }
}

export type KafkaContainer = {
  /** Runs one of Kafka's own scripts in the container, against this broker; gives its output. */
  script(name: string, commandLine: readonly string[], input?: string): Promise<string>
  stop(): Promise<void>
}

export async function startKafka(): Promise<KafkaContainer> {
  const container = await new GenericContainer(await imageOf('kafka'))
    .withEnvironment({
      CLUSTER_ID: 'YmlvcHJvY2Vzcy1sZWRnZQ',
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://localhost:9092',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_LOG_DIRS: '/var/lib/kafka/data',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(startupMs)
    .start()
  return {
    script: async (name, commandLine, input = '') => {
      const line = ['/opt/kafka/bin/kafka-$0.sh', '--bootstrap-server', 'localhost:9092', '"$@"'].join(' ')
      const { output, exitCode } = await container.exec(
        ['sh', '-c', `printf '%s' "$KAFKA_SCRIPT_INPUT" | ${line}`, name, ...commandLine],
        { env: { KAFKA_SCRIPT_INPUT: input } },
      )
      if (exitCode !== 0) throw new Error(`kafka-${name}.sh ended with ${exitCode}: ${output}`)
      return output
    },
    stop: stopping(container),
  }
}

export type MosquittoContainer = {
  readonly url: string
  readonly passwordOf: (user: string) => string
  stop(): Promise<void>
}

/** With the product's own configuration and access rules, and these users. */
export async function startMosquitto(users: readonly string[]): Promise<MosquittoContainer> {
  const passwords = new Map(users.map((user) => [user, password()]))
  const file = '/mosquitto/config/passwords'
  const makeUsers = users.map((user) => `mosquitto_passwd -b ${file} ${user} ${passwords.get(user)}`)
  const configuration = (name: string) => ({
    source: join(root, 'infra/docker/mosquitto', name),
    target: `/mosquitto/config/${name}`,
    mode: 0o644,
  })
  const container = await new GenericContainer(await imageOf('mosquitto'))
    .withCopyFilesToContainer(
      ['mosquitto.conf', 'acl', 'listeners/tls.conf.example'].map((name) => configuration(name)),
    )
    .withCommand([
      'sh',
      '-c',
      [
        `touch ${file}`,
        ...makeUsers,
        `chown mosquitto ${file}`,
        'exec mosquitto -c /mosquitto/config/mosquitto.conf',
      ].join(' && '),
    ])
    .withExposedPorts(1883)
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(startupMs)
    .start()
  return {
    url: `mqtt://${container.getHost()}:${container.getMappedPort(1883)}`,
    passwordOf: (user) => passwords.get(user) ?? '',
    stop: stopping(container),
  }
}

function stopping(container: StartedTestContainer): () => Promise<void> {
  return async () => {
    await container.stop()
  }
}

const password = () => randomBytes(18).toString('hex')
