/** A real Mosquitto on any free port of this machine, with its persistence in `folder`. */
import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../../infra/free-port.ts'

export const mosquittoAvailable =
  spawnSync('sh', ['-c', 'command -v mosquitto || test -x /usr/sbin/mosquitto']).status === 0

export type Mosquitto = { readonly url: string; readonly port: number; stop(): Promise<void> }

export async function startMosquitto(folder: string): Promise<Mosquitto> {
  const port = await freePort()
  const store = join(folder, 'mosquitto')
  await mkdir(store, { recursive: true })
  // As root Mosquitto drops to a user of its own, who must be able to write there.
  await chmod(store, 0o777)
  const configuration = join(folder, 'mosquitto.conf')
  await writeFile(
    configuration,
    [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${store}/`,
      'autosave_interval 1',
      'max_queued_messages 0',
      'max_inflight_messages 1000',
      'log_type error',
    ].join('\n'),
  )
  const broker = spawn('mosquitto', ['-c', configuration], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  })
  const exited = new Promise<void>((settle) => broker.once('exit', () => settle()))
  const deadline = Date.now() + 15_000
  while (!(await answers(port))) {
    if (Date.now() > deadline || broker.exitCode !== null) throw new Error('mosquitto did not come up')
    await new Promise((settle) => setTimeout(settle, 25))
  }
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    stop: async () => {
      broker.kill('SIGTERM')
      await exited
    },
  }
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((settle) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      settle(true)
    })
    socket.once('error', () => settle(false))
  })
}
