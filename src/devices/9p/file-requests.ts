/** Requests about a file itself: open, read, write, attributes, locks. */
import { NinePError } from './errno.ts';
import type { Fid } from './fids.ts';
import { TYPE_FILE, TYPE_FOLDER, TYPE_LINK, TYPE_MASK } from './folder.ts';
import type { OpenOptions } from './folder.ts';
import type { Requests } from './requests.ts';
import type { Session } from './session.ts';
import { HEADER_SIZE, WireWriter } from './wire.ts';

const O_ACCESS = 3, O_WRITE_ONLY = 1, O_READ_WRITE = 2, O_EXCLUSIVE = 0o200, O_TRUNCATE = 0o1000, O_APPEND = 0o2000, O_DATA_SYNC = 0o10000;
const SET_MODE = 1, SET_UID = 2, SET_GID = 4, SET_SIZE = 8, SET_ATIME = 0x10, SET_MTIME = 0x20, SET_ATIME_TO = 0x80, SET_MTIME_TO = 0x100;
/** All that getattr tells: everything but birth time, generation and data version. */
const BASIC_ATTRIBUTES = 0x7ffn;
const NS = 1_000_000_000n;
/** Largest offset in a file: what JavaScript's numbers hold, far beyond any file. */
const LARGEST_OFFSET = BigInt(Number.MAX_SAFE_INTEGER);
const LOCK_SUCCESS = 0, LOCK_READ = 0, LOCK_UNLOCK = 2;
const COUNT_SIZE = 4;
/** Of an entry in a folder: qid, offset, type and the name's length. */
const ENTRY_SIZE = 24;
const LONGEST_NAME = 255;
const MODE_BITS = 0o7777;

function options(flags: number): OpenOptions {
  const access = flags & O_ACCESS;
  return {
    write: access === O_WRITE_ONLY || access === O_READ_WRITE, read: access !== O_WRITE_ONLY, append: (flags & O_APPEND) !== 0,
    truncate: (flags & O_TRUNCATE) !== 0, sync: (flags & O_DATA_SYNC) !== 0,
  };
}

function offsetOf(value: bigint): number {
  if (value > LARGEST_OFFSET) throw new NinePError('EFBIG');
  return Number(value);
}

function refuseOpen(fid: Fid): void {
  if (fid.file !== null || fid.names !== null) throw new NinePError('EINVAL');
}

/** Names of a folder, as one reads it. */
const listing = (session: Session, fid: Fid): string[] => ['.', '..', ...session.folder.list(fid.path)];

/** Entries of a folder from number `offset` on, as many as there is room for. */
function entries(session: Session, fid: Fid, offset: number, most: number): WireWriter {
  const list = new WireWriter(), names = fid.names!;
  for (let index = offset; index < names.length; index++) {
    const name = names[index]!;
    if (list.length - HEADER_SIZE + ENTRY_SIZE + name.length > most) {
      // A reader that has not even room for one name would take nothing for the end.
      if (list.length === HEADER_SIZE) throw new NinePError('EINVAL');
      break;
    }
    try {
      const status = session.folder.status(session.step(fid.path, name));
      // Types of directory entries are the upper bits of a mode.
      list.qid(session.qidOf(status)).u64(BigInt(index + 1)).u8((Number(status.mode) & TYPE_MASK) >> 12).string(name);
    } catch {
      // It has gone since the list was made.
    }
  }
  return list;
}

/** The bytes of a list, behind their count. */
function counted(reply: WireWriter, list: WireWriter): void {
  const bytes = list.finish(0, 0).subarray(HEADER_SIZE);
  reply.u32(bytes.length).bytes(bytes);
}

