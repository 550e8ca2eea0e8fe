/** VDI, VPC, QED, VMDK and raw: what is written is read, cut files are noticed; which format a file has; drives and locks. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openChain } from '../../../src/backends/block/chain.ts';
import { DriveBackend } from '../../../src/backends/block/drive.ts';
import type { Image } from '../../../src/backends/block/image.ts';
import { openImage } from '../../../src/backends/block/open.ts';
import { probeFormat } from '../../../src/backends/block/probe.ts';
import { bytesOf, churn, make, randomNumbers, scratchFolder } from './support.ts';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);
const SIZE = 5_000_192;

const KINDS: [format: string, options: Record<string, string>][] = [
  ['raw', {}], ['vdi', {}], ['vdi', { static: 'on' }], ['vpc', {}], ['vpc', { subformat: 'fixed', force_size: 'on' }], ['qed', {}], ['qed', { cluster_size: '4096', table_size: '1' }],
  ['vmdk', {}], ['vmdk', { zeroed_grain: 'on' }], ['vmdk', { subformat: 'monolithicFlat' }], ['vmdk', { subformat: 'twoGbMaxExtentSparse' }], ['vmdk', { subformat: 'twoGbMaxExtentFlat' }],
];

describe.each(KINDS)('%s %o', (format, options) => {
  const path = file(`image-${format}-${Object.values(options).join('-')}.${format}`);

  it('holds what is written', () => {
    make(format, path, SIZE, options);
    const shadow = new Uint8Array(SIZE), random = randomNumbers(5);
    for (let times = 0; times < 2; times++) {
      const { image, close } = openChain(path, { format, unsafe: true });
      expect(image.size).toBeGreaterThanOrEqual(SIZE);
      expect(churn({ random, image, shadow, rounds: 60 })).toBe(-1);
      close();
    }
    const { image, close } = openChain(path, { format, readOnly: true });
    expect(Buffer.compare(bytesOf(image, 0, SIZE), shadow)).toBe(0);
    if (image.check !== undefined) expect(image.check('none')).toMatchObject({ messages: [], corruptions: 0, leaks: 0 });
    let at = 0;
    while (at < image.size) at += image.extent(at).length;
    expect(at).toBe(image.size);
    close();
  });

  it('notices that its file was cut', () => {
    const target = format === 'vmdk' ? path.replace(/\.vmdk$/, { monolithicFlat: '-flat.vmdk', twoGbMaxExtentSparse: '-s001.vmdk', twoGbMaxExtentFlat: '-f001.vmdk' }[options['subformat'] ?? ''] ?? '.vmdk') : path;
    if (format === 'raw') return;
    truncateSync(target, Math.floor(statSync(target).size / 2));
    expect(() => {
      const { image, close } = openChain(path, { format, readOnly: true });
      try {
        bytesOf(image);
      } finally {
        close();
      }
    }).toThrow(/cut short|no footer/);
  });
});

describe('a stream-optimized VMDK', () => {
  it('is written grain by grain, and read', () => {
    const path = make('vmdk', file('stream.vmdk'), 200_192, { subformat: 'streamOptimized' });
    const { image, close } = openChain(path);
    image.writeCompressed!(65_536, Buffer.alloc(65_536, 3));
    image.writeCompressed!(196_608, Buffer.alloc(3584, 4));
    expect(() => image.write(0, Buffer.alloc(512))).toThrow('cannot be written by a guest');
    close();
    const again = openChain(path, { readOnly: true });
    expect([...bytesOf(again.image, 65_535, 2), ...bytesOf(again.image, 200_191, 1), ...bytesOf(again.image, 131_071, 2)]).toEqual([0, 3, 4, 3, 0]);
    again.close();
  });
});

describe('the format of a file', () => {
  it('is known by its first bytes', () => {
    for (const format of ['qcow2', 'qed', 'vdi', 'vmdk', 'vpc']) expect(probeFormat(readFileSync(make(format, file(`probe.${format}`), 1_048_576)))).toBe(format);
    expect(probeFormat(new Uint8Array(100))).toBe('raw');
    expect(probeFormat(Buffer.from('# Disk DescriptorFile\n# c\n\nversion=1\n'))).toBe('vmdk');
    expect(probeFormat(Buffer.from('# Disk DescriptorFile\nversion=9\n'))).toBe('raw');
  });

  it('may be one that is not supported, which is not taken for raw', () => {
    writeFileSync(file('vhdx'), Buffer.concat([Buffer.from('vhdxfile'), Buffer.alloc(70_000)]));
    expect(() => openChain(file('vhdx'))).toThrow("image format 'vhdx' is not supported (raw, qcow2, qed, vdi, vmdk, vpc)");
    writeFileSync(file('qcow'), Buffer.concat([Buffer.from([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 1]), Buffer.alloc(70_000)]));
    expect(() => openChain(file('qcow'))).toThrow("image format 'qcow' is not supported");
  });

  it('is not changed by a guest where it was guessed to be raw', () => {
    const path = make('raw', file('guessed.raw'), 65_536);
    const image = openImage(path);
    expect(image.warning).toMatch(/^WARNING: Image format was not specified for '.*guessed\.raw' and probing guessed raw\.\n/);
    const header = new Uint8Array(1024);
    header.set([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3]);
    const errors: (Error | undefined)[] = [];
    image.backend.write(0, header, (error) => errors.push(error));
    image.backend.write(1, header, (error) => errors.push(error));
    image.backend.write(0, new Uint8Array(512).fill(1), (error) => errors.push(error));
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('the guest wrote the header of another format') as string }), undefined, undefined]);
    image.close();
    const named = openImage(path, { format: 'raw' });
    expect(named.warning).toBeNull();
    named.backend.write(0, header, (error) => expect(error).toBeUndefined());
    named.close();
    expect(openImageWarning(path)).toBeNull();
  });
});

/** It looks like a qcow2 image now, but for the rest. */
function openImageWarning(path: string): string | null {
  const { warning, close } = openImage(path, { snapshot: true, format: 'raw' });
  close();
  return warning;
}

