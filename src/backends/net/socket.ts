/**
 * `-netdev socket`: two machines linked by a TCP connection of the host, as QEMU does it: each frame behind its length, 32 bits, big-endian.
 * One end listens, the other connects. Frames before the other is there, or that it does not take in time, are lost, as on a wire.
 */
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { NetPort } from '../../devices/host.ts';
import { get32, put32 } from './packet.ts';
import type { OpenNetwork } from './user.ts';

/** Bytes that may wait for the other end, and longest frame that is believed. */
const PENDING_MOST = 1 << 20, FRAME_MOST = 69_632;
const LENGTH = 4;

export interface SocketOptions {
  readonly mode: 'listen' | 'connect';
  readonly address: string;
  readonly port: number;
}

/** Frames out of a stream of bytes. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array(0);

  /** @returns the frames that are whole now; null: this is no such stream */
  add(bytes: Uint8Array): Uint8Array[] | null {
    const all = new Uint8Array(this.#rest.length + bytes.length), frames: Uint8Array[] = [];
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    let at = 0;
    while (at + LENGTH <= all.length) {
      const length = get32(all, at);
      if (length > FRAME_MOST) return null;
      if (at + LENGTH + length > all.length) break;
      frames.push(all.slice(at + LENGTH, at + LENGTH + length));
      at += LENGTH + length;
    }
    this.#rest = all.subarray(at);
    return frames;
  }
}

export class SocketNetwork implements OpenNetwork {
  #port: NetPort | null = null;
  #peer: Socket | null = null;
  #server: Server | null = null;

  /** @throws Error of the host: an address that is taken, or nobody who listens */
  static async open({ mode, address, port }: SocketOptions): Promise<SocketNetwork> {
    const network = new SocketNetwork();
    if (mode === 'listen') {
      const server = createServer((socket) => network.#link(socket));
      network.#server = server.unref();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, address, resolve);
      });
    } else {
      const socket = connect(port, address);
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.once('connect', resolve);
      });
      network.#link(socket);
    }
    return network;
  }

  /** Where it listens; null if it does not. */
  get listening(): number | null {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }

  plug(port: NetPort): void {
    this.#port = port;
  }

  send(frame: Uint8Array): void {
    if (this.#peer === null || this.#peer.writableLength > PENDING_MOST) return;
    const bytes = new Uint8Array(LENGTH + frame.length);
    put32(bytes, 0, frame.length);
    bytes.set(frame, LENGTH);
    this.#peer.write(bytes);
  }

  close(): void {
    this.#server?.close();
    this.#peer?.destroySoon();
    this.#peer = null;
  }

  /** One other end at a time: a second one is turned away. */
  #link(socket: Socket): void {
    if (this.#peer !== null) {
      socket.destroy();
      return;
    }
    this.#peer = socket.setNoDelay(true).unref();
    const reader = new FrameReader();
    socket.on('data', (bytes) => {
      const frames = reader.add(bytes);
      if (frames === null) socket.destroy();
      for (const frame of frames ?? []) this.#port?.deliver(frame);
    });
    // The other machine has ended: a listening end waits for the next one.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#peer === socket) this.#peer = null;
    });
  }
}
