/** tcg86-img: its own behaviour, and side by side with qemu-img where that is installed. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runImg } from '../../src/cli/img/commands.ts';
import { clockText, parseBytes, sizeText } from '../../src/cli/img/text.ts';
import { hasQemuImg, qemuImg, randomNumbers, scratchFolder, tcg86Img, withQemuImg } from '../backends/block/support.ts';
import type { Outcome } from '../backends/block/support.ts';

const folder = scratchFolder();
const home = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

/** Within this process, which is faster than a new one. */
function ours(...args: string[]): Outcome {
  const printed = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) => vi.spyOn(process[name], 'write').mockImplementation((text) => {
    printed[name] += String(text);
    return true;
  }));
  try {
    return { status: runImg(args), ...printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const theirs = (...args: string[]): Outcome => qemuImg(args, folder);
/** The same, under the other's name. */
const renamed = ({ status, stdout, stderr }: Outcome): Outcome => ({ status, stdout, stderr: stderr.replaceAll('tcg86-img', 'qemu-img') });

beforeAll(() => {
  const random = randomNumbers(11), data = Buffer.alloc(3_000_320);
  for (let at = 0; at < data.length; at += 150_000) {
    const length = random(90_000), end = Math.min(data.length, at + length);
    if (random(2) === 0) data.fill('some text that packs well, ', at, end);
    else for (let byte = at; byte < end; byte++) data[byte] = random(256);
  }
  writeFileSync(join(folder, 'source.raw'), data);
});

describe('tcg86-img', () => {
  it.each<[string, number, string, string[]]>([
    ['Not enough arguments', 1, '', []], ['Command not found: frob', 1, '', ['frob']], ["command 'rebase' is not supported", 1, '', ['rebase', 'x']],
    ["unrecognized option '-x'", 1, '', ['info', '-x', 'y']], ["missing argument for option '-f'", 1, '', ['info', '-f']], ['Expecting one image file name', 1, '', ['info']],
    ["Could not open 'none': no such file", 1, '', ['info', 'none']], ["Could not open 'source.raw': not a qcow2 image", 1, '', ['info', '-f', 'qcow2', 'source.raw']],
    ["Unknown file format 'vhs'", 1, '', ['info', '-f', 'vhs', 'source.raw']], ['--output must be used with human or json', 1, '', ['info', '--output=xml', 'source.raw']],
    ['This image format does not support checks', 63, '', ['check', 'source.raw']], ["Cannot mix '-l', '-a', '-c', '-d'", 1, '', ['snapshot', '-l', '-c', 'x', 'y']],
    ['new.qcow2: Image creation needs a size parameter', 1, '', ['create', '-f', 'qcow2', 'new.qcow2']], ["new.qcow2: Invalid parameter 'foo'", 1, '', ['create', '-f', 'qcow2', '-o', 'foo=1', 'new.qcow2', '1M']],
    ['Cluster size must be a power of two between 512 and 2048k', 1, 'cluster_size=100 ', ['create', '-f', 'qcow2', '-o', 'cluster_size=100', 'new.qcow2', '1M']],
    ['Could not open backing image.', 1, '', ['create', '-f', 'qcow2', '-b', 'none', '-F', 'raw', 'new.qcow2']],
    ['Backing file specified without backing format\nDetected format of raw.', 1, '', ['create', '-f', 'qcow2', '-b', 'source.raw', 'new.qcow2']],
    ["Backing file not supported for file format 'raw'", 1, '', ['create', '-f', 'raw', '-b', 'source.raw', 'new.raw', '1M']],
    ["/none/new: Could not create '/none/new': no such file", 1, 'Formatting', ['create', '/none/new', '1M']],
    ['Extended L2 tables are not supported', 1, 'extended_l2=on', ['create', '-f', 'qcow2', '-o', 'extended_l2=on', 'new.qcow2', '1M']],
    ['source.raw: the target is a source too', 1, '', ['convert', 'source.raw', 'source.raw']], ['Must specify image file name', 1, '', ['convert', 'source.raw']],
    ['Compression not supported for this file format', 1, '', ['convert', '-c', '-O', 'vdi', 'source.raw', 'new.vdi']],
    ['Use the --shrink option to perform a shrink operation.', 1, '', ['resize', '-f', 'raw', 'source.raw', '-1M']], ['Expecting two image file names', 2, '', ['compare', 'source.raw']],
    ["Could not open 'none': no such file", 2, '', ['compare', 'source.raw', 'none']],
  ])('says: %s', (message, status, printed, args) => {
    const outcome = ours(...args);
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).toMatch(/^tcg86-img: /);
    expect(outcome.stdout).toContain(printed);
    expect(outcome.status).toBe(status);
  });

  it('leaves a file alone that it refuses to overwrite', () => {
    const before = readFileSync(join(folder, 'source.raw'));
    ours('create', '-f', 'qcow2', '-b', 'source.raw', '-F', 'raw', 'over.qcow2');
    expect(ours('convert', '-f', 'qcow2', 'over.qcow2', 'source.raw').status).toBe(1);
    expect(readFileSync(join(folder, 'source.raw')).equals(before)).toBe(true);
  });

  it('is a program', () => {
    expect(tcg86Img(['create', '-f', 'qcow2', 'program.qcow2', '1M'], folder)).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^Formatting 'program.qcow2', fmt=qcow2 /) as string });
    expect(tcg86Img(['check', 'source.raw'], folder)).toEqual({ status: 63, stdout: '', stderr: 'tcg86-img: This image format does not support checks\n' });
  });

  it('helps', () => {
    expect(tcg86Img(['--help']).stdout).toMatch(/convert \[-U\] .*[^]*Supported formats: raw qcow2 qed vdi vmdk vpc\n$/);
    expect(tcg86Img(['--version']).stdout).toMatch(/^tcg86-img version \d+\.\d+\.\d+\n$/);
    expect(ours('create', '-f', 'vpc', '-o', 'help').stdout).toMatch(/^Supported vpc options:\n {2}force_size=<bool \(on\/off\)> - .*\n/);
  });

  it('shows progress, and only that', () => {
    expect(ours('convert', '-p', '-O', 'qcow2', 'source.raw', 'progress.qcow2').stdout).toMatch(/^ {4}\(0\.00\/100%\)\r(?: {4}\(\d+\.\d\d\/100%\)\r)* {4}\(100\.00\/100%\)\r\n$/);
    expect(ours('convert', '-p', '-q', '-O', 'qcow2', 'source.raw', 'progress.qcow2').stdout).toBe('');
  });

  it('joins several sources, takes a snapshot as a source, and writes into what is there', () => {
    const source = readFileSync(join(folder, 'source.raw'));
    expect(ours('convert', '-O', 'qcow2', 'source.raw', 'source.raw', 'two.qcow2').status).toBe(0);
    expect(ours('snapshot', '-c', 'both', 'two.qcow2').status).toBe(0);
    expect(ours('convert', '-n', '-f', 'raw', '-O', 'qcow2', 'source.raw', 'two.qcow2').status).toBe(0);
    expect(ours('resize', '-q', '--shrink', 'two.qcow2', '1M').status).toBe(0);
    expect(ours('convert', '-l', 'both', '-f', 'qcow2', '-O', 'raw', 'two.qcow2', 'two.raw').status).toBe(0);
    expect(readFileSync(join(folder, 'two.raw')).equals(Buffer.concat([source, source]))).toBe(true);
    expect(ours('check', '-q', 'two.qcow2').status).toBe(0);
    expect(ours('convert', '-l', 'nobody', 'two.qcow2', 'x.raw')).toMatchObject({ status: 1, stderr: "tcg86-img: Failed to load snapshot: Can't find snapshot\n" });
  });

  it('fills what is allocated to the end with -S 0, and finds zeros else', () => {
    ours('create', '-q', 'zeros.raw', '2M');
    ours('convert', '-S', '0', '-O', 'qcow2', 'zeros.raw', 'full.qcow2');
    ours('convert', '-O', 'qcow2', 'zeros.raw', 'sparse.qcow2');
    expect(statSync(join(folder, 'full.qcow2')).size).toBeGreaterThan(2 * 2 ** 20);
    expect(statSync(join(folder, 'sparse.qcow2')).size).toBeLessThan(300_000);
    expect(ours('compare', 'full.qcow2', 'sparse.qcow2').stdout).toBe('Images are identical.\n');
    expect(ours('compare', 'source.raw', 'sparse.qcow2')).toMatchObject({ status: 1, stdout: expect.stringMatching(/^Warning: Image size mismatch!\nContent mismatch at offset \d+!\n$/) as string });
  });

  it('writes and reads sizes as people do', () => {
    expect([0, 999, 1000, 65536, 999 * 1024, 1000 * 1024, 1_536_000, 127_631_360].map(sizeText)).toEqual(['0 B', '999 B', '0.977 KiB', '64 KiB', '999 KiB', '0.977 MiB', '1.46 MiB', '122 MiB']);
    expect(['5', '1k', '1.5M', '0x10', '2T', '10b', 'x', '-1', '1Z', '9E9'].map(parseBytes)).toEqual([5, 1024, 1572864, 16, 2 ** 41, 10, null, null, null, null]);
    expect(clockText(3_723_004_000_000n)).toBe('01:02:03.004');
  });
});

