/** A time-stamping authority over HTTP (RFC 3161 3.4). */
import { TimeStampError } from './time-stamp-error.ts'

/** Request and response as DER. Rejects with `TimeStampError` of reason `unreachable`. */
export type TimeStampAuthority = {
  /** What it is called in events and metrics. */
  readonly name: string
  readonly policy: string | undefined
  /** PEM of the certificates trusted for it. */
  readonly trusted: string
  readonly stamp: (request: Uint8Array) => Promise<Buffer>
}

const answerLimitBytes = 64 * 1024

export function httpTimeStampAuthority(options: {
  readonly url: string
  readonly trusted: string
  readonly policy?: string | undefined
  /** Default 15 s. */
  readonly timeoutMs?: number
}): TimeStampAuthority {
  return {
    name: withoutSecrets(options.url),
    policy: options.policy,
    trusted: options.trusted,
    stamp: async (request) => {
      try {
        const response = await fetch(options.url, {
          method: 'POST',
          headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
          body: new Uint8Array(request),
          redirect: 'error',
          signal: AbortSignal.timeout(options.timeoutMs ?? 15_000),
        })
        const body = await limitedBytes(response)
        const type = response.headers.get('content-type') ?? ''
        if (response.status !== 200 || !type.startsWith('application/timestamp-reply'))
          throw new TimeStampError(
            'unreachable',
            `it answered ${response.status} with type ${type || 'none'}`,
          )
        return body
      } catch (error) {
        if (error instanceof TimeStampError) throw error
        const { cause } = error as { cause?: unknown }
        const told = cause instanceof Error ? cause : error
        throw new TimeStampError('unreachable', told instanceof Error ? told.message : String(told), {
          cause: error,
        })
      }
    },
  }
}

async function limitedBytes(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > answerLimitBytes)
      throw new TimeStampError('unreachable', `it answered more than ${answerLimitBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
