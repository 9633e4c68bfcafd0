/** A plain sentence instead of the page: what is the matter and what to do. */
import type { ReactNode } from 'react'
import type { Failure } from '../api/client.ts'

export function Notice({
  title,
  children,
  quiet = false,
}: {
  title: string
  children?: ReactNode
  quiet?: boolean
}) {
  return (
    <main className="notice" role={quiet ? 'status' : 'alert'}>
      <h1>{title}</h1>
      {children}
    </main>
  )
}

export function FailureNotice({ failure }: { failure: Failure }) {
  const { title, text } = failureWords(failure)
  return (
    <Notice title={title}>
      <p>{text}</p>
    </Notice>
  )
}

export function failureWords(failure: Failure): { title: string; text: string } {
  switch (failure.kind) {
    case 'unreachable':
      return {
        title: 'The server does not answer',
        text: 'Check that the product is running (npm start). This page tries again every few seconds.',
      }
    case 'unauthorised':
      return {
        title: 'This browser has no session',
        text: 'Open the one-time link that the start printed (the line that begins with “open”). A link works once and for half an hour; each start prints a fresh one.',
      }
    case 'not-found':
      return { title: 'Not found', text: failure.detail }
    case 'later':
      return { title: 'Not projected yet', text: `${failure.detail}. This page asks again by itself.` }
    case 'refused':
      return { title: 'The server refused the question', text: failure.detail }
  }
}
