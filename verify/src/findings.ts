/** What the verifier found: one verdict a check, and for what failed the event or member concerned. */

/** In the order in which they are reported. */
export const checkTitles = {
  container: 'The file is one plain zip with the members of an extract',
  manifest: 'Every member is the one that the signed manifest lists',
  checkpoint: 'The checkpoint is signed by the key that you gave',
  witnesses: 'Witnesses that you named cosigned the checkpoint',
  leaves: 'Every event is one canonical entry of this ledger',
  inclusion: 'Every event stands in the log at its index, under the signed root',
  streams: 'Every stream is a chain without a gap, in the order of the log',
  payloads: 'What people typed is what the log has digests of',
  completeness: 'Nothing of the batch is missing',
  scope: 'What was left out is what the request says, and nothing else',
  keys: 'The keys were valid at the size of the checkpoint',
  times: 'Times agree with each other and with the time stamps',
  authorities: 'Time-stamping authorities that you named signed the tokens',
  signatures: 'Signatures and approvals are of the people and the record they name',
  renderings: 'report.html, readings.csv and readings.parquet say what the events say',
  deep: 'The whole log was read and gives the same root',
} as const

export type CheckId = keyof typeof checkTitles
export type Status = 'pass' | 'fail' | 'not-checked'
/** `index` is the position in the log. */
export type Place = { readonly stream: string; readonly revision: number; readonly index?: number }
export type Finding = {
  readonly check: CheckId
  readonly message: string
  readonly event?: Place
  readonly member?: string
}
export type Check = {
  readonly id: CheckId
  readonly title: string
  readonly status: Status
  readonly detail: string
}

export type Findings = {
  fail(check: CheckId, message: string, at?: { event?: Place; member?: string }): void
  /** The check was made; `detail` says what was looked at. */
  note(check: CheckId, detail: string): void
  skip(check: CheckId, detail: string): void
  has(check: CheckId): boolean
  /** It was made, and found nothing so far. */
  isPassed(check: CheckId): boolean
  readonly all: readonly Finding[]
  checks(): readonly Check[]
}

const kept = 50

export function collectFindings(): Findings {
  const all: Finding[] = []
  const failed = new Map<CheckId, number>()
  const details = new Map<CheckId, { status: Status; detail: string }>()
  return {
    all,
    fail: (check, message, at = {}) => {
      const count = failed.get(check) ?? 0
      failed.set(check, count + 1)
      if (count < kept) all.push({ check, message, ...at })
    },
    note: (check, detail) => void details.set(check, { status: 'pass', detail }),
    skip: (check, detail) => void details.set(check, { status: 'not-checked', detail }),
    has: (check) => failed.has(check),
    isPassed: (check) => !failed.has(check) && details.get(check)?.status === 'pass',
    checks: () =>
      (Object.keys(checkTitles) as CheckId[]).map((id) => {
        const count = failed.get(id) ?? 0
        const first = all.find((finding) => finding.check === id)
        const known = details.get(id) ?? { status: 'not-checked' as const, detail: 'not reached' }
        const title = checkTitles[id]
        if (!first) return { id, title, ...known }
        const more = count > 1 ? ` (and ${count - 1} more)` : ''
        return { id, title, status: 'fail', detail: `${describe(first)}${more}` }
      }),
  }
}

export function describe({ message, event, member }: Finding): string {
  if (event) return `${event.stream} revision ${event.revision}${placeInLog(event)}: ${message}`
  return member === undefined ? message : `${member}: ${message}`
}

function placeInLog({ index }: Place): string {
  return index === undefined ? '' : ` (position ${index} of the log)`
}
