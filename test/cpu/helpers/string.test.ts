import { describe, expect, it } from 'vitest';
import { string, STRING_CMPS, STRING_INS, STRING_LODS, STRING_MOVS, STRING_OUTS, STRING_SCAS, STRING_STOS } from '../../../src/cpu/helpers/string.ts';
import {
  BUDGET, CF, CR0, CR0_PE, DF, DS, EAX, ECX, EDI, EDX, EFLAGS, ES, ESI, IOPL, SEG_BASE, STATUS_FLAGS, TF, TR_ATTR, VM, ZF,
} from '../../../src/cpu/state.ts';
import { FakeCpu, protectedCpu } from './fake-cpu.ts';

const REP = 0xf3, REPNE = 0xf2;

/** Everything that a string instruction may change. */
const outcome = (cpu: FakeCpu): unknown[] => [[EAX, ECX, ESI, EDI, BUDGET].map((i) => cpu.R[i]), cpu.eflags & STATUS_FLAGS, cpu.portLog];

let seed = 7;
const random = (below: number): number => {
  seed = Math.imul(seed, 1103515245) + 12345 | 0;
  return (seed >>> 8) % below;
};

describe('the fast runs do what single elements do', () => {
  it.each([
    ['MOVS', STRING_MOVS, REP], ['STOS', STRING_STOS, REP], ['LODS', STRING_LODS, REP], ['REPE CMPS', STRING_CMPS, REP], ['REPNE CMPS', STRING_CMPS, REPNE],
    ['REPE SCAS', STRING_SCAS, REP], ['REPNE SCAS', STRING_SCAS, REPNE],
  ])('%s', (_, kind, rep) => {
    // Two machines, one without plain memory; short distances make overlaps, page ends and wraps common.
    for (let i = 0; i < 120; i++) {
      const machines = [new FakeCpu(0x20000), new FakeCpu(0x20000)];
      machines[1]!.plain = false;
      const bytes = [1, 2, 4][random(3)]!, addrSize = [2, 4][random(2)]!;
      const source = 0xf00 + random(0x300), destination = random(3) === 0 ? 0x1e00 + random(0x400) : source + random(24) - 12;
      const count = random(5) === 0 ? 3000 : random(300), direction = random(2) === 0 ? 1 : -1;
      const alphabet = random(2) === 0 ? 1 : 256, budget = random(3) === 0 ? random(200) : 1 << 20;
      const base = random(2) === 0 ? 0 : 0x123;
      const content = Uint8Array.from({ length: 0x4000 }, () => random(alphabet));
      content[0x1000 + random(200)] = 0xee;
      const eax = random(2) === 0 ? 0 : 0x12345678;
      for (const cpu of machines) {
        cpu.bytes.set(content, 0);
        cpu.bytes.set(content, 0xfff0);
        cpu.setSegment(ES, 0, base, 0xffff, 0x9300);
        cpu.setSegment(DS, 0, 0x40, 0x2f00, 0x9300);
        cpu.R.set([eax, count, 0, 0, 0, 0, source, destination]);
        cpu.R[DF] = direction;
        cpu.R[BUDGET] = budget;
        cpu.R[ECX] = 0x70000 & (addrSize === 2 ? -1 : 0) | count;
      }
      const results = machines.map((cpu) => {
        let result = 0;
        const fault = cpu.fault(() => { result = string(cpu, kind, bytes, addrSize, DS, rep); });
        return [result, fault, outcome(cpu)];
      });
      expect(results[0], `case ${i}`).toEqual(results[1]);
      expect(Buffer.compare(machines[0]!.bytes, machines[1]!.bytes), `memory of case ${i}`).toBe(0);
    }
  });
});

