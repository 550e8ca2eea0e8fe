/**
 * Killing the emulator while a guest writes to a qcow2 image: afterwards the image must be clean, or have leaks only, and hold what the
 * guest had flushed and reported. The guest is kill.asm.
 */
import { spawn } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleFile } from '../../../bios/assembler/files.ts';
import { openChain } from '../../../src/backends/block/chain.ts';
import type { Image } from '../../../src/backends/block/image.ts';
import { hasQemuImg, make, qemuImg } from './support.ts';

const SECTORS = 2 ** 16, SECTOR = 512, FLOPPY = 1_474_560;
/** Where kill.asm has its two words. */
const SEED_AT = 4, MASK_AT = 8;
const FAILED = 0xffffffff;
/** Milliseconds. */
const START_LIMIT = 60_000;

/** Images to write to; each is written to by several guests, one after the other. */
export const KILL_IMAGES: readonly Readonly<Record<string, string>>[] = [
  {}, { cluster_size: '512', refcount_bits: '64' }, { lazy_refcounts: 'on', cluster_size: '4096' }, { compat: '0.10', cluster_size: '1024' },
  { cluster_size: '4096', backing_file: 'base.raw', backing_fmt: 'raw' }, { cluster_size: '512', refcount_bits: '1' }, { cluster_size: '4096', preallocation: 'metadata' }, { snapshot: 'on', cluster_size: '2048' },
];

/** What a sector holds, or may hold: the last guest that flushed it, and the number of its write. */
interface Flushed {
  readonly guest: number;
  readonly count: number;
}

export class KillCampaign {
  readonly #path: string;
  readonly #floppy: string;
  /** Seeds of the guests so far. */
  readonly #seeds: number[] = [];
  readonly #flushed = new Map<number, Flushed>();
  /** Sectors that were flushed, over all guests. */
  reported = 0;

  constructor(folder: string, options: Readonly<Record<string, string>>) {
    this.#path = join(folder, 'kill.qcow2');
    this.#floppy = join(folder, 'kill.img');
    const { snapshot, ...create } = options;
    if (create['backing_file'] !== undefined) writeFileSync(join(folder, create['backing_file']), Buffer.alloc(SECTORS * SECTOR, 0x77));
    make('qcow2', this.#path, SECTORS * SECTOR, create);
    if (snapshot === undefined) return;
    const { image, close } = openChain(this.#path, { unsafe: true });
    image.write(0, Buffer.alloc(4 * 2 ** 20, 0x55));
    image.snapshots!.create('before', new Date(0));
    close();
  }

  /** Runs a guest, kills the emulator `delay` ms after its first report, and looks at the image. Returns what is wrong, or null. */
  async run(seed: number, delay: number): Promise<string | null> {
    this.#seeds.push(seed);
    const count = await this.#killed(seed, delay);
    if (count === FAILED) return 'the guest saw an I/O error';
    if (count === 0) return 'the guest reported nothing';
    this.reported += count;
    this.#note(seed, count);
    return this.#check();
  }

  /** The last count that the guest reported. */
  #killed(seed: number, delay: number): Promise<number> {
    const { bytes } = assembleFile(join(import.meta.dirname, 'kill.asm'));
    const boot = Buffer.from(bytes);
    boot.writeUInt32LE(seed, SEED_AT);
    boot.writeUInt32LE(SECTORS - 1, MASK_AT);
    writeFileSync(this.#floppy, boot);
    truncateSync(this.#floppy, FLOPPY);
    const child = spawn(process.execPath, [
      join(import.meta.dirname, '../../../dist/tcg86.js'), '-m', '2M', '-drive', `if=floppy,format=raw,readonly=on,file=${this.#floppy}`, '-drive', `format=qcow2,file=${this.#path}`,
      '-boot', 'a', '-display', 'none', '-serial', 'stdio',
    ], { stdio: ['ignore', 'pipe', 'inherit'] });
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const kill = (): void => void child.kill('SIGKILL');
      let timer = setTimeout(kill, START_LIMIT);
      child.stdout.on('data', (chunk: Buffer) => {
        if (chunks.length === 0) {
          clearTimeout(timer);
          timer = setTimeout(kill, delay);
        }
        chunks.push(chunk);
      });
      child.once('close', () => {
        clearTimeout(timer);
        const all = Buffer.concat(chunks);
        resolve(all.length < 4 ? 0 : all.readUInt32LE(Math.floor(all.length / 4) * 4 - 4));
      });
    });
  }

  #note(seed: number, count: number): void {
    const guest = this.#seeds.length - 1;
    let random = seed;
    for (let write = 1; write <= count; write++) {
      random = (Math.imul(random, 1103515245) + 12345) | 0;
      this.#flushed.set((random >>> 8) & (SECTORS - 1), { guest, count: write });
    }
  }

  #check(): string | null {
    if (hasQemuImg) {
      const { status, stdout, stderr } = qemuImg(['check', this.#path]);
      // A dirty bit says that counts are to be made anew: then they are wrong, and the next to open the image mends them.
      if (status !== 0 && status !== 3 && !this.#isDirty()) return `qemu-img check: ${(stderr + stdout).slice(0, 500)}`;
    }
    const { image, close } = openChain(this.#path, { readOnly: true });
    try {
      const { corruptions, errors, messages } = image.check!('none');
      if (!image.dirty && corruptions + errors > 0) return `check: ${messages.slice(0, 5).join('; ')}`;
      for (const [sector, expected] of this.#flushed) {
        const wrong = this.#wrong(image, sector, expected);
        if (wrong !== null) return wrong;
      }
      return null;
    } finally {
      close();
    }
  }

  #isDirty(): boolean {
    const { image, close } = openChain(this.#path, { readOnly: true });
    close();
    return image.dirty;
  }

  /** A sector holds what was flushed last, or what was written to it later. */
  #wrong(image: Image, sector: number, expected: Flushed): string | null {
    const data = Buffer.alloc(SECTOR);
    image.read(sector * SECTOR, data);
    const count = data.readUInt32LE(0), guest = this.#seeds.lastIndexOf(data.readUInt32LE(8));
    const where = `sector ${sector}: flushed as write ${expected.count} of guest ${expected.guest}, is write ${count} of guest ${guest}`;
    if (data.readUInt32LE(4) !== sector || guest < expected.guest || (guest === expected.guest && count < expected.count)) return where;
    const first = Math.imul(count, 0x9e3779b9);
    for (let word = 3; word < 128; word++) if (data.readInt32LE(word * 4) !== ((first + word - 3) | 0)) return `${where}, torn at word ${word}`;
    return null;
  }
}
