/** The bearer token of the local API: `api-token` in the data folder, readable by its owner alone. */
import { randomBytes } from 'node:crypto'
import { chmod, link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

const tokenRule = /^[A-Za-z0-9_-]{32,200}$/

/** The token in `<dataFolder>/api-token`; made (256 bits, file mode 0600) when there is none. */
export async function readOrCreateApiToken(dataFolder: string): Promise<string> {
  const file = join(dataFolder, 'api-token')
  const found = await readToken(file)
  if (found !== undefined) return found
  const token = randomBytes(32).toString('base64url')
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(`${token}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // `link` never replaces: of two that start at once, one token wins and both read it.
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(temporary, { force: true })
  }
  const made = await readToken(file)
  if (made === undefined) throw new ApiTokenError(file, 'the file vanished while it was made')
  return made
}

async function readToken(file: string): Promise<string | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const token = text.trim()
  if (!tokenRule.test(token))
    throw new ApiTokenError(file, 'one line of 32 to 200 letters, digits, - or _; remove it to get a new one')
  await chmod(file, 0o600)
  return token
}

export class ApiTokenError extends Error {
  readonly code = 'api-token'
  constructor(
    readonly file: string,
    readonly rule: string,
  ) {
    super(`${file} does not hold an API token: ${rule}`)
  }
}
