/** `-netdev`, `-nic`, `-net`, and network cards of `-device`: QEMU's options for what a guest's network is. */
import { NIC_MODELS, isNicModel } from '../devices/pc-nics.ts';
import type { NicModel } from '../devices/pc-nics.ts';
import type { PortForward, UserOptions } from '../backends/net/user.ts';
import type { DatagramOptions } from '../backends/net/datagrams.ts';
import type { SocketOptions } from '../backends/net/socket.ts';
import { userSettings } from '../backends/net/user.ts';
import { DUMP_LENGTH } from '../backends/net/dump.ts';
import { parseAddress } from '../backends/net/packet.ts';
import type { Config } from './config.ts';
import { BOOT_INDEX, bootIndexOf } from './device-model.ts';
import type { DeviceModel, DeviceModels } from './device-model.ts';
import { Information, UsageError } from './errors.ts';
import { checkProperties, parseNumber, parseOnOff, parseProperties } from './properties.ts';

/** `-netdev`: a network by its name. */
export interface NetdevOption {
  readonly id: string;
  readonly network: { readonly kind: 'user'; readonly user: UserOptions } | { readonly kind: 'socket'; readonly socket: SocketOptions | DatagramOptions }
    /** A port of a hub: for a card, or with a network behind it. */
    | { readonly kind: 'hubport'; readonly hub: number; readonly netdev: string | null };
  /** As written, for messages. */
  readonly option: string;
}

/** `-object filter-dump`: the frames of a network, in a file. */
export interface DumpOption {
  readonly id: string;
  readonly netdev: string;
  readonly file: string;
  readonly maxLength: number;
  readonly option: string;
}

/** A network card. */
export interface NicOption {
  /** null: what such a machine has. */
  readonly model: NicModel | null;
  /** null: the next of QEMU's. */
  readonly mac: string | null;
  /** null: its cable is not plugged in. */
  readonly netdev: string | null;
  readonly iobase?: number;
  readonly irq?: number;
  /** Its place in the order of booting. */
  readonly bootIndex?: number;
  readonly option: string;
}

const USER_KEYS = ['id', 'net', 'host', 'dns', 'dhcpstart', 'hostname', 'restrict', 'hostfwd'] as const;
const SOCKET_MODES = ['listen', 'connect', 'mcast', 'udp'] as const;
/** What QEMU has beside these, with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  stream: '-netdev socket with listen= or connect= is the same over TCP',
  dgram: '-netdev socket with udp= or mcast= is the same', tap: 'Node cannot open taps; user and socket are there', bridge: 'Node cannot open taps; user and socket are there',
};
/** What a PC has, and what one without PCI has. */
export const defaultModel = ({ machine }: Config): NicModel => (machine === 'isapc' ? 'ne2k_isa' : 'e1000');
/** QEMU's other names of a card. */
const ALIASES: Readonly<Record<string, NicModel>> = { virtio: 'virtio-net-pci', 'virtio-net': 'virtio-net-pci' };
const NIC_PROPERTIES = {
  mac: { type: 'str', text: 'Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56' }, netdev: { type: 'str', text: 'ID of a netdev to use as a backend' }, ...BOOT_INDEX,
} as const;
/** Only the ISA card has these: any port that 32 fit at (300h), any interrupt of an ISA slot (9). */
const ISA_PROPERTIES = {
  iobase: { type: 'uint32', max: 0xffe0, text: 'first port (768 if not given)' }, irq: { type: 'uint32', min: 3, max: 15, text: 'interrupt (9 if not given)' },
} as const;
const NETWORK_HELP = 'Available netdev backend types:\nuser\nsocket\nhubport';
/** Numbers of hubs; 0 is that of -net. */
const HUB_MOST = 2 ** 31 - 1;
const LOOPBACK = '127.0.0.1';
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** `hostfwd` may be given more than once: taken out of the option, the rest is as any other. */
function splitForwards(text: string): { rest: string; forwards: string[] } {
  const parts = text.split(/(?<!,),(?!,)/);
  const forwards = parts.filter((part) => part.startsWith('hostfwd='));
  return { rest: parts.filter((part) => !part.startsWith('hostfwd=')).join(','), forwards: forwards.map((part) => part.slice('hostfwd='.length)) };
}

