/** What one append, or one look into a stream, adds to the figures of a source (its MQTT topic). */
export type SourceDelta = { received: number; duplicate: number; quarantined: number }

/** The delta of a topic, begun at nothing where there is none yet. */
export function deltaOf(deltas: Map<string, SourceDelta>, topic: string): SourceDelta {
  let known = deltas.get(topic)
  if (!known) {
    known = { received: 0, duplicate: 0, quarantined: 0 }
    deltas.set(topic, known)
  }
  return known
}

export function addDeltas(to: Map<string, SourceDelta>, deltas: ReadonlyMap<string, SourceDelta>): void {
  for (const [topic, delta] of deltas) {
    const sum = deltaOf(to, topic)
    sum.received += delta.received
    sum.duplicate += delta.duplicate
    sum.quarantined += delta.quarantined
  }
}
