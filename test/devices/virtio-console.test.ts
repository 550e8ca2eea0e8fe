import { beforeEach, describe, expect, it } from 'vitest';
import type { CharBackend } from '../../src/devices/host.ts';
import { VirtioConsole } from '../../src/devices/virtio-console.ts';
import { DEVICE_CONFIG, VirtioBench } from './virtio-driver.ts';

const READY = 0, ADD = 1, PORT_READY = 3, CONSOLE = 4, OPEN = 6, NAME = 7;
class Line implements CharBackend {
  receive: ((byte: number) => void) | null = null;
  sent = '';
  write(byte: number): void {
    this.sent += String.fromCharCode(byte);
  }
  say(text: string): void {
    for (const char of text) this.receive?.(char.charCodeAt(0));
  }
}
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

let lines: [Line, Line];
let bench: VirtioBench<VirtioConsole>;
beforeEach(() => {
  lines = [new Line(), new Line()];
  bench = new VirtioBench(() => new VirtioConsole('serial', [{ backend: lines[0], console: true }, { backend: lines[1], console: false, name: 'org.port' }]));
});

/** Sends a control message; the messages that come back, as [port, event, value, name]. */
function control(port: number, event: number, value: number): [number, number, number, string][] {
  const rooms = Array.from({ length: 4 }, () => bench.offer(2, [], [32])[0]!);
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, port, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  bench.offer(3, [new Uint8Array(view.buffer)], []);
  bench.kick(3);
  bench.used(3);
  return bench.used(2).map((length, i) => {
    const bytes = Buffer.from(bench.bytes(rooms[i]!, length));
    return [bytes.readUInt32LE(0), bytes.readUInt16LE(4), bytes.readUInt16LE(6), bytes.toString('latin1', 8)];
  });
}

describe('virtio-serial', () => {
  it('ports are announced when the driver is ready, and say what they are', () => {
    bench.start();
    expect(bench.get(DEVICE_CONFIG + 4, 4)).toBe(2);
    expect(control(0, READY, 1)).toEqual([[0, ADD, 1, ''], [1, ADD, 1, '']]);
  });

  it('a console and a named port', () => {
    bench.start();
    expect(control(0, PORT_READY, 1)).toEqual([[0, CONSOLE, 1, ''], [0, OPEN, 1, '']]);
    bench.start();
    expect(control(1, PORT_READY, 1)).toEqual([[1, OPEN, 1, ''], [1, NAME, 1, 'org.port']]);
    bench.start();
    expect(control(9, PORT_READY, 1)).toEqual([]);
  });

  it('bytes go out, from each port to its line', () => {
    bench.start();
    bench.offer(1, [ascii('hello '), ascii('world')], []);
    bench.kick(1);
    bench.offer(5, [ascii('port')], []);
    bench.kick(5);
    expect([lines[0].sent, lines[1].sent]).toEqual(['hello world', 'port']);
    expect(bench.used(1)).toEqual([0]);
  });

  it('bytes come in when there is room for them', () => {
    bench.start();
    lines[0].say('abcdef');
    const [room] = bench.offer(0, [], [4]);
    bench.kick(0);
    expect(bench.used(0)).toEqual([4]);
    expect(Buffer.from(bench.bytes(room!, 4)).toString()).toBe('abcd');
    const [next] = bench.offer(0, [], [16]);
    bench.kick(0);
    expect(Buffer.from(bench.bytes(next!, 2)).toString()).toBe('ef');
    bench.offer(0, [], [16]);
    lines[0].say('g');
    expect(bench.used(0)).toEqual([2, 1]);
    expect(bench.line).toBe(true);
  });

  it('what waits is saved and restored', () => {
    bench.start();
    lines[1].say('xyz');
    const saved = bench.device.state.save();
    bench.device.reset();
    bench.device.state.restore(saved);
    const [room] = bench.offer(4, [], [8]);
    bench.kick(4);
    expect(bench.used(4)).toEqual([3]);
    expect(Buffer.from(bench.bytes(room!, 3)).toString()).toBe('xyz');
  });
});