export const FILE_REQUESTS: Requests = {
  // lopen
  12: { run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), how = options(request.u32());
    refuseOpen(fid);
    if (session.folder.readOnly && (how.write || how.truncate)) throw new NinePError('EROFS');
    const status = session.folder.status(fid.path), type = Number(status.mode) & TYPE_MASK;
    if (type === TYPE_FOLDER) {
      if (how.write) throw new NinePError('EISDIR');
      fid.names = listing(session, fid);
    } else if (type === TYPE_FILE) session.fids.openFile(fid, () => session.folder.open(fid.path, how));
    // Pipes and devices are the guest's own when it opens them.
    else throw new NinePError(type === TYPE_LINK ? 'ELOOP' : 'ENXIO');
    reply.qid(session.qidOf(status)).u32(0);
  } },
  // lcreate: the fid of the folder becomes that of the open file
  14: { changes: true, run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), name = request.string(), flags = request.u32(), mode = request.u32(), gid = request.u32();
    refuseOpen(fid);
    const path = session.entry(fid.path, name);
    session.fids.openFile(fid, () => session.folder.create(path, options(flags), (flags & O_EXCLUSIVE) !== 0, mode & MODE_BITS, { uid: fid.uid, gid }));
    fid.path = path;
    reply.qid(session.qidOf(session.statusOf(fid))).u32(0);
  } },
  // getattr
  24: { run: (session, request, reply) => {
    const fid = session.fids.get(request.u32());
    request.u64();
    const s = session.statusOf(fid);
    reply.u64(BASIC_ATTRIBUTES).qid(session.qidOf(s)).u32(Number(s.mode)).u32(Number(s.uid)).u32(Number(s.gid)).u64(s.nlink).u64(s.rdev).u64(s.size).u64(s.blksize).u64(s.blocks);
    for (const time of [s.atimeNs, s.mtimeNs, s.ctimeNs, 0n]) reply.u64(time / NS).u64(time % NS);
    reply.u64(0n).u64(0n);
  } },
  // setattr
  26: { changes: true, run: (session, request) => {
    const fid = session.fids.get(request.u32()), valid = request.u32(), mode = request.u32(), uid = request.u32(), gid = request.u32(), size = offsetOf(request.u64());
    const time = (): number => Number(request.u64()) * 1000 + Number(request.u64()) / 1e6;
    const access = time(), modification = time(), { folder } = session;
    if ((valid & SET_MODE) !== 0) folder.chmod(fid.path, mode & MODE_BITS);
    if ((valid & (SET_UID | SET_GID)) !== 0) folder.chown(fid.path, (valid & SET_UID) !== 0 ? uid : null, (valid & SET_GID) !== 0 ? gid : null);
    if ((valid & SET_SIZE) !== 0) {
      if (fid.file === null) folder.truncate(fid.path, size);
      else fid.file.truncate(size);
    }
    if ((valid & (SET_ATIME | SET_MTIME)) !== 0) {
      const now = Date.now();
      folder.setTimes(fid.path, {
        access: (valid & SET_ATIME) === 0 ? null : (valid & SET_ATIME_TO) === 0 ? now : access,
        modification: (valid & SET_MTIME) === 0 ? null : (valid & SET_MTIME_TO) === 0 ? now : modification,
      });
    }
  } },
  // readdir
  40: { run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), offset = offsetOf(request.u64()), count = request.u32();
    if (fid.names === null) throw new NinePError(fid.file === null ? 'EBADF' : 'ENOTDIR');
    if (offset === 0) fid.names = listing(session, fid);
    counted(reply, entries(session, fid, offset, Math.min(count, session.room - HEADER_SIZE - COUNT_SIZE)));
  } },
  // fsync
  50: { run: (session, request) => {
    const fid = session.fids.get(request.u32()), dataOnly = request.u32() !== 0;
    if (fid.file !== null) fid.file.sync(dataOnly);
    else if (fid.names === null) throw new NinePError('EBADF');
  } },
  // lock: the guest is alone with its mount and has settled the lock among its own processes before it asks; Node has no lock that others on the host would see
  52: { run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), type = request.u8();
    request.bytes(4 + 8 + 8 + 4);
    request.string();
    if (type > LOCK_UNLOCK) throw new NinePError('EINVAL');
    if (fid.file === null && fid.names === null) throw new NinePError('EBADF');
    reply.u8(LOCK_SUCCESS);
  } },
  // getlock: nobody else holds one
  54: { run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), type = request.u8(), start = request.u64(), length = request.u64(), process = request.u32(), client = request.string();
    if (type < LOCK_READ || type > LOCK_UNLOCK) throw new NinePError('EINVAL');
    if (fid.file === null && fid.names === null) throw new NinePError('EBADF');
    reply.u8(LOCK_UNLOCK).u64(start).u64(length).u32(process).string(client);
  } },
  // statfs
  8: { run: (session, request, reply) => {
    const v = session.folder.volume(session.fids.get(request.u32()).path);
    reply.u32(Number(BigInt.asUintN(32, v.type))).u32(Number(v.bsize)).u64(v.blocks).u64(v.bfree).u64(v.bavail).u64(v.files).u64(v.ffree).u64(0n).u32(LONGEST_NAME);
  } },
  // read
  116: { run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), offset = offsetOf(request.u64()), count = request.u32();
    if (fid.file === null) throw new NinePError(fid.names === null ? 'EBADF' : 'EISDIR');
    const bytes = new Uint8Array(Math.max(0, Math.min(count, session.room - HEADER_SIZE - COUNT_SIZE)));
    const read = fid.file.read(bytes, offset);
    reply.u32(read).bytes(bytes.subarray(0, read));
  } },
  // write
  118: { changes: true, run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), offset = offsetOf(request.u64()), bytes = request.bytes(request.u32());
    if (fid.file === null) throw new NinePError('EBADF');
    reply.u32(fid.file.write(bytes, offset));
  } },
};