/** `tcp::2222-:22`: QEMU's `[tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport`. */
function parseForward(option: string, text: string): PortForward {
  const wrong = (why: string): UsageError => new UsageError(`${option}: Invalid host forwarding rule '${text}' (${why})`);
  const match = /^(tcp|udp|):([^:]*):(\d+)-([^:]*):(\d+)$/.exec(text);
  if (match === null) throw wrong('expected tcp|udp:[hostaddr]:hostport-[guestaddr]:guestport');
  const [, protocol, host, hostPort, guest, guestPort] = match;
  if (host !== '' && parseAddress(host!) === null) throw wrong(`'${host}' is no address`);
  if (guest !== '' && parseAddress(guest!) === null) throw wrong(`'${guest}' is no address`);
  if (Number(hostPort) > 65535) throw wrong('Bad host port');
  if (Number(guestPort) < 1 || Number(guestPort) > 65535) throw wrong('Bad guest port');
  return {
    protocol: protocol === 'udp' ? 'udp' : 'tcp', hostAddress: host === '' ? LOOPBACK : host!, hostPort: Number(hostPort),
    guestAddress: guest === '' ? null : guest!, guestPort: Number(guestPort),
  };
}

const place = (option: string, text: string): { address: string; port: number } => {
  const match = /^([^:]*):(\d+)$/.exec(text);
  if (match === null || Number(match[2]) > 65535 || Number(match[2]) === 0) throw new UsageError(`${option}: '${text}' is no ADDRESS:PORT`);
  return { address: match[1] || LOOPBACK, port: Number(match[2]) };
};

/** `listen=[ADDRESS]:PORT`, `connect=ADDRESS:PORT`, `udp=ADDRESS:PORT,localaddr=[ADDRESS]:PORT` or `mcast=GROUP:PORT[,localaddr=ADDRESS]`. */
function parseSocket(option: string, properties: Map<string, string>): SocketOptions | DatagramOptions {
  checkProperties(option, properties, ['type', 'id', ...SOCKET_MODES, 'localaddr']);
  const modes = SOCKET_MODES.filter((mode) => properties.has(mode)), [mode] = modes, local = properties.get('localaddr');
  if (mode === undefined || modes.length > 1) throw new UsageError(`${option}: exactly one of listen=, connect=, mcast= or udp= is required`);
  const target = place(option, properties.get(mode)!);
  if (mode === 'udp') {
    if (local === undefined) throw new UsageError(`${option}: localaddr= is mandatory with udp=`);
    return { mode, target, local: place(option, local) };
  }
  if (mode === 'mcast') {
    if ((parseAddress(target.address) ?? 0) >>> 28 !== 14) throw new UsageError(`${option}: '${target.address}' is no multicast address (224.0.0.0 to 239.255.255.255)`);
    if (local !== undefined && parseAddress(local) === null) throw new UsageError(`${option}: localaddr=${local} is no address`);
    return { mode, target, local: local === undefined ? null : { address: local, port: 0 } };
  }
  if (local !== undefined) throw new UsageError(`${option}: localaddr= is only valid with mcast= or udp=`);
  return { mode, ...target };
}

