/**
 * What a shared folder is to the 9P server (server.ts). src/backends/shared-folder.ts implements it.
 *
 * A path is a list of names below the folder; the empty list is the folder itself. Names are strings of one character for each byte; the
 * server has seen to it that none is empty, `.` or `..`, or has a `/` or NUL in it. No symbolic link is ever followed, at the end of a
 * path or before it: a path that goes through one is ENOTDIR. Errors are thrown, with a name such as `ENOENT` in their `code`.
 */
export type FolderPath = readonly string[];

/** lstat(2), with times in ns since 1970. */
export interface FileStatus {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Type and permissions as in Linux. */
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly blksize: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export const TYPE_MASK = 0o170000, TYPE_FOLDER = 0o040000, TYPE_FILE = 0o100000, TYPE_LINK = 0o120000;

/** statfs(2). */
export interface VolumeStatus {
  readonly type: bigint;
  readonly bsize: bigint;
  readonly blocks: bigint;
  readonly bfree: bigint;
  readonly bavail: bigint;
  readonly files: bigint;
  readonly ffree: bigint;
}

export interface OpenOptions {
  readonly write: boolean;
  /** false: for writing alone. */
  readonly read: boolean;
  readonly append: boolean;
  readonly truncate: boolean;
  /** Writes are on stable storage when they return. */
  readonly sync: boolean;
}

/** Whom a new file belongs to, as far as the host lets us. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Offsets and lengths are bytes; offsets are below 2^53. */
export interface OpenFile {
  /** @returns bytes read: fewer than there is room for at the end */
  read(into: Uint8Array, offset: number): number;
  /** @returns bytes written */
  write(bytes: Uint8Array, offset: number): number;
  status(): FileStatus;
  truncate(size: number): void;
  sync(dataOnly: boolean): void;
  close(): void;
}

/** New times in ms since 1970; null: stays as it is. */
export interface NewTimes {
  readonly access: number | null;
  readonly modification: number | null;
}

export interface SharedFolder {
  readonly readOnly: boolean;
  status(path: FolderPath): FileStatus;
  volume(path: FolderPath): VolumeStatus;
  /** Names in a folder, without `.` and `..`. */
  list(path: FolderPath): string[];
  open(path: FolderPath, options: OpenOptions): OpenFile;
  /** Opens a file that may be there already. @param exclusive it must not be */
  create(path: FolderPath, options: OpenOptions, exclusive: boolean, mode: number, owner: Owner): OpenFile;
  mkdir(path: FolderPath, mode: number, owner: Owner): void;
  /** @param type bits of TYPE_MASK */
  mknod(path: FolderPath, type: number, mode: number, owner: Owner): void;
  symlink(path: FolderPath, target: string, owner: Owner): void;
  readlink(path: FolderPath): string;
  link(path: FolderPath, target: FolderPath): void;
  rename(from: FolderPath, to: FolderPath): void;
  unlink(path: FolderPath): void;
  rmdir(path: FolderPath): void;
  chmod(path: FolderPath, mode: number): void;
  /** @param uid, gid null: stays */
  chown(path: FolderPath, uid: number | null, gid: number | null): void;
  truncate(path: FolderPath, size: number): void;
  setTimes(path: FolderPath, times: NewTimes): void;
}
