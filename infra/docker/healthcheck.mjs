// Exit 0 when the role in this container answers `healthz`, else 1: what Docker asks every ten seconds.
const port = process.env.BIOLEDGER_HTTP_PORT ?? '8080'
try {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4_000) })
  process.exit(answer.ok ? 0 : 1)
} catch {
  process.exit(1)
}
