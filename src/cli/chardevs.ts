/** -serial, -parallel, -debugcon and -chardev: what is at the other end of a line, in QEMU's two ways to write it. */
import type { CharOptions } from '../backends/char.ts';
import type { SocketCharOptions } from '../backends/char-socket.ts';
import type { Config } from './config.ts';
import { Information, UsageError } from './errors.ts';
import { checkProperties, parseNumber, parseOnOff, parseProperties } from './properties.ts';

/** The other end of a line, and how messages call it. */
export interface LineOption {
  readonly option: string;
  /** null: there is no such port. A text is the ID of a -chardev. */
  readonly end: CharOptions | string | null;
}

export interface ChardevOption {
  readonly id: string;
  readonly option: string;
  readonly end: CharOptions;
}

/** Where servers listen if no address is given. */
const LOOPBACK = '127.0.0.1';
const LONGEST_RECONNECT = 86_400;
const BACKENDS = ['null', 'stdio', 'file', 'pipe', 'pty', 'socket', 'udp'];
const SOCKET_KEYS = ['server', 'wait', 'nodelay', 'reconnect'];
export const LINE_ARGUMENT = 'stdio|file:PATH|pipe:PATH|pty|tcp:[ADDR]:PORT[,server=on][,wait=off][,reconnect=SECONDS]|unix:PATH[,server=on][,wait=off]|telnet:[ADDR]:PORT[,server=on][,wait=off]|udp:[ADDR]:PORT[@[ADDR]:PORT]|chardev:ID|null|none';

/** What there is not, with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  telnets: 'telnet over TLS is not there; telnet is', websocket: 'websockets are not there; tcp is',
  vc: 'there are no virtual consoles; stdio, tcp and unix are there', parport: "the host's parallel port cannot be reached", parallel: "the host's parallel port cannot be reached",
  tty: "the host's serial ports cannot be reached", serial: "the host's serial ports cannot be reached",
};

/** `wait` and `nowait` of older QEMU are `wait=on` and `wait=off`. */
function socketOptions(option: string, properties: Map<string, string>, target: SocketCharOptions['target'], telnet = false): CharOptions {
  if (properties.has('nowait')) properties.set('wait', 'off');
  const flag = (key: string, fallback: boolean): boolean => parseOnOff(option, key, properties.get(key), fallback);
  const server = flag('server', false), reconnect = parseNumber(`${option} reconnect`, properties.get('reconnect') ?? '0', 0, LONGEST_RECONNECT);
  if (!server && properties.has('wait')) throw new UsageError(`${option}: 'wait' option is incompatible with socket in client connect mode`);
  if (server && reconnect > 0) throw new UsageError(`${option}: 'reconnect' option is incompatible with socket in server listen mode`);
  flag('nodelay', true);
  return { kind: 'socket', target, server, wait: server && flag('wait', true), reconnect, ...(telnet ? { telnet } : {}) };
}

function tcpTarget(option: string, host: string, port: string, server: boolean): SocketCharOptions['target'] {
  const number = parseNumber(`${option} port`, port, 1, 65535);
  if (host === '' && !server) return { host: LOOPBACK, port: number };
  return { host: host.replace(/^\[(.*)\]$/, '$1') || LOOPBACK, port: number };
}

/** `tcp:HOST:PORT,server=on` and its like. */
function parseSocket(option: string, kind: string, text: string): CharOptions {
  const properties = parseProperties(option, text, 'target'), target = properties.get('target') ?? '';
  checkProperties(option, properties, ['target', ...SOCKET_KEYS, 'nowait']);
  if (kind === 'unix') {
    if (target === '') throw new UsageError(`${option}: unix:PATH has no path`);
    return socketOptions(option, properties, { path: target });
  }
  const match = /^(\[[^\]]*\]|[^:]*):(\w+)$/.exec(target);
  if (match === null) throw new UsageError(`${option}: '${target}' is no [ADDRESS]:PORT`);
  return socketOptions(option, properties, tcpTarget(option, match[1]!, match[2]!, parseOnOff(option, 'server', properties.get('server'), false)), kind === 'telnet');
}

/** Where datagrams go, and where they come in: on the loopback if they go there. */
function datagrams(option: string, host: string, port: string, localHost: string, localPort: string): CharOptions {
  const bare = (text: string): string => text.replace(/^\[(.*)\]$/, '$1'), target = bare(host) || LOOPBACK;
  const near = /^(127\.[\d.]+|::1|localhost)$/.test(target), any = target.includes(':') ? '::' : '0.0.0.0';
  return {
    kind: 'udp', target: { host: target, port: parseNumber(`${option} port`, port, 1, 65535) },
    local: { host: bare(localHost) || (near ? target.replace('localhost', LOOPBACK) : any), port: parseNumber(`${option} local port`, localPort, 0, 65535) },
  };
}

/** `udp:HOST:PORT@HOST:PORT`: the other end, and where it sends to. */
function parseDatagrams(option: string, text: string): CharOptions {
  const match = /^(\[[^\]]*\]|[^:]*):(\w+)(?:@(\[[^\]]*\]|[^:]*):(\w+))?$/.exec(text);
  if (match === null) throw new UsageError(`${option}: '${text}' is no [ADDRESS]:PORT[@[ADDRESS]:PORT]`);
  return datagrams(option, match[1]!, match[2]!, match[3] ?? '', match[4] ?? '0');
}

