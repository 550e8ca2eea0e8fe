import { describe, expect, it } from 'vitest';
import { far_call, far_jmp } from '../../../src/cpu/helpers/far-transfer.ts';
import { deliverInterrupt, soft_int } from '../../../src/cpu/helpers/interrupt.ts';
import { iret } from '../../../src/cpu/helpers/iret.ts';
import {
  CF, CR0, CR0_PG, CR0_TS, CR3, CS, CUR_OP, DR, DS, EAX, EBP, EDI, EDX, EIP, ES, ESP, FS, GS, IF, IOPL, LDT_ATTR, LDT_BASE, LDT_SEL as LDT_SLOT, NT, RF,
  SEG_ATTR, SEG_BASE, SS, TR_ATTR, TR_BASE, TR_SEL, VM, ZF,
} from '../../../src/cpu/state.ts';
import {
  BIG, CODE, FakeCpu, FREE, GDT_AT, IDT_AT, K_CODE, K_DATA, KERNEL_STACK, LDT_SEL, protectedCpu, TASK_GATE, TSS, TSS16_FREE, TSS32_BUSY, TSS32_FREE,
  TSS_AT, TSS_B, U_CODE, U_DATA, USER_STACK,
} from './fake-cpu.ts';

const NEW = 0x6000, NEXT = 0x5007;

/** A second task in ring 3 whose TSS is at NEW, and ring 0 running. */
function machine(cpl: 0 | 3 = 0): FakeCpu {
  const cpu = protectedCpu(cpl);
  cpu.describe(GDT_AT, TSS_B >> 3, NEW, 0x67, TSS32_FREE, 3);
  const put = (offset: number, value: number): void => cpu.store32(NEW + offset, value);
  put(28, 0x123000);
  put(32, 0x7777);
  put(36, IF | CF | 2);
  for (let i = 0; i < 8; i++) put(40 + 4 * i, 0x1000 * i + i);
  put(40 + 4 * ESP, USER_STACK);
  [U_DATA, U_CODE, U_DATA, U_DATA, 0, U_DATA].forEach((selector, i) => put(72 + 4 * i, selector));
  put(96, LDT_SEL);
  for (let i = 0; i < 8; i++) if (i !== ESP) cpu.R[EAX + i] = 0x2000 + i;
  cpu.eflags = ZF | IOPL | 2;
  return cpu;
}
const word32 = (cpu: FakeCpu, at: number): number => cpu.load32(at);

