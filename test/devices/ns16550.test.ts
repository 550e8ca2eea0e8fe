import { beforeEach, describe, expect, test } from 'vitest';
import { DebugPort } from '../../src/devices/debug-port.ts';
import type { CharBackend } from '../../src/devices/host.ts';
import { IsaDebugExit } from '../../src/devices/isa-debug-exit.ts';
import { Ns16550 } from '../../src/devices/ns16550.ts';
import { SteppedClock } from './stepped-clock.ts';

/** 8N1 at 115200 baud. */
const FRAME = 86806;
let clock: SteppedClock;
let uart: Ns16550;
let backend: CharBackend;
let sent: number[];
let irq: boolean;

beforeEach(() => {
  clock = new SteppedClock();
  sent = [];
  irq = false;
  backend = { write: (byte) => sent.push(byte), receive: null };
  uart = new Ns16550('com1', clock, { set: (level) => (irq = level) }, backend);
  write(3, 0x83);
  write(0, 1);
  write(1, 0);
  write(3, 0x03);
  write(4, 0x0b);
});

const read = (offset: number): number => uart.io.read(offset, 1);
const write = (offset: number, value: number): void => uart.io.write(offset, value, 1);
const type = (...bytes: number[]): void => bytes.forEach((byte) => backend.receive?.(byte));

describe('Ns16550', () => {
  test('divisor latch, scratch, line control', () => {
    write(3, 0x9b);
    write(1, 0x12);
    write(0, 0x34);
    expect([read(0), read(1), read(3)]).toEqual([0x34, 0x12, 0x9b]);
    write(3, 0x03);
    write(7, 0x5a);
    expect([read(1), read(7)]).toEqual([0, 0x5a]);
  });

  test('transmits: holding register, shift register, status', () => {
    expect(read(5)).toBe(0x60);
    write(0, 0x41);
    expect(read(5)).toBe(0x20);
    write(0, 0x42);
    expect(read(5)).toBe(0x00);
    clock.step(FRAME);
    expect(read(5)).toBe(0x20);
    clock.step(FRAME);
    expect(read(5)).toBe(0x60);
    expect(sent).toEqual([0x41, 0x42]);
  });

  test('transmit interrupt: on enabling, after each byte; cleared by reading IIR or writing', () => {
    write(1, 0x02);
    expect([irq, read(2), irq, read(2)]).toEqual([true, 0x02, false, 0x01]);
    write(0, 1);
    expect(irq).toBe(true);
    write(0, 2);
    expect(irq).toBe(false);
    clock.step(FRAME);
    expect([irq, read(2)]).toEqual([true, 0x02]);
  });

  test('receives at the speed of the line, one byte without FIFO', () => {
    write(1, 0x01);
    type(1, 2);
    expect(read(5) & 1).toBe(0);
    clock.step(10 * FRAME);
    expect([irq, read(2), read(5) & 3, read(0)]).toEqual([true, 0x04, 1, 1]);
    expect([irq, read(5) & 1]).toEqual([false, 0]);
    clock.step(FRAME);
    expect([irq, read(0)]).toEqual([true, 2]);
  });

  test('FIFO: trigger level and timeout', () => {
    write(1, 0x01);
    write(2, 0x41);
    type(1, 2, 3, 4, 5);
    clock.step(3 * FRAME);
    expect([irq, read(2)]).toEqual([false, 0xc1]);
    clock.step(FRAME);
    expect([irq, read(2)]).toEqual([true, 0xc4]);
    expect([read(0), read(0), read(0), read(0)]).toEqual([1, 2, 3, 4]);
    expect(irq).toBe(false);
    clock.step(5 * FRAME);
    expect([irq, read(2), read(0), irq]).toEqual([true, 0xcc, 5, false]);
  });

  test('a full FIFO holds the line; clearing it drops what it has', () => {
    write(2, 0xc1);
    type(...Array.from({ length: 20 }, (_, i) => i));
    clock.step(100 * FRAME);
    expect(read(5)).toBe(0x61);
    write(2, 0xc3);
    expect(read(5) & 1).toBe(0);
    clock.step(FRAME);
    expect(read(0)).toBe(16);
  });

  test('loopback: data, modem lines, overrun; nothing leaves', () => {
    write(4, 0x1f);
    expect(read(6)).toBe(0xf0);
    write(4, 0x18);
    expect(read(6)).toBe(0x87);
    write(1, 0x04);
    write(0, 0x55);
    clock.step(FRAME);
    write(0, 0x66);
    clock.step(FRAME);
    expect([irq, read(2), read(5), read(5), irq]).toEqual([true, 0x06, 0x63, 0x61, false]);
    expect(read(0)).toBe(0x55);
    expect(sent).toEqual([]);
  });

  test('modem status interrupt; OUT2 gates the line', () => {
    write(1, 0x08);
    write(4, 0x1f);
    read(6);
    write(4, 0x1d);
    expect([irq, read(2)]).toEqual([true, 0x00]);
    write(4, 0x15);
    expect(irq).toBe(false);
  });

  test('frames can be shortened', () => {
    uart = new Ns16550('com1', clock, { set() {} }, backend, { maxFrameTime: 1000 });
    write(0, 1);
    clock.step(1000);
    expect(read(5)).toBe(0x60);
  });

  test('state survives save and restore', () => {
    write(2, 0x01);
    write(0, 1);
    write(0, 2);
    const saved = uart.state.save();
    uart.reset();
    expect(read(5)).toBe(0x60);
    uart.state.restore(saved);
    uart.restored();
    expect(read(5)).toBe(0);
    clock.step(FRAME);
    expect(read(5)).toBe(0x20);
  });
});

test('DebugPort', () => {
  const port = new DebugPort(backend);
  port.io.write(0, 0x21, 1);
  expect([sent, port.io.read(0, 1)]).toEqual([[0x21], 0xe9]);
});

test('IsaDebugExit', () => {
  const codes: number[] = [];
  const port = new IsaDebugExit(4, (code) => codes.push(code));
  port.io.write(0, 0, 1);
  port.io.write(0, 0x10, 4);
  expect([codes, port.io.read(0, 4)]).toEqual([[1, 0x21], 0]);
});