/** What `-serial` and its like name. @throws UsageError */
export function parseLine(option: string, text: string): LineOption {
  // QEMU's monitor would share the line; there is none.
  if (text.startsWith('mon:')) return parseLine(option, text.slice('mon:'.length));
  const name = `${option} ${text}`, [, kind = '', rest] = /^([^:,]*)(?:[:](.*))?$/s.exec(text) ?? [];
  const end = ((): LineOption['end'] => {
    if (rest === undefined && (kind === 'null' || kind === 'stdio' || kind === 'pty')) return { kind };
    if (text === 'none') return null;
    if (rest && kind === 'file') return { kind, path: rest, append: false };
    if (rest && kind === 'pipe') return { kind, path: rest };
    if (rest && kind === 'chardev') return rest;
    if (rest !== undefined && (kind === 'tcp' || kind === 'unix' || kind === 'telnet')) return parseSocket(name, kind, rest);
    if (rest !== undefined && kind === 'udp') return parseDatagrams(name, rest);
    if (Object.hasOwn(REFUSED, kind)) throw new UsageError(`${name}: ${REFUSED[kind]}`);
    throw new UsageError(`${name}: not a character device (${LINE_ARGUMENT.replaceAll('|', ', ')})`);
  })();
  return { option: name, end };
}

function chardevEnd(option: string, backend: string, properties: Map<string, string>): CharOptions {
  const keys = ['backend', 'id', 'logfile', 'logappend', 'mux'], check = (...more: readonly string[]): void => checkProperties(option, properties, [...keys, ...more]);
  const required = (key: string): string => {
    const value = properties.get(key);
    if (!value) throw new UsageError(`${option}: ${key}=${key.toUpperCase()} is missing`);
    return value;
  };
  switch (backend) {
    case 'null':
    case 'pty':
      check();
      return { kind: backend };
    case 'stdio':
      check('signal');
      if (parseOnOff(option, 'signal', properties.get('signal'), false)) throw new UsageError(`${option}: signal=on is not there: Ctrl-C goes to the guest, Ctrl-A x leaves`);
      return { kind: backend };
    case 'file':
      check('path', 'append');
      return { kind: backend, path: required('path'), append: parseOnOff(option, 'append', properties.get('append'), false) };
    case 'pipe':
      check('path');
      return { kind: backend, path: required('path') };
    case 'udp':
      check('host', 'port', 'localaddr', 'localport');
      return datagrams(option, properties.get('host') ?? '', required('port'), properties.get('localaddr') ?? '', properties.get('localport') ?? '0');
    default: {
      const path = properties.get('path'), server = parseOnOff(option, 'server', properties.get('server'), false);
      check(...SOCKET_KEYS, 'nowait', 'telnet', ...(path === undefined ? ['host', 'port'] : ['path']));
      return socketOptions(option, properties, path === undefined ? tcpTarget(option, properties.get('host') ?? '', required('port'), server) : { path: required('path') }, parseOnOff(option, 'telnet', properties.get('telnet'), false));
    }
  }
}

export function setChardev(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'backend'), backend = properties.get('backend') ?? '', id = properties.get('id');
  if (backend === 'help' || backend === '?') throw new Information(`Available chardev backend types:\n${BACKENDS.map((name) => `  ${name}`).join('\n')}`);
  if (Object.hasOwn(REFUSED, backend)) throw new UsageError(`${option} ${backend}: ${REFUSED[backend]}`);
  if (!BACKENDS.includes(backend)) throw new UsageError(`${option}: '${backend}' is not a valid char driver name (${BACKENDS.join(', ')})`);
  if (id === undefined) throw new UsageError(`${option} ${value}: id=ID is missing`);
  if (config.chardevs.some((one) => one.id === id)) throw new UsageError(`${option}: Duplicate ID '${id}' for chardev`);
  const name = `${option} ${backend}`, path = properties.get('logfile'), append = parseOnOff(name, 'logappend', properties.get('logappend'), false);
  if (parseOnOff(name, 'mux', properties.get('mux'), false)) throw new UsageError(`${name}: mux=on is not there: a character device has one user`);
  if (path === '' || (path === undefined && properties.has('logappend'))) throw new UsageError(`${name}: logfile=FILE is missing`);
  const end = chardevEnd(name, backend, properties);
  config.chardevs.push({ id, end: path === undefined ? end : { ...end, log: { path, append } }, option: `${option} ${value}` });
}

export const linesOf = ({ serial, parallel, debugcon }: Config): LineOption[] => [...serial, ...parallel, ...(debugcon === null ? [] : [debugcon])];

const isStdio = (end: LineOption['end']): boolean => typeof end === 'object' && end?.kind === 'stdio';

export const takesStdio = (config: Config): boolean => [...linesOf(config), ...config.chardevs].some(({ end }) => isStdio(end));

/** Once all options are read: every ID names a -chardev that nobody else uses. @throws UsageError */
export function checkChardevs(config: Config): void {
  const users = [
    ...linesOf(config).flatMap(({ option, end }) => (typeof end === 'string' ? [{ option, id: end }] : [])), ...config.virtioPorts.map(({ option, chardev }) => ({ option, id: chardev })),
  ];
  const used = new Set<string>();
  for (const { option, id } of users) {
    if (!config.chardevs.some((one) => one.id === id)) throw new UsageError(`${option}: Property 'chardev' can't find value '${id}'`);
    if (used.has(id)) throw new UsageError(`${option}: Property 'chardev' can't take value '${id}', it's in use`);
    used.add(id);
  }
  const second = [...linesOf(config), ...config.chardevs].filter(({ end }) => isStdio(end))[1];
  if (second !== undefined) throw new UsageError(`${second.option}: cannot use stdio by multiple character devices`);
}
