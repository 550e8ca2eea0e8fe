import { beforeEach, describe, expect, test } from 'vitest';
import { I8042 } from '../../src/devices/i8042.ts';
import { Port92 } from '../../src/devices/port92.ts';
import { Ps2Keyboard } from '../../src/devices/ps2-keyboard.ts';
import { KEY_NAMES, isKeyName, keyCodes } from '../../src/devices/ps2-keys.ts';
import { SteppedClock } from './stepped-clock.ts';

const MS = 1_000_000;
let clock: SteppedClock;
let keyboard: Ps2Keyboard;
let kbc: I8042;
let levels: { irq1: boolean; irq12: boolean; a20: boolean };
let resets: number;

beforeEach(() => {
  clock = new SteppedClock();
  levels = { irq1: false, irq12: false, a20: false };
  resets = 0;
  keyboard = new Ps2Keyboard(clock);
  kbc = new I8042(
    clock,
    {
      keyboardIrq: { set: (level) => (levels.irq1 = level) },
      auxIrq: { set: (level) => (levels.irq12 = level) },
      a20: { set: (level) => (levels.a20 = level) },
      reset: { set: (level) => (resets += level ? 1 : 0) },
    },
    keyboard,
  );
  // The keyboard's power-on byte.
  clock.step(MS);
  read();
});

const command = (value: number): void => kbc.control.write(0, value, 1);
const data = (value: number): void => kbc.data.write(0, value, 1);
const read = (): number => kbc.data.read(0, 1);
const status = (): number => kbc.control.read(0, 1);
/** All bytes that arrive, as hex. */
function drain(): string {
  const bytes: string[] = [];
  for (clock.step(MS); status() & 1; clock.step(MS)) bytes.push(read().toString(16).padStart(2, '0'));
  return bytes.join(' ');
}
const ask = (value: number): number => (command(value), read());
const tap = (name: string): string => (keyboard.key(name, true), keyboard.key(name, false), drain());

