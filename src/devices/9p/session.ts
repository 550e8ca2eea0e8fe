/** What the requests of one mount share: the folder, the fids, the agreed size of messages; and how files are named in answers. */
import { NinePError } from './errno.ts';
import { FidTable } from './fids.ts';
import type { Fid } from './fids.ts';
import { TYPE_FOLDER, TYPE_LINK, TYPE_MASK } from './folder.ts';
import type { FileStatus, FolderPath, SharedFolder } from './folder.ts';
import type { Qid } from './wire.ts';

const QID_FOLDER = 0x80, QID_LINK = 0x02;
/** A path as long as Linux takes one, its slashes included. */
const LONGEST_PATH = 4096;
/** File systems of the host below the folder that are told apart, and the bit of a qid's path from which on their number stands. */
const FILE_SYSTEMS = 256, FILE_SYSTEM_BIT = 56n;

export class Session {
  readonly folder: SharedFolder;
  readonly fids = new FidTable();
  /** Longest message; 0 until the guest has asked for a version. */
  messageSize = 0;
  /** Bytes that there is room for in the answer to the request under way. */
  room = 0;
  readonly #devices = new Map<bigint, bigint>();

  constructor(folder: SharedFolder) {
    this.folder = folder;
  }

  reset(): void {
    this.fids.clear();
    this.messageSize = 0;
  }

  statusOf(fid: Fid): FileStatus {
    return fid.file?.status() ?? this.folder.status(fid.path);
  }

  qid(path: FolderPath): Qid {
    return this.qidOf(this.folder.status(path));
  }

  /** Unique for a file as long as it lives: inode numbers are so within a file system, of which the folder may hold several. */
  qidOf(status: FileStatus): Qid {
    const kind = Number(status.mode) & TYPE_MASK;
    let device = this.#devices.get(status.dev);
    if (device === undefined) {
      device = BigInt(this.#devices.size % FILE_SYSTEMS);
      this.#devices.set(status.dev, device);
    }
    return {
      type: kind === TYPE_FOLDER ? QID_FOLDER : kind === TYPE_LINK ? QID_LINK : 0,
      version: Number(BigInt.asUintN(32, status.mtimeNs ^ (status.size << 8n))),
      path: status.ino ^ (device << FILE_SYSTEM_BIT),
    };
  }

  /** The path of a new or known entry of a folder. @throws ENOENT for what is no name, EEXIST for `.` and `..` */
  entry(folder: FolderPath, name: string): FolderPath {
    checkName(name);
    if (name === '.' || name === '..') throw new NinePError('EEXIST');
    return bounded([...folder, name]);
  }

  /** One step of a walk. `..` of the folder itself is the folder: there is no way out. */
  step(path: FolderPath, name: string): FolderPath {
    checkName(name);
    if (name === '.') return path;
    return name === '..' ? path.slice(0, -1) : bounded([...path, name]);
  }
}

function checkName(name: string): void {
  if (name === '' || name.includes('/') || name.includes('\0')) throw new NinePError('ENOENT');
}

function bounded(path: FolderPath): FolderPath {
  if (path.reduce((length, name) => length + name.length + 1, 0) >= LONGEST_PATH) throw new NinePError('ENAMETOOLONG');
  return path;
}
