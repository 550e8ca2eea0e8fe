/** -serial, -parallel, -debugcon and -chardev: what they name, and what they say of what they cannot. */
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/options.ts';

const socket = (target: object, more: object = {}): object => ({ kind: 'socket', target, server: false, wait: false, reconnect: 0, ...more });

const udp = (host: string, port: number, localHost: string, localPort: number): object => ({ kind: 'udp', target: { host, port }, local: { host: localHost, port: localPort } });

describe('lines on the command line', () => {
  it.each([
    ['null', { kind: 'null' }], ['none', null], ['stdio', { kind: 'stdio' }], ['file:a:b,c', { kind: 'file', path: 'a:b,c', append: false }], ['pipe:p', { kind: 'pipe', path: 'p' }], ['pty', { kind: 'pty' }],
    ['tcp::4444,server=on,wait=off', socket({ host: '127.0.0.1', port: 4444 }, { server: true })], ['tcp:0.0.0.0:4444,server,nowait', socket({ host: '0.0.0.0', port: 4444 }, { server: true })],
    ['tcp::4444,server', socket({ host: '127.0.0.1', port: 4444 }, { server: true, wait: true })], ['tcp:[::1]:7,reconnect=2,nodelay', socket({ host: '::1', port: 7 }, { reconnect: 2 })],
    ['telnet::23,server,nowait', socket({ host: '127.0.0.1', port: 23 }, { server: true, telnet: true })], ['mon:stdio', { kind: 'stdio' }],
    ['udp::5555', udp('127.0.0.1', 5555, '127.0.0.1', 0)], ['udp:10.1.2.3:5@:6', udp('10.1.2.3', 5, '0.0.0.0', 6)], ['udp:[::1]:5@[::]:6', udp('::1', 5, '::', 6)],
    ['unix:/tmp/a,server=on,wait=off', socket({ path: '/tmp/a' }, { server: true })], ['unix:x', socket({ path: 'x' })],
  ])('-serial %s', (text, end) => {
    expect(parseArguments(['-serial', text]).serial[0]!.end).toEqual(end);
    expect(parseArguments(['-parallel', text]).parallel[0]!.end).toEqual(end);
  });

  it.each([
    ['stdio,id=a,signal=off,mux=off', { kind: 'stdio' }], ['null,id=a,logfile=l,logappend=on', { kind: 'null', log: { path: 'l', append: true } }],
    ['socket,id=a,port=9,telnet=on,server', socket({ host: '127.0.0.1', port: 9 }, { server: true, wait: true, telnet: true })], ['udp,id=a,port=5,localport=6', udp('127.0.0.1', 5, '127.0.0.1', 6)],
    ['stdio,id=a', { kind: 'stdio' }], ['file,id=a,path=x,append=on', { kind: 'file', path: 'x', append: true }], ['pipe,id=a,path=x', { kind: 'pipe', path: 'x' }], ['pty,id=a', { kind: 'pty' }],
    ['socket,id=a,path=x,server=on,wait=off', socket({ path: 'x' }, { server: true })], ['socket,id=a,port=9,server', socket({ host: '127.0.0.1', port: 9 }, { server: true, wait: true })],
    ['socket,id=a,host=h,port=9,reconnect=1', socket({ host: 'h', port: 9 }, { reconnect: 1 })], ['socket,id=a,host=h,port=9,server,nowait', socket({ host: 'h', port: 9 }, { server: true })],
  ])('-chardev %s', (text, end) => {
    expect(parseArguments(['-chardev', text]).chardevs[0]).toMatchObject({ id: 'a', end });
  });

  it('a line may be a -chardev, given before or after', () => {
    expect(parseArguments(['-serial', 'chardev:a', '-chardev', 'null,id=a', '-debugcon', 'chardev:b', '-chardev', 'null,id=b']).serial[0]!.end).toBe('a');
  });

  it('-chardev help lists what there is', () => {
    expect(() => parseArguments(['-chardev', 'help'])).toThrow(expect.objectContaining({ text: 'Available chardev backend types:\n  null\n  stdio\n  file\n  pipe\n  pty\n  socket\n  udp' }));
  });

  it('port E9h may be elsewhere', () => {
    expect(parseArguments(['-device', 'isa-debugcon,chardev=a,iobase=0x402', '-chardev', 'null,id=a'])).toMatchObject({ debugcon: { end: 'a' }, debugPort: { iobase: 0x402, readback: 0xe9 } });
  });

  it.each([
    ['empty char device', ['-device', 'isa-debugcon']], ['one debug console', ['-debugcon', 'null', '-chardev', 'null,id=a', '-device', 'isa-debugcon,chardev=a']],
    ["can't find value 'b'", ['-device', 'isa-debugcon,chardev=b']],
    ['not a character device', ['-serial', 'pty:x']], ["invalid parameter 'path'", ['-chardev', 'pty,id=a,path=x']], ['telnet over TLS is not there', ['-serial', 'telnets::23,server']],
    ['mux=on is not there', ['-chardev', 'null,id=a,mux=on']], ['signal=on is not there', ['-chardev', 'stdio,id=a,signal=on']], ['logfile=FILE is missing', ['-chardev', 'null,id=a,logappend=on']],
    ['is no [ADDRESS]:PORT[@', ['-serial', 'udp:1']], ['not a character device', ['-serial', 'mon:what']], ['not a character device', ['-serial', 'what']], ['not a character device', ['-serial', 'file:']], ['not a character device', ['-parallel', 'null:x']],
    ['is no [ADDRESS]:PORT', ['-serial', 'tcp:4444']], ['is not a number', ['-serial', 'tcp::x']], ['is not between 1 and 65535', ['-serial', 'tcp::0,server']],
    ["'wait' option is incompatible", ['-serial', 'tcp:h:1,nowait']], ["'reconnect' option is incompatible", ['-serial', 'tcp::1,server,reconnect=1']], ['invalid parameter', ['-serial', 'tcp::1,serve']],
    ['unix:PATH has no path', ['-serial', 'unix:,server']], ["expects 'on' or 'off'", ['-serial', 'tcp::1,server=maybe']],
    ['is not a valid char driver name', ['-chardev', 'what,id=a']], ['port=PORT is missing', ['-chardev', 'socket,id=a,host=h']], ['invalid parameter', ['-chardev', 'socket,id=a,path=p,port=1']],
    ["can't find value 'a'", ['-serial', 'chardev:a']], ["it's in use", ['-chardev', 'null,id=a', '-serial', 'chardev:a', '-serial', 'chardev:a']],
    ['cannot use stdio by multiple', ['-serial', 'stdio', '-parallel', 'stdio']], ['a PC has 2 parallel ports', ['-parallel', 'null', '-parallel', 'null', '-parallel', 'null']],
    ['a PC has 4 serial ports', Array.from({ length: 5 }, () => ['-serial', 'null']).flat()],
  ])('says: %s', (message, args) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});