describe('MOVS and STOS', () => {
  it('fill with a pattern when the destination is one element ahead', () => {
    const cpu = new FakeCpu();
    cpu.bytes.set([1, 2, 3, 4], 0x100);
    Object.assign(cpu.R, { [ESI]: 0x100, [EDI]: 0x102, [ECX]: 10 });
    expect(string(cpu, STRING_MOVS, 2, 2, DS, REP)).toBe(1);
    expect([...cpu.bytes.subarray(0x100, 0x116)]).toEqual(Array.from({ length: 22 }, (_, i) => 1 + (i & 1)));
  });
  it('use the override for the source and ES for the destination', () => {
    const cpu = new FakeCpu();
    cpu.R[SEG_BASE + ES] = 0x2000;
    cpu.R[SEG_BASE + 5] = 0x1000;
    cpu.bytes[0x1234] = 77;
    Object.assign(cpu.R, { [ESI]: 0x234, [EDI]: 0x10 });
    string(cpu, STRING_MOVS, 1, 2, 5, 0);
    expect([cpu.bytes[0x2010], cpu.R[ESI], cpu.R[EDI]]).toEqual([77, 0x235, 0x11]);
  });
  it('wrap 16-bit indexes and keep the upper halves', () => {
    const cpu = new FakeCpu();
    Object.assign(cpu.R, { [EDI]: 0x5555fffe, [ECX]: 0x44440004, [EAX]: 0xab });
    expect(string(cpu, STRING_STOS, 1, 2, DS, REP)).toBe(1);
    expect([cpu.R[EDI], cpu.R[ECX]]).toEqual([0x55550002, 0x44440000]);
    expect([cpu.bytes[0xfffe], cpu.bytes[0xffff], cpu.bytes[0], cpu.bytes[1], cpu.bytes[2]]).toEqual([0xab, 0xab, 0xab, 0xab, 0]);
  });
  it('fault at the element that is outside, with the others done', () => {
    const cpu = new FakeCpu();
    Object.assign(cpu.R, { [EDI]: 0xfff9, [ECX]: 10, [EAX]: 0x1111 });
    expect(cpu.fault(() => string(cpu, STRING_STOS, 2, 4, DS, REP))).toBe('d:0');
    expect([cpu.R[EDI], cpu.R[ECX], cpu.R[BUDGET]]).toEqual([0xffff, 7, 1_000_000 - 3]);
  });
  it('fault at an absent page likewise', () => {
    const cpu = new FakeCpu();
    cpu.absent.add(2);
    Object.assign(cpu.R, { [ESI]: 0x1ff0, [EDI]: 0x5000, [ECX]: 8 });
    expect(cpu.fault(() => string(cpu, STRING_MOVS, 4, 4, DS, REP))).toBe('e:0');
    expect([cpu.R[ESI], cpu.R[EDI], cpu.R[ECX]]).toEqual([0x2000, 0x5010, 4]);
  });
});

describe('repetition', () => {
  it('does nothing for a count of 0, even where it would fault', () => {
    const cpu = protectedCpu(3);
    cpu.eflags = ZF | CF;
    cpu.R[ECX] = 0x10000;
    expect(string(cpu, STRING_LODS, 1, 2, DS, REP)).toBe(1);
    expect(string(cpu, STRING_CMPS, 1, 2, DS, REP)).toBe(1);
    expect(cpu.eflags & STATUS_FLAGS).toBe(ZF | CF);
  });
  it.each([true, false])('charges one per iteration beyond the first (plain memory: %s)', (plain) => {
    const cpu = new FakeCpu();
    cpu.plain = plain;
    Object.assign(cpu.R, { [ECX]: 100, [BUDGET]: 30, [EDI]: 0x100 });
    expect(string(cpu, STRING_STOS, 1, 2, DS, REP)).toBe(0);
    expect([cpu.R[ECX], cpu.R[BUDGET], cpu.R[EDI]]).toEqual([69, 0, 0x11f]);
    cpu.R[BUDGET] = 68;
    expect(string(cpu, STRING_STOS, 1, 2, DS, REP)).toBe(1);
    expect([cpu.R[ECX], cpu.R[BUDGET]]).toEqual([0, 0]);
    cpu.R[ECX] = 5;
    expect(string(cpu, STRING_STOS, 1, 2, DS, REP)).toBe(0);
    expect([cpu.R[ECX], cpu.R[BUDGET]]).toEqual([4, 0]);
  });
  it('stops after each iteration while TF is set', () => {
    const cpu = new FakeCpu();
    cpu.eflags = TF;
    cpu.R[ECX] = 2;
    expect(string(cpu, STRING_LODS, 1, 2, DS, REP)).toBe(0);
    expect(string(cpu, STRING_LODS, 1, 2, DS, REP)).toBe(1);
    expect(cpu.R[ESI]).toBe(2);
  });
  it('REPE and REPNE stop by ZF and leave the flags of the last comparison', () => {
    const cpu = new FakeCpu();
    cpu.bytes.set([5, 5, 5, 9, 5], 0x300);
    Object.assign(cpu.R, { [EDI]: 0x300, [ECX]: 5, [EAX]: 5 });
    expect(string(cpu, STRING_SCAS, 1, 2, DS, REP)).toBe(1);
    expect([cpu.R[EDI], cpu.R[ECX], cpu.eflags & (ZF | CF)]).toEqual([0x304, 1, CF]);
    Object.assign(cpu.R, { [EDI]: 0x300, [ECX]: 5, [EAX]: 9 });
    expect(string(cpu, STRING_SCAS, 1, 2, DS, REPNE)).toBe(1);
    expect([cpu.R[EDI], cpu.R[ECX], cpu.eflags & (ZF | CF)]).toEqual([0x304, 1, ZF]);
  });
});

