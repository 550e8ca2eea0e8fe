/**
 * The DHCP and BOOTP server of the user network: always the same address for a card, from `first` upwards.
 * Sources: RFC 951 (BOOTP), RFC 2131 (DHCP), RFC 2132 (options).
 *
 *     0 op  1 hardware type  2 its length  4 transaction  10 flags  12 client  16 your address  20 server  28 hardware address  236 magic, options
 */
import { get32, put32 } from './packet.ts';

const REQUEST = 1, REPLY = 2;
const MAGIC = 0x63825363, OPTIONS = 240, MESSAGE = 300;

const OPTION_MASK = 1, OPTION_ROUTER = 3, OPTION_DNS = 6, OPTION_HOST_NAME = 12, OPTION_REQUESTED = 50, OPTION_LEASE = 51, OPTION_TYPE = 53,
  OPTION_SERVER = 54, OPTION_END = 255;
const DISCOVER = 1, OFFER = 2, DHCPREQUEST = 3, ACK = 5, NAK = 6, INFORM = 8;
const LEASE_SECONDS = 86400;
/** How many cards get an address. */
const MOST = 16;

export interface DhcpSettings {
  /** The server's own address. */
  readonly server: number;
  readonly mask: number;
  /** null: the guest is told of no way out. */
  readonly router: number | null;
  readonly dns: number | null;
  readonly first: number;
  readonly hostName: string | null;
}

export interface DhcpReply {
  readonly message: Uint8Array;
  /** Where it goes; 0: to everybody. */
  readonly client: number;
  readonly assigned: number;
  readonly hardware: Uint8Array;
}

export class DhcpServer {
  readonly #settings: DhcpSettings;
  readonly #leases = new Map<string, number>();

  constructor(settings: DhcpSettings) {
    this.#settings = settings;
  }

  /** The answer to a message, or null: none. */
  answer(message: Uint8Array): DhcpReply | null {
    if (message.length < OPTIONS || message[0] !== REQUEST || message[1] !== 1 || message[2] !== 6) return null;
    const options = get32(message, 236) === MAGIC ? parseOptions(message) : new Map<number, Uint8Array>();
    const type = options.get(OPTION_TYPE)?.[0] ?? 0, hardware = message.slice(28, 34);
    const server = options.get(OPTION_SERVER);
    if (server?.length === 4 && get32(server, 0) !== this.#settings.server) return null;
    if (type !== 0 && type !== DISCOVER && type !== DHCPREQUEST && type !== INFORM) return null;
    const lease = this.#lease(hardware);
    if (lease === null) return null;
    const client = get32(message, 12), asked = options.get(OPTION_REQUESTED);
    const wanted = asked?.length === 4 ? get32(asked, 0) : client;
    const refused = type === DHCPREQUEST && wanted !== lease;
    const assigned = refused || type === INFORM ? 0 : lease;
    return { message: this.#reply(message, type, refused, assigned), client: refused ? 0 : client, assigned, hardware };
  }

  #lease(hardware: Uint8Array): number | null {
    const key = hardware.join(':');
    const known = this.#leases.get(key);
    if (known !== undefined) return known;
    if (this.#leases.size === MOST) return null;
    const address = this.#settings.first + this.#leases.size;
    this.#leases.set(key, address);
    return address;
  }

  #reply(request: Uint8Array, type: number, refused: boolean, assigned: number): Uint8Array {
    const { server, mask, router, dns, hostName } = this.#settings;
    const reply = new Uint8Array(MESSAGE);
    reply.set(request.subarray(0, 12));
    reply[0] = REPLY;
    reply.fill(0, 8, 10);
    if (!refused) reply.set(request.subarray(12, 16), 12);
    put32(reply, 16, assigned);
    put32(reply, 20, server);
    reply.set(request.subarray(24, 44), 24);
    put32(reply, 236, MAGIC);
    let at = OPTIONS;
    const option = (code: number, value: readonly number[]): void => {
      reply.set([code, value.length, ...value], at);
      at += 2 + value.length;
    };
    const word = (code: number, value: number): void => option(code, [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
    if (type !== 0) {
      option(OPTION_TYPE, [refused ? NAK : type === DISCOVER ? OFFER : ACK]);
      word(OPTION_SERVER, server);
    }
    if (!refused) {
      word(OPTION_MASK, mask);
      if (router !== null) word(OPTION_ROUTER, router);
      if (dns !== null) word(OPTION_DNS, dns);
      if (type === DISCOVER || type === DHCPREQUEST) word(OPTION_LEASE, LEASE_SECONDS);
      if (hostName !== null) option(OPTION_HOST_NAME, [...hostName].map((letter) => letter.charCodeAt(0) & 127).slice(0, 32));
    }
    reply[at] = OPTION_END;
    return reply;
  }
}

function parseOptions(message: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = OPTIONS; at + 1 < message.length && message[at] !== OPTION_END;) {
    if (message[at] === 0) at++;
    else {
      options.set(message[at]!, message.subarray(at + 2, at + 2 + message[at + 1]!));
      at += 2 + message[at + 1]!;
    }
  }
  return options;
}
