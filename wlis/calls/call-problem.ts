/**
 * Why a call is not answered as it was meant: sent as `application/problem+json` (RFC 9457). `type` is its last part, which
 * programs act upon: `not-replicated`, `unsigned`, `diverged`, `forgotten`, …
 */
export class CallProblem extends Error {
  override readonly name = 'CallProblem';

  constructor(
    readonly status: number,
    readonly type: string,
    detail: string,
    /** Fields of the answer, names and values in turns. */
    readonly fields: readonly string[] = [],
  ) {
    super(detail);
  }
}
