/** Named machines: what a name stands for, and how their images are found, unpacked, downloaded, and not left half done. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageCache, cacheFolder } from '../../src/backends/image-cache.ts';
import { NAMED_MACHINES, addressesOf } from '../../src/cli/catalogue.ts';
import type { CatalogueFile } from '../../src/cli/catalogue.ts';
import { ImageFinder, describeImages } from '../../src/cli/named-images.ts';
import type { ImageSources } from '../../src/cli/named-images.ts';
import { parseArguments } from '../../src/cli/options.ts';
import { progressLine } from '../../src/cli/progress.ts';
import { startServer } from './image-server.ts';
import type { ImageServer } from './image-server.ts';

const BYTES = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => index * index >> 3));
const WANTED: CatalogueFile = {
  name: 'disk.img', size: BYTES.length, sha256: createHash('sha256').update(BYTES).digest('hex'), place: 'some/disk.img', origin: 'owner/repository/c0ffee/disk.img',
};

let scratch: string, images: string, cache: ImageCache, server: ImageServer | null, written: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tcg86-images-'));
  images = join(scratch, 'images');
  mkdirSync(join(images, 'deep/er'), { recursive: true });
  cache = new ImageCache(join(scratch, 'cache'));
  server = null;
  written = '';
});
afterEach(async () => {
  await server?.close();
  rmSync(scratch, { recursive: true });
});

const sources = (more: Partial<ImageSources> = {}): ImageSources => ({
  folder: images, mirror: 'http://127.0.0.1:1', cache,
  terminal: { isTTY: false, columns: 80, write: (text: string | Uint8Array) => { written += String(text); return true; } } as ImageSources['terminal'], ...more,
});
const bring = (more: Partial<ImageSources> = {}): Promise<string> => new ImageFinder(sources(more)).bring(WANTED);
const cached = (): string[] => (existsSync(cache.folder) ? readdirSync(cache.folder) : []);

/** Brings from a server; what is in the cache afterwards must be whole or nothing. */
async function fails(more: Partial<ImageSources>, pattern: RegExp): Promise<void> {
  const error = await bring(more).then(() => null, (reason: Error) => reason);
  expect(error?.message).toMatch(pattern);
  expect(error?.name).toBe('UsageError');
  expect(error?.message).not.toContain('\n');
  expect(cached()).toEqual([]);
}

describe('images in the folder', () => {
  it('are found by their contents, whatever they are called', async () => {
    writeFileSync(join(images, 'disk.img'), Buffer.from(BYTES).fill(1, 5, 6));
    writeFileSync(join(images, 'deep/er/another'), BYTES);
    expect(await bring()).toBe(join(images, 'deep/er/another'));
    expect(cached()).toEqual([]);
  });

  it('are found where links lead in circles', async () => {
    symlinkSync(images, join(images, 'deep/loop'));
    symlinkSync(join(images, 'nothing'), join(images, 'broken'));
    writeFileSync(join(images, 'deep/er/x'), BYTES);
    expect(readFileSync(await bring()).equals(BYTES)).toBe(true);
  });

  it('are unpacked into the cache, once', async () => {
    writeFileSync(join(images, 'packed.gz'), gzipSync(BYTES));
    const path = await bring();
    expect(path).toBe(cache.path(WANTED));
    expect(readFileSync(path).equals(BYTES)).toBe(true);
    expect(cached()).toEqual(['disk.img']);
    utimesSync(path, 1, 1);
    expect(await bring()).toBe(path);
    expect(written.match(/unpacking/g)).toHaveLength(1);
  });

  it('that are damaged or something else are passed over', async () => {
    writeFileSync(join(images, 'a.gz'), gzipSync(Buffer.from(BYTES).fill(9)));
    writeFileSync(join(images, 'b.gz'), gzipSync(BYTES).fill(0x55, 1000, 1100));
    writeFileSync(join(images, 'c.gz'), 'no gzip file');
    writeFileSync(join(images, 'disk.img.xz'), 'no xz file');
    await fails({}, /cannot reach/);
  });

  it('need not be there', async () => {
    cache.keep(WANTED, BYTES);
    expect(await bring({ folder: join(scratch, 'nowhere') })).toBe(cache.path(WANTED));
    expect(await bring({ folder: undefined })).toBe(cache.path(WANTED));
  });
});

