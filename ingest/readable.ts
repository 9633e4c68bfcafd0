/**
 * Text from outside, made fit for a record: without control characters and lone surrogates (canonical JSON and
 * Postgres have no place for them), at most `length` characters. The raw bytes are kept beside it.
 */
export function readable(text: string, length: number): string {
  if (text.length <= length && plain.test(text)) return text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, '\ufffd')
  return (clean.length > length ? `${clean.slice(0, length - 1)}…` : clean).toWellFormed()
}

const plain = /^[\x20-\x7e]*$/
