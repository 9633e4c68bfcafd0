/** The verifier's page: an extract is dropped in, the checks are shown, and what happened in sentences. */
import { parsePem } from './certificates.ts'
import { type Key, parseKey, witnessKeyType } from './note.ts'
import { browserPlatform, openBlob } from './platform-browser.ts'
import { type Verdict, verifyExtract } from './verify.ts'

const element = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E
const words = { pass: 'PASS', fail: 'FAIL', 'not-checked': 'NOT CHECKED' } as const
const classes = { pass: 'pass', fail: 'fail', 'not-checked': 'open' } as const

const drop = element('drop')
let chosen: File | undefined

element<HTMLInputElement>('file').addEventListener('change', ({ target }) => {
  choose((target as HTMLInputElement).files?.[0])
})
for (const name of ['dragover', 'dragenter'])
  document.addEventListener(name, (event) => {
    event.preventDefault()
    drop.classList.add('over')
  })
document.addEventListener('dragleave', () => drop.classList.remove('over'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  drop.classList.remove('over')
  choose(event.dataTransfer?.files[0])
})
element('key').addEventListener('change', () => choose(chosen))

function choose(file: File | undefined): void {
  if (!file) return
  chosen = file
  void verify(file)
}

async function verify(file: File): Promise<void> {
  element('result').hidden = true
  say('Reading …', '')
  const started = performance.now()
  try {
    const verdict = await verifyExtract(openBlob(file), pinnedKeys(), browserPlatform)
    show(verdict, file, (performance.now() - started) / 1000)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), 'fail')
  }
}

function pinnedKeys() {
  const given = element<HTMLTextAreaElement>('key').value
  // Certificates of time-stamping authorities may stand among the keys, in PEM.
  const pem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
  const lines = given.replace(pem, '').split('\n')
  const keys: Key[] = lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => parseKey(line, browserPlatform))
  return {
    logKeys: keys.filter(({ type }) => type !== witnessKeyType),
    exportKeys: [],
    authorities: (given.match(pem) ?? []).flatMap(parsePem),
    witnesses: keys.filter(({ type }) => type === witnessKeyType),
  }
}

function show(verdict: Verdict, file: File, seconds: number): void {
  say(verdict.verdict, { 0: 'pass', 1: 'fail', 2: 'open' }[verdict.exit])
  const { manifest } = verdict
  element('about').textContent = manifest
    ? `${file.name}: batch ${manifest.batchId}, ledger ${manifest.origin} as of size ${manifest.heads?.size ?? manifest.checkpoint.size}; ${verdict.events} events checked in ${seconds.toFixed(1)} s`
    : file.name
  fill(
    'checks',
    verdict.checks.map(({ status, title, detail }) => ({
      cells: [words[status], title, detail],
      className: classes[status],
      classNames: ['mark', '', 'detail'],
    })),
  )
  fill(
    'approvals',
    verdict.approvals.map(({ at, who, meaning }) => ({
      cells: [at, who, meaning],
      classNames: ['time', '', ''],
    })),
  )
  fill(
    'story',
    verdict.story.map(({ at, sentence, stream, revision }) => ({
      cells: [at, sentence, `${stream.split('-')[0]} revision ${revision}`],
      classNames: ['time', '', 'detail'],
    })),
  )
  fill(
    'counts',
    Object.entries(verdict.counts).map(([type, count]) => ({
      cells: [type, String(count)],
      classNames: ['', ''],
    })),
  )
  element('result').hidden = false
}

function say(text: string, className: string): void {
  const verdict = element('verdict')
  verdict.textContent = text
  verdict.className = className
  verdict.hidden = false
}

/** Texts only: nothing of an extract is ever read as markup. */
function fill(
  id: string,
  rows: readonly { cells: readonly string[]; classNames: readonly string[]; className?: string }[],
): void {
  element(id).replaceChildren(
    ...rows.map(({ cells, classNames, className = '' }) => {
      const row = document.createElement('tr')
      row.className = className
      row.append(
        ...cells.map((text, at) => {
          const cell = document.createElement('td')
          cell.className = classNames[at] ?? ''
          cell.textContent = text
          return cell
        }),
      )
      return row
    }),
  )
}
