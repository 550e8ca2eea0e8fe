/**
 * The benchmark guests: bench/guests/*.asm, assembled to floppy images, with the run patched in.
 * What an image prints on COM1, and where it is patched, is told in bench/guests/common/start.inc and main.inc.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assembleFile } from '../bios/assembler/files.ts';

/** In the order in which tables show them. */
export const GUESTS = ['sieve', 'fib', 'sha256', 'sort', 'matrix', 'memcpy-loop', 'memcpy-rep', 'x87', 'sse2', 'syscall', 'calls'] as const;
/** Guests that go on for ever: what bench/soak.ts watches the memory of. */
export const SOAK_GUESTS = ['self-writing', 'new-code'] as const;
export type GuestName = typeof GUESTS[number] | typeof SOAK_GUESTS[number];

const FLOPPY = 1440 * 1024;
/** Image offsets of what is patched. */
const ITERATIONS_AT = 520, ROUNDS_AT = 524;

export interface Guest {
  readonly name: GuestName;
  /** Iterations in a round, as the source has it: a few hundred million guest instructions. */
  readonly iterations: number;
  /** Checksum of every iteration, 0 to 2^32 - 1. */
  readonly expected: number;
  readonly bytes: Uint8Array;
}

/** Assembles a guest. @throws AssemblyError */
export function assembleGuest(name: GuestName, folder: string): Guest {
  const { bytes, symbols } = assembleFile(join(folder, `${name}.asm`));
  return { name, iterations: symbols.get('ITERATIONS')!, expected: symbols.get('EXPECTED')! >>> 0, bytes };
}

/** The floppy image for a run of `rounds` rounds with `iterations` each (both 1 to 2^32 - 1). */
export function guestImage(guest: Guest, iterations: number, rounds: number): Uint8Array {
  const image = new Uint8Array(FLOPPY);
  image.set(guest.bytes);
  const view = new DataView(image.buffer);
  view.setUint32(ITERATIONS_AT, iterations, true);
  view.setUint32(ROUNDS_AT, rounds, true);
  return image;
}

/** A folder for images, gone when `work` is done. */
export async function withScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tcg86-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes the image and returns its path. */
export function writeImage(folder: string, guest: Guest, iterations: number, rounds: number): string {
  const file = join(folder, `${guest.name}.img`);
  writeFileSync(file, guestImage(guest, iterations, rounds));
  return file;
}
