/** Files that are written when a run ends (--stats, --profile), and the symbol files that one of them reads. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { reasonOf } from '../backends/output-file.ts';
import { SymbolTable, parseSymbols } from '../index.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import type { Output } from './output.ts';

/** Opened before the run, so that a wrong name does not cost one. @throws UsageError */
export function openReport(option: string, file: string | null, output: Output): { write: (text: () => string) => void } {
  if (file === null) return { write: () => {} };
  let descriptor: number;
  try {
    descriptor = openSync(file, 'w');
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${reasonOf(error)}`);
  }
  return { write: (text) => {
    try {
      writeFileSync(descriptor, text());
      closeSync(descriptor);
    } catch (error) {
      output.complain(`${option} ${file}: ${reasonOf(error)}`);
    }
  } };
}

/** @throws UsageError for a file that cannot be read or has no symbols */
export function readSymbols({ symbols }: Config): SymbolTable {
  const table = new SymbolTable();
  for (const { file, offset } of symbols) {
    try {
      table.add(parseSymbols(readFileSync(file)), offset);
    } catch (error) {
      throw new UsageError(`--symbols ${file}: ${reasonOf(error)}`);
    }
  }
  return table;
}
