/** What the benchmark runners have in common: medians, tables, on what they ran, and how they complain. */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';

/** The middle value, or the mean of the two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** A number in a table; '-' for what is not there. Three digits below ten thousand, thousands and millions as k and M above. */
export function figure(value: number | undefined | null): string {
  if (value === undefined || value === null || Number.isNaN(value)) return '-';
  if (value === 0) return '0';
  if (value >= 1e7) return `${short(value / 1e6)}M`;
  if (value >= 1e4) return `${short(value / 1e3)}k`;
  return short(value);
}

const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** Columns set apart by two spaces; the first is aligned left, the others right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    head.map((_, column) => (column === 0 ? (row[0] ?? '').padEnd(widths[0]!) : (row[column] ?? '').padStart(widths[column]!))).join('  ').trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** First line of what a command prints, or null if there is no such command or it fails. */
export function firstLine(command: string, args: readonly string[], cwd?: string): string | null {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000, ...(cwd === undefined ? {} : { cwd }) });
  return status === 0 ? stdout.split('\n', 1)[0]!.trim() : null;
}

export interface Environment {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  /** Load of the last minute when the run began: above 1, others were at work. */
  readonly load: number;
  readonly node: string;
  /** Version and commit of tcg86; `+` if the tree differs from it. */
  readonly tcg86: string;
  readonly command: string;
}

/** `version`: of tcg86. `root`: its folder. `command`: as the user typed it, without arguments. */
export function environment(version: string, root: string, command: string, args: readonly string[]): Environment {
  const commit = firstLine('git', ['rev-parse', '--short', 'HEAD'], root);
  const changed = firstLine('git', ['status', '--porcelain', '--untracked-files=no', 'src', 'bench'], root);
  return {
    date: new Date().toISOString(), cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, load: Math.round(loadavg()[0]! * 100) / 100, node: process.version,
    tcg86: `${version}${commit === null ? '' : ` (${commit}${changed === null || changed === '' ? '' : '+'})`}`,
    command: args.length === 0 ? command : `${command} -- ${args.join(' ')}`,
  };
}

/** From now on whatever goes wrong is one line on standard error, and the exit code is 1. */
export function failInOneLine(command: string): void {
  process.on('uncaughtException', (error: Error) => {
    console.error(`${command}: ${error.message.split('\n', 1)[0]}`);
    process.exit(1);
  });
}

/** Digits that a results file keeps. */
export const rounded = (value: number): number => Number(value.toPrecision(5));