describe('I8042', () => {
  test('self-tests', () => {
    expect(status()).toBe(0x10);
    expect(ask(0xaa)).toBe(0x55);
    expect(status()).toBe(0x1c);
    expect([ask(0xab), ask(0xa9), ask(0xa4), ask(0xc0)]).toEqual([0x00, 0x00, 0xf1, 0xa0]);
  });

  test('command byte and memory', () => {
    command(0x60);
    data(0x45);
    expect(ask(0x20)).toBe(0x45);
    expect(status() & 0x04).toBe(0x04);
    command(0x63);
    data(0x99);
    expect(ask(0x23)).toBe(0x99);
    command(0xad);
    expect(ask(0x20)).toBe(0x55);
    command(0xae);
    command(0xa7);
    expect(ask(0x20)).toBe(0x65);
    command(0xa8);
    expect(ask(0x20)).toBe(0x45);
  });

  test('translates to set 1 and raises IRQ1 until the byte is read', () => {
    command(0x60);
    data(0x45);
    keyboard.key('a', true);
    expect(levels.irq1).toBe(false);
    clock.step(MS);
    expect([levels.irq1, status() & 0x21, read(), levels.irq1]).toEqual([true, 0x01, 0x1e, false]);
    keyboard.key('a', false);
    expect(drain()).toBe('9e');
    expect(tap('left')).toBe('e0 4b e0 cb');
    expect(tap('f7')).toBe('41 c1');
  });

  test('without translation the codes of set 2 come through; IRQ1 only if enabled', () => {
    command(0x60);
    data(0x00);
    keyboard.key('a', true);
    clock.step(MS);
    expect(levels.irq1).toBe(false);
    keyboard.key('a', false);
    expect(drain()).toBe('1c f0 1c');
  });

  test('reading twice gives the same byte even when the next one waits', () => {
    command(0x60);
    data(0x45);
    keyboard.key('a', true);
    keyboard.key('a', false);
    clock.step(MS);
    expect([read(), read()]).toEqual([0x1e, 0x1e]);
    clock.step(MS);
    expect(read()).toBe(0x9e);
  });

  test('a disabled keyboard keeps its bytes; sending to it enables it', () => {
    command(0x60);
    data(0x55);
    expect(tap('b')).toBe('');
    command(0xae);
    expect(drain()).toBe('30 b0');
    command(0xad);
    data(0xee);
    expect(drain()).toBe('ee');
    expect(ask(0x20)).toBe(0x45);
  });

  test('an answer of the controller waits for a full buffer', () => {
    command(0x60);
    data(0x45);
    keyboard.key('c', true);
    clock.step(MS);
    command(0x20);
    expect([read(), read(), status() & 1]).toEqual([0x2e, 0x45, 0]);
  });

  test('output port: A20, reset, and the pulse command', () => {
    expect(levels.a20).toBe(true);
    expect(ask(0xd0)).toBe(0xc3);
    command(0xd1);
    data(0xdd);
    expect(levels.a20).toBe(false);
    expect(ask(0xd0) & 0x03).toBe(0x01);
    command(0xd1);
    data(0xdf);
    expect(levels.a20).toBe(true);
    command(0xff);
    expect(resets).toBe(0);
    command(0xfe);
    expect(resets).toBe(1);
    command(0xd1);
    data(0x02);
    expect(resets).toBe(2);
  });

  test('writes to both output buffers, and a mouse that is not there', () => {
    command(0xd2);
    data(0x77);
    expect([levels.irq1, status() & 0x21, read()]).toEqual([true, 0x01, 0x77]);
    command(0xd3);
    data(0x78);
    expect([levels.irq12, status() & 0x21, read()]).toEqual([true, 0x21, 0x78]);
    command(0xd4);
    data(0xff);
    expect([status() & 0x61, read(), status() & 0x61]).toEqual([0x61, 0xfe, 0]);
  });

  test('state survives save and restore, a byte on its way included', () => {
    command(0x60);
    data(0x45);
    keyboard.key('d', true);
    const saved = [kbc.state.save(), keyboard.state.save()];
    kbc.reset();
    keyboard.reset();
    kbc.state.restore(saved[0]);
    keyboard.state.restore(saved[1]);
    kbc.restored();
    keyboard.restored();
    clock.step(MS);
    expect([levels.irq1, read()]).toEqual([true, 0x20]);
  });

  test('the translation agrees with the key table', () => {
    command(0x60);
    data(0x44);
    for (const name of KEY_NAMES.filter((key) => !['print', 'pause'].includes(key))) {
      const { set1 } = keyCodes(name);
      const hex = (code: number): string => code.toString(16).padStart(2, '0');
      const prefix = set1 > 0xff ? 'e0 ' : '';
      expect(`${name}: ${tap(name)}`).toBe(`${name}: ${prefix}${hex(set1 & 0xff)} ${prefix}${hex((set1 & 0xff) | 0x80)}`);
    }
  });
});

