/** The verifier on the command line: `node verify.mjs` and `bioledger verify`. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parsePem } from './certificates.ts'
import { checkWholeLog, keptCheckpoints, type LogFetcher } from './deep.ts'
import type { Check } from './findings.ts'
import { type Key, noteKeyType, parseKey, witnessKeyType } from './note.ts'
import { nodePlatform, openFile } from './platform-node.ts'
import { Refusal } from './refusal.ts'
import { type Verdict, verifyExtract } from './verify.ts'

const usageOf = (command: string) => `usage: ${command} <extract.zip> --key <verifier key or file with it>
  --key         the log's key, from a place the operator cannot rewrite; again for several
  --export-key  the key of the manifest, instead of the one that the log names
  --witness     key of a witness that must have cosigned; again for several
  --quorum      how many of them must have (default: all)
  --tsa-cert    certificate (PEM file) of a time-stamping authority, or of who vouches for it; again for several
  --deep        also read the whole log: a folder with its tiles, or its URL
  --token       bearer token for that URL, or a file with it
  --kept        a checkpoint kept from before, which the log must still contain (with --deep); again for several
  --story       also print what happened, a sentence an event
  --json        answer for machines
exit 0 verified, 1 a finding, 2 usage or incomplete (without --key at most what is consistent is said)
`
const words: Readonly<Record<Check['status'], string>> = { pass: 'PASS', fail: 'FAIL', 'not-checked': '----' }

/** Gives the exit status. `command` is how the reader called it. */
export async function verifyCommandLine(given: readonly string[], command: string): Promise<number> {
  const usage = usageOf(command)
  try {
    const { values, positionals } = parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        key: { type: 'string', multiple: true, default: [] },
        'export-key': { type: 'string', multiple: true, default: [] },
        witness: { type: 'string', multiple: true, default: [] },
        quorum: { type: 'string' },
        'tsa-cert': { type: 'string', multiple: true, default: [] },
        deep: { type: 'string' },
        token: { type: 'string' },
        kept: { type: 'string', multiple: true, default: [] },
        story: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(usage)
      return 0
    }
    const [path, ...others] = positionals
    if (path === undefined || others.length > 0) throw new Error('one extract is expected')
    if (values.quorum !== undefined && !/^[1-9]\d{0,2}$/.test(values.quorum))
      throw new Error('--quorum is a whole number')
    if (Number(values.quorum ?? 0) > values.witness.length)
      throw new Error(
        `--quorum ${values.quorum} needs as many --witness, ${values.witness.length} were given`,
      )
    const pinned = {
      logKeys: values.key.map((key) => keyOf(key, noteKeyType)),
      exportKeys: values['export-key'].map((key) => keyOf(key, noteKeyType)),
      witnesses: values.witness.map((key) => keyOf(key, witnessKeyType)),
      authorities: values['tsa-cert'].flatMap((path) => parsePem(readFileSync(path, 'utf8'))),
      ...(values.quorum === undefined ? {} : { quorum: Number(values.quorum) }),
    }
    const file = await openFile(path)
    const { deep, token } = values
    if (deep === undefined && values.kept.length > 0) throw new Error('--kept needs --deep')
    const notes = values.kept.map((path) => readFileSync(path))
    const kept = await keptCheckpoints(notes, pinned.logKeys, nodePlatform)
    const verdict = await verifyExtract(file, pinned, nodePlatform, async (examined) => {
      if (deep !== undefined) await checkWholeLog(examined, logAt(deep, token), kept, nodePlatform)
    })
    await file.close()
    if (values.json) process.stdout.write(`${JSON.stringify(verdict)}\n`)
    else print(verdict, values.story)
    return verdict.exit
  } catch (error) {
    process.stderr.write(
      `verify: ${error instanceof Error ? error.message : String(error)}\n${error instanceof Refusal ? '' : usage}`,
    )
    return 2
  }
}

function logAt(place: string, token: string | undefined): LogFetcher {
  if (!/^https?:\/\//.test(place))
    return async (path) =>
      await readFile(join(place, path)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
  const root = place.replace(/\/+$/, '')
  const bearer = token === undefined ? undefined : textOrFile(token)
  return async (path) => {
    const response = await fetch(`${root}/${path}`, {
      headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
    })
    if (response.status === 404) return undefined
    if (!response.ok) throw new Error(`${root}/${path} answers ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  }
}

function textOrFile(text: string): string {
  try {
    return readFileSync(text, 'utf8').trim()
  } catch {
    return text
  }
}

/** A verifier key, or a file whose first line is one. */
function keyOf(text: string, type: number): Key {
  const spelt = /\+[0-9a-f]{8}\+/.test(text) ? text : (readFileSync(text, 'utf8').split('\n')[0] ?? '').trim()
  const key = parseKey(spelt, nodePlatform)
  if (key.type !== type) throw new Refusal(`the key of ${key.name} is of another kind`)
  return key
}

function print({ checks, verdict, manifest, story, approvals }: Verdict, withStory: boolean): void {
  const out = (line: string) => process.stdout.write(`${line.replace(/\p{Cc}/gu, ' ')}\n`)
  if (manifest)
    out(
      `batch ${manifest.batchId}, ledger ${manifest.origin} as of size ${manifest.heads?.size ?? manifest.checkpoint.size}`,
    )
  for (const { status, title, detail } of checks) out(`${words[status]}  ${title}: ${detail}`)
  if (withStory) {
    for (const { at, sentence } of story) out(`${at}  ${sentence}`)
    for (const { at, who, meaning } of approvals) out(`${at}  ${who}: ${meaning}`)
  }
  out(verdict)
}
