import { beforeEach, describe, expect, it } from 'vitest';
import { ParallelPort } from '../../src/devices/parallel-port.ts';

let port: ParallelPort, printed: number[], line: boolean;
beforeEach(() => {
  printed = [];
  line = false;
  port = new ParallelPort('lpt1', { set: (level) => { line = level; } }, { receive: null, write: (byte) => printed.push(byte) });
});
const get = (offset: number): number => port.io.read(offset, 1);
const put = (offset: number, value: number): void => port.io.write(offset, value, 1);

describe('parallel port', () => {
  it('prints a byte at the strobe, once', () => {
    put(0, 0x41);
    expect(printed).toEqual([]);
    put(2, 0x0d);
    expect([printed, get(1) & 0x80]).toEqual([[0x41], 0]);
    put(2, 0x0d);
    put(2, 0x0c);
    expect([printed, get(1), get(1)]).toEqual([[0x41], 0x9f, 0xdf]);
  });

  it('interrupts at ACK if that is enabled, until the guest has looked', () => {
    put(2, 0x0d);
    put(2, 0x0c);
    expect(line).toBe(false);
    put(2, 0x1d);
    put(2, 0x1c);
    expect(line).toBe(true);
    get(1);
    expect(line).toBe(false);
  });

  it('a printer that is being initialized takes nothing', () => {
    put(2, 0x08);
    put(2, 0x09);
    put(2, 0x08);
    expect([printed, get(1)]).toEqual([[], 0xdf]);
  });

  it('registers read back; data are pins when they are inputs', () => {
    put(0, 0x5a);
    expect([get(0), get(2)]).toEqual([0x5a, 0xcc]);
    put(2, 0x2c);
    expect([get(0), get(2)]).toEqual([0xff, 0xec]);
  });

  it('a restored port interrupts again', () => {
    put(2, 0x1d);
    put(2, 0x1c);
    const saved = port.state.save();
    port.reset();
    expect(line).toBe(false);
    port.state.restore(saved);
    port.restored();
    expect(line).toBe(true);
  });
});