/** The network that `kind,key=value...` describes. */
function parseNetdev(config: Config, option: string, kind: string, properties: Map<string, string>, forwards: readonly string[], id: string): void {
  if (config.netdevs.some((one) => one.id === id)) throw new UsageError(`${option}: Duplicate ID '${id}' for netdev`);
  if (kind === 'socket' && forwards.length === 0) {
    config.netdevs.push({ id, network: { kind, socket: parseSocket(option, properties) }, option });
    return;
  }
  if (kind === 'hubport' && forwards.length === 0) {
    checkProperties(option, properties, ['type', 'id', 'hubid', 'netdev']);
    const hub = properties.get('hubid');
    if (hub === undefined) throw new UsageError(`${option}: parameter 'hubid' is missing`);
    config.netdevs.push({ id, network: { kind, hub: parseNumber(`${option} hubid`, hub, 0, HUB_MOST), netdev: properties.get('netdev') ?? null }, option });
    return;
  }
  if (Object.hasOwn(REFUSED, kind)) throw new UsageError(`${option}: ${REFUSED[kind]}`);
  if (kind !== 'user') throw new UsageError(`${option}: parameter 'type' expects a netdev backend type, not '${kind}' (user, socket, hubport)`);
  checkProperties(option, properties, ['type', ...USER_KEYS]);
  const user: UserOptions = {
    forwards: forwards.map((text) => parseForward(option, text)), restrict: parseOnOff(option, 'restrict', properties.get('restrict'), false),
    ...optional('net', properties.get('net')), ...optional('host', properties.get('host')), ...optional('dns', properties.get('dns')),
    ...optional('dhcpStart', properties.get('dhcpstart')), ...optional('hostName', properties.get('hostname')),
  };
  try {
    userSettings(user);
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
  config.netdevs.push({ id, network: { kind, user }, option });
}

const optional = <K extends string>(key: K, value: string | undefined): { [P in K]?: string } => (value === undefined ? {} : { [key]: value } as { [P in K]: string });

export function setNetdev(config: Config, value: string, option: string): void {
  const { rest, forwards } = splitForwards(value);
  const properties = parseProperties(option, rest, 'type');
  const kind = properties.get('type') ?? '', id = properties.get('id');
  if (kind === 'help') throw new Information(NETWORK_HELP);
  if (id === undefined) throw new UsageError(`${option} ${value}: parameter 'id' is missing`);
  parseNetdev(config, `${option} ${kind}`, kind, properties, forwards, id);
}

/** `-nic`: a network and a card in one. */
export function setNic(config: Config, value: string, option: string): void {
  const { rest, forwards } = splitForwards(value);
  const properties = parseProperties(option, rest, 'type');
  const kind = properties.get('type') ?? '';
  if (kind === 'help') throw new Information(NETWORK_HELP);
  if (kind === 'none') {
    checkProperties(`${option} none`, properties, ['type']);
    config.noNic = true;
    return;
  }
  const name = `${option} ${kind}`, card = parseCard(name, properties, 'mac'), id = properties.get('id') ?? `#nic${config.netdevs.length}`;
  parseNetdev(config, name, kind, properties, forwards, id);
  config.nics.push({ ...card, netdev: id, option: name });
}

/** Takes what concerns the card out of the properties. */
function parseCard(option: string, properties: Map<string, string>, address: string): Pick<NicOption, 'model' | 'mac'> {
  const given = properties.get('model'), model = given === undefined ? null : ALIASES[given] ?? given, mac = properties.get(address);
  if (given === 'help') throw new Information(`Supported NIC models:\n${NIC_MODELS.join('\n')}`);
  if (model !== null && !isNicModel(model)) throw new UsageError(`${option}: unsupported NIC model '${model}' (${NIC_MODELS.join(', ')})`);
  checkMac(option, mac);
  for (const key of ['model', address]) properties.delete(key);
  return { model, mac: mac ?? null };
}

/** `-object`: filter-dump is all that there is. */
export function setObject(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'qom-type'), type = properties.get('qom-type') ?? '';
  if (type === 'help') throw new Information('List of user creatable objects:\n  filter-dump');
  if (type !== 'filter-dump') throw new UsageError(`${option} ${value}: invalid object type: ${type} (filter-dump)`);
  const name = `${option} ${type}`;
  checkProperties(name, properties, ['qom-type', 'id', 'netdev', 'file', 'maxlen']);
  const required = (key: string): string => {
    const text = properties.get(key);
    if (text === undefined || text === '') throw new UsageError(`${name}: parameter '${key}' is missing`);
    return text;
  };
  const dump: DumpOption = {
    id: required('id'), netdev: required('netdev'), file: required('file'), option: name,
    maxLength: parseNumber(`${name} maxlen`, properties.get('maxlen') ?? String(DUMP_LENGTH), 1, DUMP_LENGTH),
  };
  if (config.dumps.some(({ id }) => id === dump.id)) throw new UsageError(`${name}: attempt to add duplicate property '${dump.id}' to object`);
  config.dumps.push(dump);
}

/** `-net nic` and `-net user`: QEMU's old way, in which hub 0 joins all cards and networks. */
export function setNet(config: Config, value: string, option: string): void {
  const { rest, forwards } = splitForwards(value), properties = parseProperties(option, rest, 'type'), kind = properties.get('type') ?? '', name = `${option} ${kind}`;
  if (kind === 'none') return setNic(config, value, option);
  if (kind === 'help') throw new Information('Available network types:\nnic\nuser\nsocket');
  if (kind === 'hubport') throw new UsageError(`${name}: hub ports are for -netdev and -nic`);
  const ports = config.netdevs.filter(({ network }) => network.kind === 'hubport' && network.hub === 0).length, port = `hub0port${ports}`;
  const join = (netdev: string | null): void => {
    if (config.netdevs.some(({ id }) => id === port)) throw new UsageError(`${name}: Duplicate ID '${port}' for netdev`);
    config.netdevs.push({ id: port, network: { kind: 'hubport', hub: 0, netdev }, option: name });
  };
  if (kind === 'nic') {
    const card = parseCard(name, properties, 'macaddr'), netdev = properties.get('netdev');
    checkProperties(name, properties, ['type', 'model', 'macaddr', 'netdev']);
    if (forwards.length > 0) throw new UsageError(`${name}: invalid parameter 'hostfwd'`);
    if (netdev === undefined) join(null);
    config.nics.push({ ...card, netdev: netdev ?? port, option: name });
    return;
  }
  const id = properties.get('id') ?? `#net${config.netdevs.length}`;
  parseNetdev(config, name, kind, properties, forwards, id);
  join(id);
}

