import { beforeEach, describe, expect, test } from 'vitest';
import { I8042 } from '../../src/devices/i8042.ts';
import { Ps2Keyboard } from '../../src/devices/ps2-keyboard.ts';
import { MOUSE_EXTRA, MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_SIDE, Ps2Mouse } from '../../src/devices/ps2-mouse.ts';
import { parseMouse } from '../../src/machine/pointer.ts';
import { SteppedClock } from './stepped-clock.ts';

const MS = 1_000_000;
let clock: SteppedClock, mouse: Ps2Mouse, keyboard: Ps2Keyboard, kbc: I8042;
let irq1: boolean, irq12: boolean;

const read = (): number => kbc.data.read(0, 1);
const status = (): number => kbc.control.read(0, 1);
/** All bytes of the mouse that arrive, as hex. */
function drain(): string {
  const bytes: string[] = [];
  for (clock.step(MS); status() & 1; clock.step(MS)) {
    expect(status() & 0x20, 'from the mouse').toBe(0x20);
    bytes.push(read().toString(16).padStart(2, '0'));
  }
  return bytes.join(' ');
}
/** Sends bytes to the mouse one after the other; what each is answered with. */
function send(...bytes: number[]): string {
  return bytes.map((byte) => {
    kbc.control.write(0, 0xd4, 1);
    kbc.data.write(0, byte, 1);
    return drain();
  }).join(' ');
}
/** What the mouse reports on its own; samples come every 10 ms. */
function report(right: number, down: number, buttons = 0, wheel = 0): string {
  mouse.move(right, down, buttons, wheel);
  return drainReports();
}
function drainReports(): string {
  const reports: string[] = [];
  for (let quiet = 0; quiet < 30; quiet++) {
    const bytes = drain();
    if (bytes !== '') reports.push(bytes);
  }
  return reports.join(', ');
}

beforeEach(() => {
  clock = new SteppedClock();
  irq1 = irq12 = false;
  keyboard = new Ps2Keyboard(clock);
  mouse = new Ps2Mouse(clock);
  const none = { set: () => {} };
  kbc = new I8042(clock, { keyboardIrq: { set: (level) => (irq1 = level) }, auxIrq: { set: (level) => (irq12 = level) }, a20: none, reset: none }, keyboard, mouse);
  clock.step(MS);
  expect(read()).toBe(0xaa); // the keyboard's
  expect(drain()).toBe('aa 00');
});

describe('commands', () => {
  test('reset, identify, status, defaults', () => {
    expect(send(0xff)).toBe('fa aa 00');
    expect(send(0xf2)).toBe('fa 00');
    expect(send(0xe9)).toBe('fa 00 02 64');
    expect(send(0xe8, 0x03, 0xe7, 0xf3, 0x28, 0xf4)).toBe('fa fa fa fa fa fa');
    expect(send(0xe9)).toBe('fa 30 03 28');
    expect(send(0xf5, 0xe6, 0xe9)).toBe('fa fa fa 00 03 28');
    expect(send(0xf6, 0xe9)).toBe('fa fa 00 02 64');
  });

  test('wrong bytes and options', () => {
    expect(send(0xe5, 0xe5, 0xe5)).toBe('fe fc fe');
    expect(send(0xf2)).toBe('fa 00');
    expect(send(0xf3, 0x63, 0x64, 0xe9)).toBe('fa fe fa fa 00 02 64');
    // A command in place of an option is a command.
    expect(send(0xe8, 0xe9)).toBe('fa fa 00 02 64');
  });

  test('RESEND gives the last packet', () => {
    expect(send(0xf2, 0xfe)).toBe('fa 00 00');
    expect(send(0xf4, 0xfe)).toBe('fa fa');
    expect(report(1, 0)).toBe('08 01 00');
    expect(send(0xfe)).toBe('08 01 00');
  });

  test('wrap mode echoes', () => {
    expect(send(0xee, 0x12, 0xf4, 0xec, 0xf2)).toBe('fa 12 f4 fa fa 00');
    expect(send(0xee, 0xff)).toBe('fa fa aa 00');
  });

  test('the knock for a wheel and for five buttons; a reset forgets it', () => {
    expect(send(0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2)).toBe('fa fa fa fa fa fa fa 03');
    expect(send(0xf3, 200, 0xf3, 200, 0xf3, 80, 0xf2)).toBe('fa fa fa fa fa fa fa 04');
    expect(send(0xf6, 0xf2)).toBe('fa fa 04');
    expect(send(0xff, 0xf2)).toBe('fa aa 00 fa 00');
  });
});