/** Formats and options that both programs make. */
const KINDS: [format: string, ...options: string[]][] = [
  ...('zstdCompressSync' in zlib ? [['qcow2', '-c', '-o', 'compression_type=zstd'] as [string, ...string[]]] : []),
  ['raw'], ['qcow2'], ['qcow2', '-c'], ['qcow2', '-o', 'compat=0.10'], ['qcow2', '-o', 'cluster_size=512,refcount_bits=64'], ['qcow2', '-o', 'cluster_size=2M,preallocation=metadata'],
  ['qcow2', '-o', 'lazy_refcounts=on,refcount_bits=1'], ['qed'], ['vdi'], ['vdi', '-o', 'static=on'], ['vpc'], ['vpc', '-o', 'subformat=fixed'], ['vpc', '-o', 'force_size=on'],
  ['vmdk'], ['vmdk', '-o', 'zeroed_grain=on'], ['vmdk', '-o', 'subformat=monolithicFlat'], ['vmdk', '-o', 'subformat=twoGbMaxExtentSparse'], ['vmdk', '-o', 'subformat=twoGbMaxExtentFlat'],
  ['vmdk', '-o', 'subformat=streamOptimized'],
];

describe.skipIf(!hasQemuImg)(withQemuImg('tcg86-img and qemu-img'), () => {
  it.each(KINDS.map((kind) => ({ title: kind.join(' '), kind })))('$title: each converts what the other made; info and check agree', ({ kind: [format, ...options] }) => {
    const name = (who: string): string => `${who}.${format}`;
    expect(ours('convert', '-f', 'raw', '-O', format, ...options, 'source.raw', name('ours'))).toMatchObject({ status: 0, stderr: '' });
    expect(theirs('convert', '-f', 'raw', '-O', format, ...options, 'source.raw', name('theirs'))).toMatchObject({ status: 0, stderr: '' });
    expect(theirs('compare', '-f', 'raw', '-F', format, 'source.raw', name('ours'))).toMatchObject({ status: 0 });
    expect(ours('compare', '-f', 'raw', '-F', format, 'source.raw', name('theirs'))).toMatchObject({ status: 0 });
    for (const who of ['ours', 'theirs']) {
      expect(theirs('convert', '-f', format, '-O', 'raw', name(who), `${who}-1.raw`).status).toBe(0);
      expect(ours('convert', '-f', format, '-O', 'raw', name(who), `${who}-2.raw`).status).toBe(0);
      expect(readFileSync(join(folder, `${who}-1.raw`)).equals(readFileSync(join(folder, `${who}-2.raw`)))).toBe(true);
      for (const args of [['info', '-f', format], ['info', '--output=json', '-f', format], ['check', '-f', format], ['check', '--output=json', '-f', format]]) {
        expect(renamed(ours(...args, name(who)))).toEqual(theirs(...args, name(who)));
      }
    }
  });

  it.each(['compat=1.1', 'compat=0.10', 'cluster_size=4k,lazy_refcounts=on'])('share internal snapshots (%s)', (options) => {
    ours('convert', '-O', 'qcow2', '-o', options, 'source.raw', 'shared.qcow2');
    expect(ours('snapshot', '-c', 'first', 'shared.qcow2').status).toBe(0);
    theirs('convert', '-n', '-f', 'raw', '-O', 'qcow2', 'zeros.raw', 'shared.qcow2');
    expect(theirs('snapshot', '-c', 'second one', 'shared.qcow2').status).toBe(0);
    for (const args of [['info'], ['info', '--output=json'], ['snapshot', '-l'], ['check']]) expect(renamed(ours(...args, 'shared.qcow2'))).toEqual(theirs(...args, 'shared.qcow2'));
    expect(ours('snapshot', '-a', 'first', 'shared.qcow2').status).toBe(0);
    expect(theirs('compare', '-f', 'raw', 'source.raw', 'shared.qcow2').status).toBe(0);
    expect(ours('snapshot', '-d', 'second one', 'shared.qcow2').status).toBe(0);
    expect(theirs('snapshot', '-d', 'first', 'shared.qcow2').status).toBe(0);
    expect(theirs('check', 'shared.qcow2')).toMatchObject({ status: 0 });
    expect(ours('compare', '-f', 'raw', 'source.raw', 'shared.qcow2').status).toBe(0);
  });

  it('share chains of backing files, by relative names', () => {
    mkdirSync(join(folder, 'sub'));
    theirs('create', '-q', '-f', 'qcow2', '-b', 'source.raw', '-F', 'raw', 'middle.qcow2');
    expect(ours('create', '-q', '-f', 'qcow2', '-b', '../middle.qcow2', '-F', 'qcow2', 'sub/top.qcow2', '4M').status).toBe(0);
    for (const args of [['info', '--backing-chain'], ['info', '--backing-chain', '--output=json'], ['map', '--output=json']]) expect(ours(...args, 'sub/top.qcow2')).toEqual(theirs(...args, 'sub/top.qcow2'));
    expect(theirs('compare', 'source.raw', 'sub/top.qcow2').status).toBe(0);
    expect(ours('convert', '-O', 'qcow2', '-B', 'source.raw', '-F', 'raw', 'sub/top.qcow2', 'flat.qcow2').status).toBe(0);
    expect(theirs('compare', 'flat.qcow2', 'sub/top.qcow2').status).toBe(0);
    ours('create', '-q', '-f', 'vmdk', 'parent.vmdk', '1M');
    expect(ours('create', '-q', '-f', 'vmdk', '-b', 'parent.vmdk', '-F', 'vmdk', 'child.vmdk').status).toBe(0);
    expect(ours('info', 'child.vmdk')).toEqual(theirs('info', 'child.vmdk'));
  });

  it('list bitmaps, which are not kept up when an image is changed', () => {
    theirs('create', '-q', '-f', 'qcow2', 'bitmaps.qcow2', '3000320');
    theirs('bitmap', '--add', 'bitmaps.qcow2', 'first');
    theirs('bitmap', '--add', '--disable', '-g', '128k', 'bitmaps.qcow2', 'second one');
    for (const args of [['info'], ['info', '--output=json'], ['check']]) expect(ours(...args, 'bitmaps.qcow2')).toEqual(theirs(...args, 'bitmaps.qcow2'));
    ours('convert', '-n', '-f', 'raw', '-O', 'qcow2', 'source.raw', 'bitmaps.qcow2');
    expect(ours('info', 'bitmaps.qcow2').stdout).toBe(theirs('info', 'bitmaps.qcow2').stdout);
    expect(ours('check', '-r', 'leaks', 'bitmaps.qcow2').status).toBe(0);
    expect(theirs('check', 'bitmaps.qcow2').status).toBe(0);
  });

  it('resize to the same', () => {
    for (const format of ['raw', 'qcow2', 'qed']) {
      theirs('convert', '-O', format, 'source.raw', `size.${format}`);
      expect(ours('resize', '-f', format, `size.${format}`, '+5M')).toMatchObject({ status: 0, stdout: 'Image resized.\n' });
      expect(theirs('compare', '-f', 'raw', '-F', format, 'source.raw', `size.${format}`).stdout).toBe('Warning: Image size mismatch!\nImages are identical.\n');
    }
    expect(theirs('check', 'size.qcow2').status).toBe(0);
    expect(ours('resize', '--shrink', 'size.qcow2', '1M').status).toBe(0);
    expect(theirs('check', 'size.qcow2').status).toBe(0);
    expect(theirs('info', 'size.qcow2').stdout).toContain('virtual size: 1 MiB (1048576 bytes)');
  });

  it('find the same damage', () => {
    theirs('convert', '-O', 'qcow2', 'source.raw', 'damaged.qcow2');
    const data = readFileSync(join(folder, 'damaged.qcow2'));
    data.writeUInt16BE(0, 2 * 65_536 + 6 * 2);
    data.writeUInt16BE(7, 2 * 65_536 + 9 * 2);
    writeFileSync(join(folder, 'damaged.qcow2'), data);
    expect(renamed(ours('check', 'damaged.qcow2'))).toEqual(theirs('check', 'damaged.qcow2'));
    expect(ours('check', '-r', 'leaks', 'damaged.qcow2').status).toBe(2);
    expect(ours('check', '-r', 'all', 'damaged.qcow2')).toMatchObject({ status: 0, stdout: expect.stringContaining('Double checking the fixed image now...') as string });
    expect(theirs('check', 'damaged.qcow2').status).toBe(0);
    expect(theirs('compare', 'source.raw', 'damaged.qcow2').status).toBe(0);
  });

  it.each([
    ['create', '-f', 'qcow2', 'f.qcow2', '10M'], ['create', '-f', 'qcow2', '-o', 'compat=0.10,preallocation=metadata', 'f.qcow2', '1M'], ['create', '-f', 'qed', '-o', 'table_size=2', 'f.qed', '1M'],
    ['create', '-f', 'vdi', 'f.vdi', '3M'], ['create', '-f', 'vpc', '-o', 'subformat=fixed,force_size=on', 'f.vpc', '3M'], ['create', '-f', 'raw', 'f.raw', '1500'],
    ['create', '-f', 'vmdk', '-o', 'adapter_type=lsilogic,subformat=monolithicFlat', 'f.vmdk', '3M'], ['create', '-f', 'qcow2', '-u', '-b', 'nowhere', '-F', 'raw', 'f.qcow2', '5M'],
  ])('print the same: %s %s %s %s %s', (...args) => {
    const shown = ['info', '-f', args[2]!, args.find((word) => word.startsWith('f.'))!];
    // Room on the host and random ids differ.
    const same = (text: string): string => text.replace(/(disk size|cid):.*/g, '');
    expect(ours(...args)).toEqual(theirs(...args));
    const made = theirs(...shown).stdout;
    ours(...args);
    expect(same(theirs(...shown).stdout)).toBe(same(made));
  });
});
