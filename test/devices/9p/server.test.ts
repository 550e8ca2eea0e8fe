/** The 9P server on a real folder of the host: every request, limits, and messages that make no sense. */
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalFolder } from '../../../src/backends/shared-folder.ts';
import { WireWriter } from '../../../src/devices/9p/wire.ts';
import { Client, ROOM } from './client.ts';

const errno = (number: number): string => `errno ${number}`;
const ENOENT = 2, EBADF = 9, EEXIST = 17, EISDIR = 21, ENOTDIR = 20, EINVAL = 22, EROFS = 30, ENOTEMPTY = 39, EPROTO = 71, EMSGSIZE = 90, EOPNOTSUPP = 95, EPERM = 1;

let scratch: string, root: string, folder: LocalFolder, client: Client;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tcg86-9p-'));
  root = join(scratch, 'share');
  mkdirSync(join(root, 'a/b'), { recursive: true });
  writeFileSync(join(root, 'file'), 'contents');
  folder = new LocalFolder(root);
  client = new Client(folder);
});
afterEach(() => {
  client.server.reset();
  folder.close();
  rmSync(scratch, { recursive: true });
});

describe('9P server', () => {
  it('reads, at any offset, to the end', () => {
    const fid = client.open(client.walk(['file']));
    expect([client.read(fid), client.read(fid, 3, 2), client.read(fid, 8), client.read(fid, 2 ** 50)]).toEqual(['contents', 'te', '', '']);
    client.clunk(fid);
    expect(() => client.read(fid)).toThrow(errno(EBADF));
  });

  it('creates, writes, cuts, syncs', () => {
    const fid = client.create(client.walk([]), 'new', 0o102, 0o640);
    expect(client.write(fid, 'hello world')).toBe(11);
    expect(client.write(fid, 'W', 6)).toBe(1);
    client.call(50, (w) => w.u32(fid).u32(0));
    client.setattr(fid, 8, { size: 7 });
    expect(readFileSync(join(root, 'new'), 'utf8')).toBe('hello W');
    expect(statSync(join(root, 'new')).mode & 0o7777).toBe(0o640);
    expect(() => client.create(client.walk([]), 'new', 0o302)).toThrow(errno(EEXIST));
    client.create(client.walk([]), 'new', 0o1102);
    expect(statSync(join(root, 'new')).size).toBe(0);
  });

  it('a file that is gone from its folder can be used while it is open', () => {
    const fid = client.open(client.walk(['file']), 2);
    client.unlinkat(0, 'file');
    expect(client.getattr(fid).size).toBe(8n);
    client.write(fid, 'C');
    expect(client.read(fid)).toBe('Contents');
  });

  it('lists folders, in pieces too, and sees changes when read again', () => {
    for (let i = 0; i < 200; i++) writeFileSync(join(root, 'a/b', `name-${i}`), '');
    const fid = client.open(client.walk(['a', 'b'])), expected = ['.', '..', ...readdirSync(join(root, 'a/b'))].sort();
    expect(client.names(fid).sort()).toEqual(expected);
    expect(client.names(fid, 100).sort()).toEqual(expected);
    rmSync(join(root, 'a/b/name-7'));
    expect(client.names(fid).length).toBe(expected.length - 1);
    expect(() => client.names(fid, 10)).toThrow(errno(EINVAL));
  });

  it('names are bytes, whatever they mean', () => {
    const name = Buffer.from('héé\udcff ', 'utf8').toString('latin1') + '\xff\x01';
    client.create(client.walk([]), name);
    expect(client.names(client.open(client.walk([])))).toContain(name);
    expect(client.getattr(client.walk([name])).size).toBe(0n);
  });

  it('attributes', () => {
    const fid = client.walk(['file']);
    client.setattr(fid, 1, { mode: 0o100751 });
    client.setattr(fid, 0x1b0, { atime: 1_000_000_000, mtime: 1_500_000_000 });
    expect(client.getattr(fid)).toMatchObject({ qid: 0, mode: 0o100751, size: 8n, mtime: 1_500_000_000_000_000_000n });
    client.setattr(fid, 0x10, {});
    expect(client.getattr(fid).mtime).toBe(1_500_000_000_000_000_000n);
    expect(statSync(join(root, 'file')).atimeMs).toBeGreaterThan(1.7e12);
    expect(client.getattr(client.walk(['a'])).qid).toBe(0x80);
  });

  it('folders, links, and moving: fids follow', () => {
    client.mkdir(0, 'd');
    expect(() => client.mkdir(0, 'd')).toThrow(errno(EEXIST));
    const inside = client.walk(['a', 'b']);
    client.symlink(0, 'link', '../../etc/passwd');
    expect(client.readlink(client.walk(['link']))).toBe('../../etc/passwd');
    expect(readlinkSync(join(root, 'link'))).toBe('../../etc/passwd');
    client.link(client.walk(['d']), client.walk(['file']), 'hard');
    expect(statSync(join(root, 'd/hard')).ino).toBe(statSync(join(root, 'file')).ino);
    client.renameat(0, 'a', client.walk(['d']), 'moved');
    client.create(inside, 'here');
    expect(existsSync(join(root, 'd/moved/b/here'))).toBe(true);
    client.rename(client.walk(['file']), 0, 'other');
    expect(existsSync(join(root, 'other'))).toBe(true);
    expect(() => client.unlinkat(0, 'd', true)).toThrow(errno(ENOTEMPTY));
    client.unlinkat(client.walk(['d']), 'hard');
    client.remove(client.walk(['other']));
    client.mkdir(0, 'e');
    client.remove(client.walk(['e']));
    expect(readdirSync(root).sort()).toEqual(['d', 'link']);
  });

  it('plain nodes can be made, devices and pipes not', () => {
    client.mknod(0, 'plain', 0o100600);
    expect(lstatSync(join(root, 'plain')).isFile()).toBe(true);
    for (const type of [0o010000, 0o020000, 0o060000, 0o140000]) expect(() => client.mknod(0, 'node', type | 0o600)).toThrow(errno(EPERM));
    expect(existsSync(join(root, 'node'))).toBe(false);
  });

  it('volume, locks, flush; no authentication, attributes, or older requests', () => {
    const fid = client.open(client.walk(['file']), 2), volume = client.call(8, (w) => w.u32(fid));
    volume.u32();
    expect(volume.u32()).toBeGreaterThan(0);
    expect(client.call(52, (w) => w.u32(fid).u8(1).u32(0).u64(0n).u64(0n).u32(7).string('guest')).u8()).toBe(0);
    expect(client.call(54, (w) => w.u32(fid).u8(1).u64(1n).u64(2n).u32(7).string('guest')).u8()).toBe(2);
    client.call(108, (w) => w.u16(3));
    for (const type of [30, 32, 102, 112, 114, 124, 126, 99, 6, 255]) expect(() => client.call(type, (w) => w.u32(fid).u32(9).string('x'))).toThrow(errno(EOPNOTSUPP));
  });

  it('a walk stops where the way ends', () => {
    expect(() => client.walk(['none'])).toThrow(errno(ENOENT));
    expect(() => client.walk(['a', 'none', 'c'])).toThrow('reached 1');
    expect(() => client.walk(['file', 'x'])).toThrow('reached 1');
    expect(() => client.walk(Array<string>(17).fill('.'))).toThrow(errno(EINVAL));
    expect(() => client.call(110, (w) => w.u32(0).u32(0x7777).u16(1).string('a')).u16() && client.walk([], 0x7777) && client.call(110, (w) => w.u32(0).u32(0x7777).u16(0))).toThrow(errno(EINVAL));
  });

  it('refuses what does not fit a fid', () => {
    const opened = client.open(client.walk(['file']));
    expect(() => client.open(opened)).toThrow(errno(EINVAL));
    expect(() => client.open(client.walk(['a']), 1)).toThrow(errno(EISDIR));
    expect(() => client.read(client.walk(['file']))).toThrow(errno(EBADF));
    expect(() => client.read(client.open(client.walk(['a'])))).toThrow(errno(EISDIR));
    expect(() => client.names(opened)).toThrow(errno(ENOTDIR));
    expect(() => client.write(client.open(client.walk(['file'])), 'x')).toThrow(errno(EBADF));
    expect(() => client.clunk(99)).toThrow(errno(EBADF));
  });

  it('read only: each change is EROFS, and nothing changes', () => {
    symlinkSync('file', join(root, 'link'));
    const before = readdirSync(root, { recursive: true }), fixed = new LocalFolder(root, { readOnly: true }), reader = new Client(fixed);
    const changes: (() => void)[] = [
      () => reader.open(reader.walk(['file']), 1), () => reader.open(reader.walk(['file']), 2), () => reader.open(reader.walk(['file']), 0o1000), () => reader.create(reader.walk([]), 'x'),
      () => reader.write(reader.open(reader.walk(['file'])), 'x'), () => reader.setattr(reader.walk(['file']), 1, { mode: 0 }), () => reader.symlink(0, 'x', 'y'), () => reader.mkdir(0, 'x'),
      () => reader.mknod(0, 'x', 0o100600), () => reader.link(0, reader.walk(['file']), 'x'), () => reader.rename(reader.walk(['file']), 0, 'x'),
      () => reader.renameat(0, 'file', 0, 'x'), () => reader.unlinkat(0, 'file'), () => reader.unlinkat(0, 'a', true), () => reader.remove(reader.walk(['file'])),
    ];
    for (const change of changes) expect(change, change.toString()).toThrow(errno(EROFS));
    expect(reader.read(reader.open(reader.walk(['file'])))).toBe('contents');
    expect(readdirSync(root, { recursive: true })).toEqual(before);
    fixed.close();
  });

  it('agrees on a size, and keeps to it', () => {
    writeFileSync(join(root, 'large'), Buffer.alloc(100_000, 'x'));
    const small = new Client(folder, 8192), fid = small.open(small.walk(['large']));
    expect(small.read(fid, 0, 100_000).length).toBe(8192 - 11);
    expect(() => small.write(fid, 'x'.repeat(9000))).toThrow(errno(EMSGSIZE));
    expect(client.read(client.open(client.walk(['large'])), 0, 2 ** 32 - 1).length).toBe(ROOM - 11);
    expect(client.call(100, (w) => w.u32(2 ** 31).string('9P2000.L')).u32()).toBe(1 << 20);
    expect(() => client.call(100, (w) => w.u32(100).string('9P2000.L'))).toThrow(errno(EMSGSIZE));
    const unknown = client.call(100, (w) => w.u32(8192).string('9P2000'));
    expect([unknown.u32(), unknown.string()]).toEqual([8192, 'unknown']);
    expect(() => client.walk([])).toThrow(errno(EPROTO));
  });

  it('an answer without room is an error, or nothing', () => {
    expect(() => client.call(24, (w) => w.u32(0).u64(0n), 60)).toThrow(errno(EMSGSIZE));
    expect(() => client.call(24, (w) => w.u32(0).u64(0n), 10)).toThrow('no answer');
  });

  it('messages that make no sense are answered with an error, whatever is in them', () => {
    let seed = 1;
    const random = (limit: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % limit;
    };
    const types = [8, 12, 14, 16, 18, 20, 22, 24, 26, 30, 40, 50, 52, 54, 70, 72, 74, 76, 104, 108, 110, 116, 118, 120, 122];
    for (let round = 0; round < 20_000; round++) {
      const message = new WireWriter();
      for (let part = random(6); part > 0; part--) {
        if (random(2) === 0) message.u32(random(4) === 0 ? seed : random(6));
        else message.string(['a', '..', '', 'a/b', 'x\0', 'file', 'new'][random(7)]!);
      }
      const bytes = message.finish(types[random(types.length)]!, round & 0xff).slice(0, random(8) === 0 ? random(16) : undefined);
      if (random(8) === 0 && bytes.length > 0) bytes[random(bytes.length)] = random(256);
      const answer = client.server.handle(bytes, random(4) === 0 ? random(64) : 4096);
      if (answer.length > 0) expect(new DataView(answer.buffer, answer.byteOffset).getUint32(0, true)).toBe(answer.length);
    }
    expect(readdirSync(scratch)).toEqual(['share']);
  });
});