describe('a drive', () => {
  const calls: string[] = [];
  const image = {
    format: 'qcow2', size: 1000, readOnly: false, file: { path: 'x' },
    read: (_: number, data: Uint8Array) => data.fill(7), write: (offset: number, { length }: Uint8Array) => void calls.push(`write ${offset} ${length}`),
    writeZeroes: (offset: number, length: number) => void calls.push(`zero ${offset} ${length}`), discard: (offset: number, length: number) => void calls.push(`discard ${offset} ${length}`),
    flush: () => void calls.push('flush'),
  } as unknown as Image;
  const drive = (options: Partial<ConstructorParameters<typeof DriveBackend>[1]>): DriveBackend =>
    new DriveBackend(image, { cache: 'writeback', detectZeroes: 'off', discard: false, probedRaw: false, ...options });
  const doing = (work: (done: () => void) => void): string[] => {
    calls.length = 0;
    work(() => calls.push('done'));
    return [...calls];
  };

  it('brings writes to stable storage as its cache mode says', () => {
    const data = new Uint8Array(512).fill(1);
    expect(doing((done) => drive({}).write(0, data, done))).toEqual(['write 0 512', 'done']);
    expect(doing((done) => drive({ cache: 'writethrough' }).write(0, data, done))).toEqual(['write 0 512', 'flush', 'done']);
    expect(doing((done) => drive({ cache: 'directsync' }).write(0, data, done))).toEqual(['write 0 512', 'flush', 'done']);
    expect(doing((done) => drive({ cache: 'none' }).flush(done))).toEqual(['flush', 'done']);
    expect(doing((done) => drive({ cache: 'unsafe' }).flush(done))).toEqual(['done']);
  });

  it('has the last part of a sector, and takes zeros for what they are if asked to', () => {
    expect(drive({}).sectors).toBe(2);
    const data = new Uint8Array(512).fill(1);
    drive({}).read(1, data, () => {});
    expect([data[487], data[488]]).toEqual([7, 0]);
    expect(doing((done) => drive({}).write(1, data, done))).toEqual(['write 512 488', 'done']);
    expect(doing((done) => drive({ detectZeroes: 'on' }).write(0, new Uint8Array(512), done))).toEqual(['zero 0 512', 'done']);
    expect(doing((done) => drive({ detectZeroes: 'unmap', discard: true }).write(0, new Uint8Array(512), done))).toEqual(['zero 0 512', 'discard 0 512', 'done']);
    expect(doing((done) => drive({ discard: true }).discard(0, 1, done))).toEqual(['discard 0 512', 'done']);
    expect(doing((done) => drive({}).discard(0, 1, done))).toEqual(['done']);
  });
});

describe('locks', () => {
  it('let in many readers, or one writer', () => {
    const path = make('raw', file('locked.raw'), 65_536);
    const reader = openChain(path, { readOnly: true }), other = openChain(path, { readOnly: true });
    expect(() => openChain(path)).toThrow('it is in another drive already, and is not a snapshot');
    reader.close();
    other.close();
    const writer = openChain(path);
    expect(() => openChain(path, { readOnly: true })).toThrow('in another drive already');
    openChain(path, { readOnly: true, noLocks: true }).close();
    writer.close();
    openChain(path).close();
  });

  it('reach to backing images', () => {
    const base = make('raw', file('base.raw'), 65_536);
    const top = openChain(make('qcow2', file('top.qcow2'), 65_536, { backing_file: 'base.raw', backing_fmt: 'raw' }));
    expect(() => openChain(base)).toThrow('in another drive already');
    top.close();
    openChain(base).close();
  });

  it('of a process that was killed do not count', async () => {
    const path = make('raw', file('killed.raw'), 65_536);
    const script = `import('${join(import.meta.dirname, '../../../dist/index.js')}').then(({ Machine }) => { globalThis.machine = Machine.open({ hda: ${JSON.stringify(path)} }); console.log('open'); setInterval(() => {}, 1000); })`;
    const child = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(() => openChain(path, { readOnly: true })).toThrow(`it is in use by process ${child.pid}`);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    openChain(path).close();
  });

  const hasQemuIo = spawnSync('qemu-io', ['--version']).status === 0;
  it.skipIf(!hasQemuIo)(`of QEMU are seen${hasQemuIo ? '' : ' (not installed: qemu-io)'}`, async () => {
    const path = make('raw', file('qemu.raw'), 65_536);
    const child = spawn('qemu-io', ['-f', 'raw', path], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.write('length\n');
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(() => openChain(path)).toThrow('it is in use by another process (QEMU)');
    expect(() => openChain(path, { readOnly: true })).toThrow('it is in use by another process (QEMU)');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end('quit\n');
    await ended;
    openChain(path).close();
  });
});
