/**
 * Images that are cut, flipped and zeroed at random, for every format. Whatever an image says of itself: it is read rightly or refused with
 * an ImageError, a reader changes no file, and a writer no other file than the image's own, which does not grow out of hand.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChain } from '../../../src/backends/block/chain.ts';
import { ImageError } from '../../../src/backends/block/error.ts';
import type { Image } from '../../../src/backends/block/image.ts';
import { bytesOf, hasQemuImg, make, qemuImg } from './support.ts';

const SIZE = 600_064;
/** Bytes and extents of a disk that are looked at: a damaged size may be anything. */
const MOST_READ = 2 * 2 ** 20, MOST_EXTENTS = 3000;
/** Bytes by which a file may grow. */
const MOST_GROWTH = 64 * 2 ** 20;
/** A file that is larger is not kept. */
const MOST_KEPT = 2 ** 28;
const CANARY = 'canary';

interface Base {
  readonly format: string;
  /** The file that is opened, and all that belong to it. */
  readonly name: string;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly disk: Buffer;
}

const KINDS: readonly (readonly [format: string, options: Readonly<Record<string, string>>])[] = [
  ['qcow2', {}], ['qcow2', { cluster_size: '512' }], ['qcow2', { cluster_size: '4096', compat: '0.10' }], ['qcow2', { cluster_size: '1024', refcount_bits: '1' }],
  ['qcow2', { cluster_size: '4096', lazy_refcounts: 'on' }], ['qcow2', { cluster_size: '4096', refcount_bits: '64', snapshot: 'on' }], ['qcow2', { cluster_size: '4096', compressed: 'on' }],
  ['qcow2', { cluster_size: '4096', backing_file: 'base.raw', backing_fmt: 'raw' }], ['qed', { cluster_size: '4096', table_size: '2' }], ['vdi', {}], ['vpc', {}], ['vpc', { subformat: 'fixed', force_size: 'on' }],
  ['vmdk', {}], ['vmdk', { subformat: 'streamOptimized' }], ['vmdk', { subformat: 'monolithicFlat' }], ['vmdk', { subformat: 'twoGbMaxExtentSparse', zeroed_grain: 'on' }], ['raw', {}],
];

export interface Damage {
  readonly title: string;
  /** Nothing was changed but the length. */
  readonly cut: boolean;
}

export class ImageFuzzer {
  readonly #folder: string;
  readonly #random: (n: number) => number;
  readonly #bases: readonly Base[];
  /** How the images were taken: counts by outcome. */
  readonly outcomes: Record<string, number> = {};

  /** @param folder an empty one */
  constructor(folder: string, random: (n: number) => number) {
    this.#folder = folder;
    this.#random = random;
    this.#bases = KINDS.map(([format, options], index) => this.#base(format, options, String(index)));
  }

  /** Damages one image and uses it. Returns what is wrong with how that was taken, or null. @param against also asks qemu-img */
  round(against: boolean): string | null {
    const base = this.#bases[this.#random(this.#bases.length)]!;
    const damage = this.#damage(base);
    const title = `${base.name}: ${damage.title}`;
    try {
      const before = this.#contents();
      const wrong = this.#readOnly(base, damage, against);
      if (wrong !== null) return `${title}: ${wrong}`;
      const touched = this.#changed(before, []);
      if (touched !== null) return `${title}: reading changed ${touched}`;
      this.#write(base);
      const outside = this.#changed(before, [...base.files.keys()]);
      return outside === null ? null : `${title}: writing changed ${outside}`;
    } catch (error) {
      return `${title}: ${(error as Error).stack}`;
    }
  }

