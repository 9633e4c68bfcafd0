/**
 * Acknowledgements in the order of receipt, as MQTT wants them (3.1.1 and 5.0, section 4.6), although messages
 * become durable in any order: one that is durable early waits for those received before it.
 */
export type OrderedAcknowledgements = {
  /** `acknowledge` runs once `durable` has resolved and everything added before has been acknowledged. */
  add(durable: Promise<void>, acknowledge: () => void): void
  readonly size: () => number
}

export function orderedAcknowledgements(): OrderedAcknowledgements {
  type Entry = { isDurable: boolean; readonly acknowledge: () => void }
  let queue: Entry[] = []
  let first = 0

  const release = (): void => {
    for (let entry = queue[first]; entry?.isDurable; entry = queue[first]) {
      first++
      entry.acknowledge()
    }
    if (first === queue.length || first > 1024) {
      queue = queue.slice(first)
      first = 0
    }
  }

  return {
    add(durable, acknowledge) {
      const entry: Entry = { isDurable: false, acknowledge }
      queue.push(entry)
      void durable.then(() => {
        entry.isDurable = true
        if (queue[first] === entry) release()
      })
    },
    size: () => queue.length - first,
  }
}
