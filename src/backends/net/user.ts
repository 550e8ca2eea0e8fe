/** `-netdev user`: the user network on the host's sockets, with its forwarded ports. */
import type { Server } from 'node:net';
import type { NetBackend } from '../../devices/host.ts';
import { HostSockets, listenDatagrams, listenStreams } from './host-sockets.ts';
import { formatAddress, parseAddress } from './packet.ts';
import { UserNetwork } from './user-network.ts';
import type { UserSettings } from './user-network.ts';

/** A network that holds resources of the host. */
export interface OpenNetwork extends NetBackend {
  close(): void;
}

export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  readonly hostAddress: string;
  /** 0: the host chooses. */
  readonly hostPort: number;
  /** null: the first address that DHCP gives. */
  readonly guestAddress: string | null;
  readonly guestPort: number;
}

export interface UserOptions {
  /** `10.0.2.0/24`, or with a mask. */
  readonly net?: string;
  readonly host?: string;
  readonly dns?: string;
  readonly dhcpStart?: string;
  readonly hostName?: string;
  readonly restrict?: boolean;
  readonly forwards?: readonly PortForward[];
}

const DEFAULT_NET = '10.0.2.0/24';
const GATEWAY = 2, DNS = 3, FIRST_GUEST = 15;

/** @throws Error with one line for what makes no sense */
export function userSettings({ net = DEFAULT_NET, host, dns, dhcpStart, hostName, restrict }: UserOptions): UserSettings {
  const [text, length = ''] = net.split('/'), address = parseAddress(text!);
  const mask = maskOf(length);
  if (address === null || mask === null) throw new Error(`net=${net} is no network like ${DEFAULT_NET}`);
  const network = (address & mask) >>> 0;
  const inside = (key: string, given: string | undefined, number: number): number => {
    const one = given === undefined ? network + number : parseAddress(given);
    if (one === null) throw new Error(`${key}=${given} is no address`);
    if (((one & mask) >>> 0) !== network || one === network) throw new Error(`${key}=${formatAddress(one)} is not in ${net}`);
    return one;
  };
  const settings: UserSettings = {
    network, mask, gateway: inside('host', host, GATEWAY), dns: inside('dns', dns, DNS), firstGuest: inside('dhcpstart', dhcpStart, FIRST_GUEST),
    hostName: hostName ?? null, restrict: restrict === true,
  };
  if (new Set([settings.gateway, settings.dns, settings.firstGuest]).size < 3) throw new Error('host, dns and dhcpstart must differ');
  return settings;
}

/** Of a number of bits or a mask; a network has 32 addresses or more. */
function maskOf(text: string): number | null {
  if (text === '') return 0xffffff00;
  const bits = /^\d+$/.test(text) ? Number(text) : 32 - Math.log2(2 ** 32 - (parseAddress(text) ?? 0));
  return Number.isInteger(bits) && bits >= 4 && bits <= 27 ? 2 ** 32 - 2 ** (32 - bits) : null;
}

class HostUserNetwork extends UserNetwork implements OpenNetwork {
  readonly #servers: Server[] = [];

  async forward({ protocol, hostAddress, hostPort, guestAddress, guestPort }: PortForward, firstGuest: number): Promise<void> {
    const guest = guestAddress === null ? firstGuest : parseAddress(guestAddress)!;
    if (protocol === 'tcp') {
      this.#servers.push(await listenStreams(hostAddress, hostPort, (stream, peer) => this.accept(stream, peer, guest, guestPort)));
    } else {
      this.forwardDatagrams(guest, guestPort, await listenDatagrams(hostAddress, hostPort, (bytes, address, port) => this.receiveDatagram(guest, guestPort, bytes, address, port)));
    }
  }

  override close(): void {
    for (const server of this.#servers) server.close();
    super.close();
  }
}

/** Opens a user network; its forwarded ports listen from now on. @throws Error with one line: bad settings, or a port that is taken */
export async function openUserNetwork(options: UserOptions = {}): Promise<OpenNetwork> {
  const settings = userSettings(options);
  const network = new HostUserNetwork(settings, new HostSockets());
  try {
    for (const forward of options.forwards ?? []) await network.forward(forward, settings.firstGuest);
  } catch (error) {
    network.close();
    throw new Error(`could not set up host forwarding: ${(error as Error).message}`);
  }
  return network;
}
