/**
 * Debian's Linux with a device of every kind: its tests of each, one after the other. Then, at its shell, a server in the guest that a
 * port of the host leads to, and a reset while all devices are in use, by the way that asks most of the machine: Linux jumps to the
 * firmware. One boot for all of them: booting takes longer than most of the tests. (disk-pattern.test.ts switches off.)
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine, openUserNetwork } from '../../src/index.ts';
import type { CharBackend, OpenNetwork } from '../../src/index.ts';
import { makeIso } from '../iso.ts';
import { image, missing, scratchFolder, titled } from './images.ts';
import { withTests } from './initrd.ts';
import { UDP_ECHO_PORT, udpEcho } from './udp-echo.ts';

const KERNEL = 'debian-686/vmlinuz', INITRD = 'debian-686/initrd.cpio.gz';
const TESTS = ['cpu', 'blk', 'ata', 'cdrom', 'net', 'rng', 'vcon', '9p', 'floppy', 'time'];
const HOST_SECONDS = 800;
/** The shell asks its terminal where the cursor is. */
const PROMPT = /# (\x1b\[6n)?$/m;
const FILE = 'a file of the host\n', FILE_MD5 = '9f1e478ebcad1d47c41ea2752ed150ef';
const lacking = missing(KERNEL, INITRD);

/** A server on a port that nobody else has. */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer(), port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(lacking.length > 0)(titled('Debian with all devices', lacking), () => {
  const line: CharBackend = { receive: null, write: () => {} };
  const web = createServer((socket) => {
    socket.once('data', (request) => socket.end(String(request).startsWith('GET /file ') ? `HTTP/1.0 200 OK\r\n\r\n${FILE}` : 'HTTP/1.0 404 Not Found\r\n\r\n'));
    socket.on('error', () => {});
  });
  let scratch: string, machine: Machine, network: OpenNetwork, forwarded: number, console = '';
  beforeAll(async () => {
    scratch = scratchFolder();
    const file = (name: string, contents: Uint8Array | string): string => {
      writeFileSync(join(scratch, name), contents);
      return join(scratch, name);
    };
    mkdirSync(join(scratch, 'share'));
    file('share/of-the-host', 'hello');
    forwarded = await freePort();
    const host = { hostAddress: '127.0.0.1', hostPort: forwarded, guestAddress: null };
    network = await openUserNetwork({ forwards: [{ protocol: 'tcp', ...host, guestPort: 80 }, { protocol: 'udp', ...host, guestPort: UDP_ECHO_PORT }] });
    machine = Machine.open({
      kernel: image(KERNEL), initrd: withTests(image(INITRD), scratch, { udpecho: udpEcho() }), append: `earlyprintk=ttyS0 console=ttyS0 quiet reboot=bios guest.run=${TESTS.join()} guest.http=10.0.2.2:${await listen(web)}/file guest.end=shell`,
      cdrom: file('test.iso', makeIso({ 'HELLO.TXT': new TextEncoder().encode('Hello from a CD\n'), 'BIG.BIN': new Uint8Array(500_000) })),
      fda: file('floppy.img', new Uint8Array(1_474_560)),
      drives: [
        { file: file('ata.img', new Uint8Array(16 << 20)), format: 'raw', interface: 'ide', index: 0 },
        { file: file('virtio.img', new Uint8Array(16 << 20)), format: 'raw', interface: 'virtio', index: 0 },
      ],
      nics: [{ model: 'e1000', network }], rngs: 1, shares: [{ path: join(scratch, 'share'), tag: 'host0' }], serials: [line],
      virtioPorts: [{ backend: { receive: null, write: (byte) => { console += String.fromCharCode(byte); } }, console: true }], timeout: HOST_SECONDS,
    });
  }, HOST_SECONDS * 1000);
  afterAll(() => {
    machine.close();
    network.close();
    web.close();
    rmSync(scratch, { recursive: true });
  });

  const run = async (command: string, answer: RegExp = PROMPT): Promise<void> => {
    for (const letter of `${command}\n`) line.receive!(letter.charCodeAt(0));
    await machine.expect(answer);
  };

  it('passes ten of ten tests', async () => {
    await machine.expect(/@DONE[^]*# (\x1b\[6n)?$/m);
    const { text } = machine.transcript;
    expect(text.match(/^@(PASS|FAIL) .*?$/gm)).toEqual(TESTS.map((name) => `@PASS ${name}`));
    expect(text).toMatch(/ata1: PATA max MWDMA2 .* bmdma 0x/);
    expect(text).toMatch(/@RUN cdrom[^]*big.bin +hello.txt[^]*@PASS cdrom/);
    expect(text).toMatch(new RegExp(`@RUN net\\s+e1000[^]*200 OK[^]*${FILE_MD5}[^]*@PASS net`));
    expect(text).toMatch(/of-the-host[^]*written by the guest[^]*@PASS 9p/);
    expect(console).toContain('hello from hvc0');
  }, HOST_SECONDS * 1000);

  it('wrote to the shared folder', () => {
    expect(readFileSync(join(scratch, 'share/from-guest'), 'utf8')).toBe('written by the guest\n');
    expect(existsSync(join(scratch, 'from-guest'))).toBe(false);
  });

  it('serves a client of the host by a forwarded port', async () => {
    await run('echo world | nc -l -p 80 >/tmp/got &');
    await machine.wait(1);
    const answer = new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(forwarded, '127.0.0.1');
      socket.on('data', (bytes) => {
        text += String(bytes);
        if (text.endsWith('world\n')) socket.end();
      });
      socket.on('close', () => resolve(text)).on('error', reject);
      socket.write('hello\n');
    });
    await run('sleep 2; cat /tmp/got', /hello[^]*# (\x1b\[6n)?$/m);
    expect(await answer).toBe('world\n');
  }, HOST_SECONDS * 1000);

  it('answers several hosts by a forwarded UDP port', async () => {
    await run('/tests/udpecho &');
    const sockets = Array.from({ length: 4 }, () => createSocket('udp4')), texts = sockets.map((_, i) => `from host ${i}: ${'x'.repeat(1000 * i)}`);
    const answers = Promise.all(sockets.map((socket) => new Promise<string>((resolve) => { socket.once('message', (bytes) => resolve(String(bytes))); })));
    await machine.wait(1);
    for (const [i, socket] of sockets.entries()) socket.send(texts[i]!, forwarded, '127.0.0.1');
    await run('sleep 1; echo $((6 * 7))', /^42[^]*# (\x1b\[6n)?$/m);
    expect(await answers).toEqual(texts);
    for (const socket of sockets) socket.close();
  }, HOST_SECONDS * 1000);

  it('resets the machine while its devices are busy, and Linux starts again', async () => {
    await run('for d in sda sr0 vda fd0; do dd if=/dev/$d of=/dev/null & done; ping -A 10.0.2.2 >/dev/null & sleep 1');
    for (const letter of 'reboot -f\n') line.receive!(letter.charCodeAt(0));
    await machine.expect(/reboot: Restarting system[^]*Linux version 6/);
    expect(machine.screen()).toContain('tcg86 BIOS');
  }, HOST_SECONDS * 1000);
});
