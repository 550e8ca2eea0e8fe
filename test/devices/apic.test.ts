/** Local APIC and I/O APIC through their registers. */
import { describe, expect, test } from 'vitest';
import { IoApic } from '../../src/devices/io-apic.ts';
import { LocalApic } from '../../src/devices/local-apic.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import { SteppedClock } from './stepped-clock.ts';

function make() {
  const clock = new SteppedClock(), space = new AddressSpace(new HostMemory(4096));
  const seen = { intr: false, nmis: 0, inits: 0, ended: [] as number[] };
  const apic = new LocalApic({
    clock, space, id: 0, intr: { set: (level) => { seen.intr = level; } }, nmi: () => { seen.nmis++; }, init: () => { seen.inits++; }, acknowledgePic: () => 0x77,
    endOfInterrupt: (vector) => seen.ended.push(vector),
  });
  const write = (offset: number, value: number): void => space.write(0xfee00000 + offset, value, 4);
  const read = (offset: number): number => space.read(0xfee00000 + offset, 4);
  return { clock, space, apic, seen, write, read };
}
const SVR = 0xf0, TPR = 0x80, EOI = 0xb0, ICR = 0x300, TIMER = 0x320, LINT0 = 0x350, LINT1 = 0x360, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0, ESR = 0x280;

describe('LocalApic', () => {
  test('passes the 8259s on when LINT0 says so, or when it is off', () => {
    const { apic, seen, write } = make();
    apic.lint0.set(true);
    expect(seen.intr).toBe(false);
    write(SVR, 0x1ff);
    write(LINT0, 0x700);
    expect([seen.intr, apic.acknowledge()]).toEqual([true, 0x77]);
    write(LINT0, 0x10700);
    expect(seen.intr).toBe(false);
    expect(apic.setBase(0xfee00100 | 0, 0)).toBe(true);
    expect(seen.intr).toBe(true);
    expect(apic.setBase(0xfee00001 | 0, 0)).toBe(false);
  });

  test('serves by priority, holds back what the task priority holds', () => {
    const { apic, seen, write, read } = make();
    write(SVR, 0x1ff);
    write(ICR, 0x44040);
    write(ICR, 0x44051);
    expect(seen.intr).toBe(true);
    expect([apic.acknowledge(), seen.intr, read(0x100 + 0x20)]).toEqual([0x51, false, 1 << 17]);
    write(TPR, 0x40);
    write(EOI, 0);
    expect([seen.intr, read(0xa0)]).toEqual([false, 0x40]);
    write(TPR, 0);
    expect([seen.intr, apic.acknowledge()]).toEqual([true, 0x40]);
    expect(apic.acknowledge()).toBe(0xff);
    expect(seen.ended).toEqual([]);
    write(EOI, 0);
    write(ICR, 0x44405);
    expect(seen.nmis).toBe(1);
    write(ICR, 0x44003);
    write(ESR, 0);
    expect(read(ESR)).toBe(0x20);
  });

  test('has a timer: once, and again and again', () => {
    const { clock, apic, seen, write, read } = make();
    write(SVR, 0x1ff);
    write(TIMER, 0x30);
    write(DIVIDE, 3);
    write(INITIAL, 100);
    clock.step(800);
    expect([read(CURRENT), seen.intr]).toEqual([50, false]);
    clock.step(800);
    expect([read(CURRENT), seen.intr, apic.acknowledge()]).toEqual([0, true, 0x30]);
    write(EOI, 0);
    write(TIMER, 0x20031);
    write(DIVIDE, 11);
    write(INITIAL, 1000);
    for (let i = 0; i < 3; i++) {
      clock.step(1000);
      expect(apic.acknowledge()).toBe(0x31);
      write(EOI, 0);
    }
    write(INITIAL, 0);
    clock.step(5000);
    expect(seen.intr).toBe(false);
  });

  test('LINT0 and LINT1 deliver as their entries say: NMI, fixed, external', () => {
    const { apic, seen, write } = make();
    const pulse = (line: typeof apic.lint1): void => {
      line.set(true);
      line.set(false);
    };
    // Switched off by IA32_APIC_BASE, LINT1 is the NMI pin itself; masked as after reset it is nothing.
    pulse(apic.lint1);
    expect(seen.nmis).toBe(0);
    write(SVR, 0x1ff);
    write(LINT1, 0x400);
    pulse(apic.lint1);
    expect(seen.nmis).toBe(1);
    write(LINT1, 0x10400);
    pulse(apic.lint1);
    write(LINT1, 0x55);
    pulse(apic.lint1);
    expect([seen.nmis, seen.intr, apic.acknowledge()]).toEqual([1, true, 0x55]);
    write(EOI, 0);
    write(LINT0, 0x400);
    pulse(apic.lint0);
    expect([seen.nmis, seen.intr]).toEqual([2, false]);
    write(LINT0, 0x66);
    pulse(apic.lint0);
    expect([seen.intr, apic.acknowledge()]).toEqual([true, 0x66]);
    apic.setBase(0xfee00100 | 0, 0);
    pulse(apic.lint1);
    expect(seen.nmis).toBe(3);
  });

  test('INIT resets processor and APIC, but keeps ID and place; start-up messages wake nobody', () => {
    const { seen, write, read } = make();
    write(0x20, 0x03000000);
    write(SVR, 0x1ff);
    write(TPR, 0x40);
    write(0x310, 0x03000000);
    write(ICR, 0x8500);
    write(ICR, 0x608);
    expect([seen.inits, read(SVR)]).toEqual([0, 0x1ff]);
    write(ICR, 0x4500);
    expect([seen.inits, read(SVR), read(TPR), read(0x20) >>> 24, read(LINT1)]).toEqual([1, 0xff, 0, 3, 0x10000]);
  });

  test('tells the I/O APIC of the end of level-triggered interrupts', () => {
    const { apic, seen, write } = make();
    write(SVR, 0x1ff);
    apic.deliver(0, 0x61, true);
    expect(apic.acknowledge()).toBe(0x61);
    write(EOI, 0);
    expect(seen.ended).toEqual([0x61]);
    expect([apic.isAddressed(0, false), apic.isAddressed(1, false), apic.isAddressed(0xff, false)]).toEqual([true, false, true]);
    write(0xd0, 0x02000000);
    expect([apic.isAddressed(2, true), apic.isAddressed(1, true)]).toEqual([true, false]);
    write(0xe0, 0x0fffffff);
    write(0xd0, 0x12000000);
    expect([apic.isAddressed(0x12, true), apic.isAddressed(0x22, true)]).toEqual([true, false]);
  });
});

