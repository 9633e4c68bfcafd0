/** A case whose log is forged, made once for both verifiers. */
import type { CheckId, Place } from '../src/findings.ts'
import type { TamperCase } from './tamper-case.ts'

export type Forged = {
  readonly made: Buffer
  readonly event?: Pick<Place, 'stream' | 'revision'>
  readonly key: string
}

export function forgery(name: string, check: CheckId, make: () => Promise<Forged>): TamperCase {
  let held: Promise<Forged> | undefined
  const once = () => {
    held ??= make()
    return held
  }
  let event: Forged['event']
  let key = ''
  return {
    name: `forged by the operator: ${name}`,
    check,
    make: async () => {
      const forged = await once()
      event = forged.event
      key = forged.key
      return forged.made
    },
    event: () => event,
    key: () => key,
  }
}