describe('INS and OUTS', () => {
  it('move data between port and memory; the device sees the exact budget', () => {
    const cpu = new FakeCpu();
    const budgets: number[] = [];
    cpu.onPort = () => budgets.push(cpu.R[BUDGET]!);
    cpu.ports.set(0x1f0, 0xffffbeef | 0);
    Object.assign(cpu.R, { [EDX]: 0x901f0, [EDI]: 0x200, [ECX]: 3, [BUDGET]: 100 });
    expect(string(cpu, STRING_INS, 2, 2, DS, REP)).toBe(1);
    expect(budgets).toEqual([100, 99, 98]);
    expect([cpu.load32(0x200), cpu.load16(0x204), cpu.R[EDI]]).toEqual([0xbeefbeef | 0, 0xbeef, 0x206]);
    Object.assign(cpu.R, { [ESI]: 0x201 });
    string(cpu, STRING_OUTS, 1, 2, DS, 0);
    expect(cpu.portLog).toEqual(['in 1f0 2', 'in 1f0 2', 'in 1f0 2', 'out 1f0 1 be']);
  });
  it('stop when a device takes the budget away', () => {
    const cpu = new FakeCpu();
    cpu.onPort = () => cpu.kick();
    Object.assign(cpu.R, { [ECX]: 3 });
    expect(string(cpu, STRING_OUTS, 1, 2, DS, REP)).toBe(0);
    expect(cpu.R[ECX]).toBe(2);
  });
  it('do not touch the port if memory cannot be written', () => {
    const cpu = new FakeCpu();
    cpu.absent.add(0);
    expect(cpu.cleanFault(() => string(cpu, STRING_INS, 1, 2, DS, 0))).toBe('e:0');
    cpu.absent.clear();
    cpu.R[EDI] = 0xffff;
    expect(cpu.cleanFault(() => string(cpu, STRING_INS, 2, 2, DS, 0))).toBe('d:0');
    expect(cpu.portLog).toEqual([]);
  });
  it('need permission', () => {
    const cpu = protectedCpu(3);
    expect(cpu.cleanFault(() => string(cpu, STRING_INS, 1, 4, DS, 0))).toBe('d:0');
    cpu.R[ECX] = 0;
    expect(cpu.cleanFault(() => string(cpu, STRING_INS, 1, 4, DS, 0xf3))).toBe('d:0');
    cpu.R[CR0] = CR0_PE;
    cpu.R[EFLAGS] = VM | IOPL;
    cpu.R[TR_ATTR] = 0x8300;
    expect(cpu.cleanFault(() => string(cpu, STRING_OUTS, 1, 4, DS, 0))).toBe('d:0');
  });
});
