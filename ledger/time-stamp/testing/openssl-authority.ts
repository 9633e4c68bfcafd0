/** A real RFC 3161 authority for tests: `openssl ts` behind a small HTTP server on a free port. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const policies = { usual: '1.3.6.1.4.1.99999.1', other: '1.3.6.1.4.1.99999.2' } as const

/** Why no authority can run here; undefined: it can. */
export function opensslMissing(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'openssl is not installed'
  }
}

export type OpensslAuthority = Awaited<ReturnType<typeof startOpensslAuthority>>

/**
 * With a root, an intermediate and a signer's certificate of its own. `validity`: of the signer's certificate, Unix ms, asked when it is made; `answer` may replace what the HTTP server says.
 */
export async function startOpensslAuthority(
  options: {
    readonly validity?: () => readonly [from: number, to: number]
    readonly answer?: (request: Buffer, response: () => Promise<Buffer>) => Promise<Buffer | number>
  } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-tsa-'))
  const file = (name: string) => join(folder, name)
  const openssl = (...given: string[]) => run('openssl', given, { cwd: folder })
  await writeFile(
    file('ext.cnf'),
    `[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[tsa]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[small_ca]
database = ${file('index')}
new_certs_dir = ${folder}
certificate = ${file('inter.pem')}
private_key = ${file('inter.key')}
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[tsa_section]
serial = ${file('serial')}
crypto_device = builtin
signer_cert = ${file('tsa.pem')}
certs = ${file('inter.pem')}
signer_key = ${file('tsa.key')}
signer_digest = sha256
default_policy = ${policies.usual}
other_policies = ${policies.other}
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`,
  )
  await writeFile(file('serial'), '01\n')
  const key = (name: string) =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`)
  const certify = async (name: string, section: string, issuer?: string) => {
    await key(name)
    await openssl(
      'req',
      '-new',
      '-config',
      'ext.cnf',
      '-key',
      `${name}.key`,
      '-subj',
      `/CN=Test ${name}`,
      '-out',
      `${name}.csr`,
    )
    const signed = issuer
      ? ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial']
      : ['-signkey', `${name}.key`]
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signed,
      '-days',
      '30',
      '-extfile',
      'ext.cnf',
      '-extensions',
      section,
      '-out',
      `${name}.pem`,
    )
  }
  await certify('root', 'ca')
  await certify('inter', 'ca', 'root')
  await certify('tsa', 'tsa', 'inter')
  if (options.validity) {
    const [from, to] = options
      .validity()
      .map((at) => `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`) as [string, string]
    await writeFile(file('index'), '')
    await openssl(
      ...'ca -batch -notext -config ext.cnf -name small_ca -extensions tsa -in tsa.csr -out tsa.pem'.split(
        ' ',
      ),
      '-startdate',
      from,
      '-enddate',
      to,
    )
  }

  /** A second certificate for the signer's key, with the same issuer and number but another extended key usage. */
  async function twin(purpose: string): Promise<string> {
    const { stdout } = await openssl('x509', '-in', 'tsa.pem', '-noout', '-serial')
    await writeFile(
      file('twin.cnf'),
      `basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = ${purpose}\n`,
    )
    const serial = `0x${stdout.trim().replace('serial=', '')}`
    await openssl(
      ...'x509 -req -in tsa.csr -CA inter.pem -CAkey inter.key -days 20 -extfile twin.cnf -out twin.pem'.split(
        ' ',
      ),
      '-set_serial',
      serial,
    )
    return await readFile(file('twin.pem'), 'utf8')
  }

  let count = 0
  async function reply(request: Buffer): Promise<Buffer> {
    const name = `q${count++}`
    await writeFile(file(`${name}.tsq`), request)
    await openssl(
      'ts',
      '-reply',
      '-config',
      'ext.cnf',
      '-section',
      'tsa_section',
      '-queryfile',
      `${name}.tsq`,
      '-out',
      `${name}.tsr`,
    )
    return await readFile(file(`${name}.tsr`))
  }
  const requests: Buffer[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', async () => {
      const body = Buffer.concat(parts)
      requests.push(body)
      const answer = await (options.answer ? options.answer(body, () => reply(body)) : reply(body)).catch(
        () => 500,
      )
      if (typeof answer === 'number') response.writeHead(answer).end()
      else response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(answer)
    })
  })
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  return {
    folder,
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsa`,
    root: await readFile(file('root.pem'), 'utf8'),
    rootFile: file('root.pem'),
    openssl,
    twin,
    reply,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((settle) => server.close(settle))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
