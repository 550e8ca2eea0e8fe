/** What tests of image formats share: scratch files, numbers that look random, and qemu-img where it is installed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateValues } from '../../../src/backends/block/create.ts';
import { createImage } from '../../../src/backends/block/create.ts';
import type { Image } from '../../../src/backends/block/image.ts';

export const scratchFolder = (): string => mkdtempSync(join(tmpdir(), 'tcg86-images-'));

/** Whole numbers below n, the same for the same seed. Source: mulberry32, a public-domain generator. */
export function randomNumbers(seed: number): (n: number) => number {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * n);
  };
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd?: string): Outcome {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, timeout: 60_000, ...(cwd === undefined ? {} : { cwd }) });
  return { status, stdout, stderr };
}

const imgPath = join(import.meta.dirname, '../../../dist/tcg86-img.js');
export const tcg86Img = (args: readonly string[], cwd?: string): Outcome => run(process.execPath, [imgPath, ...args], cwd);
export const qemuImg = (args: readonly string[], cwd?: string): Outcome => run('qemu-img', args, cwd);
export const hasQemuImg = qemuImg(['--version']).status === 0;

/** A title that says why a test is skipped. */
export const withQemuImg = (title: string): string => (hasQemuImg ? title : `${title} (not installed: qemu-img)`);

export function make(format: string, path: string, size: number, options: Record<string, string> = {}): string {
  createImage(format, path, size, new Map(Object.entries(options)) satisfies CreateValues);
  return path;
}

export function bytesOf(image: Image, offset = 0, length = image.size - offset): Uint8Array {
  const data = new Uint8Array(length).fill(0x5a);
  image.read(offset, data);
  return data;
}

export interface Churn {
  readonly random: (n: number) => number;
  readonly image: Image;
  /** What the disk must hold. */
  readonly shadow: Uint8Array;
  readonly rounds: number;
}

/** Writes, clears, flushes and reads at random; returns the offset of the first read that was wrong, or -1. */
export function churn({ random, image, shadow, rounds }: Churn): number {
  const size = shadow.length;
  for (let round = 0; round < rounds; round++) {
    const offset = random(size), length = Math.min(size - offset, 1 + random(random(2) === 0 ? 3000 : 100_000));
    const kind = random(10);
    if (kind < 6) {
      const data = new Uint8Array(length).fill(1 + random(255));
      image.write(offset, data);
      shadow.set(data, offset);
    } else if (kind < 8) {
      image.writeZeroes(offset, length);
      shadow.fill(0, offset, offset + length);
    } else if (kind === 8) image.flush();
    else if (image.writeCompressed !== undefined && image.format === 'qcow2') {
      const start = Math.floor(offset / image.clusterSize!) * image.clusterSize!;
      const data = new Uint8Array(Math.min(image.clusterSize!, size - start)).fill(random(4));
      image.writeCompressed(start, data);
      shadow.set(data, start);
    }
    const from = random(size), count = Math.min(size - from, 5000);
    if (Buffer.compare(bytesOf(image, from, count), shadow.subarray(from, from + count)) !== 0) return from;
  }
  return -1;
}