/** Network cards as `-device` takes them. */
export const NIC_DEVICES: DeviceModels = Object.fromEntries(NIC_MODELS.map((model): [string, DeviceModel] => [model, {
  category: 'Network', bus: model === 'ne2k_isa' ? 'ISA' : 'PCI', ...(model === 'virtio-net-pci' ? { alias: 'virtio-net' } : {}),
  properties: model === 'ne2k_isa' ? { ...NIC_PROPERTIES, ...ISA_PROPERTIES } : NIC_PROPERTIES,
  add: (config, values, option) => {
    const mac = values.text('mac'), iobase = values.number('iobase'), irq = values.number('irq');
    checkMac(option, mac);
    config.nics.push({
      model, mac: mac ?? null, netdev: values.text('netdev') ?? null, option,
      ...(iobase === undefined ? {} : { iobase }), ...(irq === undefined ? {} : { irq }), ...bootIndexOf(config, values, option),
    });
  },
}]));

function checkMac(option: string, mac: string | undefined): void {
  if (mac === undefined) return;
  if (!MAC.test(mac)) throw new UsageError(`${option}: '${mac}' is no MAC address like 52:54:00:12:34:56`);
  if (Number.parseInt(mac.slice(0, 2), 16) & 1) throw new UsageError(`${option}: the MAC address ${mac} is that of a group`);
}

/** The card that the PC has if nothing was said of networks, and the user network behind it, as in QEMU. */
export function withDefaultNic(config: Config): Config {
  if (config.noNic || !config.defaults || config.netdevs.length > 0) return config;
  const id = '#nic-default', option = 'default network card';
  return {
    ...config, netdevs: [{ id, network: { kind: 'user', user: {} }, option }],
    nics: [{ model: null, mac: null, netdev: id, option }, ...config.nics],
  };
}

/** Once all options are read: every card finds its network. @throws UsageError */
export function checkNics(config: Config): void {
  const used = new Set<string>();
  for (const { network, option } of config.netdevs) {
    if (network.kind !== 'hubport' || network.netdev === null) continue;
    const behind = config.netdevs.find(({ id }) => id === network.netdev);
    if (behind === undefined) throw new UsageError(`${option}: netdev '${network.netdev}' not found`);
    if (behind.network.kind === 'hubport') throw new UsageError(`${option}: netdev '${network.netdev}' is a hub port itself`);
    if (used.has(network.netdev)) throw new UsageError(`${option}: netdev '${network.netdev}' is in use`);
    used.add(network.netdev);
  }
  for (const { netdev, option } of config.nics) {
    if (netdev === null) continue;
    if (!config.netdevs.some(({ id }) => id === netdev)) throw new UsageError(`${option}: property 'netdev' can't find value '${netdev}'`);
    if (used.has(netdev)) throw new UsageError(`${option}: property 'netdev' can't take value '${netdev}', it's in use`);
    const port = config.netdevs.find(({ id }) => id === netdev)!.network;
    if (port.kind === 'hubport' && port.netdev !== null) throw new UsageError(`${option}: property 'netdev' can't take value '${netdev}', netdev '${port.netdev}' is behind it`);
    used.add(netdev);
  }
  for (const { netdev, option } of config.dumps) {
    if (!config.netdevs.some(({ id }) => id === netdev)) throw new UsageError(`${option}: parameter 'netdev' expects a network backend id, not '${netdev}'`);
  }
  if (config.nics.filter(({ model }) => (model ?? defaultModel(config)) === 'ne2k_isa').some((one, i, all) => all.findIndex((other) => other.iobase === one.iobase) < i)) {
    throw new UsageError('ne2k_isa: two cards need an iobase and an irq each');
  }
}
