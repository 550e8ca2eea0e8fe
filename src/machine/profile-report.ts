/** The text that `--profile` writes: hottest regions and blocks, their share of all guest instructions, and why code was left. */
import type { Executor } from '../cpu/exec.ts';
import { EXIT_NAMES } from '../tcg/env.ts';
import { SymbolTable } from './symbols.ts';

/** Rows of each table. */
const ROWS = 40;

const percent = (part: number, whole: number): string => `${(whole === 0 ? 0 : 100 * part / whole).toFixed(2)} %`;
const address = (pc: number): string => `0x${(pc >>> 0).toString(16).padStart(8, '0')}`;

/** Columns of equal width; all but the last are aligned to the right. */
function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [heading, ...rows].map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padStart(widths[column]!))).join('  ').trimEnd()).join('\n');
}

const counts = (entries: Iterable<readonly [string, number]>): string =>
  [...entries].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`).join(', ');

/** @throws Error if the processor was built without a profile */
export function profileReport(exec: Executor, retired: number, symbols = new SymbolTable()): string {
  const { profile, cache, counters } = exec;
  if (profile === null) throw new Error('the machine was opened without profile');
  const regions = profile.regions(), blocks = profile.blocks(cache);
  const compiled = exec.regionRetired;
  const total = new Map<string, number>();
  for (const { exits } of regions) for (const [reason, count] of exits) total.set(reason, (total.get(reason) ?? 0) + count);
  const name = (pc: number): string => symbols.nameOf(pc >>> 0);
  return [
    `Guest instructions: ${retired}; compiled ${percent(compiled, retired)}, interpreted ${percent(retired - compiled, retired)}`, '',
    `Regions, hottest first (${Math.min(ROWS, regions.length)} of ${regions.length})`,
    table(['share', 'instructions', 'entries', 'size', 'blocks', 'compiled', 'address', 'symbol; exits'], regions.slice(0, ROWS).map((region) => [
      percent(region.instructions, retired), String(region.instructions), String(region.entries), String(region.size), String(region.blocks),
      String(region.compiled), address(region.pc), [name(region.pc), counts(region.exits)].filter((part) => part !== '').join('; '),
    ])), '',
    `Blocks in the op interpreter, hottest first (${Math.min(ROWS, blocks.length)} of ${blocks.length}; a repeated string instruction counts once)`,
    table(['share', 'instructions', 'executions', 'address', 'symbol'], blocks.slice(0, ROWS).map((block) => [
      percent(block.instructions, retired), String(block.instructions), String(block.executions), address(block.pc), name(block.pc),
    ])), '',
    `Exits of regions: ${counts(total) || 'none'}`,
    `Exits to the run loop: ${counts(EXIT_NAMES.map((exit, reason) => [exit, counters.exits[reason]!] as const)) || 'none'}`, '',
  ].join('\n');
}
