import { env } from 'node:process';

/** What cannot be tested on a machine is skipped there, but not in CI: nothing is left untested without being noticed. */
const isCi = (env.CI ?? '') !== '';

export default {
  'node-option': ['import=tsx'],
  reporter: './test/support/reporter.mjs',
  timeout: 20_000,
  'forbid-only': true,
  'forbid-pending': isCi,
};
