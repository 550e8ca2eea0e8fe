/** The pointer behind the VMware port, and who gets what the user does. Packets as QEMU 7.2 gave them for the same events. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InputRouter } from '../../../src/devices/input-router.ts';
import type { Pointer } from '../../../src/devices/input-router.ts';
import { Pc } from '../../../src/devices/pc.ts';
import type { Processor } from '../../../src/devices/pc.ts';
import { MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_SIDE } from '../../../src/devices/ps2-mouse.ts';
import { MAGIC, PORT } from './guest.ts';

const READ_ID = 0x45414552, ABSOLUTE = 0x53424152, RELATIVE = 0x4c455252, OFF = 0xf5;
const STATUS = 0x28, DATA = 0x27, COMMAND = 0x29;

class Registers implements Processor {
  readonly all = new Int32Array(8);
  register(number: number): number {
    return this.all[number]!;
  }
  setRegister(number: number, value: number): void {
    this.all[number] = value;
  }
  setIntr(): void {}
  raiseNmi(): void {}
  setA20(): void {}
  requestReset(): void {}
  requestInit(): void {}
  reset(): void {}
}

let ns = 0;
let pc: Pc<Registers>;
/** EAX after a command. */
function vm(command: number, ebx = 0): number {
  pc.cpu.all.set([MAGIC, command, 0, ebx]);
  pc.io.read(PORT, 4);
  return pc.cpu.all[0]!;
}
const waiting = (): number => vm(STATUS) & 0xffff;
const take = (): number[] => {
  vm(DATA, 4);
  const [eax, ecx, edx, ebx] = pc.cpu.all;
  return [eax!, ebx!, ecx!, edx!];
};
function on(mode: number): void {
  vm(COMMAND, READ_ID);
  expect(vm(DATA, 1)).toBe(0x3442554a);
  vm(COMMAND, mode);
}
/** What the PS/2 mouse sends within a second. */
function ps2(): number[] {
  const bytes: number[] = [], until = ns + 1e9;
  while (pc.clock.nextDeadline() <= until) {
    ns = Math.max(ns, pc.clock.nextDeadline());
    pc.clock.runTimers();
    const status = pc.io.read(0x64, 1), byte = pc.io.read(0x60, 1);
    if ((status & 0x21) === 0x21) bytes.push(byte);
  }
  ns = until;
  return bytes;
}
/** As a driver does: the mouse reports, by interrupts. */
function enable(): void {
  for (const [port, value] of [[0x64, 0xa8], [0x64, 0x60], [0x60, 0x47], [0x64, 0xd4], [0x60, 0xf4]] as const) pc.io.write(port, value, 1);
  ps2();
}

beforeEach(() => {
  ns = 0;
  pc = new Pc<Registers>({ memory: 4 << 20, bios: new Uint8Array(0x10000), time: () => ns, rtcBase: 0 }, () => new Registers());
  pc.reset();
  enable();
});

