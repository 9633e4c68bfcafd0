/**
 * What one worker knows of one partition: which records follow on what it has processed. Kafka and the relay may repeat
 * records, a lane that was away for a while may come back further on: repeats are dropped by position, a hole breaks
 * the order and the state built so far.
 */
export type Place = { readonly offset: bigint; readonly position: bigint }

/** `hole`: records between the last processed one and this one went to somebody else. */
export type Verdict = 'new' | 'repeated' | 'hole'

export type LaneOrder = {
  next(place: Place): Verdict
  /** A record that carries no event. */
  skip(offset: bigint): Verdict
  /** Forgets everything: the next record begins anew. */
  reset(): void
  position(): bigint | undefined
}

export function laneOrder(): LaneOrder {
  let nextOffset: bigint | undefined
  let position: bigint | undefined

  const isHole = (offset: bigint): boolean => nextOffset !== undefined && offset > nextOffset

  return {
    next(place) {
      if (isHole(place.offset)) return 'hole'
      const isNewPosition = position === undefined || place.position > position
      if (nextOffset !== undefined && place.offset < nextOffset) {
        // The same offset with a later position: the topic was made anew.
        return isNewPosition ? 'hole' : 'repeated'
      }
      nextOffset = place.offset + 1n
      if (!isNewPosition) return 'repeated'
      position = place.position
      return 'new'
    },
    skip(offset) {
      if (isHole(offset)) return 'hole'
      if (nextOffset !== undefined && offset < nextOffset) return 'repeated'
      nextOffset = offset + 1n
      return 'new'
    },
    reset() {
      nextOffset = undefined
      position = undefined
    },
    position: () => position,
  }
}
