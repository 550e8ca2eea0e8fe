/**
 * A folder of the host for the guest's 9P server (src/devices/9p/folder.ts), from which no path leads out.
 *
 * Node has no openat(2). On Linux /proc/self/fd stands for it: `/proc/self/fd/N/NAME` is NAME in the very folder that descriptor N is open on,
 * wherever that has been moved since. A path is walked from the root's descriptor, one name at a time, and each step is an open with
 * O_PATH | O_NOFOLLOW | O_DIRECTORY: a symbolic link ends the walk with ENOTDIR, however it came there, so that no race is left. The last name
 * is taken by calls that do not follow links; where a call would, it gets the descriptor of a node that was looked at first.
 * Elsewhere names are looked at before, the real path after, and an open file is compared with what was looked at; a host that swaps
 * folders in between could win that race.
 */
import {
  chmodSync, closeSync, constants, fchmodSync, fchownSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, lchownSync, linkSync, lstatSync, lutimesSync, mkdirSync, openSync,
  readSync, readdirSync, readlinkSync, realpathSync, renameSync, rmdirSync, statSync, statfsSync, symlinkSync, truncateSync, unlinkSync, writeSync,
} from 'node:fs';
import { sep } from 'node:path';
import type { FileStatus, FolderPath, NewTimes, OpenFile, OpenOptions, Owner, SharedFolder, VolumeStatus } from '../devices/9p/folder.ts';

export interface SharedFolderOptions {
  /** The guest can change nothing. */
  readOnly?: boolean;
  /** QEMU's security models: what the guest makes belongs to whom it says, if the host lets us; `passthrough`: else it is an error. */
  security?: SecurityModel;
}

export const SECURITY_MODELS = ['none', 'passthrough'] as const;
export type SecurityModel = (typeof SECURITY_MODELS)[number];

