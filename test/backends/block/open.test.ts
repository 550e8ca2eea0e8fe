import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SnapshotOverlay } from '../../../src/backends/block/overlay.ts';
import { MemoryDisk } from '../../../src/backends/block/memory.ts';
import { ImageError, imageError } from '../../../src/backends/block/error.ts';
import { openImage } from '../../../src/backends/block/open.ts';
import type { BlockBackend } from '../../../src/devices/host.ts';

const folder = mkdtempSync(join(tmpdir(), 'tcg86-block-'));
afterAll(() => rmSync(folder, { recursive: true }));

const image = (name: string, size: number, fill = 0xa5): string => {
  const path = join(folder, name);
  writeFileSync(path, new Uint8Array(size).fill(fill));
  return path;
};

/** Reads through a backend that must answer at once. */
const read = (backend: BlockBackend, sector: number, count = 1): Uint8Array => {
  const data = new Uint8Array(count * 512).fill(0x11);
  let answer: Error | 'done' | undefined;
  backend.read(sector, data, (error) => (answer = error ?? 'done'));
  expect(answer).toBe('done');
  return data;
};

const write = (backend: BlockBackend, sector: number, byte: number, count = 1): Error | undefined => {
  let answer: Error | undefined;
  let called = 0;
  backend.write(sector, new Uint8Array(count * 512).fill(byte), (error) => {
    answer = error;
    called++;
  });
  expect(called).toBe(1);
  return answer;
};

describe('raw image', () => {
  it('reads what was written, also after opening again', () => {
    const path = image('plain.img', 4096);
    const first = openImage(path);
    expect(first.backend.sectors).toBe(8);
    expect(write(first.backend, 3, 0x77, 2)).toBeUndefined();
    first.backend.flush((error) => expect(error).toBeUndefined());
    first.close();
    first.close();
    const second = openImage(path, { readOnly: true });
    expect(read(second.backend, 3, 2).every((byte) => byte === 0x77)).toBe(true);
    expect(read(second.backend, 5)[0]).toBe(0xa5);
    expect(write(second.backend, 0, 1)).toBeInstanceOf(ImageError);
    second.close();
  });

  it('counts a last part of a sector as a sector that ends in zeros', () => {
    const { backend: disk, close } = openImage(image('odd.img', 700), { readOnly: true });
    expect(disk.sectors).toBe(2);
    const data = read(disk, 1);
    expect(data[187]).toBe(0xa5);
    expect(data.subarray(188).every((byte) => byte === 0)).toBe(true);
    close();
  });

  it('presents a larger medium: zeros past the end, writes make the file longer', () => {
    const path = image('boot.img', 121344);
    const { backend: disk, close } = openImage(path, { present: () => 2880 });
    expect(disk.sectors).toBe(2880);
    expect(read(disk, 236)[0]).toBe(0xa5);
    expect(read(disk, 236, 3).subarray(512).every((byte) => byte === 0)).toBe(true);
    expect(read(disk, 2879).every((byte) => byte === 0)).toBe(true);
    expect(write(disk, 300, 0x55)).toBeUndefined();
    expect(read(disk, 300)[511]).toBe(0x55);
    expect(read(disk, 299)[0]).toBe(0);
    close();
    expect(statSync(path).size).toBe(301 * 512);
  });

  it('reads zeros where the file became shorter while open', () => {
    const path = image('shrink.img', 1024);
    const { backend: disk, close } = openImage(path, { readOnly: true });
    truncateSync(path, 512);
    expect(read(disk, 1).every((byte) => byte === 0)).toBe(true);
    close();
  });

  it('says in one line what is wrong with an image', () => {
    const message = (path: string): string => {
      try {
        openImage(path).close();
      } catch (error) {
        expect(error).toBeInstanceOf(ImageError);
        return (error as Error).message;
      }
      return '';
    };
    expect(message(join(folder, 'missing.img'))).toMatch(/missing\.img: no such file$/);
    expect(message(image('empty.img', 0))).toMatch(/empty\.img: the file is empty$/);
    mkdirSync(join(folder, 'sub'));
    expect(message(join(folder, 'sub'))).toMatch(/sub: is a directory$/);
    expect(() => openImage(join(folder, 'sub'), { readOnly: true })).toThrow(/is a directory$/);
    expect(message('/dev/null')).toMatch(/not a regular file$/);
    expect(imageError('x.img', { code: 'EACCES' }).message).toBe('cannot use disk image x.img: permission denied');
    expect(imageError('x.img', new Error('odd')).message).toBe('cannot use disk image x.img: odd');
  });

  it('reports errors of the host through done', () => {
    const { backend: disk, close } = openImage(image('closed.img', 512));
    close();
    disk.read(0, new Uint8Array(512), (error) => expect(error).toBeInstanceOf(ImageError));
    disk.write(0, new Uint8Array(512), (error) => expect(error).toBeInstanceOf(ImageError));
    disk.flush((error) => expect(error).toBeInstanceOf(ImageError));
    expect.assertions(3);
  });
});

