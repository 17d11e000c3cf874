import Mocha from 'mocha';

const { Base, Dot } = Mocha.reporters;

/**
 * Dots while the tests run, then the skipped tests by name, every failure in full, and as the very last line
 * `N passed, N failed`, with `, N skipped` after it if tests were skipped.
 */
export default class Reporter extends Dot {
  constructor(runner, options) {
    super(runner, options);
    this.skipped = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_PENDING, (test) => this.skipped.push(test));
  }

  /** Called by the base class once all tests have ended. */
  epilogue() {
    for (const test of this.skipped) Base.consoleLog(`  skipped: ${test.titlePath().join(' › ')}`);
    if (this.failures.length > 0) Base.list(this.failures);
    Base.consoleLog('');
    Base.consoleLog(summary(this.stats));
  }
}

export function summary({ passes, failures, pending }) {
  const counted = `${passes} passed, ${failures} failed`;
  return pending > 0 ? `${counted}, ${pending} skipped` : counted;
}
