/** What the assembler's tests share: running nasm where it is installed, and hexadecimal. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assemble } from '../../../bios/assembler/assemble.ts';

export const hasNasm = spawnSync('nasm', ['-v']).status === 0;

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Bytes of a source text in hexadecimal. */
export const assembleToHex = (source: string, defines: Readonly<Record<string, string>> = {}): string =>
  toHex(assemble(source, { file: 'test.asm', defines }).bytes);

/** What nasm makes of a file in a folder of its own choosing; throws with its messages. */
export function nasmFile(path: string, folder: string): Uint8Array {
  const scratch = mkdtempSync(join(tmpdir(), 'tcg86-nasm-'));
  try {
    const output = join(scratch, 'out.bin');
    const run = spawnSync('nasm', ['-f', 'bin', '-w-all', '-o', output, path], { cwd: folder, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    return new Uint8Array(readFileSync(output));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The same for a source text. */
export function nasm(source: string): Uint8Array {
  const scratch = mkdtempSync(join(tmpdir(), 'tcg86-nasm-'));
  try {
    const path = join(scratch, 'source.asm');
    writeFileSync(path, source);
    return nasmFile(path, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
