/** The user network on real sockets of 127.0.0.1: what a guest sends reaches a server of the host, and a client of the host the guest. */
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { HostSockets, listenDatagrams, listenStreams } from '../../../src/backends/net/host-sockets.ts';
import type { HostStream, StreamEvents } from '../../../src/backends/net/host-network.ts';
import { openUserNetwork } from '../../../src/backends/net/user.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Notes what a stream tells. */
function noted(): { events: StreamEvents; log: string[]; until: (text: string) => Promise<void> } {
  const log: string[] = [];
  return {
    log,
    events: {
      connected: () => log.push('connected'), data: (bytes) => log.push(`data ${Buffer.from(bytes).toString()}`), end: () => log.push('end'),
      drained: () => log.push('drained'), failed: (reason) => log.push(`failed ${reason}`),
    },
    until: async (text) => {
      while (!log.includes(text)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}

describe('sockets of the host', () => {
  it('connect, send, half-close', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('data', (bytes) => socket.write(`got ${String(bytes)}`)).on('end', () => socket.end('bye'))).listen(0, '127.0.0.1');
    closers.push(() => server.close());
    await once(server, 'listening');
    const { events, log, until } = noted();
    const stream = new HostSockets().connect('127.0.0.1', (server.address() as AddressInfo).port, events);
    await until('connected');
    stream.write(Buffer.from('x'));
    await until('data got x');
    stream.end();
    await until('end');
    expect(log).toEqual(['connected', 'data got x', 'data bye', 'end']);
  });

  it('say why there is no connection', async () => {
    const { events, until } = noted();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    new HostSockets().connect('127.0.0.1', port, events);
    await until('failed refused');
    const zero = noted();
    new HostSockets().connect('127.0.0.1', 0, zero.events);
    await zero.until('failed refused');
  });

  it('listen for connections, which wait until they are resumed', async () => {
    const { events, until, log } = noted();
    const accepted: HostStream[] = [];
    const server = await listenStreams('127.0.0.1', 0, (stream, peer) => {
      expect(peer.address).toBe('127.0.0.1');
      stream.events = events;
      stream.pause();
      accepted.push(stream);
    });
    closers.push(() => server.close());
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    closers.push(() => client.destroy());
    client.on('error', () => log.push('client error'));
    client.write('hello');
    while (accepted.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(log).toEqual([]);
    accepted[0]!.resume();
    await until('data hello');
    accepted[0]!.destroy();
    await until('client error');
  });

  it('pass datagrams', async () => {
    const echo = createSocket('udp4');
    echo.on('message', (bytes, { port, address }) => echo.send(Buffer.concat([bytes, bytes]), port, address));
    echo.bind(0, '127.0.0.1');
    await once(echo, 'listening');
    closers.push(() => echo.close());
    const got = new Promise<string>((resolve) => {
      const socket = new HostSockets().datagrams(false, (bytes) => resolve(Buffer.from(bytes).toString()));
      closers.push(() => socket.close());
      socket.send(Buffer.from('ab'), '127.0.0.1', echo.address().port);
    });
    expect(await got).toBe('abab');
    const bound = await listenDatagrams('127.0.0.1', 0, () => {});
    closers.push(() => bound.close());
    await expect(openUserNetwork({ forwards: [{ protocol: 'udp', hostAddress: '127.0.0.1', hostPort: bound.port, guestAddress: null, guestPort: 9 }] })).rejects.toThrow(/host forwarding.*EADDRINUSE/);
  });
});
