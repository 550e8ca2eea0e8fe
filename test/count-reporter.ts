/** The closing line `N passed, N failed, N skipped` of the whole run, and why tests were skipped. */
import type { Reporter, TestModule } from 'vitest/node';

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === 'pending') counts.skipped++;
        else counts[state]++;
        if (state === 'skipped') console.log(`skipped: ${test.fullName}`);
      }
      // A file that could not be loaded has no tests but is a failure.
      if (module.errors().length > 0) counts.failed++;
    }
    counts.failed += unhandledErrors.length;
    // After the default reporter's summary.
    setImmediate(() => console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`));
  }
}