describe('Ps2Keyboard', () => {
  const send = (...bytes: number[]): string => bytes.map((byte) => (data(byte), drain())).join(' | ');

  beforeEach(() => {
    command(0x60);
    data(0x00);
  });

  test('reset, identify, echo, resend, unknown command', () => {
    expect(send(0xff)).toBe('fa aa');
    expect(send(0xf2)).toBe('fa ab 83');
    expect(send(0xfe)).toBe('83');
    expect(send(0xee, 0xfe, 0x12)).toBe('ee | ee | fe');
  });

  test('leds, typematic, and a command instead of the option byte', () => {
    expect(send(0xed, 0x02)).toBe('fa | fa');
    expect(keyboard.leds).toBe(2);
    expect(send(0xf3, 0x20, 0xed, 0xee)).toBe('fa | fa | fa | ee');
    expect(keyboard.leds).toBe(2);
  });

  test('scan code sets', () => {
    expect(send(0xf0, 0x00)).toBe('fa | fa 02');
    expect(tap('ctrl_r')).toBe('e0 14 e0 f0 14');
    send(0xf0, 0x01);
    expect(tap('ctrl_r')).toBe('e0 1d e0 9d');
    send(0xf0, 0x03);
    expect(tap('ctrl_r')).toBe('58');
    expect(send(0xf0, 0x04)).toBe('fa | fe');
    expect(send(0xf0, 0x00)).toBe('fa | fa 03');
  });

  test('key types of set 3', () => {
    send(0xf0, 0x03);
    expect([tap('a'), tap('shift'), tap('f1')]).toEqual(['1c', '12 f0 12', '07']);
    keyboard.key('f1', true);
    clock.step(1000 * MS);
    expect(drain()).toBe('07');
    keyboard.key('f1', false);
    expect(send(0xfa)).toBe('fa');
    expect(tap('f1')).toBe('07 f0 07');
    // A list of keys, ended by a command: F1 sends its code once, code 84h belongs to a key too.
    expect(send(0xfd, 0x07, 0x84, 0xf4)).toBe('fa | fa | fa | fa');
    expect([tap('f1'), tap('kp_subtract'), tap('a')]).toEqual(['07', '84', '1c f0 1c']);
    send(0xf8);
    keyboard.key('a', true);
    clock.step(1000 * MS);
    expect(drain()).toBe('1c');
    keyboard.key('a', false);
    expect(drain()).toBe('f0 1c');
    send(0xf6);
    expect([tap('a'), tap('volumeup')]).toEqual(['1c', '']);
  });

  test('media keys and F13 to F24', () => {
    expect([tap('audiomute'), tap('f13'), tap('sleep')]).toEqual(['e0 23 e0 f0 23', '08 f0 08', 'e0 3f e0 f0 3f']);
    send(0xf0, 0x01);
    expect([tap('volumeup'), tap('f24')]).toEqual(['e0 30 e0 b0', '76 f6']);
  });

  test('disable drops keys, enable and F6 bring them back', () => {
    send(0xf5);
    expect(tap('x')).toBe('');
    send(0xf4);
    expect(tap('x')).toBe('22 f0 22');
    send(0xf5, 0xf6);
    expect(tap('x')).toBe('22 f0 22');
  });

  test('print and pause', () => {
    keyboard.key('print', true);
    expect(drain()).toBe('e0 12 e0 7c');
    keyboard.key('print', false);
    expect(drain()).toBe('e0 f0 7c e0 f0 12');
    expect(tap('pause')).toBe('e1 14 77 e1 f0 14 f0 77');
    keyboard.key('ctrl', true);
    expect(drain()).toBe('14');
    expect(tap('pause')).toBe('e0 7e e0 f0 7e');
    expect(tap('print')).toBe('e0 7c e0 f0 7c');
    keyboard.key('alt', true);
    expect(drain()).toBe('11');
    expect(tap('print')).toBe('84 f0 84');
  });

  test('repeats the last key after the delay, at the rate', () => {
    send(0xf3, 0x00); // 250 ms, 30 a second
    keyboard.key('q', true);
    keyboard.key('q', true);
    clock.step(240 * MS);
    expect(drain()).toBe('15');
    clock.step(10 * MS);
    expect(drain()).toBe('15');
    clock.step(32 * MS);
    expect(drain()).toBe('15');
    keyboard.key('q', false);
    clock.step(1000 * MS);
    expect(drain()).toBe('f0 15');
  });

  test('a full queue takes the overrun code in place of the key', () => {
    for (let i = 0; i < 6; i++) {
      keyboard.key('a', true);
      keyboard.key('a', false);
    }
    expect(keyboard.room).toBeLessThan(2);
    expect(drain()).toBe('1c f0 1c 1c f0 1c 1c f0 1c 1c f0 1c 1c f0 1c 1c 00');
    expect(keyboard.room).toBe(16);
  });

  test('key names', () => {
    expect([isKeyName('kp_0'), isKeyName('Enter')]).toEqual([true, false]);
    expect(() => keyboard.key('nosuch', true)).toThrow("unknown key 'nosuch'");
  });
});

describe('Port92', () => {
  test('A20 and the reset edge', () => {
    const port = new Port92({ set: (level) => (levels.a20 = level) }, { set: (level) => (resets += level ? 1 : 0) });
    port.reset();
    port.io.write(0, 0xfe, 1);
    expect([levels.a20, port.io.read(0, 1), resets]).toEqual([true, 0x02, 0]);
    port.io.write(0, 0x01, 1);
    port.io.write(0, 0x01, 1);
    expect([levels.a20, resets]).toEqual([false, 1]);
  });
});
