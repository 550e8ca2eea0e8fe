/** qcow2: what is written is read, the image is clean whenever it is looked at, and what is wrong with one is said. */
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openChain } from '../../../src/backends/block/chain.ts';
import type { ChainOptions } from '../../../src/backends/block/chain.ts';
import { zstdFrameLength } from '../../../src/backends/block/qcow2/compression.ts';
import type { CheckResult, Image } from '../../../src/backends/block/image.ts';
import { bytesOf, churn, make, randomNumbers, scratchFolder } from './support.ts';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);

function using<T>(path: string, options: ChainOptions, work: (image: Image) => T): T {
  const { image, close } = openChain(path, { unsafe: true, ...options });
  try {
    return work(image);
  } finally {
    close();
  }
}

const check = (path: string): CheckResult => using(path, { readOnly: true }, (image) => image.check!('none'));
const patch = (path: string, offset: number, bytes: readonly number[]): void => {
  const data = readFileSync(path);
  data.set(bytes, offset);
  writeFileSync(path, data);
};

describe('qcow2', () => {
  const kinds: [title: string, size: number, options: Record<string, string>][] = [
    ['version 3', 700_000, {}],
    ['version 2', 700_000, { compat: '0.10', cluster_size: '4096' }],
    ['clusters of 512 bytes, counts of 1 bit', 300_000, { cluster_size: '512', refcount_bits: '1' }],
    ['clusters of 512 bytes, counts of 64 bits, so that their table grows', 2_000_000, { cluster_size: '512', refcount_bits: '64' }],
    ['counts of 2 bits', 300_000, { cluster_size: '1024', refcount_bits: '2' }],
    ['counts of 8 bits', 300_000, { cluster_size: '2048', refcount_bits: '8' }],
    ['lazy counts', 700_000, { lazy_refcounts: 'on', cluster_size: '4096' }],
    ['metadata preallocated', 700_000, { preallocation: 'metadata', cluster_size: '4096' }],
    ['all preallocated', 700_000, { preallocation: 'full' }],
  ];
  it.each(kinds)('%s: holds what is written, and is clean', (title, size, options) => {
    const path = make('qcow2', file('churn.qcow2'), Math.ceil(size / 512) * 512, options);
    const shadow = new Uint8Array(Math.ceil(size / 512) * 512);
    const random = randomNumbers(title.length);
    for (let times = 0; times < 2; times++) {
      expect(using(path, {}, (image) => churn({ random, image, shadow, rounds: 80 }))).toBe(-1);
      expect(check(path)).toMatchObject({ messages: [], corruptions: 0, leaks: 0, errors: 0 });
    }
    expect(Buffer.compare(using(path, { readOnly: true }, bytesOf), shadow)).toBe(0);
  });

  it('reads from its backing image what it has not, and never writes there', () => {
    const base = file('base.raw');
    writeFileSync(base, Buffer.alloc(100_000, 7));
    const middle = make('qcow2', file('middle.qcow2'), 200_704, { backing_file: 'base.raw', backing_fmt: 'raw' });
    const top = make('qcow2', file('top.qcow2'), 300_032, { backing_file: 'middle.qcow2', backing_fmt: 'qcow2', cluster_size: '4096' });
    using(middle, {}, (image) => image.write(150_000, Buffer.alloc(10, 8)));
    using(top, {}, (image) => {
      image.write(99_990, Buffer.alloc(5, 9));
      image.writeZeroes(10_000, 20_000);
      image.discard(40_960, 4096);
    });
    using(top, { readOnly: true }, (image) => {
      expect([...bytesOf(image, 99_988, 14)]).toEqual([7, 7, 9, 9, 9, 9, 9, 7, 7, 7, 7, 7, 0, 0]);
      expect([...bytesOf(image, 149_999, 12)]).toEqual([0, ...Array<number>(10).fill(8), 0]);
      expect(bytesOf(image, 9_999, 2)).toEqual(Uint8Array.of(7, 0));
      expect(bytesOf(image, 40_959, 2)).toEqual(Uint8Array.of(7, 0));
      expect(bytesOf(image, 299_000, 1032).every((byte) => byte === 0)).toBe(true);
    });
    expect(readFileSync(base).every((byte) => byte === 7)).toBe(true);
    expect(check(top).messages).toEqual([]);
  });

  it('says what is wrong with a chain', () => {
    const orphan = make('qcow2', file('orphan.qcow2'), 4096, { backing_file: 'nowhere', backing_fmt: 'raw' });
    expect(() => using(orphan, {}, () => {})).toThrow(/nowhere: no such file$/);
    const odd = make('qcow2', file('odd.qcow2'), 4096, { backing_file: 'nbd://host/', backing_fmt: 'raw' });
    expect(() => using(odd, {}, () => {})).toThrow("the backing file 'nbd://host/' is not a file of this host");
    make('qcow2', file('snake.qcow2'), 4096, { backing_file: 'snake.qcow2', backing_fmt: 'qcow2' });
    expect(() => using(file('snake.qcow2'), {}, () => {})).toThrow(/comes back to/);
  });

  it('keeps internal snapshots apart', () => {
    const path = make('qcow2', file('snapshots.qcow2'), 262_144, { cluster_size: '4096' });
    using(path, {}, (image) => {
      image.write(0, Buffer.alloc(50_000, 1));
      image.writeCompressed!(200_704, Buffer.alloc(4096, 4));
      image.snapshots!.create('one', new Date(0));
      image.write(20_000, Buffer.alloc(100_000, 2));
      image.writeZeroes(0, 4096);
      image.snapshots!.create('two', new Date(1000));
      image.write(0, Buffer.alloc(1000, 3));
    });
    expect(check(path).messages).toEqual([]);
    using(path, {}, (image) => {
      expect(image.snapshots!.list().map(({ id, name, seconds }) => [id, name, seconds])).toEqual([['1', 'one', 0], ['2', 'two', 1]]);
      expect(bytesOf(image.snapshots!.open('one'), 0, 60_000)[19_999 + 40_000]).toBe(0);
      image.snapshots!.apply('one');
      expect([...bytesOf(image, 49_999, 2), ...bytesOf(image, 200_704, 1), ...bytesOf(image, 0, 1)]).toEqual([1, 0, 4, 1]);
      image.snapshots!.delete('one');
      image.snapshots!.apply('2');
      expect([...bytesOf(image, 0, 1), ...bytesOf(image, 20_000, 1)]).toEqual([0, 2]);
      image.snapshots!.delete('two');
      expect(() => image.snapshots!.delete('two')).toThrow("no snapshot 'two'");
    });
    expect(check(path)).toMatchObject({ messages: [], leaks: 0 });
  });

  it('refuses a snapshot that its counts cannot hold, and stays clean', () => {
    const path = make('qcow2', file('narrow.qcow2'), 65_536, { cluster_size: '4096', refcount_bits: '1' });
    using(path, {}, (image) => {
      image.write(0, Buffer.alloc(8192, 1));
      expect(() => image.snapshots!.create('x', new Date())).toThrow('a cluster cannot be shared more often (1 refcount bits)');
    });
    expect(check(path).messages).toEqual([]);
  });

  it('grows and shrinks', () => {
    const path = make('qcow2', file('size.qcow2'), 10_240, { cluster_size: '512' });
    using(path, {}, (image) => {
      image.write(0, Buffer.alloc(10_240, 1));
      image.resize!(5_000_192);
      image.write(4_999_000, Buffer.alloc(1000, 2));
      image.resize!(4_999_168);
      image.resize!(6_000_128);
      expect([...bytesOf(image, 4_999_167, 2), ...bytesOf(image, 10_239, 2)]).toEqual([2, 0, 1, 0]);
    });
    expect(check(path).messages).toEqual([]);
    expect(using(path, { readOnly: true }, ({ size }) => size)).toBe(6_000_128);
  });

  it('opens a disk of 16 TiB at once, and keeps a few tables only', () => {
    const path = make('qcow2', file('huge.qcow2'), 16 * 2 ** 40, { cluster_size: '65536' });
    expect(statSync(path).size).toBeLessThan(1_000_000);
    using(path, {}, (image) => {
      for (let at = 0; at < 16 * 2 ** 40; at += 2 ** 37) image.write(at + 77, Uint8Array.of(at / 2 ** 37));
      expect(bytesOf(image, 3 * 2 ** 37 + 76, 3)).toEqual(Uint8Array.of(0, 3, 0));
    });
    expect(check(path).messages).toEqual([]);
  });

  it('with lazy counts: the dirty bit is set at the first change, goes at the end, and else the counts are made anew', () => {
    const path = make('qcow2', file('lazy.qcow2'), 1_048_576, { lazy_refcounts: 'on', cluster_size: '4096' });
    const { image, close } = openChain(path, { noLocks: true });
    image.write(0, Buffer.alloc(300_000, 1));
    image.flush();
    const died = readFileSync(path);
    close();
    expect(readFileSync(path)[79]! & 1).toBe(0);
    expect(check(path).messages).toEqual([]);
    expect(died[79]! & 1).toBe(1);
    writeFileSync(path, died);
    expect(using(path, { readOnly: true }, (dead) => [dead.dirty, bytesOf(dead, 299_999, 2)])).toEqual([true, Uint8Array.of(1, 0)]);
    expect(check(path).corruptions).toBeGreaterThan(0);
    using(path, {}, (mended) => expect(mended.dirty).toBe(false));
    expect(check(path).messages).toEqual([]);
  });

  it('finds and mends wrong counts', () => {
    const path = make('qcow2', file('counts.qcow2'), 1_048_576);
    using(path, {}, (image) => image.write(0, Buffer.alloc(200_000, 1)));
    const good = readFileSync(path);
    // The block of counts is the third cluster: cluster 5 is not counted, cluster 30 leaks.
    patch(path, 2 * 65_536 + 5 * 2, [0, 0]);
    patch(path, 2 * 65_536 + 7 * 2, [0, 9]);
    expect(check(path)).toMatchObject({ corruptions: 3, leaks: 1 });
    expect(using(path, { repairs: true }, (image) => image.check!('leaks'))).toMatchObject({ leaksFixed: 1, corruptionsFixed: 0 });
    expect(using(path, { repairs: true }, (image) => image.check!('all')).corruptionsFixed).toBeGreaterThan(0);
    expect(check(path).messages).toEqual([]);
    expect(readFileSync(path).equals(good)).toBe(true);
    // No block of counts at all.
    patch(path, 65_536, [0, 0, 0, 0, 0, 0, 0, 0]);
    expect(check(path).corruptions).toBeGreaterThan(3);
    using(path, { repairs: true }, (image) => image.check!('all'));
    expect(check(path).messages).toEqual([]);
  });

  it('writes no data over its metadata: it says so, marks itself, and is not opened for writing again', () => {
    const path = make('qcow2', file('overlap.qcow2'), 1_048_576);
    using(path, {}, (image) => image.write(0, Buffer.alloc(512, 1)));
    const l2 = Number(readFileSync(path).readBigUInt64BE(3 * 65_536) & 0xfffffffffffe00n);
    // The first cluster of the disk is said to be where the L1 table is.
    patch(path, l2, [0x80, 0, 0, 0, 0, 3, 0, 0]);
    using(path, {}, (image) => {
      expect(() => image.write(0, Buffer.alloc(512, 2))).toThrow('the image is corrupt: a write of data at 0x30000 would overwrite metadata');
      expect(() => image.write(500_000, Buffer.alloc(512, 2))).toThrow('the image is corrupt');
    });
    expect(() => using(path, {}, () => {})).toThrow('the image is marked as corrupt and cannot be opened for writing');
    expect(using(path, { readOnly: true }, (image) => image.details!().find(([key]) => key === 'corrupt')?.[2])).toBe(true);
  });

  it('does not hand out clusters that are in use', () => {
    const path = make('qcow2', file('reuse.qcow2'), 1_048_576);
    patch(path, 2 * 65_536 + 3 * 2, [0, 0]);
    using(path, {}, (image) => expect(() => image.write(0, Buffer.alloc(512, 2))).toThrow('cluster 3 is in use, but its reference count is 0'));
  });

  it('says what a cut file has lost', () => {
    const path = make('qcow2', file('cut.qcow2'), 1_048_576);
    using(path, {}, (image) => {
      image.write(0, Buffer.alloc(512, 1));
      image.write(0, Buffer.alloc(400_000, 1));
    });
    const { length } = readFileSync(path);
    truncateSync(path, length - 70_000);
    using(path, { readOnly: true }, (image) => {
      expect(bytesOf(image, 0, 65_536).every((byte) => byte === 1)).toBe(true);
      expect(() => bytesOf(image, 0, 400_000)).toThrow(/the file is cut short: a cluster of the disk at \d+ lies past its end/);
    });
    truncateSync(path, 3 * 65_536);
    expect(() => using(path, { readOnly: true }, () => {})).toThrow('the file is cut short: the L1 table at 196608 lies past its end');
    truncateSync(path, 50);
    expect(() => using(path, { readOnly: true }, () => {})).toThrow('not a qcow2 image');
  });

  it.each<[string, number, number[]]>([
    ['unsupported qcow2 version 4', 7, [4]], ['unsupported cluster size: 2^30', 23, [30]], ['an external data file (qcow2 feature) is not supported', 79, [4]],
    ['extended L2 entries (qcow2 feature) are not supported', 79, [16]], ['unsupported qcow2 feature(s): incompatible bits 0x8000', 78, [0x80]],
    ['encrypted qcow2 images are not supported', 35, [1]], ['invalid L1 table offset', 47, [1]], ['the L1 table is too small', 39, [0]],
    ['the active L1 table is too large', 36, [0xff]], ['unsupported reference count width: 2^7 bits', 99, [7]], ['the disk is too large', 24, [0x7f]],
    ['the compression type and its feature bit disagree', 104, [1]], ['too many snapshots', 60, [1]], ['the qcow2 header is too short', 103, [1]],
  ])('refuses: %s', (reason, offset, bytes) => {
    const path = make('qcow2', file('refused.qcow2'), 1_048_576);
    patch(path, offset, bytes);
    expect(() => using(path, { readOnly: true }, () => {})).toThrow(reason);
  });

  it('has whole sectors only', () => {
    const path = make('qcow2', file('sector.qcow2'), 10_240);
    patch(path, 31, [0x10]);
    expect(using(path, { readOnly: true }, ({ size }) => size)).toBe(10_240);
  });

  it('clears what other programs keep up with when it changes an image', () => {
    const path = make('qcow2', file('autoclear.qcow2'), 1_048_576);
    patch(path, 95, [1]);
    using(path, { readOnly: true }, () => {});
    expect(readFileSync(path)[95]).toBe(1);
    using(path, {}, () => {});
    expect(readFileSync(path)[95]).toBe(0);
  });

  it('finds the end of a zstd frame, which Node needs to know', () => {
    // One raw block of 3 bytes, then one RLE block, with a checksum; anything follows.
    const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x18, 0, 0, 1, 2, 3, 0x03 | (100 << 3) & 0xff, 100 >> 5, 0, 9, 1, 2, 3, 4];
    expect(zstdFrameLength(Uint8Array.from([...frame, 0, 0, 0]))).toBe(frame.length);
    expect(() => zstdFrameLength(Uint8Array.from(frame.slice(0, 14)))).toThrow('cut short');
  });
});
