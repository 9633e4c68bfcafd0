/**
 * Whether a test that needs something of the machine is skipped: `test(name, { skip: skipUnless(…) }, …)`.
 * `BIOLEDGER_REQUIRE=docker,mosquitto,…` says what this machine must have: a skip for one of these is a failure.
 */
export function skipUnless(name: string, available: boolean, reason: string): string | false {
  if (available) return false
  const required = (process.env.BIOLEDGER_REQUIRE ?? '').split(',').map((text) => text.trim())
  if (required.includes(name))
    throw new Error(`BIOLEDGER_REQUIRE names ${name}, but it is not here: ${reason}`)
  return `${name} is not here: ${reason}`
}
