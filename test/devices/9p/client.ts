/** The guest's side of 9P2000.L, for tests: each request as one call that gives the answer's fields, or throws `errno N`. */
import { NinePServer } from '../../../src/devices/9p/server.ts';
import { HEADER_SIZE, WireReader, WireWriter } from '../../../src/devices/9p/wire.ts';
import type { SharedFolder } from '../../../src/devices/9p/folder.ts';

export const ROOM = 1 << 16;

export class Client {
  readonly server: NinePServer;
  #next = 1;

  constructor(folder: SharedFolder, size = ROOM) {
    this.server = new NinePServer(folder);
    this.call(100, (w) => w.u32(size).string('9P2000.L'));
    this.call(104, (w) => w.u32(0).u32(0xffffffff).string('root').string('').u32(0));
  }

  /** @returns a reader of the answer's fields */
  call(type: number, fields: (request: WireWriter) => WireWriter, room = ROOM): WireReader {
    const answer = this.server.handle(fields(new WireWriter()).finish(type, 5), room);
    if (answer.length === 0) throw new Error('no answer');
    const header = new WireReader(answer), size = header.u32(), kind = header.u8(), tag = header.u16();
    if (size !== answer.length || tag !== 5) throw new Error('broken header');
    const body = new WireReader(answer, HEADER_SIZE);
    if (kind === 7) throw new Error(`errno ${body.u32()}`);
    if (kind !== type + 1) throw new Error(`answer of type ${kind}`);
    return body;
  }

  /** A new fid for names below `from`. @throws if the walk does not reach the end */
  walk(names: readonly string[], from = 0): number {
    const fid = this.#next++;
    const reply = this.call(110, (w) => names.reduce((all, name) => all.string(name), w.u32(from).u32(fid).u16(names.length)));
    const reached = reply.u16();
    if (reached !== names.length) throw new Error(`reached ${reached}`);
    return fid;
  }

  open(fid: number, flags = 0): number {
    this.call(12, (w) => w.u32(fid).u32(flags));
    return fid;
  }

  /** A new file in the folder of a fid: the fid is then the file's. */
  create(fid: number, name: string, flags = 0o102, mode = 0o644): number {
    this.call(14, (w) => w.u32(fid).string(name).u32(flags).u32(mode).u32(0));
    return fid;
  }

  read(fid: number, offset = 0, count = ROOM): string {
    const reply = this.call(116, (w) => w.u32(fid).u64(BigInt(offset)).u32(count));
    return Buffer.from(reply.bytes(reply.u32())).toString('latin1');
  }

  write(fid: number, text: string, offset = 0): number {
    return this.call(118, (w) => w.u32(fid).u64(BigInt(offset)).u32(text.length).bytes(Buffer.from(text, 'latin1'))).u32();
  }

  clunk(fid: number): void {
    this.call(120, (w) => w.u32(fid));
  }

  /** Names in a folder, read `count` bytes at a time. */
  names(fid: number, count = ROOM): string[] {
    const names: string[] = [];
    for (let offset = 0n; ;) {
      const reply = this.call(40, (w) => w.u32(fid).u64(offset).u32(count)), entries = new WireReader(reply.bytes(reply.u32()));
      let read = 0;
      for (;;) {
        try {
          entries.bytes(13);
        } catch {
          break;
        }
        offset = entries.u64();
        entries.u8();
        names.push(entries.string());
        read++;
      }
      if (read === 0) return names;
    }
  }

  getattr(fid: number): { qid: number; mode: number; size: bigint; mtime: bigint } {
    const r = this.call(24, (w) => w.u32(fid).u64(0x7ffn));
    r.u64();
    const qid = r.u8();
    r.bytes(12);
    const mode = r.u32();
    r.bytes(8 + 8 + 8);
    const size = r.u64();
    r.bytes(16 + 16);
    return { qid, mode, size, mtime: r.u64() * 1_000_000_000n + r.u64() };
  }

  setattr(fid: number, valid: number, { mode = 0, size = 0, atime = 0, mtime = 0 }: { mode?: number; size?: number; atime?: number; mtime?: number }): void {
    this.call(26, (w) => w.u32(fid).u32(valid).u32(mode).u32(0).u32(0).u64(BigInt(size)).u64(BigInt(atime)).u64(0n).u64(BigInt(mtime)).u64(0n));
  }

  symlink(fid: number, name: string, target: string): void {
    this.call(16, (w) => w.u32(fid).string(name).string(target).u32(0));
  }

  readlink(fid: number): string {
    return this.call(22, (w) => w.u32(fid)).string();
  }

  mkdir(fid: number, name: string): void {
    this.call(72, (w) => w.u32(fid).string(name).u32(0o755).u32(0));
  }

  renameat(from: number, oldName: string, to: number, newName: string): void {
    this.call(74, (w) => w.u32(from).string(oldName).u32(to).string(newName));
  }

  rename(fid: number, folder: number, name: string): void {
    this.call(20, (w) => w.u32(fid).u32(folder).string(name));
  }

  link(folder: number, fid: number, name: string): void {
    this.call(70, (w) => w.u32(folder).u32(fid).string(name));
  }

  mknod(fid: number, name: string, mode: number): void {
    this.call(18, (w) => w.u32(fid).string(name).u32(mode).u32(1).u32(3).u32(0));
  }

  unlinkat(fid: number, name: string, folder = false): void {
    this.call(76, (w) => w.u32(fid).string(name).u32(folder ? 0x200 : 0));
  }

  remove(fid: number): void {
    this.call(122, (w) => w.u32(fid));
  }
}