describe('downloads', () => {
  const serving = async (path: string, bytes: Uint8Array): Promise<Partial<ImageSources>> => {
    server = await startServer((asked, response) => asked === path && Boolean(response.writeHead(200, { 'content-length': bytes.length }).end(bytes)));
    return { mirror: `${server.address}/` };
  };

  it.each(['owner/repository/c0ffee/disk.img', 'some/disk.img', 'disk.img'])('come from %s', async (path) => {
    const path1 = await bring(await serving(path, BYTES));
    expect(readFileSync(path1).equals(BYTES)).toBe(true);
    expect(cached()).toEqual(['disk.img']);
    expect(written).toMatch(/^(tcg86: downloading disk\.img from 127\.0\.0\.1:\d+\n)+$/);
  });

  it.each(['some/disk.img.gz', 'disk.img.gz'])('come packed from %s', async (path) => {
    expect(readFileSync(await bring(await serving(path, gzipSync(BYTES)))).equals(BYTES)).toBe(true);
  });

  it('replace a copy in the cache that is not right any more', async () => {
    cache.keep(WANTED, BYTES);
    writeFileSync(cache.path(WANTED), Buffer.from(BYTES).fill(3, 77, 78));
    await bring(await serving('disk.img', BYTES));
    expect(readFileSync(cache.path(WANTED)).equals(BYTES)).toBe(true);
  });

  it('of wrong contents are refused', async () => {
    await fails(await serving('disk.img', Buffer.from(BYTES).fill(3, 77, 78)), /^disk\.img: what is at http.*disk\.img is not the file wanted: its SHA-256 is \w{64} instead of \w{64}\. To do it by hand: .*TCG86_IMAGES$/);
  });

  it.each([['shorter', BYTES.subarray(9), /has 299991 bytes instead of 300000/], ['longer', Buffer.alloc(BYTES.length + (2 << 20)), /larger than/]] as const)('that are %s are refused', async (_, bytes, pattern) => {
    await fails(await serving('disk.img', bytes), pattern);
  });

  it('packed in a wrong way are refused', async () => {
    await fails(await serving('disk.img.gz', BYTES), /not a gzip file/);
  });

  it('that break off are refused', async () => {
    server = await startServer((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length }).write(BYTES.subarray(0, 100_000), () => response.destroy());
      return true;
    });
    await fails({ mirror: server.address }, /^disk\.img: http.*: broke off after \d+ bytes\. To do it by hand/);
  });

  it('that stall are given up', async () => {
    server = await startServer((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length }).write(BYTES.subarray(0, 1000));
      return true;
    });
    await fails({ mirror: server.address, patience: 100 }, /nothing came for 0\.1 seconds/);
  });

  it('can be interrupted', async () => {
    const control = new AbortController();
    server = await startServer((_, response) => {
      response.writeHead(200).write(BYTES.subarray(0, 1000), () => control.abort(new Error('that is enough')));
      return true;
    });
    await expect(bring({ mirror: server.address, signal: control.signal })).rejects.toThrow('that is enough');
    expect(cached()).toEqual([]);
  });

  it('without a network, a server or the file say what to do', async () => {
    await fails({ mirror: 'http://127.0.0.1:1' }, /^disk\.img: http:.*: cannot reach 127\.0\.0\.1:1 \(.+\)\. To do it by hand: put disk\.img from https:\/\/raw\.githubusercontent\.com\/owner\/repository\/c0ffee\/disk\.img into a folder and name that in TCG86_IMAGES$/);
    await fails({ mirror: 'http://no.such.host.invalid' }, /cannot reach no\.such\.host\.invalid \((host not found|no name server answers)\)/);
    await fails({ mirror: 'ftp://somewhere' }, /^TCG86_MIRROR=ftp:\/\/somewhere: not an http/);
    server = await startServer(() => false);
    await fails({ mirror: server.address }, /the server says 404 Not Found/);
    expect(server.asked).toEqual(['owner/repository/c0ffee/disk.img', 'some/disk.img', 'some/disk.img.gz', 'disk.img', 'disk.img.gz']);
  });
});

