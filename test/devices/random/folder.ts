/** A shared folder in memory, which holds the 9P server to its side of the contract (src/devices/9p/folder.ts): what a path, an offset or a length may be. */
import { TYPE_FILE, TYPE_FOLDER, TYPE_LINK } from '../../../src/devices/9p/folder.ts';
import type { FileStatus, FolderPath, NewTimes, OpenFile, SharedFolder, VolumeStatus } from '../../../src/devices/9p/folder.ts';

const MOST_FILES = 64, MOST_BYTES = 1 << 16;

interface Entry {
  readonly ino: bigint;
  readonly type: number;
  mode: number;
  bytes: Uint8Array;
  target: string;
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });

export class MemoryFolder implements SharedFolder {
  readonly readOnly = false;
  /** What the server did that it must not. */
  readonly wrong: string[] = [];
  readonly #entries = new Map<string, Entry>();
  #made = 0;

  constructor() {
    this.#make([], TYPE_FOLDER, 0o755);
  }

  status(path: FolderPath): FileStatus {
    return statusOf(this.#at(path));
  }

  volume(path: FolderPath): VolumeStatus {
    this.#at(path);
    return { type: 1n, bsize: 4096n, blocks: 64n, bfree: 32n, bavail: 32n, files: 64n, ffree: 32n };
  }

  list(path: FolderPath): string[] {
    this.#folder(path);
    return [...this.#entries.keys()].filter((key) => key !== '' && isBelow(key, keyOf(path)) && !key.slice(keyOf(path).length + 1).includes('/')).map((key) => key.slice(keyOf(path).length + 1));
  }

  open(path: FolderPath): OpenFile {
    const entry = this.#at(path);
    if (entry.type === TYPE_FOLDER) throw failure('EISDIR');
    if (entry.type === TYPE_LINK) throw failure('ELOOP');
    return this.#file(entry);
  }

  create(path: FolderPath, _options: unknown, exclusive: boolean, mode: number): OpenFile {
    if (!this.#entries.has(keyOf(path))) this.#make(path, TYPE_FILE, mode);
    else if (exclusive) throw failure('EEXIST');
    return this.open(path);
  }

  mkdir(path: FolderPath, mode: number): void {
    this.#make(path, TYPE_FOLDER, mode);
  }

  mknod(path: FolderPath, type: number, mode: number): void {
    this.#make(path, type || TYPE_FILE, mode);
  }

  symlink(path: FolderPath, target: string): void {
    this.#make(path, TYPE_LINK, 0o777).target = target;
  }

  readlink(path: FolderPath): string {
    const { type, target } = this.#at(path);
    if (type !== TYPE_LINK) throw failure('EINVAL');
    return target;
  }

  link(path: FolderPath, target: FolderPath): void {
    const entry = this.#at(target);
    if (entry.type === TYPE_FOLDER) throw failure('EPERM');
    this.#room(path);
    this.#entries.set(keyOf(path), entry);
  }

  rename(from: FolderPath, to: FolderPath): void {
    this.#at(from);
    this.#folder(to.slice(0, -1));
    if (from.length === 0 || to.length === 0 || isBelow(keyOf(to), keyOf(from))) throw failure('EINVAL');
    this.#check(to);
    const moved = [...this.#entries].filter(([key]) => key === keyOf(from) || isBelow(key, keyOf(from)));
    for (const [key] of moved) this.#entries.delete(key);
    for (const [key, entry] of moved) this.#entries.set(keyOf(to) + key.slice(keyOf(from).length), entry);
  }

  unlink(path: FolderPath): void {
    if (this.#at(path).type === TYPE_FOLDER) throw failure('EISDIR');
    this.#entries.delete(keyOf(path));
  }

  rmdir(path: FolderPath): void {
    if (this.list(path).length > 0) throw failure('ENOTEMPTY');
    if (path.length === 0) throw failure('EBUSY');
    this.#entries.delete(keyOf(path));
  }

  chmod(path: FolderPath, mode: number): void {
    this.#at(path).mode = mode;
  }

  chown(path: FolderPath): void {
    this.#at(path);
  }

  truncate(path: FolderPath, size: number): void {
    this.open(path).truncate(size);
  }

  setTimes(path: FolderPath, { access, modification }: NewTimes): void {
    this.#at(path);
    for (const time of [access, modification]) if (time !== null && !Number.isFinite(time)) this.wrong.push(`a time of ${time}`);
  }

  #check(path: FolderPath): void {
    for (const name of path) {
      if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || !/^[\0-\xff]*$/.test(name)) this.wrong.push(`a name ${JSON.stringify(name)}`);
    }
  }

  #at(path: FolderPath): Entry {
    this.#check(path);
    const entry = this.#entries.get(keyOf(path));
    if (entry === undefined) throw failure('ENOENT');
    return entry;
  }

  #folder(path: FolderPath): void {
    if (this.#at(path).type !== TYPE_FOLDER) throw failure('ENOTDIR');
  }

  /** There is room for another entry. */
  #room(path: FolderPath): void {
    this.#check(path);
    if (path.length > 0) this.#folder(path.slice(0, -1));
    if (this.#entries.has(keyOf(path))) throw failure('EEXIST');
    if (this.#entries.size >= MOST_FILES) throw failure('ENOSPC');
  }

  #make(path: FolderPath, type: number, mode: number): Entry {
    this.#room(path);
    const entry: Entry = { ino: BigInt(++this.#made), type, mode, bytes: new Uint8Array(0), target: '' };
    this.#entries.set(keyOf(path), entry);
    return entry;
  }

  #file(entry: Entry): OpenFile {
    const place = (offset: number, length: number): void => {
      if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length) || length < 0) this.wrong.push(`${length} bytes at ${offset}`);
    };
    const resize = (size: number): void => {
      if (size > MOST_BYTES) throw failure('EFBIG');
      const before = entry.bytes;
      entry.bytes = new Uint8Array(size);
      entry.bytes.set(before.subarray(0, size));
    };
    return {
      read: (into, offset) => {
        place(offset, into.length);
        const part = entry.bytes.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
      write: (bytes, offset) => {
        place(offset, bytes.length);
        if (offset + bytes.length > entry.bytes.length) resize(offset + bytes.length);
        entry.bytes.set(bytes, offset);
        return bytes.length;
      },
      status: () => statusOf(entry),
      truncate: (size) => {
        place(size, 0);
        resize(size);
      },
      sync() {},
      close() {},
    };
  }
}

const keyOf = (path: FolderPath): string => path.map((name) => `/${name}`).join('');
const isBelow = (key: string, folder: string): boolean => key.startsWith(`${folder}/`);

function statusOf({ ino, type, mode, bytes }: Entry): FileStatus {
  return {
    dev: 1n, ino, mode: BigInt(type | mode), nlink: 1n, uid: 0n, gid: 0n, rdev: 0n, size: BigInt(bytes.length), blksize: 4096n, blocks: BigInt(bytes.length >> 9),
    atimeNs: 0n, mtimeNs: 0n, ctimeNs: 0n,
  };
}
