/** A guest that tries to get out of its folder, in each way, with and without /proc/self/fd. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalFolder } from '../../src/backends/shared-folder.ts';
import { Client } from '../devices/9p/client.ts';

const READ = { read: true, write: false, append: false, truncate: false, sync: false }, WRITE = { ...READ, write: true, truncate: true };
const OWNER = { uid: 0, gid: 0 };

let scratch: string, root: string, folder: LocalFolder, client: Client;

describe.each([['by descriptors', process.platform === 'linux'], ['by paths', false]])('shared folder, %s', (_title, descriptors) => {
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'tcg86-share-'));
    root = join(scratch, 'share');
    mkdirSync(join(root, 'inner/deep'), { recursive: true });
    mkdirSync(join(scratch, 'outside'));
    writeFileSync(join(scratch, 'outside/secret'), 'secret', { mode: 0o600 });
    folder = new LocalFolder(root, {}, descriptors);
    client = new Client(folder);
  });
  afterEach(() => {
    expect(readFileSync(join(scratch, 'outside/secret'), 'utf8')).toBe('secret');
    expect(statSync(join(scratch, 'outside/secret')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(scratch, 'outside'))).toEqual(['secret']);
    expect(readdirSync(scratch).sort()).toEqual(['outside', 'share']);
    client.server.reset();
    folder.close();
    rmSync(scratch, { recursive: true });
  });

  it('.. of the folder is the folder', () => {
    for (const names of [['..', 'outside', 'secret'], ['inner', '..', '..', 'outside'], ['inner', 'deep', '..', '..', '..', '..', 'outside']]) expect(() => client.walk(names)).toThrow();
    const up = client.walk(['..', '..']);
    expect(client.names(client.open(up)).sort()).toEqual(['.', '..', 'inner']);
    expect(client.walk(['..', '..', 'inner', '..', 'inner'])).toBeGreaterThan(0);
  });

  it('names with a slash or a NUL, empty ones, and dots are no names', () => {
    for (const name of ['../outside/secret', '/etc/passwd', 'inner/deep', '', 'x\0y', '..\0', '.', '..']) {
      const tries: (() => void)[] = [
        () => client.create(client.walk([]), name), () => client.mkdir(0, name), () => client.symlink(0, name, 'x'), () => client.mknod(0, name, 0o100600),
        () => client.link(0, client.walk(['inner']), name), () => client.rename(client.walk(['inner']), 0, name), () => client.renameat(0, 'inner', 0, name),
        () => client.renameat(0, name, 0, 'x'), () => client.unlinkat(0, name), () => client.unlinkat(0, name, true),
      ];
      for (const attempt of tries) expect(attempt, `${JSON.stringify(name)} ${attempt.toString()}`).toThrow(/errno/);
      if (name !== '.' && name !== '..') expect(() => client.walk([name])).toThrow(/errno/);
    }
    expect(readdirSync(root, { recursive: true }).sort()).toEqual(['inner', 'inner/deep']);
  });

  it.each([['absolute', (): string => join(scratch, 'outside')], ['relative', (): string => '../outside']])('%s symbolic links, as a file and on the way, lead nowhere', (_kind, target) => {
    client.symlink(0, 'folder', target());
    client.symlink(0, 'file', `${target()}/secret`);
    client.symlink(0, 'dangling', `${target()}/new`);
    expect(() => client.walk(['folder', 'secret'])).toThrow('reached 1');
    for (const name of ['folder', 'file', 'dangling']) {
      const fid = client.walk([name]);
      for (const flags of [0, 1, 2, 0o1002, 0o2001]) expect(() => client.open(client.walk([name]), flags)).toThrow('errno 40');
      expect(() => client.setattr(fid, 1, { mode: 0o777 })).toThrow('errno 40');
      expect(() => client.setattr(fid, 8, { size: 0 })).toThrow('errno 40');
      expect(() => client.create(client.walk([name]), 'new')).toThrow('errno 20');
      expect(() => client.create(client.walk([]), name)).toThrow(/errno/);
      expect(() => client.mkdir(fid, 'new')).toThrow('errno 20');
      expect(() => client.symlink(fid, 'new', 'x')).toThrow('errno 20');
      expect(() => client.link(fid, client.walk(['inner']), 'new')).toThrow('errno 20');
      expect(() => client.unlinkat(fid, 'secret')).toThrow('errno 20');
      expect(() => client.renameat(fid, 'secret', 0, 'stolen')).toThrow('errno 20');
      expect(() => client.renameat(0, 'inner', fid, 'new')).toThrow('errno 20');
      client.setattr(fid, 0x1b0, { atime: 1, mtime: 1 });
      expect(client.getattr(fid)).toMatchObject({ qid: 2, mtime: 1_000_000_000n });
      client.call(8, (w) => w.u32(fid));
    }
    expect(statSync(join(scratch, 'outside/secret')).mtimeMs).toBeGreaterThan(1e12);
    // A second name for a link is a link.
    client.link(0, client.walk(['file']), 'again');
    expect(client.getattr(client.walk(['again'])).qid).toBe(2);
  });

  it('a folder that the host swaps for a link while the guest is in it', () => {
    const deep = client.walk(['inner', 'deep']), inner = client.walk(['inner']);
    renameSync(join(root, 'inner'), join(root, 'was'));
    symlinkSync('../outside', join(root, 'inner'));
    expect(() => client.create(deep, 'new')).toThrow('errno 20');
    expect(() => client.open(client.walk(['secret'], inner))).toThrow(/errno 20/);
    expect(() => client.unlinkat(inner, 'secret')).toThrow('errno 20');
    expect(() => folder.list(['inner'])).toThrow();
  });

  it('a file that the host swaps for a link or a pipe between walk and open', () => {
    writeFileSync(join(root, 'plain'), 'x');
    const fid = client.walk(['plain']);
    unlinkSync(join(root, 'plain'));
    symlinkSync('../outside/secret', join(root, 'plain'));
    expect(() => client.open(fid, 0o1002)).toThrow('errno 40');
    expect(() => folder.open(['plain'], WRITE)).toThrow(/ELOOP/);
    expect(() => folder.create(['plain'], WRITE, false, 0o600, OWNER)).toThrow(/ELOOP/);
    if (process.platform !== 'linux') return;
    execFileSync('mkfifo', [join(root, 'pipe')]);
    expect(() => client.open(client.walk(['pipe']))).toThrow('errno 6');
    expect(() => folder.open(['pipe'], READ)).toThrow(/ENXIO/);
    expect(() => folder.create(['pipe'], READ, false, 0o600, OWNER)).toThrow(/ENXIO/);
  });

  it('a host that renames folders and links all the time: a name is a folder inside, or nothing', async () => {
    const { spawn } = await import('node:child_process');
    const script = `const fs = require('fs'); process.chdir(process.argv[1]); fs.symlinkSync('../outside', 'link'); process.stdout.write('go');
      for (;;) { fs.renameSync('inner', 'kept'); fs.renameSync('link', 'inner'); fs.renameSync('inner', 'link'); fs.renameSync('kept', 'inner'); }`;
    const other = spawn(process.execPath, ['-e', script, root], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => other.once('exit', resolve));
    await new Promise((resolve) => other.stdout.once('data', resolve));
    let inside = 0, refused = 0;
    for (let round = 0; round < 3000; round++) {
      try {
        folder.create(['inner', 'deep', `f${round % 10}`], WRITE, false, 0o600, OWNER).close();
        inside++;
      } catch {
        refused++;
      }
      // Without /proc the host could win the race: this part needs it.
      if (!descriptors) continue;
      try {
        folder.create(['inner', 'new'], WRITE, false, 0o600, OWNER).close();
        folder.open(['inner', 'secret'], WRITE).close();
        expect.unreachable();
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^(ENOTDIR|ENOENT)$/);
      }
    }
    other.kill();
    await ended;
    expect(inside + refused).toBe(3000);
  });

  it('the root may be a link itself, and need not be a folder', () => {
    symlinkSync('share', join(scratch, 'outside', 'to-root'));
    unlinkSync(join(scratch, 'outside', 'to-root'));
    symlinkSync(root, join(root, 'self'));
    const again = new LocalFolder(join(root, 'self'), {}, descriptors);
    expect(again.list([]).sort()).toEqual(['inner', 'self']);
    again.close();
    expect(() => new LocalFolder(join(scratch, 'outside/secret'), {}, descriptors)).toThrow('not a directory');
    expect(() => new LocalFolder(join(scratch, 'none'), {}, descriptors)).toThrow('ENOENT');
  });
});
