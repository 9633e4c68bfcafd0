/** The page's address as state: reading it, and moving on without loading the page anew. */
import { useEffect, useMemo, useState } from 'react'
import { type Address, readAddress, writeAddress } from '../model/address.ts'

export function useAddress(): [Address, (next: { batchId: string | null; asOfMs: number | null }) => void] {
  const [search, setSearch] = useState(window.location.search)
  useEffect(() => {
    const follow = () => setSearch(window.location.search)
    window.addEventListener('popstate', follow)
    return () => window.removeEventListener('popstate', follow)
  }, [])
  const address = useMemo(() => readAddress(search), [search])
  return [
    address,
    (next) => {
      window.history.pushState(null, '', `${window.location.pathname}${writeAddress(next)}`)
      setSearch(window.location.search)
    },
  ]
}