describe('IoApic', () => {
  test('sends edges once, levels until they end', () => {
    const sent: number[] = [], io = new IoApic(({ vector }) => sent.push(vector));
    const write = (register: number, value: number): void => {
      io.io.write(0, register, 4);
      io.io.write(0x10, value, 4);
    };
    const read = (register: number): number => {
      io.io.write(0, register, 4);
      return io.io.read(0x10, 4);
    };
    expect(read(1)).toBe(0x170011);
    write(0x10 + 2 * 4, 0x41);
    io.inputs[4]!.set(true);
    io.inputs[4]!.set(false);
    io.inputs[4]!.set(true);
    expect(sent).toEqual([0x41, 0x41]);
    write(0x10 + 2 * 11, 0x8051);
    write(0x11 + 2 * 11, 0x03000000);
    io.inputs[11]!.set(true);
    expect([sent.at(-1), read(0x10 + 22), read(0x11 + 22)]).toEqual([0x51, 0xc051, 0x03000000]);
    io.endOfInterrupt(0x51);
    expect(sent.filter((vector) => vector === 0x51).length).toBe(2);
    io.inputs[11]!.set(false);
    io.endOfInterrupt(0x51);
    expect([sent.filter((vector) => vector === 0x51).length, read(0x10 + 22)]).toEqual([2, 0x8051]);
    write(0x10 + 2 * 4, 0x10041);
    io.inputs[4]!.set(false);
    io.inputs[4]!.set(true);
    write(0x10 + 2 * 4, 0x41);
    expect(sent.filter((vector) => vector === 0x41).length, 'an edge at a masked input is lost').toBe(2);
    io.inputs[4]!.set(false);
    io.inputs[4]!.set(true);
    expect(sent.filter((vector) => vector === 0x41).length).toBe(3);
  });
});