describe('a jump to a TSS', () => {
  it('saves one task and loads the other', () => {
    const cpu = machine();
    cpu.R[DR + 7] = 0x7ff;
    far_jmp(cpu, TSS_B, 0, 4, NEXT);
    // The old task.
    expect([word32(cpu, TSS_AT + 32), word32(cpu, TSS_AT + 36)]).toEqual([NEXT, ZF | IOPL | 2]);
    expect([EAX, EDX, EBP, EDI].map((i) => word32(cpu, TSS_AT + 40 + 4 * i))).toEqual([0x2000, 0x2002, 0x2005, 0x2007]);
    expect(word32(cpu, TSS_AT + 40 + 4 * ESP)).toBe(KERNEL_STACK);
    expect([ES, CS, SS, DS, FS, GS].map((seg) => word32(cpu, TSS_AT + 72 + 4 * seg))).toEqual([K_DATA, K_CODE, K_DATA, K_DATA, K_DATA, K_DATA]);
    expect(cpu.access(GDT_AT, TSS >> 3)).toBe(TSS32_FREE);
    // The new one.
    expect(cpu.access(GDT_AT, TSS_B >> 3)).toBe(TSS32_BUSY | 0x60);
    expect([cpu.R[TR_SEL], cpu.R[TR_BASE], cpu.R[TR_ATTR]! & 0x1f00]).toEqual([TSS_B, NEW, 0xb00]);
    expect([cpu.R[EIP], cpu.eflags, cpu.cpl]).toEqual([0x7777, IF | CF | 2, 3]);
    expect([EAX, EDX, EBP, ESP].map((i) => cpu.R[i])).toEqual([0, 0x2002, 0x5005, USER_STACK]);
    expect([ES, CS, SS, DS, FS, GS].map((seg) => cpu.selector(seg))).toEqual([U_DATA, U_CODE, U_DATA, U_DATA, 0, U_DATA]);
    expect([cpu.R[LDT_SLOT], cpu.R[LDT_BASE], cpu.R[LDT_ATTR]! & 0x9f00]).toEqual([LDT_SEL, 0x3000, 0x8200]);
    expect(cpu.R[CR0]! & CR0_TS).toBe(CR0_TS);
    expect(cpu.R[DR + 7]).toBe(0x7ff & ~0x155);
    expect(cpu.flushed).toEqual([]); // no paging: CR3 stays
    expect(cpu.R[CR3]).toBe(0);
  });

  it('loads CR3 with paging on', () => {
    const cpu = machine();
    cpu.R[CR0] = cpu.R[CR0]! | CR0_PG;
    far_jmp(cpu, TSS_B, 0, 4, NEXT);
    expect([cpu.R[CR3], cpu.flushed]).toEqual([0x123000, ['all']]);
  });

  it('and back again', () => {
    const cpu = machine();
    far_jmp(cpu, TSS_B, 0, 4, NEXT);
    cpu.describe(GDT_AT, TSS >> 3, TSS_AT, 0x67, TSS32_FREE, 3);
    far_jmp(cpu, TSS | 3, 0, 4, 0x8888);
    expect([cpu.R[EIP], cpu.selector(CS), cpu.cpl, cpu.R[ESP], cpu.eflags]).toEqual([NEXT, K_CODE, 0, KERNEL_STACK, ZF | IOPL | 2]);
    expect([EAX, EDX].map((i) => cpu.R[i])).toEqual([0x2000, 0x2002]);
    expect(word32(cpu, NEW + 32)).toBe(0x8888);
  });

  it.each<[string, (cpu: FakeCpu) => void, string]>([
    ['DPL below CPL', (cpu) => cpu.describe(GDT_AT, TSS_B >> 3, NEW, 0x67, TSS32_FREE, 0), 'd:38'],
    ['absent', (cpu) => cpu.describe(GDT_AT, TSS_B >> 3, NEW, 0x67, TSS32_FREE & 0x7f, 3), 'b:38'],
    ['busy', (cpu) => cpu.describe(GDT_AT, TSS_B >> 3, NEW, 0x67, TSS32_BUSY, 3), 'd:38'],
    ['too short', (cpu) => cpu.describe(GDT_AT, TSS_B >> 3, NEW, 0x66, TSS32_FREE, 3), 'a:38'],
    ['not in memory', (cpu) => cpu.absent.add(NEW >> 12), 'e:0'],
    ['old TSS not in memory', (cpu) => cpu.absent.add(TSS_AT >> 12), 'e:0'],
  ])('faults in the old task: %s', (_, spoil, fault) => {
    const cpu = machine(3);
    spoil(cpu);
    expect(cpu.cleanFault(() => far_jmp(cpu, TSS_B | 3, 0, 4, NEXT))).toBe(fault);
    expect(cpu.R[CUR_OP]).toBe(1234);
  });

  it.each<[string, (cpu: FakeCpu) => void, string]>([
    ['null CS', (cpu) => cpu.store32(NEW + 76, 0), 'a:0'],
    ['CS that is data', (cpu) => cpu.store32(NEW + 76, U_DATA), 'a:20'],
    ['CS of another level', (cpu) => cpu.store32(NEW + 76, K_CODE | 3), 'a:8'],
    ['absent CS', (cpu) => cpu.describe(GDT_AT, 3, 0, 0xfffff, CODE & 0x7f, 3, BIG), 'b:18'],
    ['null SS', (cpu) => cpu.store32(NEW + 80, 0), 'a:0'],
    ['SS of another level', (cpu) => cpu.store32(NEW + 80, K_DATA), 'a:10'],
    ['DS out of the table', (cpu) => cpu.store32(NEW + 84, 0x7f8), 'a:7f8'],
    ['DS of an inner level', (cpu) => cpu.store32(NEW + 84, K_DATA), 'a:10'],
    ['LDT that is none', (cpu) => cpu.store32(NEW + 96, K_DATA), 'a:10'],
    ['LDT in the LDT', (cpu) => cpu.store32(NEW + 96, 0x34), 'a:34'],
  ])('faults in the new task: %s', (_, spoil, fault) => {
    const cpu = machine();
    spoil(cpu);
    expect(cpu.fault(() => far_jmp(cpu, TSS_B, 0, 4, NEXT))).toBe(fault);
    // The run loop leaves EIP alone; the switch has taken place.
    expect(cpu.R[CUR_OP]).toBe(-1);
    expect([cpu.R[TR_SEL], cpu.R[EIP], cpu.R[EDX]]).toEqual([TSS_B, 0x7777, 0x2002]);
  });

  it('raises #DB if the T bit is set', () => {
    const cpu = machine();
    cpu.store32(NEW + 100, 1);
    expect(cpu.fault(() => far_jmp(cpu, TSS_B, 0, 4, NEXT))).toBe('1');
    expect([cpu.R[DR + 6]! & 0x8000, cpu.R[EIP], cpu.cpl]).toEqual([0x8000, 0x7777, 3]);
  });

  it('may enter virtual-8086 mode', () => {
    const cpu = machine();
    cpu.store32(NEW + 36, VM | IF | 2);
    cpu.store32(NEW + 76, 0x1234);
    cpu.store32(NEW + 84, 0x8000);
    far_jmp(cpu, TSS_B, 0, 4, NEXT);
    expect([cpu.cpl, cpu.selector(CS), cpu.R[SEG_BASE + CS], cpu.R[SEG_BASE + DS], cpu.R[SEG_ATTR + SS]]).toEqual([3, 0x1234, 0x12340, 0x80000, 0xf300]);
  });

  it('goes through task gates too', () => {
    const cpu = machine(3);
    cpu.describe(GDT_AT, TSS_B >> 3, NEW, 0x67, TSS32_FREE, 0);
    cpu.gate(GDT_AT, FREE >> 3, TSS_B, 0, TASK_GATE, 3);
    far_jmp(cpu, FREE | 3, 0, 4, NEXT);
    expect([cpu.R[TR_SEL], cpu.R[EIP]]).toEqual([TSS_B, 0x7777]);
  });
});

