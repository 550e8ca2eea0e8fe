/** Test scripts for the Debian guest: a second cpio archive (newc) behind its initrd, which Linux unpacks over the first. */
import { appendFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';

const REGULAR_FILE = 0o100755;
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

/** One file: a header of 13 numbers in hexadecimal (initramfs buffer format, Linux documentation), its name, its contents. */
function entry(name: string, mode: number, text: string | Uint8Array): Buffer {
  const contents = Buffer.from(text as string), path = Buffer.from(`${name}\0`);
  const numbers = [1, mode, 0, 0, 1, 0, contents.length, 0, 0, 0, 0, path.length, 0];
  const header = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), path])), padded(contents)]);
}

/** A copy of an initrd with more scripts and programs in /tests, by name; returns its path. */
export function withTests(initrd: string, scratch: string, tests: Readonly<Record<string, string | Uint8Array>>): string {
  const copy = join(scratch, 'initrd');
  copyFileSync(initrd, copy);
  const entries = Object.entries(tests).map(([name, text]) => entry(`tests/${name}`, REGULAR_FILE, text));
  appendFileSync(copy, Buffer.concat([...entries, entry('TRAILER!!!', 0, '')]));
  return copy;
}
