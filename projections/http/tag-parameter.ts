/** The `tag` parameter: a canonical tag or one of its aliases. */
import { ProblemError } from '../../infra/http/problem.ts'
import { findTag, tagDefinitions } from '../../schemas/tags.ts'

/** The canonical tag; 422 naming all tags when the registry does not know it. */
export function tagOf(name: string): string {
  const definition = findTag(name)
  if (definition) return definition.tag
  const allowed = tagDefinitions.map(({ tag }) => tag)
  throw new ProblemError({
    status: 422,
    code: 'unknown-tag',
    detail: `${JSON.stringify(name.slice(0, 100))} is no tag: the tags are ${allowed.join(', ')}`,
    rule: 'a tag of the registry or one of its aliases',
    allowed,
    errors: [{ in: 'query', pointer: '/tag', value: name.slice(0, 100), rule: 'a tag of the registry' }],
  })
}