describe('nested tasks', () => {
  it('a call links back, IRET returns', () => {
    const cpu = machine();
    far_call(cpu, TSS_B, 0, 4, NEXT);
    expect(cpu.load16(NEW)).toBe(TSS);
    expect(cpu.eflags & NT).toBe(NT);
    expect(cpu.access(GDT_AT, TSS >> 3)).toBe(TSS32_BUSY);
    expect(cpu.access(GDT_AT, TSS_B >> 3)).toBe(TSS32_BUSY | 0x60);
    cpu.R[EDX] = 99;
    iret(cpu, 4, 0x7799);
    expect([cpu.R[TR_SEL], cpu.R[EIP], cpu.cpl, cpu.selector(CS), cpu.eflags]).toEqual([TSS, NEXT, 0, K_CODE, ZF | IOPL | 2]);
    expect(cpu.access(GDT_AT, TSS >> 3)).toBe(TSS32_BUSY);
    expect(cpu.access(GDT_AT, TSS_B >> 3)).toBe(TSS32_FREE | 0x60);
    expect([word32(cpu, NEW + 32), word32(cpu, NEW + 40 + 4 * EDX)]).toEqual([0x7799, 99]);
    expect(word32(cpu, NEW + 36) & NT).toBe(0);
  });

  it('IRET refuses a back link to what does not wait', () => {
    const cpu = machine();
    cpu.eflags = NT | 2;
    cpu.store16(TSS_AT, TSS_B);
    expect(cpu.cleanFault(() => iret(cpu, 4, 0))).toBe('a:38');
    cpu.store16(TSS_AT, 0x3c);
    expect(cpu.cleanFault(() => iret(cpu, 4, 0))).toBe('a:3c');
    cpu.store16(TSS_AT, 0x7f8);
    expect(cpu.cleanFault(() => iret(cpu, 4, 0))).toBe('a:7f8');
  });

  it('an exception through a task gate leaves its error code on the new stack, RF in the old TSS', () => {
    const cpu = machine(3);
    cpu.gate(IDT_AT, 13, TSS_B, 0, TASK_GATE, 0);
    deliverInterrupt(cpu, 13, { software: false, hasError: true, errorCode: 0x48, nextEip: 0x5000 });
    expect([cpu.R[TR_SEL], cpu.R[EIP], cpu.R[ESP]]).toEqual([TSS_B, 0x7777, USER_STACK - 4]);
    expect(cpu.stack(1, 4)).toEqual([0x48]);
    expect([word32(cpu, TSS_AT + 32), word32(cpu, TSS_AT + 36) & RF, cpu.eflags & NT]).toEqual([0x5000, RF, NT]);
  });

  it('INT n through a task gate pushes nothing', () => {
    const cpu = machine(3);
    cpu.gate(IDT_AT, 0x40, TSS_B, 0, TASK_GATE, 3);
    soft_int(cpu, 0x40, NEXT);
    expect([cpu.R[ESP], word32(cpu, TSS_AT + 32)]).toEqual([USER_STACK, NEXT]);
  });
});

describe('16-bit TSS', () => {
  it('holds words; FS and GS become null', () => {
    const cpu = machine();
    cpu.describe(GDT_AT, TSS_B >> 3, NEW, 0x2b, TSS16_FREE, 0);
    const put = (offset: number, value: number): void => cpu.store16(NEW + offset, value);
    put(14, 0x4321);
    put(16, CF | 2);
    for (let i = 0; i < 8; i++) put(18 + 2 * i, 0x100 + i);
    [K_DATA, K_CODE, K_DATA, K_DATA].forEach((selector, i) => put(34 + 2 * i, selector));
    put(42, 0);
    far_call(cpu, TSS_B, 0, 4, NEXT);
    expect([cpu.R[EIP], cpu.eflags, cpu.R[EDX], cpu.selector(FS), cpu.selector(GS), cpu.selector(DS)])
      .toEqual([0x4321, NT | CF | 2, 0xffff0102 | 0, 0, 0, K_DATA]);
    expect(cpu.load16(NEW)).toBe(TSS);
    iret(cpu, 2, 0x4444);
    expect([cpu.R[EIP], cpu.R[TR_SEL], cpu.R[EDX]]).toEqual([NEXT, TSS, 0x2002]);
    expect([cpu.load16(NEW + 14), cpu.load16(NEW + 18 + 2 * EDX), cpu.load16(NEW + 34)]).toEqual([0x4444, 0x102, K_DATA]);
    expect(cpu.access(GDT_AT, TSS_B >> 3)).toBe(TSS16_FREE);
  });
  it('too short is #TS', () => {
    const cpu = machine();
    cpu.describe(GDT_AT, TSS_B >> 3, NEW, 0x2a, TSS16_FREE, 0);
    expect(cpu.cleanFault(() => far_jmp(cpu, TSS_B, 0, 4, NEXT))).toBe('a:38');
  });
});
