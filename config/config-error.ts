/** A problem and where it stands; line and column count from 1. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  /** As in `sites[0].origin`; empty for the document as a whole. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
  readonly hint: string | null;
}

/** Every problem of one configuration, in the order of its lines. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    readonly source: string,
    readonly problems: readonly ConfigProblem[],
  ) {
    super(problems.map((problem) => formatProblem(source, problem)).join('\n'));
  }
}

/** `proxy.config.yaml:3:11 listen.proxy: expected …, got …. Did you mean …?` */
function formatProblem(source: string, problem: ConfigProblem): string {
  const where = `${source}:${problem.line}:${problem.column}${problem.path === '' ? '' : ` ${problem.path}`}`;
  const hint = problem.hint === null ? '' : ` ${problem.hint}`;
  return `${where}: expected ${problem.expected}, got ${problem.got}.${hint}`;
}
