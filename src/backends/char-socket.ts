/**
 * A line that is a TCP or Unix socket of the host. One other end at a time; where we listen, the next one may come when it has gone, and where we
 * connect, `reconnect` tries again.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { StreamChar } from './char-stream.ts';
import { Telnet } from './telnet.ts';

export interface SocketCharOptions {
  /** Where: an address and port, or the path of a Unix socket. */
  readonly target: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Listen; else connect. */
  readonly server: boolean;
  /** Of a server: the machine does not start before somebody is there. */
  readonly wait: boolean;
  /** Seconds after which a connection that was lost, or cannot be made, is tried anew; 0: never. */
  readonly reconnect: number;
  /** The other end speaks telnet. */
  readonly telnet?: boolean;
}

/** ms for an other end that does not read to take the last bytes. */
const LINGER = 1000;

export class SocketChar extends StreamChar {
  readonly #options: SocketCharOptions;
  #server: Server | null = null;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  private constructor(options: SocketCharOptions) {
    super();
    this.#options = options;
  }

  /**
   * @param waiting told that a server waits for somebody to connect
   * @throws Error of the host: an address that is taken, or nobody who listens
   */
  static async open(options: SocketCharOptions, waiting: () => void = () => {}): Promise<SocketChar> {
    const line = new SocketChar(options);
    if (options.server) await line.#listen(waiting);
    else if (options.reconnect > 0) line.#connect().catch(() => {});
    else await line.#connect();
    return line;
  }

  /** Port of a server. */
  get port(): number | null {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }

  override close(): void {
    if (this.#closed) return;
    super.close();
    this.#closed = true;
    this.#server?.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket === null) return;
    socket.destroySoon();
    setTimeout(() => socket.destroy(), LINGER).unref();
  }

  async #listen(waiting: () => void): Promise<void> {
    const { target, wait } = this.#options;
    let first = (): void => {};
    const server = createServer((socket) => {
      if (this.#socket !== null) {
        socket.destroy();
        return;
      }
      this.#link(socket);
      first();
    });
    this.#server = server;
    if ('path' in target) removeSocket(target.path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if ('path' in target) server.listen(target.path, resolve);
      else server.listen(target.port, target.host, resolve);
    });
    if (wait) {
      waiting();
      await new Promise<void>((resolve) => { first = resolve; });
    }
    server.unref();
  }

  async #connect(): Promise<void> {
    const { target, reconnect } = this.#options;
    const socket = 'path' in target ? connect(target.path) : connect(target.port, target.host);
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        this.#socket = null;
        if (reconnect > 0) this.#again();
        reject(error);
      });
      socket.once('connect', resolve);
    });
    socket.removeAllListeners('error');
    this.#link(socket);
  }

  #link(socket: Socket): void {
    this.#socket = socket.setNoDelay(true).unref();
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#socket = null;
      this.detach();
      if (!this.#options.server && this.#options.reconnect > 0) this.#again();
    });
    this.attach(socket, socket, this.#options.telnet === true ? new Telnet(this.#options.server, (bytes) => socket.write(bytes)) : undefined);
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#connect().catch(() => {});
    }, this.#options.reconnect * 1000).unref();
  }
}

/** A socket that a server before left behind. */
function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // There is none, or listening will say what is wrong.
  }
}
