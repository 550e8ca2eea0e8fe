/** Lines over sockets and pipes of the host. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openChar } from '../../src/backends/char.ts';
import type { CharOptions, OpenCharBackend } from '../../src/backends/char.ts';
import { DatagramChar } from '../../src/backends/char-datagrams.ts';
import { SocketChar } from '../../src/backends/char-socket.ts';
import { Telnet } from '../../src/backends/telnet.ts';

const LOOPBACK = '127.0.0.1';
let scratch: string, open: { close(): void }[], got: string, terminal: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tcg86-char-'));
  open = [];
  got = '';
});
afterEach(() => {
  for (const one of open) one.close();
  rmSync(scratch, { recursive: true });
});

const until = async (done: () => boolean): Promise<void> => {
  for (let i = 0; !done(); i++) {
    if (i > 1000) throw new Error('nothing came');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const listening = <T extends OpenCharBackend>(line: T): T => {
  line.receive = (byte) => { got += String.fromCharCode(byte); };
  open.push(line);
  return line;
};
const line = async (options: CharOptions): Promise<OpenCharBackend> => listening(await openChar(options, { stdio: { write: () => {}, close: () => {} }, failed: () => {}, waiting: () => {}, redirected: (path) => { terminal = path; } }));
const say = (to: OpenCharBackend, text: string): void => {
  for (const char of text) to.write(char.charCodeAt(0));
};
/** What the other end hears. */
function hears(socket: Socket): () => string {
  let text = '';
  socket.on('data', (bytes) => { text += bytes.toString('latin1'); }).on('error', () => {});
  open.push({ close: () => socket.destroy() });
  return () => text;
}
const server = { server: true, wait: false, reconnect: 0 }, client = { server: false, wait: false, reconnect: 0 };

