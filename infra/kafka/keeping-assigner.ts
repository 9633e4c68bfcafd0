/**
 * Who owns which partition: as many for each worker as for any other (± 1), and whoever owns one keeps it while that holds.
 * A lane that moves costs the new owner the rebuilding of every vessel's state on it.
 */
import { AssignerProtocol, type PartitionAssigner } from 'kafkajs'

const name = 'bioledger-keeping'
const version = 1

/** `owned` are this worker's partitions at the time it joins. */
export function keepingAssigner(owned: () => readonly number[]): PartitionAssigner {
  return ({ cluster }) => ({
    name,
    version,
    async assign({ members, topics }) {
      const topic = topics[0]
      if (topic === undefined) return []
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
      const claims = new Map(
        members.map(({ memberId, memberMetadata }) => [memberId, claimOf(memberMetadata)]),
      )
      return [...sharedOut(partitions, claims)].map(([memberId, those]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version,
          assignment: { [topic]: those },
          userData: Buffer.alloc(0),
        }),
      }))
    },
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version,
        topics,
        userData: Buffer.from(JSON.stringify(owned())),
      }),
    }),
  })
}

/** Partitions by member; every partition has exactly one. */
export function sharedOut(
  partitions: readonly number[],
  claims: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, number[]> {
  const members = [...claims.keys()].sort()
  const shares = new Map<string, number[]>(members.map((member) => [member, []]))
  if (members.length === 0) return shares
  const free = new Set(partitions.toSorted((a, b) => a - b))
  const fair = Math.floor(partitions.length / members.length)
  let larger = partitions.length % members.length
  for (const member of members) {
    const share = shares.get(member) as number[]
    for (const partition of claims.get(member) ?? []) {
      if (!free.has(partition)) continue
      const isExtra = share.length === fair
      if (share.length > fair || (isExtra && larger === 0)) break
      if (isExtra) larger--
      share.push(partition)
      free.delete(partition)
    }
  }
  for (const partition of free) {
    const least = members.reduce((one, other) =>
      (shares.get(other)?.length ?? 0) < (shares.get(one)?.length ?? 0) ? other : one,
    )
    shares.get(least)?.push(partition)
  }
  return shares
}

function claimOf(memberMetadata: Buffer): readonly number[] {
  const userData = AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData
  if (!userData || userData.length === 0) return []
  try {
    const claim: unknown = JSON.parse(userData.toString())
    return Array.isArray(claim) ? claim.filter((one) => Number.isInteger(one)) : []
  } catch {
    return []
  }
}
