/** The same broker from its image, on a port of the host that stays the same when it is killed and started again. */
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers'
import { freePort } from '../../free-port.ts'
import type { TestBroker } from './test-broker.ts'

const image = 'apache/kafka:4.3.1'
const inside = 9092
const started = /Kafka Server started/

/** Undefined when Docker answers. */
export async function containerReason(): Promise<string | undefined> {
  return await getContainerRuntimeClient().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

export async function startBrokerInContainer(): Promise<TestBroker> {
  const port = await freePort()
  const container = await new GenericContainer(image)
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: `PLAINTEXT://:${inside},CONTROLLER://:9093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://localhost:${port}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    })
    .withExposedPorts({ container: inside, host: port })
    .withWaitStrategy(Wait.forLogMessage(started))
    .withStartupTimeout(180_000)
    .start()
  const { container: runtime } = await getContainerRuntimeClient()
  const engine = runtime.getById(container.getId())
  return {
    brokers: [`localhost:${port}`],
    kill: async () => {
      await engine.kill({ signal: 'SIGKILL' })
    },
    start: async () => {
      await container.restart()
    },
    stop: async () => {
      await container.stop({ remove: true, removeVolumes: true })
    },
  }
}