describe('lines', () => {
  it('a TCP server: both ways, one at a time, and the next one', async () => {
    const end = listening(await SocketChar.open({ target: { host: LOOPBACK, port: 0 }, ...server }));
    say(end, 'lost');
    end.flush();
    const first = connect(end.port!, LOOPBACK), heard = hears(first);
    first.write('in');
    await until(() => got === 'in');
    say(end, 'out');
    await until(() => heard() === 'out');
    const second = connect(end.port!, LOOPBACK);
    hears(second);
    await until(() => second.destroyed);
    first.destroy();
    await until(() => !end.connected);
    const third = hears(connect(end.port!, LOOPBACK));
    await until(() => end.connected);
    say(end, 'again');
    await until(() => third() === 'again');
  });

  it('a server may wait for somebody', async () => {
    const path = join(scratch, 'socket');
    let waits = false, opened = false;
    const pending = SocketChar.open({ target: { path }, server: true, wait: true, reconnect: 0 }, () => { waits = true; }).then((end) => {
      opened = true;
      return end;
    });
    await until(() => waits);
    expect(opened).toBe(false);
    hears(connect(path));
    expect(listening(await pending).connected).toBe(true);
  });

  it('a Unix server takes the place of a socket that was left behind, but of no file', async () => {
    const path = join(scratch, 'socket');
    spawnSync(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`]);
    expect(existsSync(path)).toBe(true);
    const end = listening(await SocketChar.open({ target: { path }, ...server })), heard = hears(connect(path));
    await until(() => end.connected);
    say(end, 'x');
    await until(() => heard() === 'x');
    writeFileSync(join(scratch, 'plain'), 'kept');
    await expect(SocketChar.open({ target: { path: join(scratch, 'plain') }, ...server })).rejects.toThrow('EADDRINUSE');
    expect(readFileSync(join(scratch, 'plain'), 'utf8')).toBe('kept');
  });

  it('a client connects, and again if it is told so', async () => {
    const sockets: Socket[] = [], host = createServer((socket) => sockets.push(socket.on('error', () => {})));
    open.push({ close: () => host.close() }, { close: () => sockets.forEach((socket) => socket.destroy()) });
    await new Promise<void>((resolve) => { host.listen(0, LOOPBACK, resolve); });
    const { port } = host.address() as { port: number };
    const end = listening(await SocketChar.open({ target: { host: LOOPBACK, port }, ...client, reconnect: 0.02 }));
    await until(() => sockets.length === 1);
    sockets[0]!.destroy();
    await until(() => sockets.length === 2 && end.connected);
    sockets[1]!.write('hello');
    await until(() => got === 'hello');
    await expect(SocketChar.open({ target: { path: join(scratch, 'nobody') }, ...client })).rejects.toThrow('ENOENT');
    listening(await SocketChar.open({ target: { path: join(scratch, 'nobody') }, ...client, reconnect: 1 }));
  });

  it('an other end that sends more than the guest takes has to wait', async () => {
    const end = listening(await SocketChar.open({ target: { host: LOOPBACK, port: 0 }, ...server }));
    let room = 10;
    end.room = () => room - got.length;
    const socket = connect(end.port!, LOOPBACK), text = 'x'.repeat(20_000_000);
    hears(socket);
    socket.write(text);
    await until(() => got.length === 10);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(socket.writableLength).toBeGreaterThan(0);
    room = 1000;
    end.more();
    expect(got.length).toBe(1000);
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)('a pseudo terminal: raw, both ways, also for who comes later', async () => {
    const end = await line({ kind: 'pty' }), message = 'to the host\r\n\x03\x04';
    expect(terminal).toMatch(/^\/dev\//);
    say(end, message);
    end.flush();
    for (let i = 0; i < 2; i++) {
      const there = openSync(terminal, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
      let heard = '';
      got = '';
      writeSync(there, 'to the guest\n\x03\x04');
      await until(() => got === 'to the guest\n\x03\x04');
      if (i > 0) say(end, message);
      end.flush();
      await until(() => {
        try {
          const bytes = Buffer.alloc(64);
          heard += bytes.toString('latin1', 0, readSync(there, bytes));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        }
        return heard === message;
      });
      closeSync(there);
    }
    end.close();
    await until(() => !existsSync(terminal));
  });

  it('no pseudo terminal where nothing makes one', async () => {
    const path = process.env.PATH;
    process.env.PATH = scratch;
    try {
      await expect(line({ kind: 'pty' })).rejects.toThrow("no pseudo terminal: this host has no command 'script'");
    } finally {
      process.env.PATH = path;
    }
  });

  it('named pipes: a pair, or one', async () => {
    for (const name of ['p.in', 'p.out', 'q']) execFileSync('mkfifo', [join(scratch, name)]);
    const pair = await line({ kind: 'pipe', path: join(scratch, 'p') }), from = openSync(join(scratch, 'p.out'), constants.O_RDONLY | constants.O_NONBLOCK);
    const to = openSync(join(scratch, 'p.in'), constants.O_WRONLY);
    writeSync(to, 'in');
    await until(() => got === 'in');
    say(pair, 'out');
    pair.flush();
    const bytes = Buffer.alloc(10);
    expect(bytes.toString('latin1', 0, readSync(from, bytes))).toBe('out');
    closeSync(from);
    closeSync(to);
    await line({ kind: 'pipe', path: join(scratch, 'q') });
    const both = openSync(join(scratch, 'q'), constants.O_WRONLY);
    writeSync(both, '!');
    await until(() => got === 'in!');
    closeSync(both);
    writeFileSync(join(scratch, 'plain'), '');
    await expect(line({ kind: 'pipe', path: join(scratch, 'plain') })).rejects.toThrow('is no named pipe');
    await expect(line({ kind: 'pipe', path: join(scratch, 'none') })).rejects.toThrow('ENOENT');
  });

  it('telnet: a server says how it is, and commands are no input', async () => {
    const end = listening(await SocketChar.open({ target: { host: LOOPBACK, port: 0 }, ...server, telnet: true })), socket = connect(end.port!, LOOPBACK), heard = hears(socket);
    const greeting = [255, 251, 1, 255, 251, 3, 255, 251, 0, 255, 253, 0];
    await until(() => heard().length === greeting.length);
    // Yes to all, a terminal type that is declined, a byte FFh, a subnegotiation, no operation.
    for (const byte of [0x61, 255, 253, 1, 255, 251, 0, 255, 251, 24, 0x62, 255, 255, 255, 250, 31, 0, 80, 255, 240, 255, 241, 0x63]) socket.write(Uint8Array.of(byte));
    await until(() => got === 'ab\xffc');
    say(end, 'x\xff');
    await until(() => heard().length === greeting.length + 6);
    expect([...Buffer.from(heard(), 'latin1')]).toEqual([...greeting, 255, 254, 24, 0x78, 255, 255]);
  });

  it('two telnet ends of ours agree, and stop talking of it', async () => {
    const said: number[][] = [], answers: [number[], number[]] = [[], []];
    const one = new Telnet(true, (bytes) => answers[0].push(...bytes)), two = new Telnet(false, (bytes) => answers[1].push(...bytes));
    for (let round = 0; round < 4; round++) {
      const [a, b] = answers.map((list) => Uint8Array.from(list.splice(0)));
      said.push([a!.length, b!.length]);
      two.decode(a!);
      one.decode(b!);
    }
    expect(said).toEqual([[12, 0], [0, 12], [0, 0], [0, 0]]);
  });

  it('datagrams: each way, whatever their size', async () => {
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(0, LOOPBACK, resolve));
    open.push({ close: () => other.close() });
    let heard = '';
    other.on('message', (bytes) => { heard += bytes.toString('latin1'); });
    const end = listening(await DatagramChar.open({ target: { host: LOOPBACK, port: other.address().port }, local: { host: LOOPBACK, port: 0 } }));
    say(end, 'x'.repeat(3000));
    await until(() => heard.length === 3000);
    other.send('hello', end.port, LOOPBACK);
    other.send('', end.port, LOOPBACK);
    await until(() => got === 'hello');
    end.room = () => 0;
    for (let i = 0; i < 100; i++) other.send('y'.repeat(1000), end.port, LOOPBACK);
    say(end, '!');
    end.close();
    await until(() => heard.endsWith('!'));
  });

  it('a log gets what the guest sends, whoever is at the other end', async () => {
    const path = join(scratch, 'log'), host = { stdio: { write: () => {}, close: () => {} }, failed: () => {}, waiting: () => {}, redirected: () => {} };
    for (const append of [false, true]) {
      const end = await openChar({ kind: 'file', path: join(scratch, 'file'), append: false, log: { path, append } }, host);
      end.receive = () => {};
      say(end, 'one');
      end.close();
    }
    expect([readFileSync(path, 'utf8'), readFileSync(join(scratch, 'file'), 'utf8')]).toEqual(['oneone', 'one']);
    await expect(openChar({ kind: 'null', log: { path: scratch, append: false } }, host)).rejects.toThrow('EISDIR');
  });

  it('files anew, or at their end', async () => {
    const path = join(scratch, 'file');
    for (const [append, text] of [[false, 'one'], [true, 'two'], [false, 'three']] as const) {
      const end = await line({ kind: 'file', path, append });
      say(end, text);
      end.close();
      open.pop();
      expect(readFileSync(path, 'utf8')).toBe({ one: 'one', two: 'onetwo', three: 'three' }[text]);
    }
    expect(existsSync(path)).toBe(true);
  });
});
