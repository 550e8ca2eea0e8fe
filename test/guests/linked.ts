/**
 * Two Debian guests with their cards linked by -netdev socket: each pings the other, and both send a file over one TCP connection. Either may
 * run on QEMU, where that is installed.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { DatagramNetwork as Datagrams, Machine as MachineType, OpenNetwork, SocketNetwork as Sockets } from '../../src/index.ts';
import { image, missing, scratchFolder } from '../boot/images.ts';
import { withTests } from '../boot/initrd.ts';
import { hasQemu } from '../boot/qemu.ts';

interface Library {
  readonly Machine: typeof MachineType;
  readonly SocketNetwork: typeof Sockets;
  readonly DatagramNetwork: typeof Datagrams;
}

type Emulator = 'tcg86' | 'QEMU';
type Model = 'e1000' | 'virtio-net-pci';

interface Link {
  readonly how: 'listen and connect' | 'udp' | 'mcast';
  readonly ends: readonly [Emulator, Emulator];
  readonly model: Model;
}

const KERNEL = 'debian-686/vmlinuz', INITRD = 'debian-686/initrd.cpio.gz';
const LOOPBACK = '127.0.0.1', GROUP = '230.0.0.9', PORT = 9900;
const TEST = `#!/bin/sh
for m in virtio_pci virtio_net e1000 af_packet; do modprobe $m 2>/dev/null; done
for w in $(cat /proc/cmdline); do case $w in link.*=*) eval "\${w#link.}";; esac; done
until [ -d /sys/class/net/eth0 ]; do sleep 1; done
ip link set lo up; ip addr add 10.9.0.$me/24 dev eth0; ip link set eth0 up
until ping -c 1 -W 1 10.9.0.$peer >/dev/null; do sleep 1; done
ping -c 3 -W 10 10.9.0.$peer || exit 1
dd if=/dev/urandom of=/tmp/mine bs=1k count=1024 2>/dev/null
if [ $me = 1 ]; then nc -l -p 7000 </tmp/mine >/tmp/theirs
else until nc 10.9.0.$peer 7000 </tmp/mine >/tmp/theirs; do sleep 1; done
fi
md5sum /tmp/mine /tmp/theirs
`;

const LINKS: readonly Link[] = [
  { how: 'listen and connect', ends: ['tcg86', 'tcg86'], model: 'e1000' },
  { how: 'listen and connect', ends: ['tcg86', 'QEMU'], model: 'e1000' },
  { how: 'listen and connect', ends: ['QEMU', 'tcg86'], model: 'virtio-net-pci' },
  { how: 'udp', ends: ['tcg86', 'QEMU'], model: 'e1000' },
  { how: 'mcast', ends: ['QEMU', 'tcg86'], model: 'virtio-net-pci' },
];

/** QEMU's option for one end; ours follows from the same. */
const netdev = (how: Link['how'], end: number): string => ({
  'listen and connect': `${end === 0 ? 'listen' : 'connect'}=${LOOPBACK}:${PORT}`, udp: `udp=${LOOPBACK}:${PORT + 1 - end},localaddr=${LOOPBACK}:${PORT + end}`,
  mcast: `mcast=${GROUP}:${PORT},localaddr=${LOOPBACK}`,
})[how];

function openNetwork({ SocketNetwork, DatagramNetwork }: Library, how: Link['how'], end: number): Promise<OpenNetwork> {
  const place = (address: string, port: number): { address: string; port: number } => ({ address, port });
  if (how === 'mcast') return DatagramNetwork.open({ mode: 'mcast', target: place(GROUP, PORT), local: place(LOOPBACK, 0) });
  if (how === 'udp') return DatagramNetwork.open({ mode: 'udp', target: place(LOOPBACK, PORT + 1 - end), local: place(LOOPBACK, PORT + end) });
  return SocketNetwork.open({ mode: end === 0 ? 'listen' : 'connect', ...place(LOOPBACK, PORT) });
}

/** What the guest at one end says until it switches off. */
async function say(library: Library, { how, ends, model }: Link, end: number, initrd: string, timeout: number): Promise<string> {
  const append = `console=ttyS0 quiet guest.run=link link.me=${end + 1} link.peer=${2 - end}`, mac = `52:54:00:12:34:5${end}`;
  if (ends[end] === 'QEMU') {
    const args = ['-netdev', `socket,id=n0,${netdev(how, end)}`, '-device', `${model},netdev=n0,mac=${mac}`, '-kernel', image(KERNEL), '-initrd', initrd, '-append', append];
    const qemu = spawn('qemu-system-i386', ['-display', 'none', '-serial', 'stdio', ...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: timeout * 1000 });
    let text = '';
    qemu.stdout.on('data', (bytes: Buffer) => { text += String(bytes); });
    await new Promise((resolve) => qemu.on('close', resolve));
    return text;
  }
  const network = await openNetwork(library, how, end), machine = library.Machine.open({ kernel: image(KERNEL), initrd, append, nics: [{ model, mac, network }], timeout });
  try {
    await machine.run();
    return machine.transcript.text;
  } finally {
    machine.close();
    network.close();
  }
}

async function run(library: Library, link: Link, timeout: number): Promise<string | null> {
  const scratch = scratchFolder();
  try {
    const initrd = withTests(image(INITRD), scratch, { link: TEST }), first = say(library, link, 0, initrd, timeout);
    // The end that listens is there before the other one connects.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const texts = await Promise.all([first, say(library, link, 1, initrd, timeout)]);
    const sums = texts.map((text) => ['mine', 'theirs'].map((name) => new RegExp(`^(\\w+)  /tmp/${name}`, 'm').exec(text)?.[1]));
    const passed = texts.every((text) => text.includes('@PASS link')) && sums[0]![0] === sums[1]![1] && sums[1]![0] === sums[0]![1];
    return passed ? null : texts.map((text) => text.slice(-1000)).join('\n---\n');
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

export const LINKED_GUESTS = LINKS.map((link) => ({
  name: `Debian, two machines linked by ${link.how}: ${link.ends.join(' and ')}, ${link.model}`,
  /** Why it cannot run; null: it can. */
  lacking: missing(KERNEL, INITRD).length > 0 ? 'its images are not there (TCG86_IMAGES)' : link.ends.includes('QEMU') && !hasQemu ? 'qemu-system-i386 is not there' : null,
  run: (library: Library, timeout: number): Promise<string | null> => run(library, link, timeout),
}));
