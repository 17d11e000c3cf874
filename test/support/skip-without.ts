/** Whether this is the run that decides, where nothing may be skipped. */
const isCi = (process.env['CI'] ?? '') !== '';

/** Skips the test, or the tests of the hook, for want of something; in CI (`CI` is set) that is a failure instead. */
export function skipWithout(test: Mocha.Context, what: string): never {
  if (isCi) throw new Error(`CI has no ${what}`);
  return test.skip();
}
