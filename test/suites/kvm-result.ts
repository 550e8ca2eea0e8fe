/** What a program of kvm-unit-tests said and how it ended (its lib/report.c, scripts/runtime.bash). */

export interface KvmResult {
  readonly passed: number;
  /** The lines of failed tests. */
  readonly failures: readonly string[];
  readonly skipped: number;
  /** How it ended, in words. */
  readonly end: string;
  readonly ok: boolean;
}

/** Exit codes as isa-debug-exit makes them of 0 and 38. */
const EXIT_PASS = 1, EXIT_SKIP = 77;

/** @param code of isa-debug-exit, or null: the program ended in another way, or not at all */
export function readResult(output: string, code: number | null, reason: string): KvmResult {
  const lines = output.split(/\r?\n/);
  const count = (kind: RegExp): number => lines.filter((line) => kind.test(line)).length;
  const failures = lines.filter((line) => /^FAIL\b/.test(line));
  const passed = count(/^(PASS|XFAIL)\b/), skipped = count(/^SKIP\b/);
  if (code === null) return { passed, failures, skipped, end: reason, ok: false };
  const end = code === EXIT_SKIP ? 'skipped' : `exit ${code >> 1}`;
  return { passed, failures, skipped, end, ok: failures.length === 0 && (code === EXIT_PASS || code === EXIT_SKIP) };
}
