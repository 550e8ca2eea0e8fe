/** Debian's Linux on a user network: a port of the host leads to a server in the guest. */
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine, openUserNetwork } from '../../src/index.ts';
import type { CharBackend, NetBackend, OpenNetwork } from '../../src/index.ts';
import { image, missing, titled } from './images.ts';

const KERNEL = 'debian-686/vmlinuz', INITRD = 'debian-686/initrd.cpio.gz';
const HOST_SECONDS = 400;
const lacking = missing(KERNEL, INITRD);
/** The shell asks its terminal where the cursor is. */
const PROMPT = /# (\x1b\[6n)?$/m;

/** A Debian at a shell on its serial line. */
class Shell {
  readonly machine: Machine;
  readonly #line: CharBackend = { receive: null, write: () => {} };

  constructor(model: string, network: NetBackend) {
    this.machine = Machine.open({
      kernel: image(KERNEL), initrd: image(INITRD), append: 'console=ttyS0 quiet', nics: [{ model, network }], serials: [this.#line], timeout: HOST_SECONDS,
    });
  }

  /** Types a command and runs until the guest has said what is expected, then prompts. */
  async run(command: string, answer: RegExp = PROMPT): Promise<void> {
    for (const letter of `${command}\n`) this.#line.receive!(letter.charCodeAt(0));
    await this.machine.expect(answer);
  }

  /** @param settings brings the card up, named eth0 */
  async start(module: string, settings: string): Promise<void> {
    await this.machine.expect(PROMPT);
    await this.run(`modprobe ${module}; modprobe af_packet; sleep 1; ip link set eth0 up; ${settings}; echo up $((40+2))`, /up 42[^]*# (\x1b\[6n)?$/m);
  }
}

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(lacking.length > 0)(titled('Debian on a network', lacking), () => {
  let server: Shell, network: OpenNetwork, tcp: number;
  beforeAll(async () => {
    tcp = await freePort();
    network = await openUserNetwork({ forwards: [{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: tcp, guestAddress: null, guestPort: 80 }] });
    server = new Shell('e1000', network);
    await server.start('e1000', 'udhcpc -i eth0 -n -q -s /etc/udhcpc.script');
  }, HOST_SECONDS * 1000);
  afterAll(() => {
    server.machine.close();
    network.close();
  });

  it('serves a client of the host by a forwarded port', async () => {
    await server.run('echo world | nc -l -p 80 >/tmp/got &');
    await server.machine.wait(1);
    const answer = new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(tcp, '127.0.0.1');
      socket.on('data', (bytes) => {
        text += String(bytes);
        if (text.endsWith('world\n')) socket.end();
      });
      socket.on('close', () => resolve(text)).on('error', reject);
      socket.write('hello\n');
    });
    await server.run('sleep 2; cat /tmp/got', /hello[^]*# (\x1b\[6n)?$/m);
    expect(await answer).toBe('world\n');
  }, HOST_SECONDS * 1000);
});
