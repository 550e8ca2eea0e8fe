/** `-netdev`, `-nic`, `-net` and network cards of `-device`: what they mean, and how they are refused. */
import { describe, expect, it } from 'vitest';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { defaultModel, withDefaultNic } from '../../src/cli/network.ts';
import { openNetworks } from '../../src/cli/networks.ts';
import { parseArguments } from '../../src/cli/options.ts';
import type { Output } from '../../src/cli/output.ts';
import { scratchFolder } from '../boot/images.ts';
import { SteppedClock } from '../devices/stepped-clock.ts';

const parse = (...args: string[]): ReturnType<typeof parseArguments> => parseArguments(args);

describe('network options', () => {
  it('join cards and networks', () => {
    const { netdevs, nics } = parse('-netdev', 'user,id=n0,net=192.168.5.0/24,hostfwd=tcp::2222-:22,hostfwd=udp:0.0.0.0:69-192.168.5.20:69,restrict=on', '-device', 'ne2k_isa,netdev=n0,iobase=0x320,irq=5,mac=52:54:00:00:00:01');
    expect(netdevs).toMatchObject([{ id: 'n0', network: { kind: 'user', user: {
      net: '192.168.5.0/24', restrict: true, forwards: [
        { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestAddress: null, guestPort: 22 },
        { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 69, guestAddress: '192.168.5.20', guestPort: 69 },
      ],
    } } }]);
    expect(parse('-netdev', 'socket,id=s,udp=127.0.0.1:1,localaddr=:2').netdevs).toMatchObject([{ network: { socket: { mode: 'udp', target: { port: 1 }, local: { address: '127.0.0.1', port: 2 } } } }]);
    expect(parse('-netdev', 'socket,id=s,listen=:9999').netdevs).toMatchObject([{ network: { kind: 'socket', socket: { mode: 'listen', address: '127.0.0.1', port: 9999 } } }]);
    expect(nics).toMatchObject([{ model: 'ne2k_isa', netdev: 'n0', iobase: 0x320, irq: 5, mac: '52:54:00:00:00:01' }]);
  });

  it('-nic is both in one; none is none', () => {
    const { netdevs, nics } = parse('-nic', 'user,model=ne2k_pci,hostfwd=::80-:80', '-nic', 'user,mac=52:54:00:00:00:09');
    expect(nics.map(({ model, netdev }) => [model, netdev])).toEqual([['ne2k_pci', netdevs[0]!.id], [null, netdevs[1]!.id]]);
    expect(parse('-nic', 'user,model=virtio').nics[0]!.model).toBe('virtio-net-pci');
    expect(parse('-nic', 'none').nics).toEqual([]);
    expect(parse('-net', 'none').nics).toEqual([]);
    // It takes none away that was asked for.
    expect(parse('-device', 'rtl8139', '-nic', 'none').nics).toMatchObject([{ model: 'rtl8139' }]);
  });

  it('-net joins cards and networks by hub 0', () => {
    const { netdevs, nics } = parse('-net', 'nic,model=rtl8139,macaddr=52:54:00:00:00:07', '-net', 'user,hostfwd=tcp::2222-:22,restrict=on', '-net', 'socket,id=s,listen=:9999', '-net', 'nic');
    expect(nics).toMatchObject([{ model: 'rtl8139', mac: '52:54:00:00:00:07', netdev: 'hub0port0' }, { model: null, mac: null, netdev: 'hub0port3' }]);
    expect(netdevs).toMatchObject([
      { id: 'hub0port0', network: { kind: 'hubport', hub: 0, netdev: null } },
      { id: '#net1', network: { kind: 'user', user: { restrict: true, forwards: [{ hostPort: 2222 }] } } }, { id: 'hub0port1', network: { hub: 0, netdev: '#net1' } },
      { id: 's', network: { kind: 'socket' } }, { id: 'hub0port2', network: { hub: 0, netdev: 's' } }, { id: 'hub0port3', network: { hub: 0, netdev: null } },
    ]);
    expect(parse('-netdev', 'user,id=n', '-net', 'nic,netdev=n').nics).toMatchObject([{ netdev: 'n' }]);
  });

  it('hub ports have a card or a network', () => {
    const { netdevs, nics } = parse('-netdev', 'user,id=u', '-netdev', 'hubport,id=a,hubid=3,netdev=u', '-netdev', 'hubport,id=b,hubid=3', '-device', 'e1000,netdev=b', '-nic', 'hubport,hubid=3,model=rtl8139');
    expect(netdevs.slice(1)).toMatchObject([{ network: { hub: 3, netdev: 'u' } }, { network: { hub: 3, netdev: null } }, { network: { hub: 3, netdev: null } }]);
    expect(nics.map(({ netdev }) => netdev)).toEqual(['b', netdevs[3]!.id]);
  });

  it.each([
    [['-netdev', 'socket,id=s'], /exactly one of listen=, connect=, mcast= or udp= is required/],
    [['-netdev', 'socket,id=s,udp=127.0.0.1:1'], /localaddr= is mandatory with udp=/],
    [['-netdev', 'socket,id=s,mcast=10.0.0.1:1'], /no multicast address/],
    [['-netdev', 'socket,id=s,connect=:1,localaddr=:2'], /only valid with mcast= or udp=/],
    [['-netdev', 'stream,id=s'], /-netdev socket with listen= or connect= is the same/],
    [['-netdev', 'socket,id=s,connect=here'], /'here' is no ADDRESS:PORT/],
    [['-netdev', 'user'], /parameter 'id' is missing/],
    [['-netdev', 'vde,id=x'], /expects a netdev backend type, not 'vde'/],
    [['-netdev', 'tap,id=x'], /Node cannot open taps/],
    [['-netdev', 'user,id=x,ipv7=on'], /invalid parameter 'ipv7'/],
    [['-netdev', 'user,id=x', '-netdev', 'user,id=x'], /Duplicate ID 'x'/],
    [['-netdev', 'user,id=x,net=10.0.2.0/99'], /net=10\.0\.2\.0\/99 is no network/],
    [['-netdev', 'user,id=x,hostfwd=tcp::80'], /Invalid host forwarding rule 'tcp::80'/],
    [['-netdev', 'user,id=x,hostfwd=tcp::80-:0'], /Bad guest port/],
    [['-netdev', 'user,id=x,hostfwd=tcp::99999-:1'], /Bad host port/],
    [['-netdev', 'user,id=x,hostfwd=tcp:nowhere:80-:1'], /'nowhere' is no address/],
    [['-device', 'ne2k_pci,netdev=x'], /can't find value 'x'/],
    [['-netdev', 'user,id=x', '-device', 'ne2k_pci,netdev=x', '-device', 'ne2k_pci,netdev=x'], /it's in use/],
    [['-device', 'ne2k_pci,mac=1:2'], /no MAC address/],
    [['-device', 'ne2k_pci,mac=01:00:00:00:00:00'], /that of a group/],
    [['-device', 'ne2k_pci,irq=5'], /Property 'ne2k_pci.irq' not found/],
    [['-device', 'ne2k_isa', '-device', 'ne2k_isa'], /an iobase and an irq each/],
    [['-nic', 'user,model=ne3000'], /unsupported NIC model 'ne3000'/],
    [['-net', 'tap'], /Node cannot open taps/],
    [['-net', 'hubport,hubid=0'], /hub ports are for -netdev and -nic/],
    [['-net', 'cable'], /expects a netdev backend type, not 'cable'/],
    [['-net', 'nic,model=ne3000'], /-net nic: unsupported NIC model 'ne3000'/],
    [['-net', 'nic,mac=52:54:00:00:00:07'], /-net nic: invalid parameter 'mac' \(known: type, model, macaddr, netdev\)/],
    [['-net', 'nic,macaddr=7'], /-net nic: '7' is no MAC address/],
    [['-net', 'nic,netdev=n'], /can't find value 'n'/],
    [['-net', 'user,ipv7=on'], /-net user: invalid parameter 'ipv7'/],
    [['-net', 'user,id=n', '-net', 'user,id=n'], /Duplicate ID 'n'/],
    [['-netdev', 'hubport,id=h'], /parameter 'hubid' is missing/],
    [['-netdev', 'hubport,id=h,hubid=x'], /'x' is not a number/],
    [['-netdev', 'hubport,id=h,hubid=1,netdev=u'], /netdev 'u' not found/],
    [['-netdev', 'hubport,id=h,hubid=1', '-netdev', 'hubport,id=g,hubid=2,netdev=h'], /netdev 'h' is a hub port itself/],
    [['-netdev', 'user,id=u', '-netdev', 'hubport,id=h,hubid=1,netdev=u', '-netdev', 'hubport,id=g,hubid=2,netdev=u'], /netdev 'u' is in use/],
    [['-netdev', 'user,id=u', '-netdev', 'hubport,id=h,hubid=1,netdev=u', '-device', 'e1000,netdev=u'], /it's in use/],
    [['-netdev', 'user,id=u', '-netdev', 'hubport,id=h,hubid=1,netdev=u', '-device', 'e1000,netdev=h'], /netdev 'u' is behind it/],
    [['-object', 'rng-random,id=r'], /invalid object type/],
    [['-object', 'filter-dump,id=f,file=x'], /parameter 'netdev' is missing/],
    [['-object', 'filter-dump,id=f,file=x,netdev=n'], /expects a network backend id, not 'n'/],
  ])('%j is refused in one line', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  it('-net: what the cards of hub 0 send reaches all others, and a dump has it once', async () => {
    const folder = scratchFolder(), file = join(folder, 'hub.pcap'), notes: string[] = [];
    const output = { note: (text: string) => notes.push(text), complain: (text: string) => notes.push(text) } as unknown as Output;
    const args = ['-net', 'nic', '-net', 'user', '-net', 'nic', '-object', `filter-dump,id=d,netdev=hub0port1,file=${file}`];
    const { nics, close } = await openNetworks(parse(...args), output), got: Uint8Array[][] = nics.map(() => []);
    nics.forEach(({ network }, i) => network!.plug({ clock: new SteppedClock(), deliver: (frame) => got[i]!.push(frame) > 0 }));
    // Who has 10.0.2.2?
    const mac = [0x52, 0x54, 0, 0x12, 0x34, 0x56], request = Uint8Array.of(255, 255, 255, 255, 255, 255, ...mac, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...mac, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2);
    nics[0]!.network!.send(request);
    close();
    const answer = [...mac, 0x52, 0x55, 10, 0, 2, 2, 8, 6];
    expect(got.map((frames) => frames.map((frame) => [...frame.subarray(0, 14)]))).toEqual([[answer], [[...request.subarray(0, 14)], answer]]);
    expect(readFileSync(file).length).toBe(24 + 2 * (16 + request.length));
    expect(notes).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it.each([
    [['-net', 'nic'], ['hub 0 is not connected to host network']],
    [['-net', 'user'], ['hub 0 with no nics']],
    [['-netdev', 'user,id=n'], ['netdev n has no peer']],
    [['-netdev', 'hubport,id=h,hubid=1'], ['netdev h has no peer']],
    [['-net', 'user', '-net', 'nic'], []],
  ])('%j: who hears nothing is told', async (args, expected) => {
    const notes: string[] = [];
    (await openNetworks(parse(...args), { note: (text: string) => notes.push(text) } as unknown as Output)).close();
    expect(notes).toEqual(expected);
  });

  it('a PC has a card without being told, unless something else is said of networks', () => {
    const cards = (...args: string[]): unknown => {
      const config = withDefaultNic(parse(...args));
      return config.nics.map(({ model, netdev }) => [model ?? defaultModel(config), netdev]);
    };
    expect(cards()).toEqual([['e1000', '#nic-default']]);
    expect(withDefaultNic(parse()).netdevs).toMatchObject([{ id: '#nic-default', network: { kind: 'user', user: {} } }]);
    expect(cards('-M', 'isapc')).toEqual([['ne2k_isa', '#nic-default']]);
    expect(cards('-device', 'rtl8139')).toEqual([['e1000', '#nic-default'], ['rtl8139', null]]);
    for (const none of [['-nic', 'none'], ['-net', 'none'], ['-nodefaults'], ['-netdev', 'user,id=n'], ['-net', 'user']]) expect(cards(...none), none.join(' ')).toEqual([]);
    expect(cards('-nic', 'user,model=rtl8139,id=n')).toEqual([['rtl8139', 'n']]);
    expect(cards('-net', 'nic', '-net', 'user')).toEqual([['e1000', 'hub0port0']]);
    expect(cards('-net', 'nic', '-M', 'isapc')).toEqual([['ne2k_isa', 'hub0port0']]);
  });

  it('the command: the default card, and -nodefaults with what the options name', () => {
    const dist = join(import.meta.dirname, '../../dist');
    const boards = (...args: string[]): string => {
      const { stdout, stderr } = spawnSync(process.execPath, [join(dist, 'tcg86.js'), '-drive', `file=${join(dist, 'bios/demo.img')},if=floppy,format=raw,readonly=on`, '-boot', 'a', '--expect', 'tcg86> $', '--type', 'lspci\\n', '--expect', 'lspci[^]*tcg86> $', '--screen', ...args], { encoding: 'utf8', input: '', timeout: 60_000 });
      expect(stderr).toBe('');
      return stdout;
    };
    expect(boards()).toContain('8086:100e Ethernet controller');
    const bare = boards('-nodefaults', '-vga', 'std');
    expect(bare).toContain('1234:1111');
    expect(bare).not.toContain('8086:100e');
    expect(bare).not.toContain('CD-ROM');
  });

  it('have help', () => {
    for (const [args, text] of [[['-netdev', 'help'], /user/], [['-nic', 'help'], /user/], [['-chardev', 'help'], /stdio/], [['-display', 'help'], /term/], [['-nic', 'user,model=help'], /ne2k_isa\nne2k_pci/], [['-net', 'nic,model=help'], /ne2k_isa\nne2k_pci/], [['-net', 'help'], /nic\nuser/]] as const) {
      expect(() => parse(...args)).toThrow(expect.objectContaining({ text: expect.stringMatching(text) as unknown }) as Error);
    }
  });
});