describe('vmmouse', () => {
  it('takes places', () => {
    expect(pc.point(0.5, 0.5, 0, 0)).toBe(null);
    on(ABSOLUTE);
    const packets = [[0, 0, 0, 0], [1, 0x4000 / 0x7fff, 0, 0], [1, 0.5, MOUSE_LEFT, 0], [1, 0.5, MOUSE_LEFT | MOUSE_RIGHT, 0], [1, 0.5, MOUSE_MIDDLE | MOUSE_SIDE, 0], [0, 1, 0, 1], [0, 1, 0, -2]]
      .map(([x, y, buttons, wheel]) => [pc.point(x!, y!, buttons!, wheel!), waiting(), take()]);
    expect(packets).toEqual([
      [true, 4, [0, 0, 0, 0]], [true, 4, [0, 0xfffe, 0x8000, 0]], [true, 4, [0x20, 0xfffe, 0x8000, 0]], [true, 4, [0x30, 0xfffe, 0x8000, 0]],
      [true, 4, [0x08, 0xfffe, 0x8000, 0]], [true, 4, [0, 0, 0xfffe, -1]], [true, 4, [0, 0, 0xfffe, 2]],
    ]);
    expect([waiting(), pc.cpu.all[0]]).toEqual([0, 0]);
  });

  it('tells its driver by a PS/2 packet for each', () => {
    on(ABSOLUTE);
    pc.point(0.1, 0.2, 0, 0);
    expect([waiting(), pc.mouseIdle]).toEqual([4, false]);
    expect(ps2()).toEqual([8, 1, 0]);
    for (let i = 0; i < 3; i++) pc.point(0.3, 0.2, MOUSE_LEFT, 0);
    expect(ps2()).toEqual([8, 1, 0, 8, 1, 0, 8, 1, 0]);
    expect([waiting(), pc.mouseIdle]).toEqual([16, false]);
    for (let i = 0; i < 4; i++) take();
    expect([waiting(), pc.mouseIdle]).toEqual([0, true]);
  });

  it('buttons come to it, and counts go to the PS/2 mouse while it takes places', () => {
    on(ABSOLUTE);
    pc.point(1, 0.5, 0, 0);
    take();
    ps2();
    expect(pc.moveMouse(5, 3, 0, 0)).toBe(true);
    expect([waiting(), ps2()]).toEqual([0, [0x28, 5, 0xfd]]);
    pc.moveMouse(0, 0, MOUSE_LEFT, 0);
    expect([take(), ps2()]).toEqual([[0x20, 0xfffe, 0x8000, 0], [8, 1, 0]]);
    pc.moveMouse(1, 0, 0, 1);
    expect([take(), ps2()]).toEqual([[0, 0xfffe, 0x8000, -1], [8, 2, 0]]);
  });

  it('takes counts', () => {
    on(RELATIVE);
    expect(pc.point(0, 0, 0, 0)).toBe(null);
    const packets = [[5, 3, 0, 0], [300, -7, MOUSE_LEFT, 0], [0, 0, MOUSE_LEFT, -1]].map(([x, y, buttons, wheel]) => (pc.moveMouse(x!, y!, buttons!, wheel!), take()));
    expect(packets).toEqual([[0, 5, 3, 0], [0x20, 300, -7, 0], [0x20, 0, 0, 1]]);
    expect(ps2()).toEqual([8, 1, 0, 8, 1, 0, 8, 1, 0]);
  });

  it('is off without its driver, and when that asks for what there is not', () => {
    vm(COMMAND, ABSOLUTE);
    expect(pc.point(0, 0, 0, 0)).toBe(null);
    on(ABSOLUTE);
    vm(COMMAND, OFF);
    expect([vm(STATUS), pc.point(0, 0, 0, 0)]).toEqual([0xffff0000 | 0, null]);
    on(ABSOLUTE);
    expect(pc.point(0, 0, 0, 0)).toBe(true);
    vm(DATA, 5);
    expect([vm(STATUS), pc.point(0, 0, 0, 0)]).toEqual([0xffff0004 | 0, null]);
    pc.reset();
    expect([vm(STATUS), pc.mouseIdle]).toEqual([0xffff0000 | 0, true]);
  });

  it('its queue is full at 1024 words', () => {
    on(ABSOLUTE);
    let count = 0;
    while (pc.point(0, 0, 0, 0) === true) count++;
    expect([count, waiting()]).toEqual([256, 1024]);
    vm(COMMAND, READ_ID);
    expect([waiting(), pc.point(0, 0, 0, 0)]).toEqual([1024, false]);
    take();
    expect(pc.point(1, 1, 0, 0)).toBe(true);
  });

  it('gives its state back', () => {
    on(ABSOLUTE);
    pc.point(0.5, 0.5, MOUSE_LEFT, 0);
    const saved = pc.devices.map(({ state }) => state.save());
    pc.reset();
    expect(pc.point(0, 0, 0, 0)).toBe(null);
    pc.restore(saved);
    expect([vm(STATUS), take(), pc.point(0, 0, 0, 0), take()]).toEqual([4, [0x20, 0x8000, 0x8000, 0], true, [0, 0, 0, 0]]);
  });
});

describe('the input router', () => {
  /** A pointer that notes what it is told. */
  class Notes implements Pointer {
    readonly kind: string;
    readonly told: string[] = [];
    active = false;
    idle = true;
    buttons = 0;
    onActive: (() => void) | null = null;

    constructor(kind: string) {
      this.kind = kind;
    }

    start(): void {
      this.active = true;
      this.onActive?.();
    }

    move(...what: [number, number, number, number]): boolean {
      return this.#note('move', what);
    }

    point(...what: [number, number, number, number]): boolean {
      return this.#note('point', what);
    }

    #note(name: string, what: [number, number, number, number]): boolean {
      this.told.push(`${name} ${what.join(' ')}`);
      this.buttons = what[2];
      return true;
    }
  }

  it('gives each to the device whose driver came last', () => {
    const mouse = new Notes('mouse'), tablet = new Notes('tablet'), late = new Notes('tablet');
    const router = new InputRouter(pc.keyboard, pc.mouse, [], [mouse, tablet, late]), told = (): string[][] => [mouse, tablet, late].map((one) => one.told.splice(0));
    expect([router.point(0, 0, 0, 0), router.hasMouse]).toEqual([null, false]);
    tablet.start();
    router.point(0.5, 0.5, 1, 0);
    expect(told()).toEqual([[], ['point 0.5 0.5 1 0'], []]);
    late.start();
    router.point(0.1, 0.5, 0, 0);
    expect(told()).toEqual([[], [], ['point 0.1 0.5 0 0']]);
    const saved = router.state.save();
    // A mouse that comes then has the buttons, and the counts.
    mouse.start();
    router.point(0.2, 0.5, 2, 1);
    router.move(3, 4, 2, 0);
    expect(told()).toEqual([['move 0 0 2 1', 'move 3 4 2 0'], [], ['point 0.2 0.5 0 0']]);
    late.active = false;
    router.point(0.3, 0.5, 2, 0);
    expect(told()).toEqual([[], ['point 0.3 0.5 1 0'], []]);
    late.active = true;
    router.state.restore(saved);
    router.move(1, 1, 4, 0);
    router.move(1, 1, 4, 0);
    expect(told()).toEqual([['move 1 1 2 0', 'move 1 1 2 0'], [], ['move 0 0 4 0']]);
    expect(router.pointersTaken).toBe(true);
    tablet.idle = false;
    expect([router.pointersTaken, router.hasMouse]).toEqual([false, true]);
    router.reset();
    expect([...router.state.fields.pointers]).toEqual([0, 1, 2]);
  });
});
