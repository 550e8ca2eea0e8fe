/** The guest's handles (fids): each is a path below the shared folder, and what is open there. */
import { NinePError } from './errno.ts';
import type { FolderPath, OpenFile } from './folder.ts';

/** Fids of a guest at most: a kernel keeps one for each file that it knows of. Open files: each takes a descriptor of the host. */
const MOST_FIDS = 1 << 17, MOST_FILES = 8192;

export interface Fid {
  path: FolderPath;
  /** Who attached. */
  readonly uid: number;
  file: OpenFile | null;
  /** What a folder had in it when the guest began to read it; null: not open as one. */
  names: string[] | null;
}

export class FidTable {
  readonly #fids = new Map<number, Fid>();
  #files = 0;

  /** @throws EBADF */
  get(number: number): Fid {
    const fid = this.#fids.get(number);
    if (fid === undefined) throw new NinePError('EBADF');
    return fid;
  }

  has(number: number): boolean {
    return this.#fids.has(number);
  }

  /** @throws EINVAL if there is one, EMFILE if there are too many */
  add(number: number, path: FolderPath, uid: number): Fid {
    if (this.#fids.has(number)) throw new NinePError('EINVAL');
    if (this.#fids.size >= MOST_FIDS) throw new NinePError('EMFILE');
    const fid: Fid = { path, uid, file: null, names: null };
    this.#fids.set(number, fid);
    return fid;
  }

  /** Opens a file for a fid. @throws EMFILE, and what `open` throws */
  openFile(fid: Fid, open: () => OpenFile): void {
    if (this.#files >= MOST_FILES) throw new NinePError('EMFILE');
    fid.file = open();
    this.#files++;
  }

  /** The guest is done with it. Errors of the host at closing are thrown, but the fid is gone. */
  remove(number: number): void {
    const fid = this.get(number);
    this.#fids.delete(number);
    if (fid.file === null) return;
    this.#files--;
    fid.file.close();
  }

  clear(): void {
    for (const number of [...this.#fids.keys()]) {
      try {
        this.remove(number);
      } catch {
        // Nobody is left to hear of it.
      }
    }
  }

  /** What was at `from`, and below, is now at `to`. */
  moved(from: FolderPath, to: FolderPath): void {
    for (const fid of this.#fids.values()) {
      if (from.every((name, i) => fid.path[i] === name)) fid.path = [...to, ...fid.path.slice(from.length)];
    }
  }
}
