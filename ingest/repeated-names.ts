/**
 * A JSON object that has the same name twice: `JSON.parse` silently keeps the last, so a reading would be lost
 * (RFC 8259 4: names should be unique). The common message pays one count of its quotation marks for this.
 */

/** The first name that stands twice in one object of `text` (valid JSON), or undefined. `strings`: how many names and text values were parsed. */
export function repeatedName(text: string, strings: number): string | undefined {
  let quotes = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes++
  // Without repetition and escaped quotation marks there are two for each string that came out of the parser.
  return quotes === strings * 2 ? undefined : scan(text)
}

function scan(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{') open.push(new Set())
    else if (char === '[') open.push(undefined)
    else if (char === '}' || char === ']') open.pop()
    else if (char === '"') {
      const start = at
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
      if (!isName(text, at + 1)) continue
      const name = JSON.parse(text.slice(start, at + 1)) as string
      const names = open.at(-1)
      if (names?.has(name)) return name
      names?.add(name)
    }
  }
  return undefined
}

function isName(text: string, after: number): boolean {
  let at = after
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return text[at] === ':'
}