describe('stream mode', () => {
  test('reports nothing until it is enabled', () => {
    expect(report(5, 5)).toBe('');
    expect(mouse.idle).toBe(true);
    send(0xf4);
    expect(drainReports()).toBe('');
  });

  test('movement, signs and buttons', () => {
    send(0xf4);
    expect(report(5, -3)).toBe('08 05 03');
    expect(report(-5, 3)).toBe('38 fb fd');
    expect(report(0, 0, MOUSE_LEFT)).toBe('09 00 00');
    expect(report(0, 0, MOUSE_LEFT)).toBe('');
    expect(report(1, 0, MOUSE_RIGHT | MOUSE_MIDDLE)).toBe('0e 01 00');
    expect(send(0xe9)).toBe('fa 23 02 64');
    expect(report(0, 0, 0, 1)).toBe('08 00 00');
  });

  test('splits what one sample cannot hold, and loses no click', () => {
    send(0xf4);
    expect(report(300, 0)).toBe('08 7f 00, 08 7f 00, 08 2e 00');
    mouse.move(0, 0, MOUSE_LEFT, 0);
    mouse.move(0, 0, 0, 0);
    expect(drainReports()).toBe('09 00 00, 08 00 00');
    expect(mouse.idle).toBe(true);
  });

  test('samples at the rate that was set', () => {
    send(0xf3, 10, 0xf4);
    report(1, 0);
    clock.step(200 * MS);
    mouse.move(1, 0, 0, 0);
    expect(drain()).toBe('08 01 00');
    mouse.move(1, 0, 0, 0);
    expect(drain()).toBe('');
    clock.step(100 * MS);
    expect(drain()).toBe('08 01 00');
  });

  test('scaling 2:1', () => {
    send(0xf4, 0xe7);
    expect(['1', '2', '3', '4', '5', '6', '-5'].map((counts) => report(Number(counts), 0).slice(3, 5))).toEqual(['01', '01', '03', '06', '09', '0c', 'f7']);
  });

  test('the wheel and buttons 4 and 5', () => {
    send(0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf4);
    expect(report(1, 0, 0, 1)).toBe('08 01 00 ff');
    expect(report(0, 0, MOUSE_SIDE, -9)).toBe('08 00 00 07, 08 00 00 02');
    send(0xf3, 200, 0xf3, 200, 0xf3, 80);
    expect(report(0, 0, MOUSE_SIDE | MOUSE_EXTRA, 1)).toBe('08 00 00 3f');
    expect(report(0, 0, MOUSE_SIDE, 0)).toBe('08 00 00 10');
  });
});

test('remote mode reports when asked, without scaling', () => {
  send(0xe7, 0xf0);
  expect(report(3, 0)).toBe('');
  expect(send(0xeb)).toBe('fa 08 03 00');
  expect(send(0xeb)).toBe('fa 08 00 00');
  expect(send(0xea, 0xf4)).toBe('fa fa');
});

describe('at the controller', () => {
  test('raises IRQ 12, and leaves the keyboard alone', () => {
    send(0xf4);
    mouse.move(1, 0, 0, 0);
    clock.step(MS);
    expect([irq1, irq12, status() & 0x21]).toEqual([false, true, 0x21]);
    expect(kbc.idle).toBe(false);
    expect(drain()).toBe('08 01 00');
    expect(irq12).toBe(false);
  });

  test('a disabled interface holds reports and movement back, and the keyboard goes on', () => {
    send(0xf4);
    kbc.control.write(0, 0xa7, 1);
    mouse.move(1, 1, 0, 0);
    clock.step(20 * MS);
    mouse.move(2, 2, 0, 0);
    clock.step(20 * MS);
    expect([status() & 1, kbc.idle, mouse.idle]).toEqual([0, true, false]);
    kbc.control.write(0, 0xa8, 1);
    expect(drainReports()).toBe('28 01 ff 28 02 fe');
  });

  test('goes on after a restore in the middle of a report', () => {
    send(0xf4);
    mouse.move(200, 0, MOUSE_LEFT, 0);
    clock.step(MS);
    expect(read()).toBe(0x09);
    const saved = [mouse.state.save(), kbc.state.save()] as const;
    mouse.reset();
    kbc.reset();
    mouse.state.restore(saved[0]);
    kbc.state.restore(saved[1]);
    mouse.restored();
    kbc.restored();
    expect(drainReports()).toBe('7f 00, 09 49 00');
  });
});

describe('parseMouse', () => {
  test('reads counts, buttons by name or QEMU number, and the wheel', () => {
    expect(parseMouse('10,-5')).toEqual({ right: 10, down: -5, buttons: 0, wheel: 0 });
    expect(parseMouse('0,0,left+right,-1')).toEqual({ right: 0, down: 0, buttons: MOUSE_LEFT | MOUSE_RIGHT, wheel: -1 });
    expect(parseMouse('0,0,2').buttons).toBe(MOUSE_MIDDLE);
    expect(parseMouse('0,0,5').buttons).toBe(MOUSE_LEFT | MOUSE_RIGHT);
  });

  test('says what is wrong', () => {
    expect(() => parseMouse('1')).toThrow("'1' is not RIGHT,DOWN[,BUTTONS[,WHEEL]]");
    expect(() => parseMouse('1,b')).toThrow("'b' is not a whole number");
    expect(() => parseMouse('1,99999')).toThrow('99999 is not between -32767 and 32767');
    expect(() => parseMouse('1,1,lift')).toThrow("no mouse button 'lift' (left, middle, right, side, extra; or 1 left, 2 middle, 4 right, and their sums)");
    expect(() => parseMouse('1,1,64')).toThrow("no mouse button '64'");
  });
});
