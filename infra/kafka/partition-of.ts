/** Which partition a key belongs to: murmur2 as Kafka's own clients compute it, so that other producers agree. */
import { Partitioners } from 'kafkajs'

const longestMemory = 100_000

export function partitionOf(partitions: number): (key: string) => number {
  const partitioner = Partitioners.DefaultPartitioner()
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }))
  const known = new Map<string, number>()
  return (key) => {
    let partition = known.get(key)
    if (partition === undefined) {
      partition = partitioner({ topic: '', partitionMetadata, message: { key, value: null } })
      if (known.size >= longestMemory) known.clear()
      known.set(key, partition)
    }
    return partition
  }
}
