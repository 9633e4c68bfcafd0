/** Which form of the vessel feed this installation has: Kafka where brokers are named, else the store's own subscription. */
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { VesselFeed } from '../infra/feed/feed.ts'
import { storeVesselFeed } from '../infra/feed/store-feed.ts'
import { kafkaVesselFeed } from '../infra/kafka/kafka-feed.ts'
import { topicNames } from '../infra/kafka/topics.ts'
import type { Logger } from '../infra/log.ts'
import type { Urls } from './foundations.ts'

export function openVesselFeed(deps: {
  store: EventStore
  urls: Urls
  config: Config
  log: Logger
}): VesselFeed {
  const { store, config, log } = deps
  return config.kafkaBrokers.length > 0
    ? kafkaVesselFeed({
        brokers: config.kafkaBrokers,
        store,
        log,
        topics: topicNames(config.kafkaTopicPrefix),
      })
    : storeVesselFeed({ store, postgresUrl: deps.urls.app, log })
}
