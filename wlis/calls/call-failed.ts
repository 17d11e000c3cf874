/** Why a call came to nothing. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';

  /**
   * `unreachable`: no answer, or a broken one; `busy`: later perhaps; `refused`: with the problem's type in `reason`;
   * `gone`: it does not hold this any more; `not-believed`: what came cannot be true.
   */
  constructor(
    readonly fault: 'unreachable' | 'busy' | 'refused' | 'gone' | 'not-believed',
    readonly url: string,
    /** Last part of the problem's type, or of the NotBelieved; empty if there is none. */
    readonly reason: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${url}: ${message}`, options);
  }
}
