/** The server's clock, once a second. */
import { useEffect, useState } from 'react'
import type { Api } from '../api/client.ts'

export function useNow(api: Api, running: boolean): number {
  const [now, setNow] = useState(api.serverNowMs)
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(api.serverNowMs()), 1000)
    return () => clearInterval(timer)
  }, [api, running])
  return now
}