describe('snapshot', () => {
  const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

  it('keeps writes in memory and leaves the file alone', () => {
    const path = image('base.img', 300 * 512);
    const before = hash(path);
    const { backend, close } = openImage(path, { snapshot: true });
    expect(backend.readOnly).toBe(false);
    expect(write(backend, 126, 0x42, 4)).toBeUndefined();
    expect(write(backend, 299, 0x43)).toBeUndefined();
    const across = read(backend, 125, 6);
    expect([0, 512, 2047, 2559, 2560, 3071].map((at) => across[at])).toEqual([0xa5, 0x42, 0x42, 0x42, 0xa5, 0xa5]);
    expect(read(backend, 299)[0]).toBe(0x43);
    expect((backend as SnapshotOverlay).dirtyBytes).toBe(3 * 65536);
    backend.flush((error) => expect(error).toBeUndefined());
    close();
    expect(hash(path)).toBe(before);
  });

  it('gives read-only precedence', () => {
    const { backend, close } = openImage(image('ro.img', 512), { snapshot: true, readOnly: true });
    expect(backend.readOnly).toBe(true);
    close();
  });

  it('works on a base that answers later, in any order, and passes its errors on', () => {
    const waiting: (() => void)[] = [];
    const memory = new MemoryDisk(new Uint8Array(200 * 512).fill(9));
    let failure: Error | undefined;
    const slow: BlockBackend = {
      sectors: 200,
      readOnly: true,
      read: (sector, data, done) => void waiting.push(() => (failure ? done(failure) : memory.read(sector, data, done))),
      write: () => expect.unreachable(),
      flush: () => expect.unreachable(),
    };
    const overlay = new SnapshotOverlay(slow);
    const log: string[] = [];
    overlay.write(0, new Uint8Array(512).fill(1), () => log.push('first'));
    overlay.write(1, new Uint8Array(512).fill(2), () => log.push('second'));
    waiting.pop()?.();
    waiting.pop()?.();
    expect(log).toEqual(['second', 'first']);
    const data = new Uint8Array(3 * 512);
    overlay.read(0, data, () => log.push('read'));
    expect([data[0], data[512], data[1024]]).toEqual([1, 2, 9]);
    failure = new Error('bad sector');
    overlay.read(150, new Uint8Array(512), (error) => log.push(error?.message ?? ''));
    overlay.write(150, new Uint8Array(512), (error) => log.push(error?.message ?? ''));
    for (const answer of waiting) answer();
    expect(log.slice(2)).toEqual(['read', 'bad sector', 'bad sector']);
    expect(overlay.dirtyBytes).toBe(65536);
  });
});

describe('memory disk', () => {
  it('pads to whole sectors and to a least size, and can refuse writes', () => {
    const disk = new MemoryDisk(Uint8Array.of(1, 2, 3), { minSectors: 3 });
    expect(disk.sectors).toBe(3);
    expect(write(disk, 2, 7)).toBeUndefined();
    expect(read(disk, 0, 3)[2]).toBe(3);
    expect(disk.data[1024]).toBe(7);
    expect(new MemoryDisk(new Uint8Array(513)).sectors).toBe(2);
    expect(write(new MemoryDisk(new Uint8Array(512), { readOnly: true }), 0, 1)).toBeInstanceOf(Error);
  });
});