  #count(outcome: string): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
  }

  #base(format: string, { snapshot, compressed, ...options }: Readonly<Record<string, string>>, number: string): Base {
    const folder = join(this.#folder, `base-${number}`), name = `image.${format}`;
    mkdirSync(folder);
    const disk = Buffer.alloc(SIZE);
    if (options['backing_file'] !== undefined) {
      disk.fill(0x42, 0, 200_000);
      writeFileSync(join(folder, options['backing_file']), disk.subarray(0, 200_192));
      disk.fill(0x42, 0, 200_000);
    }
    const { image, close } = openChain(make(format, join(folder, name), SIZE, options), { format, unsafe: true });
    const stream = options['subformat'] === 'streamOptimized';
    for (let at = 0; at < SIZE; at += 65_536) {
      if (at % 3 === 1) continue;
      const data = Buffer.alloc(Math.min(65_536, SIZE - at), `${at} sectors of text, `);
      disk.set(data, at);
      if (stream) image.writeCompressed!(at, data);
      else if (compressed !== undefined) for (let part = 0; part < data.length; part += 4096) image.writeCompressed!(at + part, data.subarray(part, part + 4096));
      else image.write(at, data);
      if (snapshot !== undefined && at === 131_072) image.snapshots!.create('one', new Date(0));
    }
    close();
    const files = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
    rmSync(folder, { recursive: true });
    return { format, name, files, disk };
  }

  #damage({ files, name }: Base): Damage {
    for (const file of readdirSync(this.#folder)) rmSync(join(this.#folder, file), { recursive: true });
    writeFileSync(join(this.#folder, CANARY), 'untouched');
    for (const [file, data] of files) writeFileSync(join(this.#folder, file), data);
    // What is damaged is the image, or one of its extents; never its backing file.
    const candidates = [...files.keys()].filter((file) => file !== 'base.raw');
    const target = this.#random(2) === 0 ? name : candidates[this.#random(candidates.length)]!;
    const path = join(this.#folder, target), data = Buffer.from(files.get(target)!);
    const random = this.#random;
    const place = (): number => random([64, 1024, 70_000, data.length][random(4)]!) % data.length;
    switch (random(5)) {
      case 0: {
        const size = random(data.length);
        truncateSync(path, size);
        return { title: `${target} cut to ${size}`, cut: true };
      }
      case 1: {
        const start = place(), length = 1 + random([8, 512, 65_536][random(3)]!);
        data.fill(0, start, Math.min(data.length, start + length));
        writeFileSync(path, data);
        return { title: `${target} zeroed at ${start}, ${length} bytes`, cut: false };
      }
      case 2: {
        const start = place() & ~7, value = [0xff, 0x7f, 0x80, 0x40][random(4)]!;
        data.fill(value, start, Math.min(data.length, start + 1 + random(8)));
        writeFileSync(path, data);
        return { title: `${target} filled with ${value} at ${start}`, cut: false };
      }
      default: {
        const flips = Array.from({ length: 1 + random(4) }, () => [place(), random(8)] as const);
        for (const [at, bit] of flips) data[at]! ^= 1 << bit;
        writeFileSync(path, data);
        return { title: `${target} flipped at ${flips.map(([at, bit]) => `${at}.${bit}`).join(', ')}`, cut: false };
      }
    }
  }

  #contents(): Map<string, Buffer> {
    return new Map(readdirSync(this.#folder).map((file) => [file, readFileSync(join(this.#folder, file))]));
  }

  /** A file that is not as it was, those of `may` aside (which must not have grown much); null: none. */
  #changed(before: ReadonlyMap<string, Buffer>, may: readonly string[]): string | null {
    const now = readdirSync(this.#folder);
    for (const file of now) {
      const old = before.get(file);
      if (old === undefined) return `the folder: ${file}`;
      const { size } = statSync(join(this.#folder, file));
      if (may.includes(file) && file !== 'base.raw' ? size > old.length + MOST_GROWTH : !readFileSync(join(this.#folder, file)).equals(old)) return file;
    }
    return now.length === before.size ? null : 'the folder: a file is gone';
  }

  #readOnly({ format, name, disk }: Base, { cut }: Damage, against: boolean): string | null {
    const path = join(this.#folder, name), given = this.#random(2) === 0 ? format : undefined;
    let read: Buffer | null = null;
    const refused = attempt(() => {
      const { image, close } = openChain(path, { format: given, readOnly: true, noLocks: true });
      try {
        image.details?.();
        const failures = [attempt(() => image.snapshots?.list()), attempt(() => image.check?.('none')), attempt(() => walk(image))];
        if (image.format === format && image.size <= MOST_READ) read = Buffer.from(bytesOf(image));
        for (const failure of failures) if (failure !== null) this.#count('damaged');
      } finally {
        close();
      }
    });
    this.#count(refused === null ? 'read' : 'refused');
    if (read === null) return null;
    const got: Buffer = read;
    const right = format === 'raw' ? Buffer.concat([disk.subarray(0, statSync(path).size), Buffer.alloc(SIZE)]).subarray(0, got.length) : disk.subarray(0, got.length);
    if (cut && Buffer.compare(got.subarray(0, right.length), right) !== 0) return 'a cut image gave wrong data';
    if (!against || !hasQemuImg) return null;
    // QEMU must see what we see, if it sees anything.
    const target = `${this.#folder}.qemu`;
    const { status } = qemuImg(['convert', '-f', format, '-O', 'raw', path, target]);
    const theirs = status === 0 ? readFileSync(target) : null;
    rmSync(target, { force: true });
    this.#count(theirs === null ? 'QEMU refused what was read' : 'compared with QEMU');
    return theirs !== null && !theirs.equals(got) ? 'QEMU reads something else' : null;
  }

  #write({ format, name }: Base): void {
    const path = join(this.#folder, name), random = this.#random;
    const refused = attempt(() => {
      const { image, close } = openChain(path, { format, unsafe: true, noLocks: true, repairs: random(3) === 0 });
      attempt(() => {
        const most = Math.min(image.size, MOST_READ);
        for (let step = 0; step < 5; step++) {
          const offset = random(most), length = Math.min(most - offset, 1 + random(30_000));
          attempt(() => (random(3) === 0 ? image.writeZeroes(offset, length) : image.write(offset, new Uint8Array(length).fill(step))));
        }
        attempt(() => image.flush());
        if (random(2) === 0) attempt(() => image.snapshots?.create('new', new Date(0)));
        if (random(2) === 0) attempt(() => image.snapshots?.apply('one'));
        if (random(2) === 0) attempt(() => image.snapshots?.delete('one'));
        if (random(3) === 0 && image.size < MOST_READ) attempt(() => image.resize?.(image.size + 65_536));
        attempt(() => image.check?.(random(2) === 0 ? 'all' : 'leaks'));
      });
      attempt(close);
    });
    this.#count(refused === null ? 'written' : 'refused to write');
  }
}

/** null, or the ImageError that was thrown; all else is a failure of the code. */
function attempt(work: () => void): ImageError | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof ImageError && !error.message.includes('\n')) return error;
    throw error;
  }
}

/** Reads what the disk has, and asks how it is stored. */
function walk(image: Image): void {
  let left = MOST_READ;
  for (let at = 0, extents = 0; at < image.size && extents < MOST_EXTENTS && left > 0; extents++) {
    const { kind, length } = image.extent(at);
    if (length <= 0) throw new Error('an extent of nothing');
    const data = new Uint8Array(Math.min(length, left, 65_536));
    image.read(at, data);
    if (kind === 'data') left -= data.length;
    at += length;
  }
}

/** Keeps what a round left, for a look at it. */
export function keep(folder: string, target: string): void {
  cpSync(folder, target, { recursive: true, filter: (path) => statSync(path).size < MOST_KEPT });
}
