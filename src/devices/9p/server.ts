/**
 * A 9P2000.L server: messages in, answers out, one after the other. What it serves is a SharedFolder (folder.ts).
 * Requests are tables (file-requests.ts, name-requests.ts). Whatever a message holds, the answer is a message: errors are Rlerror (7) with a
 * number of Linux. Source: "9P2000.L Protocol" (diod's protocol.md), intro(5) of Plan 9.
 */
import { NinePError, errorNumber } from './errno.ts';
import { FILE_REQUESTS } from './file-requests.ts';
import type { SharedFolder } from './folder.ts';
import { NAME_REQUESTS } from './name-requests.ts';
import type { Requests } from './requests.ts';
import { Session } from './session.ts';
import { HEADER_SIZE, WireReader, WireWriter } from './wire.ts';

const RLERROR = 7, TVERSION = 100, RVERSION = 101;
const NO_TAG = 0xffff;
const VERSION = '9P2000.L';
/** Sizes of messages that can be agreed on. */
const LEAST_SIZE = 4096, MOST_SIZE = 1 << 20;

const REQUESTS: Requests = { ...FILE_REQUESTS, ...NAME_REQUESTS };

export class NinePServer {
  readonly #session: Session;

  constructor(folder: SharedFolder) {
    this.#session = new Session(folder);
  }

  /** Longest message that is worth reading. */
  get longest(): number {
    return this.#session.messageSize || LEAST_SIZE;
  }

  /** As before the first message: all files are closed. */
  reset(): void {
    this.#session.reset();
  }

  /**
   * @param message as it came, perhaps longer or shorter than it says
   * @param room bytes for the answer
   * @returns the answer; empty if not even an error has room
   */
  handle(message: Uint8Array, room: number): Uint8Array {
    let tag = NO_TAG;
    try {
      const header = new WireReader(message), size = header.u32(), type = header.u8();
      tag = header.u16();
      if (size < HEADER_SIZE || size > message.length) throw new NinePError('EINVAL');
      const request = new WireReader(message.subarray(0, size), HEADER_SIZE), reply = new WireWriter();
      if (type === TVERSION) {
        this.#version(request, reply);
        return fitting(reply.finish(RVERSION, tag), room);
      }
      this.#serve(type, size, request, reply, room);
      return fitting(reply.finish(type + 1, tag), room);
    } catch (error) {
      const answer = new WireWriter().u32(errorNumber(error)).finish(RLERROR, tag);
      return answer.length > room ? new Uint8Array(0) : answer;
    }
  }

  /** A new session: what was open is closed. */
  #version(request: WireReader, reply: WireWriter): void {
    const size = request.u32(), version = request.string();
    if (size < LEAST_SIZE) throw new NinePError('EMSGSIZE');
    this.#session.reset();
    const known = version === VERSION, agreed = Math.min(size, MOST_SIZE);
    if (known) this.#session.messageSize = agreed;
    reply.u32(agreed).string(known ? VERSION : 'unknown');
  }

  #serve(type: number, size: number, request: WireReader, reply: WireWriter, room: number): void {
    const session = this.#session, row = REQUESTS[type];
    if (session.messageSize === 0) throw new NinePError('EPROTO');
    if (size > session.messageSize) throw new NinePError('EMSGSIZE');
    // Authentication, extended attributes, and the requests of older dialects.
    if (row === undefined) throw new NinePError('EOPNOTSUPP');
    if (row.changes === true && session.folder.readOnly) throw new NinePError('EROFS');
    session.room = Math.min(room, session.messageSize);
    row.run(session, request, reply);
  }
}

function fitting(reply: Uint8Array, room: number): Uint8Array {
  if (reply.length > room) throw new NinePError('EMSGSIZE');
  return reply;
}
