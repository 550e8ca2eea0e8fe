/** What a request is to the server: one row of a table by message type. */
import type { Session } from './session.ts';
import type { WireReader, WireWriter } from './wire.ts';

export interface Request {
  /** It changes the folder: EROFS if that may only be read. */
  readonly changes?: boolean;
  /** Reads the fields, does it, writes the answer's fields. @throws an error with a `code` */
  readonly run: (session: Session, request: WireReader, reply: WireWriter) => void;
}

export type Requests = Readonly<Record<number, Request>>;
