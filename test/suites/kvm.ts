/**
 * `npm run suite:kvm -- FOLDER [NAME ...] [--cpu=max] [--timeout=SECONDS] [--memory=SIZE] [--jit-threshold=N] [--no-jit] [--show]`: runs the 32-bit
 * programs of kvm-unit-tests in a folder (NAME.flat, or NAME.elf where there is no .flat) and prints a table of results. Exit code 1 if a test
 * failed, 2 if the suite could not be run. `--show` prints what each program says.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Machine as MachineType, PcOptions } from '../../src/index.ts';
import { readResult } from './kvm-result.ts';
import type { KvmResult } from './kvm-result.ts';

/** The library as built: it finds its firmware beside itself. */
const { Machine } = await import(join(import.meta.dirname, '../../dist/index.js')) as { Machine: typeof MachineType };

const USAGE = 'usage: npm run suite:kvm -- FOLDER [NAME ...] [--cpu=MODEL] [--timeout=SECONDS] [--memory=SIZE] [--jit-threshold=N] [--no-jit] [--show]';
const EXIT_PORT = { iobase: 0xf4, iosize: 4 };

function programs(folder: string, names: readonly string[]): string[] {
  if (!existsSync(folder)) throw new Error(`${folder}: no such folder`);
  const files = readdirSync(folder);
  const all = [...new Set(files.flatMap((file) => /^(.+)\.(flat|elf)$/.exec(file)?.[1] ?? []))].sort();
  if (all.length === 0) throw new Error(`${folder}: holds no .flat or .elf files`);
  const missing = names.find((name) => !all.includes(name));
  if (missing !== undefined) throw new Error(`${folder}: no program ${missing}`);
  return (names.length > 0 ? names : all).map((name) => join(folder, `${name}.${files.includes(`${name}.flat`) ? 'flat' : 'elf'}`));
}

async function runProgram(kernel: string, options: PcOptions): Promise<KvmResult & { readonly output: string }> {
  const bytes: number[] = [];
  const machine = Machine.open({
    ...options, kernel, actions: { reboot: 'shutdown' }, testDevice: true, debugExit: EXIT_PORT, serials: [{ receive: null, write: (byte) => void bytes.push(byte) }],
  });
  try {
    const end = await machine.run();
    const output = Buffer.from(bytes).toString('latin1');
    return { ...readResult(output, end.reason === 'exit' ? end.code : null, end.reason), output };
  } finally {
    machine.close();
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    cpu: { type: 'string', default: 'max' }, timeout: { type: 'string', default: '120' }, memory: { type: 'string', default: '128M' },
    'jit-threshold': { type: 'string' }, 'no-jit': { type: 'boolean', default: false }, show: { type: 'boolean', default: false },
  } });
  const [folder, ...names] = positionals;
  if (folder === undefined) throw new Error(USAGE);
  const options: PcOptions = {
    cpu: values.cpu, memory: values.memory, timeout: Number(values.timeout), jit: !values['no-jit'],
    ...(values['jit-threshold'] === undefined ? {} : { jitThreshold: Number(values['jit-threshold']) }),
  };
  let failed = 0;
  console.log(`${'program'.padEnd(22)} passed failed skipped  end`);
  for (const program of programs(folder, names)) {
    const begun = performance.now();
    const { passed, failures, skipped, end, ok, output } = await runProgram(program, options);
    if (values.show) console.log(output);
    for (const line of failures) console.log(`    ${line}`);
    const name = program.slice(folder.length).replace(/^\//, '').replace(/\.\w+$/, '');
    console.log(`${name.padEnd(22)} ${String(passed).padStart(6)} ${String(failures.length).padStart(6)} ${String(skipped).padStart(7)}  ${end}, ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    if (!ok) failed++;
  }
  console.log(failed === 0 ? 'all passed' : `${failed} programs failed`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`suite:kvm: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
