import { beforeEach, describe, expect, test } from 'vitest';
import { I8259Pair } from '../../src/devices/i8259.ts';

let pic: I8259Pair;
let intr: boolean;

beforeEach(() => {
  intr = false;
  pic = new I8259Pair({ set: (level) => (intr = level) });
});

const chip = (slave: boolean) => (slave ? pic.slave : pic.master);
const out = (offset: number, value: number, slave = false): void => chip(slave).io.write(offset, value, 1);
const inp = (offset: number, slave = false): number => chip(slave).io.read(offset, 1);

/** As a PC's BIOS: vectors 8 and 70h, all unmasked. */
function init(masterIcw4 = 1): void {
  for (const [slave, base, icw3] of [[false, 8, 4], [true, 0x70, 2]] as const) {
    out(0, 0x11, slave);
    out(1, base, slave);
    out(1, icw3, slave);
    out(1, slave ? 1 : masterIcw4, slave);
    out(1, 0, slave);
  }
}

const pulse = (irq: number): void => {
  pic.irq[irq].set(true);
  pic.irq[irq].set(false);
};
const irr = (slave = false): number => (out(0, 0x0a, slave), inp(0, slave));
const isr = (slave = false): number => (out(0, 0x0b, slave), inp(0, slave));

describe('I8259', () => {
  test('delivers by priority and nests', () => {
    init();
    pic.irq[4].set(true);
    pic.irq[3].set(true);
    expect(intr).toBe(true);
    expect(irr()).toBe(0x18);
    expect(pic.acknowledge()).toBe(8 + 3);
    expect(intr).toBe(false);
    expect([irr(), isr()]).toEqual([0x10, 0x08]);
    pic.irq[1].set(true);
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(8 + 1);
    out(0, 0x20);
    expect(isr()).toBe(0x08);
    expect(intr).toBe(false);
    out(0, 0x20);
    expect(pic.acknowledge()).toBe(8 + 4);
  });

  test('says nothing before it is initialised', () => {
    pic.irq[0].set(true);
    expect(intr).toBe(false);
    init();
    pulse(0);
    pic.irq[0].set(true);
    expect(intr).toBe(true);
  });

  test('an edge is served once, a mask holds it back', () => {
    init();
    out(1, 0x01);
    pic.irq[0].set(true);
    expect(intr).toBe(false);
    expect(inp(1)).toBe(0x01);
    out(1, 0);
    expect(pic.acknowledge()).toBe(8);
    out(0, 0x20);
    expect(intr).toBe(false);
    pic.irq[0].set(false);
    pic.irq[0].set(true);
    expect(intr).toBe(true);
  });

  test('a request that falls before the acknowledge is spurious', () => {
    init();
    pulse(5);
    expect([intr, irr()]).toEqual([false, 0]);
    expect(pic.acknowledge()).toBe(8 + 7);
    expect(isr()).toBe(0);
  });

  test('a spurious request of the slave leaves IRQ2 in service at the master', () => {
    init();
    // The processor has begun its acknowledge when the slave's line falls.
    pic.irq[10].set(true);
    const master = pic.master.inputs[2];
    pic.slave.inputs[2].set(false);
    master.set(true);
    expect(pic.acknowledge()).toBe(0x70 + 7);
    expect(isr()).toBe(4);
    expect(isr(true)).toBe(0);
  });

  test('the slave answers for its inputs; both need an EOI', () => {
    init();
    pic.irq[12].set(true);
    pic.irq[8].set(true);
    expect(pic.acknowledge()).toBe(0x70);
    expect([isr(), isr(true)]).toEqual([0x04, 0x01]);
    expect(intr).toBe(false);
    out(0, 0x20, true);
    expect(intr).toBe(false);
    out(0, 0x20);
    expect(pic.acknowledge()).toBe(0x74);
  });

  test('special fully nested mode lets a more urgent slave input through', () => {
    init(0x11);
    pic.irq[12].set(true);
    expect(pic.acknowledge()).toBe(0x74);
    pic.irq[8].set(true);
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(0x70);
  });

  test('level-triggered inputs ask again until the line falls; ELCR keeps the fixed bits', () => {
    init();
    pic.master.elcr.write(0, 0xff, 1);
    pic.slave.elcr.write(0, 0xff, 1);
    expect([pic.master.elcr.read(0, 1), pic.slave.elcr.read(0, 1)]).toEqual([0xf8, 0xde]);
    pic.irq[11].set(true);
    expect(pic.acknowledge()).toBe(0x73);
    out(0, 0x20, true);
    out(0, 0x20);
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(0x73);
    pic.irq[11].set(false);
    out(0, 0x20, true);
    out(0, 0x20);
    expect(intr).toBe(false);
  });

  test('auto EOI, with and without rotation', () => {
    init(3);
    pic.irq[3].set(true);
    expect(pic.acknowledge()).toBe(11);
    expect(isr()).toBe(0);
    out(0, 0x80);
    pic.irq[4].set(true);
    expect(pic.acknowledge()).toBe(12);
    pulse(3);
    pic.irq[3].set(true);
    pic.irq[5].set(true);
    expect(pic.acknowledge()).toBe(13);
  });

  test('specific EOI, rotation and set priority', () => {
    init();
    pic.irq[3].set(true);
    pic.irq[1].set(true);
    pic.acknowledge();
    out(0, 0x60 | 1);
    expect(isr()).toBe(0);
    expect(pic.acknowledge()).toBe(11);
    out(0, 0xa0);
    pulse(3);
    pic.irq[3].set(true);
    pic.irq[4].set(true);
    expect(pic.acknowledge()).toBe(12);
    out(0, 0xe0 | 4);
    expect(isr()).toBe(0);
    expect(pic.acknowledge()).toBe(11);
    out(0, 0x20);
    out(0, 0xc0 | 0);
    pulse(0);
    pic.irq[0].set(true);
    pic.irq[7].set(true);
    expect(pic.acknowledge()).toBe(15);
  });

  test('special mask mode lets less urgent inputs through', () => {
    init();
    pic.irq[1].set(true);
    pic.acknowledge();
    pic.irq[6].set(true);
    expect(intr).toBe(false);
    out(1, 0x02);
    out(0, 0x68);
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(14);
    out(0, 0x48);
    out(1, 0);
    expect(isr()).toBe(0x42);
  });

  test('poll acknowledges and names the input', () => {
    init();
    out(0, 0x0c);
    expect(inp(0)).toBe(0);
    pic.irq[6].set(true);
    out(0, 0x0c);
    expect(inp(0)).toBe(0x86);
    expect(isr()).toBe(0x40);
    expect(intr).toBe(false);
  });

  test('ICW1 clears mask, service and edges; a line must rise anew', () => {
    init();
    pic.irq[1].set(true);
    out(1, 0xf0);
    init();
    expect([inp(1), irr(), isr(), intr]).toEqual([0, 0, 0, false]);
  });

  test('single mode without ICW4 needs two words', () => {
    out(0, 0x12);
    out(1, 0x40);
    out(1, 0xfe);
    expect(inp(1)).toBe(0xfe);
    pic.irq[0].set(true);
    expect(pic.acknowledge()).toBe(0x40);
  });

  test('reset and restore drive the output again', () => {
    init();
    pic.irq[4].set(true);
    const saved = [pic.master.state.save(), pic.slave.state.save()];
    pic.master.reset();
    pic.slave.reset();
    expect(intr).toBe(false);
    pic.master.state.restore(saved[0]);
    pic.slave.state.restore(saved[1]);
    pic.master.restored();
    pic.slave.restored();
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(12);
  });
});
