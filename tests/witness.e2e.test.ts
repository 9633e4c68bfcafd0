/**
 * `bioledger serve witness` as a process that is killed without warning, again and again, while checkpoints come in:
 * it never cosigns a smaller or another tree than it cosigned before, whatever was under way.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseCosignatureKey } from '../ledger/log/cosignature.ts'
import { openNote } from '../ledger/log/note.ts'
import { addCheckpointText } from '../ledger/witness/add-checkpoint.ts'
import { smallLog } from '../ledger/witness/testing/small-log.ts'
import { root, withoutSettings } from './support/product.ts'
import { type RunningWitness, startWitness } from './support/witness.ts'

const log = smallLog('killed.example/log')
const kills = 6

const ask = (url: string, body: string) => fetch(`${url}/add-checkpoint`, { method: 'POST', body })

test('a witness killed at any moment never cosigns a smaller tree or a fork of what it cosigned before', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-witness-e2e-'))
  let running: RunningWitness | undefined
  t.after(async () => {
    await running?.kill()
    await rm(folder, { recursive: true, force: true })
  })
  let largest = 0n
  let cosigned = 0
  const keys = new Set<string>()
  for (let round = 0; round <= kills; round++) {
    running = await startWitness(folder, [log.signer.verifierKey])
    const { url, vkey, kill } = running
    keys.add(vkey)
    const stands = await ask(url, addCheckpointText({ oldSize: 0n, proof: [], note: await log.note(1n) }))
    const size = round === 0 ? 1n : BigInt((await stands.text()).trim())
    assert.equal(stands.status, round === 0 ? 200 : 409)
    // Everything that was answered is remembered; what was under way may be.
    assert.ok(size >= largest, `${size} after ${largest}`)
    largest = size

    for (const smaller of [largest - 1n, largest / 2n].filter((value) => value > 0n && value < largest))
      assert.notEqual(
        (await ask(url, addCheckpointText({ oldSize: smaller, proof: [], note: await log.note(smaller) })))
          .status,
        200,
      )
    const fork = smallLog(log.origin, 'other ', Number(largest) - 1)
    const forged = addCheckpointText({
      oldSize: largest,
      proof: await fork.proof(largest, largest + 3n),
      note: await fork.note(largest + 3n),
    })
    assert.equal((await ask(url, forged)).status, 422)
    if (round === kills) break

    // Killed in the midst of a series of growing checkpoints.
    const killAfter = 3 + round * 7
    let answered = 0
    let killed: Promise<unknown> | undefined
    for (let at = largest; ; ) {
      const next = at + 1n
      const body = addCheckpointText({
        oldSize: at,
        proof: await log.proof(at, next),
        note: await log.note(next),
      })
      if (answered === killAfter) killed = kill()
      const answer = await ask(url, body).then(
        async (response) => ({ status: response.status, text: await response.text() }),
        () => undefined,
      )
      if (!answer) break
      assert.equal(answer.status, 200, answer.text)
      openNote(`${await log.text(next)}\n${answer.text}`, [parseCosignatureKey(vkey)])
      at = next
      largest = next
      answered++
      cosigned++
    }
    await killed
  }
  assert.ok(cosigned > kills)
  assert.equal(keys.size, 1, 'the key survives')
  assert.equal((await stat(join(folder, 'witness.key'))).mode & 0o777, 0o600)
  assert.equal((await readFile(join(folder, 'witness.vkey'), 'utf8')).trim(), [...keys][0])
  assert.equal(await running?.stop(), 0)
})

test('serve witness without a name or logs says in one line what is missing', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'main.ts'), 'serve', 'witness'], {
    cwd: root,
    env: {
      ...withoutSettings(process.env),
      BIOLEDGER_WITNESS_LOGS: `${log.signer.verifierKey},nonsense+00000000+AQ==`,
    },
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  assert.equal(await new Promise((settle) => child.once('exit', settle)), 2)
  assert.match(said, /^bioledger: serve witness needs .*BIOLEDGER_WITNESS_NAME.*\n$/)
})
