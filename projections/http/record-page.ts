/**
 * A JSON record as a page for people: every member in its order, nothing added but a title and the hash of the bytes it
 * was made from. Complete HTML without scripts; all text escaped.
 */

export function recordPage(title: string, record: unknown, sha256: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${section(record)}
</main>
<footer>SHA-256 of the record <code>${escaped(sha256)}</code></footer>
</body>
</html>
`
}

const style =
  'body{font:15px/1.45 system-ui,sans-serif;color:#17222c;background:#f7f8f9;margin:0 auto;padding:1rem;max-width:60rem}' +
  'h1{font-size:1.4rem}dt{font-weight:600;margin-top:.6rem}dd{margin:.1rem 0 .1rem 1.2rem;overflow-wrap:anywhere}' +
  'table{border-collapse:collapse}th,td{border:1px solid #c3cad1;padding:.2rem .5rem;text-align:left;vertical-align:top}' +
  'code{font-family:ui-monospace,monospace;font-size:.92em;overflow-wrap:anywhere}footer{margin-top:2rem;color:#4a5763}'

function section(value: unknown): string {
  if (Array.isArray(value)) return list(value)
  if (isRecord(value))
    return `<dl>${Object.entries(value)
      .map(([name, member]) => `<dt>${escaped(spaced(name))}</dt><dd>${section(member)}</dd>`)
      .join('')}</dl>`
  return escaped(value === null ? '–' : String(value))
}

/** Records with the same members read best as a table. */
function list(items: readonly unknown[]): string {
  const [first] = items
  const names = isRecord(first) ? Object.keys(first) : []
  const isTable =
    names.length > 0 &&
    items.every((item) => isRecord(item) && Object.keys(item).join() === names.join()) &&
    items.every((item) => isRecord(item) && Object.values(item).every((member) => typeof member !== 'object'))
  if (!isTable) return `<ul>${items.map((item) => `<li>${section(item)}</li>`).join('')}</ul>`
  const head = names.map((name) => `<th scope="col">${escaped(spaced(name))}</th>`).join('')
  const rows = items.map(
    (item) =>
      `<tr>${names.map((name) => `<td>${isRecord(item) ? section(item[name]) : ''}</td>`).join('')}</tr>`,
  )
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `intendedUse` → `Intended use`; names with figures or capitals of their own stay. */
function spaced(name: string): string {
  const words = /^[a-z]+([A-Z][a-z]+)+$/.test(name)
    ? name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    : name
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (letter) => entities[letter] ?? letter)
