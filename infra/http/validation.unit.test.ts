import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { maximumDepth, parseJsonBody } from './json-body.ts'
import { jsonPointer, ProblemError } from './problem.ts'
import { validatorCompiler } from './validation.ts'

const read = (text: string) => parseJsonBody(Buffer.from(text))
const refusal = (work: () => unknown): ProblemError['facts'] => {
  try {
    work()
  } catch (error) {
    if (error instanceof ProblemError) return error.facts
    throw error
  }
  throw new assert.AssertionError({ message: 'nothing was refused' })
}

test('any JSON value that all parts of the product can keep is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'small', maxDepth: 5, stringUnit: 'grapheme' }), (value) => {
      const text = JSON.stringify(value)
      if (text.includes('\\u0000') || text.includes('__proto__')) return
      assert.deepEqual(read(text), JSON.parse(text))
    }),
  )
})

test('any bytes are read or refused with 400, never anything else', () => {
  const jsonish = fc.array(
    fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', '1', ' ', '\n', '\\u', '\u00e9'),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        jsonish.map((signs) => Buffer.from(signs.join(''))),
      ),
      (bytes) => {
        try {
          parseJsonBody(Buffer.from(bytes))
        } catch (error) {
          assert.ok(error instanceof ProblemError && error.facts.status === 400)
        }
      },
    ),
    { numRuns: 500 },
  )
})

for (const [what, body] of [
  ['nothing', Buffer.alloc(0)],
  ['half a body', Buffer.from('{"a":')],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ['a name twice in an object', Buffer.from('{"a":1,"b":{"a":2},"a":3}')],
  ['a name twice, spelt differently', Buffer.from('{"a":1,"\\u0061" \n :3}')],
  ['a half surrogate pair', Buffer.from('{"notes":"\\ud83d"}')],
  ['a half surrogate pair in a name', Buffer.from('{"\\ud83d":1}')],
  ['U+0000', Buffer.from('{"notes":"a\\u0000b"}')],
  ['__proto__', Buffer.from('{"__proto__":{"admin":true}}')],
  [`more than ${maximumDepth} levels`, Buffer.from('['.repeat(21) + ']'.repeat(21))],
] as const)
  test(`a body with ${what} is refused`, () => {
    const facts = refusal(() => parseJsonBody(body))
    assert.equal(facts.status, 400)
    assert.ok(facts.errors?.[0]?.rule)
  })

test('the same name in different objects, and quotes and braces inside text, are fine', () => {
  for (const text of [
    '[{"a":1},{"a":2}]',
    '{"a":"{\\"a\\":1}","b":"\\\\"}',
    `${'['.repeat(20)}${']'.repeat(20)}`,
  ])
    assert.deepEqual(read(text), JSON.parse(text))
})

test('a pointer escapes what stands for something in pointers (RFC 6901 5)', () => {
  assert.equal(jsonPointer(['a/b', 'm~n', 0, '']), '/a~1b/m~0n/0/')
})

const schema = z.strictObject({
  number: z.int().min(1),
  list: z.array(z.strictObject({ a: z.string() })).optional(),
})
function check(part: string, value: unknown, against: z.ZodType = schema) {
  const compiled = validatorCompiler({ schema: against, method: 'POST', url: '/', httpPart: part })
  return compiled(value) as { value?: unknown; error?: ProblemError }
}

test('every broken rule of a body is reported at once, with pointer, value and rule', () => {
  const { error } = check('body', { number: 0, list: [{ a: 1, 'b/c': 2 }], mood: 'fine' })
  assert.deepEqual(
    error?.facts.errors?.map(({ in: part, pointer, value }) => [part, pointer, value]),
    [
      ['body', '/number', 0],
      ['body', '/list/0/a', 1],
      ['body', '/list/0/b~1c', 2],
      ['body', '/mood', 'fine'],
    ],
  )
  for (const { rule } of error?.facts.errors ?? []) assert.ok(rule)
})

test('a missing field is reported as required', () => {
  assert.match(check('body', {}).error?.facts.errors?.[0]?.rule ?? '', /^required/)
})

test('an unknown query parameter is named, with those that are known', () => {
  const query = z.object({ limit: z.coerce.number().optional() })
  const { error } = check('querystring', { limit: '3', offset: '2' }, query)
  assert.deepEqual(error?.facts.errors, [
    { in: 'query', pointer: '/offset', value: '2', rule: 'a known query parameter: limit' },
  ])
  assert.deepEqual(check('querystring', { limit: '3' }, query), { value: { limit: 3 } })
})

test('a long wrong value is shown by its beginning only', () => {
  const { error } = check('body', { number: 'x'.repeat(5000) })
  assert.ok(JSON.stringify(error?.facts).length < 1000)
})
