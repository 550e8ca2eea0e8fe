/** Requests about names: attach, walk, clunk, and what makes, moves and removes entries of folders. */
import { NinePError } from './errno.ts';
import { TYPE_MASK } from './folder.ts';
import type { FolderPath } from './folder.ts';
import type { Requests } from './requests.ts';
import type { Session } from './session.ts';
import type { Qid } from './wire.ts';

/** Names of one walk at most. */
const MOST_NAMES = 16;
const AT_REMOVE_FOLDER = 0x200;
const MODE_BITS = 0o7777;

/** An entry that is to go or to move. */
function existing(session: Session, folder: FolderPath, name: string): FolderPath {
  if (name === '.') throw new NinePError('EINVAL');
  if (name === '..') throw new NinePError('ENOTEMPTY');
  return session.entry(folder, name);
}

function rename(session: Session, from: FolderPath, to: FolderPath): void {
  if (from.length === 0) throw new NinePError('EBUSY');
  session.folder.rename(from, to);
  session.fids.moved(from, to);
}

export const NAME_REQUESTS: Requests = {
  // symlink
  16: { changes: true, run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), path = session.entry(fid.path, request.string()), target = request.string(), gid = request.u32();
    session.folder.symlink(path, target, { uid: fid.uid, gid });
    reply.qid(session.qid(path));
  } },
  // mknod
  18: { changes: true, run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), path = session.entry(fid.path, request.string()), mode = request.u32();
    request.bytes(8);
    const gid = request.u32();
    session.folder.mknod(path, mode & TYPE_MASK, mode & MODE_BITS, { uid: fid.uid, gid });
    reply.qid(session.qid(path));
  } },
  // rename
  20: { changes: true, run: (session, request) => {
    const fid = session.fids.get(request.u32()), folder = session.fids.get(request.u32());
    rename(session, fid.path, session.entry(folder.path, request.string()));
  } },
  // readlink
  22: { run: (session, request, reply) => {
    reply.string(session.folder.readlink(session.fids.get(request.u32()).path));
  } },
  // link
  70: { changes: true, run: (session, request) => {
    const folder = session.fids.get(request.u32()), fid = session.fids.get(request.u32());
    session.folder.link(session.entry(folder.path, request.string()), fid.path);
  } },
  // mkdir
  72: { changes: true, run: (session, request, reply) => {
    const fid = session.fids.get(request.u32()), path = session.entry(fid.path, request.string()), mode = request.u32(), gid = request.u32();
    session.folder.mkdir(path, mode & MODE_BITS, { uid: fid.uid, gid });
    reply.qid(session.qid(path));
  } },
  // renameat
  74: { changes: true, run: (session, request) => {
    const from = session.fids.get(request.u32()), oldName = request.string(), to = session.fids.get(request.u32()), newName = request.string();
    rename(session, existing(session, from.path, oldName), existing(session, to.path, newName));
  } },
  // unlinkat
  76: { changes: true, run: (session, request) => {
    const path = existing(session, session.fids.get(request.u32()).path, request.string()), flags = request.u32();
    if ((flags & AT_REMOVE_FOLDER) !== 0) session.folder.rmdir(path);
    else session.folder.unlink(path);
  } },
  // attach
  104: { run: (session, request, reply) => {
    const number = request.u32();
    request.u32();
    request.string();
    request.string();
    const uid = request.u32();
    const qid = session.qid([]);
    session.fids.add(number, [], uid);
    reply.qid(qid);
  } },
  // flush: requests are answered as they come, so that there is none to cancel
  108: { run: (_session, request) => {
    request.u16();
  } },
  // walk
  110: { run: (session, request, reply) => {
    const number = request.u32(), from = session.fids.get(number), target = request.u32(), count = request.u16();
    if (count > MOST_NAMES) throw new NinePError('EINVAL');
    const names = Array.from({ length: count }, () => request.string());
    if (target === number ? from.file !== null || from.names !== null : session.fids.has(target)) throw new NinePError('EINVAL');
    const qids: Qid[] = [];
    let path = from.path;
    for (const name of names) {
      try {
        path = session.step(path, name);
        qids.push(session.qid(path));
      } catch (error) {
        if (qids.length === 0) throw error;
        break;
      }
    }
    // As far as it went: then there is no new fid.
    if (qids.length === names.length) {
      if (target === number) from.path = path;
      else session.fids.add(target, path, from.uid);
    }
    reply.u16(qids.length);
    for (const qid of qids) reply.qid(qid);
  } },
  // clunk
  120: { run: (session, request) => {
    session.fids.remove(request.u32());
  } },
  // remove: the fid is gone in any case
  122: { run: (session, request) => {
    const number = request.u32(), { path } = session.fids.get(number);
    session.fids.remove(number);
    if (session.folder.readOnly) throw new NinePError('EROFS');
    if (path.length === 0) throw new NinePError('EBUSY');
    const { folder } = session;
    try {
      folder.unlink(path);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code !== 'EISDIR' && code !== 'EPERM') throw error;
      folder.rmdir(path);
    }
  } },
};
