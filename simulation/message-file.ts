/**
 * Messages as NDJSON, one `{"topic":…,"payload":{…}}` a line, written under a temporary name and renamed when it is
 * whole. The same run gives the same bytes.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import type { SensorMessage } from './messages.ts'

const bufferBytes = 1 << 20

export async function messageFile(path: string): Promise<{
  readonly write: (message: SensorMessage) => Promise<void>
  readonly commit: () => Promise<void>
  readonly discard: () => Promise<void>
}> {
  const temporary = `${path}.part`
  const stream = createWriteStream(temporary, { highWaterMark: bufferBytes })
  await once(stream, 'open')
  const done = finished(stream)
  done.catch(() => {})
  let buffer = ''

  const push = async (): Promise<void> => {
    const chunk = buffer
    buffer = ''
    if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), done])
  }
  return {
    write: async ({ topic, payload }) => {
      buffer += `{"topic":${JSON.stringify(topic)},"payload":${payload}}\n`
      if (buffer.length > 65_536) await push()
    },
    commit: async () => {
      await push()
      stream.end()
      await done
      await rename(temporary, path)
    },
    discard: async () => {
      stream.destroy()
      await done.catch(() => {})
      await rm(temporary, { force: true })
    },
  }
}