/** Of Linux, on every processor that Node runs on; Node does not name it. */
const O_PATH = 0o10000000;
const { O_APPEND = 0, O_CREAT, O_DIRECTORY = 0, O_DSYNC = 0, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const TYPE_MASK = 0o170000, TYPE_FILE = 0o100000;
const PRIVATE = 0o600;
const NS = 1e9;

const failure = (code: string): Error => Object.assign(new Error(code), { code });
/** Names are one character for each byte. */
const hostPath = (path: string): Buffer => Buffer.from(path, 'latin1');

class HostFile implements OpenFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  read(into: Uint8Array, offset: number): number {
    let done = 0;
    while (done < into.length) {
      const count = readSync(this.#descriptor, into, done, into.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(bytes: Uint8Array, offset: number): number {
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
    return done;
  }

  status(): FileStatus {
    return fstatSync(this.#descriptor, { bigint: true });
  }

  truncate(size: number): void {
    ftruncateSync(this.#descriptor, size);
  }

  sync(dataOnly: boolean): void {
    if (dataOnly) fdatasyncSync(this.#descriptor);
    else fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** How a path is reached: see the head. What `use` gets is a path of the host whose last name is not to be followed. */
interface Walker {
  /** The folder at `path`, without a slash at its end. @throws ENOTDIR if a name on the way is no folder */
  within<T>(path: FolderPath, use: (folder: string) => T): T;
  /** A path by which calls that follow links reach the node at `entry`, which is no link. @throws ELOOP for a link */
  node<T>(entry: string, use: (path: string) => T): T;
  /** Flags with which what node() gives is opened. */
  readonly flags: number;
  close(): void;
}

class DescriptorWalker implements Walker {
  readonly flags = 0;
  readonly #root: number;

  constructor(root: string) {
    this.#root = openSync(root, O_PATH | O_DIRECTORY);
  }

  /** /proc is mounted. */
  get works(): boolean {
    try {
      const { dev, ino } = fstatSync(this.#root), seen = statSync(`/proc/self/fd/${this.#root}/.`);
      return seen.dev === dev && seen.ino === ino;
    } catch {
      return false;
    }
  }

  within<T>(path: FolderPath, use: (folder: string) => T): T {
    let descriptor = this.#root;
    try {
      for (const name of path) {
        const next = openSync(hostPath(`/proc/self/fd/${descriptor}/${name}`), O_PATH | O_NOFOLLOW | O_DIRECTORY);
        this.#leave(descriptor);
        descriptor = next;
      }
      return use(`/proc/self/fd/${descriptor}`);
    } finally {
      this.#leave(descriptor);
    }
  }

  node<T>(entry: string, use: (path: string) => T): T {
    const descriptor = openSync(hostPath(entry), O_PATH | O_NOFOLLOW);
    try {
      if (fstatSync(descriptor).isSymbolicLink()) throw failure('ELOOP');
      return use(`/proc/self/fd/${descriptor}`);
    } finally {
      closeSync(descriptor);
    }
  }

  close(): void {
    closeSync(this.#root);
  }

  #leave(descriptor: number): void {
    if (descriptor !== this.#root) closeSync(descriptor);
  }
}

class PathWalker implements Walker {
  readonly flags = O_NOFOLLOW;
  readonly #root: string;

  constructor(root: string) {
    this.#root = Buffer.from(realpathSync(root)).toString('latin1').replace(/[\\/]$/, '');
  }

  within<T>(path: FolderPath, use: (folder: string) => T): T {
    let at = this.#root;
    for (const name of path) {
      // Both mean something else than a part of a name on Windows.
      if (sep === '\\' && /[\\:]/.test(name)) throw failure('ENOENT');
      at += sep + name;
      if (!lstatSync(hostPath(at)).isDirectory()) throw failure('ENOTDIR');
    }
    const real = realpathSync(hostPath(at), { encoding: 'buffer' }).toString('latin1');
    if (real !== this.#root && !real.startsWith(this.#root + sep)) throw failure('ENOTDIR');
    return use(at);
  }

  node<T>(entry: string, use: (path: string) => T): T {
    if (lstatSync(hostPath(entry)).isSymbolicLink()) throw failure('ELOOP');
    return use(entry);
  }

  close(): void {}
}

function walkerOf(root: string, descriptors: boolean): Walker {
  if (!descriptors) return new PathWalker(root);
  const walker = new DescriptorWalker(root);
  if (walker.works) return walker;
  walker.close();
  return new PathWalker(root);
}

function openFlags({ read, write, append, truncate, sync }: OpenOptions): number {
  return (write || truncate ? (read ? O_RDWR : O_WRONLY) : O_RDONLY) | (append ? O_APPEND : 0) | (sync ? O_DSYNC : 0);
}

export class LocalFolder implements SharedFolder {
  readonly readOnly: boolean;
  readonly #walker: Walker;
  readonly #strict: boolean;

  /**
   * @param descriptors walk by /proc/self/fd, where the host has it
   * @throws Error of the file system if there is no such folder
   */
  constructor(root: string, { readOnly = false, security = 'none' }: SharedFolderOptions = {}, descriptors = process.platform === 'linux') {
    if (!statSync(root).isDirectory()) throw new Error('not a directory');
    this.readOnly = readOnly;
    this.#strict = security === 'passthrough';
    this.#walker = walkerOf(root, descriptors);
  }

  close(): void {
    this.#walker.close();
  }

  status(path: FolderPath): FileStatus {
    return this.#entry(path, (entry) => lstatSync(hostPath(entry), { bigint: true }));
  }

  volume(path: FolderPath): VolumeStatus {
    // A link would be followed: of whatever is no folder, the one that it is in is asked.
    const folder = path.length > 0 && (Number(this.status(path).mode) & TYPE_MASK) !== 0o040000 ? path.slice(0, -1) : path;
    return this.#walker.within(folder, (at) => statfsSync(hostPath(`${at}/.`), { bigint: true }));
  }

  list(path: FolderPath): string[] {
    return this.#walker.within(path, (at) => readdirSync(hostPath(`${at}/.`), { encoding: 'buffer' }).map((name) => name.toString('latin1')));
  }

  open(path: FolderPath, options: OpenOptions): OpenFile {
    return this.#entry(path, (entry) => this.#walker.node(entry, (node) => this.#openFile(node, options, statSync(hostPath(node), { bigint: true }))));
  }

  create(path: FolderPath, options: OpenOptions, exclusive: boolean, mode: number, owner: Owner): OpenFile {
    let descriptor: number;
    try {
      descriptor = this.#entry(path, (entry) => openSync(hostPath(entry), openFlags(options) | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE));
    } catch (error) {
      if (exclusive || (error as { code?: unknown }).code !== 'EEXIST') throw error;
      return this.open(path, options);
    }
    try {
      this.#own(() => fchownSync(descriptor, owner.uid, owner.gid));
      fchmodSync(descriptor, mode);
    } catch (error) {
      closeSync(descriptor);
      this.unlink(path);
      throw error;
    }
    return new HostFile(descriptor);
  }

  mkdir(path: FolderPath, mode: number, owner: Owner): void {
    this.#entry(path, (entry) => {
      mkdirSync(hostPath(entry), mode);
      try {
        this.#own(() => lchownSync(hostPath(entry), owner.uid, owner.gid));
        this.#walker.node(entry, (node) => chmodSync(hostPath(node), mode));
      } catch (error) {
        rmdirSync(hostPath(entry));
        throw error;
      }
    });
  }

  mknod(path: FolderPath, type: number, mode: number, owner: Owner): void {
    // What mknod(2) says of a file system without such nodes. Node makes neither devices nor pipes.
    if (type !== TYPE_FILE && type !== 0) throw failure('EPERM');
    this.create(path, { read: true, write: true, append: false, truncate: false, sync: false }, true, mode, owner).close();
  }

  symlink(path: FolderPath, target: string, owner: Owner): void {
    if (target.includes('\0')) throw failure('EINVAL');
    this.#entry(path, (entry) => {
      symlinkSync(hostPath(target), hostPath(entry));
      try {
        this.#own(() => lchownSync(hostPath(entry), owner.uid, owner.gid));
      } catch (error) {
        unlinkSync(hostPath(entry));
        throw error;
      }
    });
  }

  readlink(path: FolderPath): string {
    return this.#entry(path, (entry) => readlinkSync(hostPath(entry), { encoding: 'buffer' }).toString('latin1'));
  }

  link(path: FolderPath, target: FolderPath): void {
    this.#entry(target, (old) => this.#entry(path, (entry) => linkSync(hostPath(old), hostPath(entry))));
  }

  rename(from: FolderPath, to: FolderPath): void {
    this.#entry(from, (old) => this.#entry(to, (entry) => renameSync(hostPath(old), hostPath(entry))));
  }

  unlink(path: FolderPath): void {
    this.#entry(path, (entry) => unlinkSync(hostPath(entry)));
  }

  rmdir(path: FolderPath): void {
    this.#entry(path, (entry) => rmdirSync(hostPath(entry)));
  }

  chmod(path: FolderPath, mode: number): void {
    this.#entry(path, (entry) => this.#walker.node(entry, (node) => chmodSync(hostPath(node), mode)));
  }

  chown(path: FolderPath, uid: number | null, gid: number | null): void {
    this.#entry(path, (entry) => lchownSync(hostPath(entry), uid ?? -1, gid ?? -1));
  }

  truncate(path: FolderPath, size: number): void {
    this.#entry(path, (entry) => this.#walker.node(entry, (node) => {
      if (!statSync(hostPath(node)).isFile()) throw failure('EINVAL');
      truncateSync(hostPath(node), size);
    }));
  }

  setTimes(path: FolderPath, { access, modification }: NewTimes): void {
    this.#entry(path, (entry) => {
      // Node takes seconds as doubles: a quarter of a microsecond may be lost.
      const { atimeNs, mtimeNs } = lstatSync(hostPath(entry), { bigint: true });
      lutimesSync(hostPath(entry), access === null ? Number(atimeNs) / NS : access / 1000, modification === null ? Number(mtimeNs) / NS : modification / 1000);
    });
  }

  /** A path's last name, in its folder. */
  #entry<T>(path: FolderPath, use: (entry: string) => T): T {
    const name = path.at(-1);
    if (name === undefined) return this.#walker.within([], (folder) => use(`${folder}/.`));
    return this.#walker.within(path.slice(0, -1), (folder) => use(`${folder}/${name}`));
  }

  /** Opens what is a plain file and was `before`; a pipe would wait for its other end. */
  #openFile(node: string, options: OpenOptions, before: FileStatus): OpenFile {
    if ((Number(before.mode) & TYPE_MASK) !== TYPE_FILE) throw failure('ENXIO');
    const descriptor = openSync(hostPath(node), openFlags(options) | this.#walker.flags | O_NONBLOCK);
    try {
      const { dev, ino } = fstatSync(descriptor, { bigint: true });
      if (dev !== before.dev || ino !== before.ino) throw failure('ESTALE');
      if (options.truncate) ftruncateSync(descriptor);
      return new HostFile(descriptor);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Gives something to an owner; that only root may do so is the rule. */
  #own(give: () => void): void {
    try {
      give();
    } catch (error) {
      if (this.#strict) throw error;
    }
  }
}
