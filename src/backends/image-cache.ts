/**
 * The folder in which images are kept that were downloaded or unpacked. A file gets its name when all of it is there and right;
 * until then it is `.NAME.PID.part`, which goes away again whatever happens.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { isFile } from './image-search.ts';
import type { KnownFile } from './image-search.ts';

/** Bytes written at a time. */
const PIECE = 1 << 20;
const PARTIAL = /^\..*\.(\d+)\.part$/;

/**
 * Where this platform keeps what can be had again: XDG_CACHE_HOME (XDG Base Directory Specification: absolute, else ignored)
 * on all of them, then %LOCALAPPDATA%, ~/Library/Caches, ~/.cache.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'tcg86');
  if (platform === 'win32') return join(local ?? join(homedir(), 'AppData', 'Local'), 'tcg86', 'Cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'tcg86');
  return join(homedir(), '.cache', 'tcg86');
}

/** An image that could not be kept because it is not what was wanted. */
export class WrongContents extends Error {
  override readonly name = 'WrongContents';
}

export class ImageCache {
  readonly folder: string;
  readonly #write: typeof writeSync;

  /** @param write for tests of a disk that fails */
  constructor(folder: string, write: typeof writeSync = writeSync) {
    this.folder = folder;
    this.#write = write;
  }

  path({ name }: KnownFile): string {
    return join(this.folder, name);
  }

  /** The image's path if it is here, whole and right; else null. */
  find(wanted: KnownFile): string | null {
    const path = this.path(wanted);
    return isFile(path, wanted) ? path : null;
  }

  /**
   * Keeps an image; returns its path.
   * @throws WrongContents if these are not its bytes; Error of the file system if it cannot be written. Nothing is left then.
   */
  keep(wanted: KnownFile, bytes: Uint8Array): string {
    if (bytes.length !== wanted.size) throw new WrongContents(`it has ${bytes.length} bytes instead of ${wanted.size}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== wanted.sha256) throw new WrongContents(`its SHA-256 is ${sha256} instead of ${wanted.sha256}`);
    mkdirSync(this.folder, { recursive: true });
    this.#sweep();
    const partial = join(this.folder, `.${wanted.name}.${process.pid}.part`), path = this.path(wanted);
    try {
      this.#writeAll(partial, bytes);
      renameSync(partial, path);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
    return path;
  }

  #writeAll(path: string, bytes: Uint8Array): void {
    const file = openSync(path, 'w');
    try {
      for (let at = 0; at < bytes.length; ) at += this.#write(file, bytes, at, Math.min(PIECE, bytes.length - at));
      // The name must not come before the contents, should the host lose power.
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  /** Removes what processes that were killed have left. */
  #sweep(): void {
    for (const name of readdirSync(this.folder)) {
      const process = PARTIAL.exec(name)?.[1];
      if (process !== undefined && !isRunning(Number(process))) rmSync(join(this.folder, name), { force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
