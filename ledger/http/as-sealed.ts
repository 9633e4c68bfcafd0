/** What is not as it was sealed is no answer: a problem names it instead. */
import { ProblemError } from '../../infra/http/problem.ts'
import { NotAsSealedError } from '../storage/not-as-sealed.ts'

/** 503: whoever restores the database makes it right again, without a restart. Nothing of it may be cached. */
export async function asSealed<Result>(answer: () => Promise<Result>): Promise<Result> {
  try {
    return await answer()
  } catch (error) {
    if (!(error instanceof NotAsSealedError)) throw error
    throw new ProblemError(
      {
        status: 503,
        code: error.code,
        detail: error.message,
        rule: 'a log whose tiles lead to the root of its newest checkpoint',
        errors: [{ in: 'record', pointer: `/${error.subject}`, rule: error.finding }],
      },
      { 'cache-control': 'no-store' },
    )
  }
}
