/** Assembling files: the one part of the assembler that touches the disk. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { assemble } from './assemble.ts';
import type { Assembly } from './assemble.ts';

export interface FileOptions {
  readonly defines?: Readonly<Record<string, string>>;
  readonly listing?: boolean;
}

/** Assembles a file; included files are looked for beside it. Throws AssemblyError, or the error of reading the file itself. */
export function assembleFile(path: string, options: FileOptions = {}): Assembly {
  const folder = dirname(path);
  return assemble(readFileSync(path, 'utf8'), {
    ...options,
    file: path,
    readFile: (name) => readFileSync(resolve(folder, name), 'utf8'),
    readBinary: (name) => new Uint8Array(readFileSync(resolve(folder, name))),
  });
}
