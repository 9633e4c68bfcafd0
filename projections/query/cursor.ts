/** Page cursors: where the list stands and the key of its last item, so that pages neither shift nor repeat. */
import { z } from 'zod'
import { ProblemError } from '../../infra/http/problem.ts'

export type Cursor = { readonly position: bigint; readonly key: readonly string[] }

const shape = z.tuple([z.string().regex(/^\d{1,19}$/), z.array(z.string()).max(5)])

export const writeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify([cursor.position.toString(), cursor.key])).toString('base64url')

/** 400 when the text is no cursor of a list with keys of `parts` parts. */
export function readCursor(
  text: string | undefined,
  parts: readonly z.ZodType<unknown>[],
): Cursor | undefined {
  if (text === undefined) return undefined
  try {
    const [position, key] = shape.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
    if (key.length !== parts.length) throw new Error('wrong number of parts')
    for (const [index, part] of parts.entries()) part.parse(key[index])
    return { position: BigInt(position), key }
  } catch {
    throw new ProblemError({
      status: 400,
      code: 'invalid-request',
      detail: 'query /after is not a cursor that this list gave',
      rule: 'after is the value of next in the page before',
      errors: [
        {
          in: 'query',
          pointer: '/after',
          value: text.slice(0, 200),
          rule: 'the value of next in the page before',
        },
      ],
    })
  }
}
