import { exit, getActiveResourcesInfo } from 'node:process';
import { setTimeout } from 'node:timers';
import Mocha from 'mocha';

const { Base, Dot } = Mocha.reporters;

/** In milliseconds, once all tests have ended: for what they have closed to be gone. */
const usualPatience = 10_000;

/**
 * Dots while the tests run, then the skipped tests by name, every failure in full, and as the very last line
 * `N passed, N failed`, with `, N skipped` after it if tests were skipped. What the tests have left open keeps the process
 * from ending, which is a failure too; how long it waits for that is told by the option `patience`.
 */
export default class Reporter extends Dot {
  constructor(runner, options) {
    super(runner, options);
    this.skipped = [];
    this.patience = Number(options.reporterOptions?.patience ?? usualPatience);
    runner.on(Mocha.Runner.constants.EVENT_TEST_PENDING, (test) => this.skipped.push(test));
  }

  /** Called by the base class once all tests have ended. */
  epilogue() {
    for (const test of this.skipped) Base.consoleLog(`  skipped: ${test.titlePath().join(' › ')}`);
    if (this.failures.length > 0) Base.list(this.failures);
    Base.consoleLog('');
    Base.consoleLog(summary(this.stats));
  }

  /** Called by mocha after that. */
  done(failures, setExitCode) {
    setExitCode(failures);
    setTimeout(() => {
      Base.consoleLog(`\n  left open by the tests: ${getActiveResourcesInfo().join(', ')}\n`);
      Base.consoleLog(summary({ ...this.stats, failures: failures + 1 }));
      setExitCode(failures + 1);
      exit();
    }, this.patience).unref();
  }
}

export function summary({ passes, failures, pending }) {
  const counted = `${passes} passed, ${failures} failed`;
  return pending > 0 ? `${counted}, ${pending} skipped` : counted;
}
