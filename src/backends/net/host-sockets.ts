/** The host's side of the user network: node:net, node:dgram and the resolver that the host is told to use. */
import { createSocket } from 'node:dgram';
import type { Socket as DatagramSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { bindDatagrams } from '../bind-datagrams.ts';
import type { Failure, HostDatagrams, HostNetwork, HostStream, Received, StreamEvents } from './host-network.ts';

const DNS_PORT = 53;

/** A socket that does not keep the process alive: the machine does, while it runs. */
export class SocketStream implements HostStream {
  events: StreamEvents | null;
  readonly #socket: Socket;

  constructor(socket: Socket, events: StreamEvents | null) {
    this.events = events;
    this.#socket = socket;
    socket.setNoDelay(true).unref();
    socket.on('connect', () => this.events?.connected());
    socket.on('data', (bytes) => this.events?.data(bytes));
    socket.on('end', () => this.events?.end());
    socket.on('drain', () => this.events?.drained());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#tell(failureOf(error)));
  }

  get pending(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.events = null;
    if (this.#socket.connecting) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  finish(): void {
    this.events = null;
    this.#socket.destroySoon();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #tell(reason: Failure): void {
    const { events } = this;
    this.events = null;
    events?.failed(reason);
  }
}

function failureOf({ code }: NodeJS.ErrnoException): Failure {
  if (code === 'ECONNREFUSED') return 'refused';
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'reset' : 'unreachable';
}

class SocketDatagrams implements HostDatagrams {
  readonly #socket: DatagramSocket;

  constructor(socket: DatagramSocket, received: Received) {
    this.#socket = socket;
    socket.unref();
    socket.on('message', (bytes, { address, port }) => received(bytes, address, port));
    // What cannot be sent is lost, as datagrams may be.
    socket.on('error', () => {});
  }

  send(bytes: Uint8Array, address: string, port: number): void {
    if (port !== 0) this.#socket.send(bytes, port, address, () => {});
  }

  close(): void {
    this.#socket.close();
  }
}

export class HostSockets implements HostNetwork {
  connect(address: string, port: number, events: StreamEvents): HostStream {
    if (port !== 0) return new SocketStream(connect({ host: address, port, allowHalfOpen: true }), events);
    // There is no port 0, and Node throws for it.
    setImmediate(() => events.failed('refused'));
    return { events, pending: 0, write() {}, end() {}, destroy() {}, finish() {}, pause() {}, resume() {} };
  }

  datagrams(ipv6: boolean, received: Received): HostDatagrams {
    return new SocketDatagrams(createSocket(ipv6 ? 'udp6' : 'udp4'), received);
  }

  resolver(): { address: string; port: number } | null {
    const [first] = getServers();
    if (first === undefined) return null;
    // `1.2.3.4`, `1.2.3.4:5353`, `::1`, `[::1]:5353`.
    const [, bracketed, plain, port] = /^(?:\[(.*)\]|([\d.]+))(?::(\d+))?$/.exec(first) ?? [];
    return { address: bracketed ?? plain ?? first, port: port === undefined ? DNS_PORT : Number(port) };
  }
}

/** Listens for connections. @throws Error of the host, e.g. EADDRINUSE */
export async function listenStreams(address: string, port: number, accept: (stream: HostStream, peer: { address: string; port: number }) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    accept(new SocketStream(socket, null), { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  server.on('error', () => {});
  return server.unref();
}

/** Listens for datagrams. @throws Error of the host */
export async function listenDatagrams(address: string, port: number, received: Received): Promise<HostDatagrams & { readonly port: number }> {
  const socket = createSocket('udp4');
  await bindDatagrams(socket, address, port);
  const bound = new SocketDatagrams(socket, received);
  return { port: socket.address().port, send: (bytes, to, toPort) => bound.send(bytes, to, toPort), close: () => bound.close() };
}
