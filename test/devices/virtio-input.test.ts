import { beforeEach, describe, expect, it } from 'vitest';
import { evdevKey } from '../../src/devices/evdev-keys.ts';
import { InputRouter } from '../../src/devices/input-router.ts';
import { Ps2Keyboard } from '../../src/devices/ps2-keyboard.ts';
import { Ps2Mouse } from '../../src/devices/ps2-mouse.ts';
import { VirtioInput } from '../../src/devices/virtio-input.ts';
import type { InputKind } from '../../src/devices/virtio-input.ts';
import { DEVICE_CONFIG, VirtioBench } from './virtio-driver.ts';

let bench: VirtioBench<VirtioInput>;
const device = (kind: InputKind): void => {
  bench = new VirtioBench(() => new VirtioInput('input', kind));
};
function select(number: number, subselect = 0): Uint8Array {
  bench.put(DEVICE_CONFIG, number, 1);
  bench.put(DEVICE_CONFIG + 1, subselect, 1);
  return Uint8Array.from({ length: bench.get(DEVICE_CONFIG + 2, 1) }, (_, i) => bench.get(DEVICE_CONFIG + 8 + i, 1));
}
/** Codes that a bitmap names. */
const codes = (bits: Uint8Array): number[] => [...bits].flatMap((byte, i) => [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit & 1) !== 0).map((bit) => 8 * i + bit));
let rooms: number[] = [];
const give = (count: number): void => {
  for (let i = 0; i < count; i++) rooms.push(bench.offer(0, [], [8])[0]!);
  bench.kick(0);
};
/** Events that have come. */
const events = (): number[][] => bench.used(0).map((length) => {
  expect(length).toBe(8);
  const view = new DataView(bench.bytes(rooms.shift()!, 8).buffer);
  return [view.getUint16(0, true), view.getUint16(2, true), view.getInt32(4, true)];
});
beforeEach(() => { rooms = []; });

describe('virtio-input', () => {
  it('a keyboard says what it is', () => {
    device('keyboard');
    bench.start();
    expect(bench.pci.config.read(2, 2)).toBe(0x1052);
    expect(Buffer.from(select(1)).toString()).toBe('QEMU Virtio Keyboard');
    expect([...select(3)]).toEqual([6, 0, 0x27, 6, 1, 0, 1, 0]);
    expect(codes(select(17, 1))).toEqual(expect.arrayContaining([1, 30, 88, 99, 105, 125, 194]));
    expect(codes(select(17, 17))).toEqual([0, 1, 2]);
    expect([select(17, 2).length, select(18, 0).length, select(0).length, select(99, 255).length]).toEqual([0, 0, 0, 0]);
  });

  it('keys become events, and wait for room', () => {
    device('keyboard');
    bench.start();
    give(3);
    expect(bench.device.key('a', true)).toBe(true);
    bench.device.key('up', false);
    expect(events()).toEqual([[1, 30, 1], [0, 0, 0], [1, 103, 0]]);
    expect(bench.device.idle).toBe(false);
    const saved = bench.device.state.save();
    bench.device.reset();
    bench.device.state.restore(saved);
    give(4);
    expect(events()).toEqual([[0, 0, 0]]);
    expect(bench.device.idle).toBe(true);
    while (bench.device.key('b', true));
    expect(bench.device.state.fields.count).toBeLessThanOrEqual(512);
    expect(() => bench.device.key('nokey', true)).toThrow('unknown key');
  });

  it('a mouse moves, clicks, turns', () => {
    device('mouse');
    bench.start();
    expect([codes(select(17, 1)), codes(select(17, 2))]).toEqual([[0x110, 0x111, 0x112, 0x113, 0x114], [0, 1, 8]]);
    give(32);
    bench.device.move(5, -3, 1, 0);
    bench.device.move(0, 0, 6, -1);
    bench.device.move(0, 0, 6, 0);
    expect(events()).toEqual([[2, 0, 5], [2, 1, -3], [1, 0x110, 1], [0, 0, 0], [1, 0x110, 0], [1, 0x111, 1], [1, 0x112, 1], [2, 8, -1], [0, 0, 0]]);
  });

  it('a tablet points', () => {
    device('tablet');
    bench.start();
    expect([...select(18, 1)]).toEqual([0, 0, 0, 0, 0xff, 0x7f, ...Array<number>(14).fill(0)]);
    give(8);
    bench.device.point(0.5, 1, 1, 0);
    expect(events()).toEqual([[3, 0, 0x4000], [3, 1, 0x7fff], [1, 0x110, 1], [0, 0, 0]]);
  });

  it('takes what the guest says to its LEDs', () => {
    device('keyboard');
    bench.start();
    bench.offer(1, [new Uint8Array(8)], []);
    bench.kick(1);
    expect(bench.used(1)).toEqual([0]);
  });

  it('every key has a number of its own but Print and SysRq', () => {
    expect([evdevKey('esc'), evdevKey('f12'), evdevKey('ctrl_r'), evdevKey('delete'), evdevKey('print'), evdevKey('sysrq'), evdevKey('f13'), evdevKey('f23')]).toEqual([1, 88, 97, 111, 99, 99, 183, 193]);
  });

  it('input goes to the PS/2 devices until a driver runs', () => {
    device('keyboard');
    const keyboard = new Ps2Keyboard(bench.clock), mouse = new Ps2Mouse(bench.clock), router = new InputRouter(keyboard, mouse, [bench.device], []);
    expect(router.keysTaken).toBe(null);
    router.key('a', true);
    expect(keyboard.hasData).toBe(true);
    bench.start();
    give(2);
    router.key('b', true);
    expect([events(), router.keysTaken, router.hasMouse, router.point(0, 0, 0, 0)]).toEqual([[[1, 48, 1], [0, 0, 0]], true, false, null]);
  });
});
