/** Why the value of a key cannot be put in force. */
export interface KeyProblem {
  /** As in `listen.site.tls[0].cert`. */
  readonly key: string;
  /** In words that continue "expected …, got …". */
  readonly expected: string;
  readonly got: string;
}

/** A configuration that is right by itself and cannot be put in force here and now. */
export class RefusedConfiguration extends Error {
  override readonly name = 'RefusedConfiguration';

  constructor(
    readonly problems: readonly KeyProblem[],
    options: { cause?: unknown } = {},
  ) {
    super(problems.map(({ key, expected, got }) => `${key}: expected ${expected}, got ${got}`).join('\n'), options);
  }
}
