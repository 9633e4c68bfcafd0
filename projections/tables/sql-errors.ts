/** What a database error means for us, by SQLSTATE class. */

/**
 * The database refuses the content itself (data exception, integrity, a limit): trying again cannot help.
 * Everything else (connections, shutdown, memory, locks) passes.
 */
export function isDataError(error: unknown): boolean {
  const code = sqlState(error)
  return code !== undefined && /^(22|23|54)/.test(code)
}

function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}