describe('the cache', () => {
  it('keeps nothing where the disk is full', async () => {
    writeFileSync(join(images, 'packed.gz'), gzipSync(BYTES));
    let calls = 0;
    const full = new ImageCache(cache.folder, (() => {
      if (calls++ > 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      return 1000;
    }) as ConstructorParameters<typeof ImageCache>[1]);
    await fails({ cache: full }, /^cannot keep disk\.img \(0\.3 MB\) in .*cache: no space left on device\. XDG_CACHE_HOME names another place$/);
  });

  it('says why it cannot be written', async () => {
    writeFileSync(join(images, 'packed.gz'), gzipSync(BYTES));
    writeFileSync(join(scratch, 'file'), '');
    await fails({ cache: new ImageCache(join(scratch, 'file/cache')) }, /^cannot keep disk\.img .*: not a directory\./);
  });

  it('removes what killed processes left, and not what others are writing', () => {
    mkdirSync(cache.folder);
    writeFileSync(join(cache.folder, '.disk.img.999999999.part'), 'half');
    writeFileSync(join(cache.folder, `.other.img.${process.ppid}.part`), 'half');
    cache.keep(WANTED, BYTES);
    expect(cached().sort()).toEqual([`.other.img.${process.ppid}.part`, 'disk.img']);
  });

  it('lies where the platform wants it', () => {
    const home = homedir();
    expect(cacheFolder({}, 'linux')).toBe(join(home, '.cache/tcg86'));
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/x/tcg86');
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative' }, 'linux')).toBe(join(home, '.cache/tcg86'));
    expect(cacheFolder({}, 'darwin')).toBe(join(home, 'Library/Caches/tcg86'));
    expect(cacheFolder({ LOCALAPPDATA: '/local' }, 'win32')).toBe('/local/tcg86/Cache');
  });
});

describe('names', () => {
  it('stand for drives, memory and boot order, and every option changes that wherever it stands', () => {
    const plain = parseArguments(['linux-0.11-hd']);
    expect(plain).toMatchObject({ memory: 16 << 20, bootOrder: 'a', name: 'linux-0.11-hd', snapshot: false });
    expect(plain.drives.map(({ interface: kind, index, image, snapshot }) => [kind, index, image?.name, snapshot])).toEqual([
      ['floppy', 0, 'bootimage-0.11-hd', true], ['ide', 0, 'hdc-0.11.img', true],
    ]);
    for (const args of [['-m', '32M', '-hda', 'my.img', '-boot', 'c', 'linux-0.11-hd'], ['linux-0.11-hd', '-boot', 'c', 'my.img', '-m', '32M']]) {
      const changed = parseArguments(args);
      expect(changed).toMatchObject({ memory: 32 << 20, bootOrder: 'c' });
      expect(changed.drives.map(({ file, image, snapshot }) => [file, image?.name, snapshot])).toEqual([['', 'bootimage-0.11-hd', true], ['my.img', undefined, false]]);
    }
    expect(parseArguments(['./freedos']).drives).toMatchObject([{ file: './freedos', interface: 'ide' }]);
    expect(parseArguments(['-name', 'freedos']).drives).toEqual([]);
  });

  it('come one at a time', () => {
    expect(() => parseArguments(['freedos', 'linux-0.11'])).toThrow('linux-0.11: a machine has one name, and this one is freedos');
    expect(() => parseArguments(['freedos', '-fda', 'a', '-fda', 'b'])).toThrow('exists');
  });

  it('are listed with where their images are', () => {
    expect(describeImages(sources({ folder: undefined }))).toMatch(/^freedos +FreeDOS.*\n +-fda freedos722\.img +not here yet: downloaded at the first start \(0\.7 MB\)$/m);
  });

  it('have pinned addresses', () => {
    for (const file of NAMED_MACHINES.flatMap(({ drives }) => Object.values(drives))) {
      expect(addressesOf(file, undefined)[0]).toMatch(/^https:\/\/raw\.githubusercontent\.com\/[\w.-]+\/[\w.-]+\/[0-9a-f]{40}\/[\w./-]+$/);
      expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

it('the bar shows how far a download is', () => {
  expect(progressLine('x', 1e6, 4e6)).toBe('x  [########......................]  25 %  1.0 MB of 4.0 MB');
  expect(progressLine('x', 4e6, 4e6)).toContain('[##############################] 100 %');
  expect(progressLine('x', 1.5e6, 0)).toBe('x  1.5 MB');
});
