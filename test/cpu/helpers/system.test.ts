import { describe, expect, it } from 'vitest';
import { clts, invlpg, lmsw, mov_from_cr, mov_from_dr, mov_to_cr, mov_to_dr, wbinvd } from '../../../src/cpu/helpers/control-registers.ts';
import { cli, popf, sti } from '../../../src/cpu/helpers/eflags.ts';
import { createHelpers } from '../../../src/cpu/helpers/index.ts';
import { portIn, portOut } from '../../../src/cpu/helpers/io.ts';
import { lar, lsl, verr, verw } from '../../../src/cpu/helpers/selector-checks.ts';
import { bound, enter, pusha } from '../../../src/cpu/helpers/stack-frame.ts';
import { cpuid } from '../../../src/cpu/helpers/cpuid.ts';
import { rdtsc, wrmsr } from '../../../src/cpu/helpers/msr.ts';
import { hlt } from '../../../src/cpu/helpers/system.ts';
import { lgdt, lidt, lldt, ltr, sgdt, sidt } from '../../../src/cpu/helpers/table-registers.ts';
import { CC_OP_ADDL, CC_OP_DECL, CC_OP_LOGICL, CC_OP_SUBL } from '../../../src/cpu/flags.ts';
import {
  AC, CC_DST, CC_OP, CC_SRC, CF, CR0, CR0_EM, CR0_ET, CR0_MP, CR0_PE, CR0_PG, CR0_TS, CR3, CR4, DR, EAX, EBP, EBX, ECX, EDX, EIP, ESP,
  GDT_BASE, GDT_LIMIT, HALTED, ID, IDT_BASE, IF, IOPL, LDT_ATTR, LDT_BASE, LDT_SEL as LDT_SLOT, NT, RF, TR_BASE, TR_LIMIT, TR_SEL, VM, ZF,
} from '../../../src/cpu/state.ts';
import {
  BIG, CALL_GATE32, CODE, CODE_CONFORMING, CODE_EXECUTE_ONLY, DATA, DATA_READ_ONLY, FakeCpu, FREE, GDT_AT, INTERRUPT_GATE32, K_CODE, K_DATA, LDT_SEL, PAGES,
  protectedCpu, TSS, TSS32_BUSY, TSS32_FREE, TSS_AT, TSS_B, USER_STACK,
} from './fake-cpu.ts';

describe('EFLAGS', () => {
  const popped = (cpl: 0 | 3, before: number, value: number, size = 4): number => {
    const cpu = protectedCpu(cpl);
    cpu.eflags = before;
    popf(cpu, value, size);
    return cpu.eflags;
  };
  it('POPF changes IF and IOPL as the level allows', () => {
    expect(popped(0, 2, -1)).toBe(0x247fd7);
    expect(popped(3, 2, -1)).toBe(0x244dd7);
    expect(popped(3, IOPL | 2, -1)).toBe(0x247fd7);
    expect(popped(3, IOPL | IF | 2, 0)).toBe(IOPL | 2);
    expect(popped(3, IF | 2, 0)).toBe(IF | 2);
    expect(popped(0, AC | ID | 2, NT, 2)).toBe(AC | ID | NT | 2);
    expect(popped(0, RF | 2, RF | CF)).toBe(CF | 2);
  });
  it('in real mode everything can be set; in V86 mode IOPL 3 is needed', () => {
    const cpu = new FakeCpu();
    popf(cpu, 0xffff, 2);
    expect(cpu.eflags).toBe(0x7fd7);
    const v86 = protectedCpu(3);
    v86.eflags = VM | 0x2000 | 2;
    expect(v86.cleanFault(() => popf(v86, 0, 2))).toBe('d:0');
    expect(v86.cleanFault(() => cli(v86))).toBe('d:0');
    v86.eflags = VM | IOPL | IF | 2;
    popf(v86, 0, 4);
    expect(v86.eflags).toBe(VM | IOPL | 2);
  });
  it('CLI and STI need IOPL', () => {
    const cpu = protectedCpu(3);
    expect(cpu.cleanFault(() => sti(cpu))).toBe('d:0');
    cpu.eflags = IOPL;
    sti(cpu);
    expect(cpu.eflags & IF).toBe(IF);
    cli(cpu);
    expect(cpu.eflags & IF).toBe(0);
  });
});

describe('control and debug registers', () => {
  it('CR0 keeps ET and refuses PG without PE and NW without CD', () => {
    const cpu = new FakeCpu();
    mov_to_cr(cpu, 0, CR0_PE);
    expect(mov_from_cr(cpu, 0)).toBe(CR0_PE | CR0_ET);
    expect(cpu.flushed).toEqual([]);
    mov_to_cr(cpu, 0, -1);
    expect(mov_from_cr(cpu, 0) >>> 0).toBe(0xe005003f);
    expect(cpu.flushed).toEqual(['all']);
    expect(cpu.cleanFault(() => mov_to_cr(cpu, 0, CR0_PG))).toBe('d:0');
    expect(cpu.cleanFault(() => mov_to_cr(cpu, 0, 0x20000001))).toBe('d:0');
  });
  it('CR3 and CR4 flush the TLB; CR4 has only the bits of this model', () => {
    const cpu = protectedCpu();
    mov_to_cr(cpu, 3, 0x123000);
    mov_to_cr(cpu, 4, 0x14);
    mov_to_cr(cpu, 4, 0x10);
    expect([cpu.R[CR3], cpu.R[CR4], cpu.flushed]).toEqual([0x123000, 0x10, ['all', 'all']]);
    expect(cpu.cleanFault(() => mov_to_cr(cpu, 4, 1 << 13))).toBe('d:0');
    expect(cpu.cleanFault(() => mov_to_cr(cpu, 1, 0))).toBe('6');
    expect(cpu.cleanFault(() => mov_from_cr(cpu, 7))).toBe('6');
  });
  it('LMSW sets PE but does not clear it', () => {
    const cpu = new FakeCpu();
    lmsw(cpu, 0xffff);
    expect(cpu.R[CR0]).toBe(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET);
    lmsw(cpu, 0);
    expect(cpu.R[CR0]).toBe(CR0_PE | CR0_ET);
  });
  it('are for ring 0', () => {
    const cpu = protectedCpu(3);
    for (const run of [
      () => mov_from_cr(cpu, 0), () => mov_to_cr(cpu, 3, 0), () => mov_from_dr(cpu, 0), () => mov_to_dr(cpu, 7, 0), () => lmsw(cpu, 1), () => clts(cpu),
      () => invlpg(cpu, 0), () => wbinvd(cpu), () => hlt(cpu, 0), () => lgdt(cpu, 0, 0, 4), () => lldt(cpu, 0), () => ltr(cpu, TSS_B),
    ]) expect(cpu.cleanFault(run)).toBe('d:0');
  });
  it('CLTS, INVLPG', () => {
    const cpu = protectedCpu();
    cpu.R[CR0] = cpu.R[CR0]! | CR0_TS;
    clts(cpu);
    expect(cpu.R[CR0]! & CR0_TS).toBe(0);
    invlpg(cpu, 0xc0001234 | 0);
    expect(cpu.flushed).toEqual(['c0001234']);
  });
  it('DR4 and DR5 are DR6 and DR7; DR7.GD guards them', () => {
    const cpu = protectedCpu();
    mov_to_dr(cpu, 0, 0x12345678);
    mov_to_dr(cpu, 4, 0);
    expect([mov_from_dr(cpu, 0), mov_from_dr(cpu, 6) >>> 0]).toEqual([0x12345678, 0xffff0ff0]);
    mov_to_dr(cpu, 5, -1);
    expect(cpu.R[DR + 7]! >>> 0).toBe(0xffff27ff);
    expect(cpu.fault(() => mov_from_dr(cpu, 0))).toBe('1');
    expect([cpu.R[DR + 6]! & 0x2000, cpu.R[DR + 7]! & 0x2000]).toEqual([0x2000, 0]);
  });
});

describe('table registers', () => {
  it('LGDT takes 24 bits of the base with 16-bit operands; SGDT stores all', () => {
    const cpu = new FakeCpu();
    lgdt(cpu, 0x1234, 0x89abcdef | 0, 2);
    expect([cpu.R[GDT_LIMIT], cpu.R[GDT_BASE]]).toEqual([0x1234, 0xabcdef]);
    lidt(cpu, 0x7ff, 0x89abcdef | 0, 4);
    expect(cpu.R[IDT_BASE]).toBe(0x89abcdef | 0);
    sidt(cpu, 0x100);
    sgdt(cpu, 0x110);
    expect([cpu.load16(0x100), cpu.load32(0x102), cpu.load16(0x110), cpu.load32(0x112)]).toEqual([0x7ff, 0x89abcdef | 0, 0x1234, 0xabcdef]);
    cpu.absent.add(1);
    expect(cpu.cleanFault(() => sgdt(cpu, 0xffc))).toBe('e:0');
    expect(cpu.bytes[0xffc]).toBe(0);
  });
  it('LLDT', () => {
    const cpu = protectedCpu();
    lldt(cpu, LDT_SEL);
    expect([cpu.R[LDT_SLOT], cpu.R[LDT_BASE]]).toEqual([LDT_SEL, 0x3000]);
    expect(cpu.cleanFault(() => lldt(cpu, TSS))).toBe('d:28');
    expect(cpu.cleanFault(() => lldt(cpu, LDT_SEL | 4))).toBe('d:34');
    lldt(cpu, 0);
    expect(cpu.R[LDT_ATTR]).toBe(0);
    cpu.describe(GDT_AT, LDT_SEL >> 3, 0, 0, 0x02);
    expect(cpu.cleanFault(() => lldt(cpu, LDT_SEL))).toBe('b:30');
  });
  it('LTR makes the TSS busy', () => {
    const cpu = protectedCpu();
    cpu.describe(GDT_AT, TSS_B >> 3, 0x6000, 0x67, TSS32_FREE);
    ltr(cpu, TSS_B);
    expect([cpu.R[TR_SEL], cpu.R[TR_BASE], cpu.access(GDT_AT, TSS_B >> 3)]).toEqual([TSS_B, 0x6000, TSS32_BUSY]);
    expect(cpu.cleanFault(() => ltr(cpu, TSS_B))).toBe('d:38');
    expect(cpu.cleanFault(() => ltr(cpu, 0))).toBe('d:0');
    cpu.describe(GDT_AT, TSS_B >> 3, 0, 0, TSS32_FREE & 0x7f);
    expect(cpu.cleanFault(() => ltr(cpu, TSS_B))).toBe('b:38');
  });
});

describe('asking about selectors', () => {
  const ask = (access: number, dpl: number, rpl: number, cpl: 0 | 3): string => {
    const cpu = protectedCpu(cpl);
    cpu.describe(GDT_AT, FREE >> 3, 0, 0x12, access, dpl, BIG | PAGES);
    const answers = [() => lar(cpu, FREE | rpl, 4, -1), () => lsl(cpu, FREE | rpl, 4, -1), () => verr(cpu, FREE | rpl), () => verw(cpu, FREE | rpl)];
    return answers.map((run) => {
      const value = run();
      const yes = (cpu.eflags & ZF) !== 0;
      if (value !== undefined && !yes) expect(value).toBe(-1);
      return yes ? (value === undefined ? 'y' : (value >>> 0).toString(16)) : '-';
    }).join(' ');
  };
  it.each<[string, number, number, number, 0 | 3, string]>([
    ['data', DATA, 0, 0, 0, 'c09200 12fff y y'],
    ['read-only data', DATA_READ_ONLY, 3, 3, 3, 'c0f000 12fff y -'],
    ['code', CODE, 0, 0, 0, 'c09a00 12fff y -'],
    ['execute-only code', CODE_EXECUTE_ONLY, 0, 0, 0, 'c09800 12fff - -'],
    ['inner data', DATA, 0, 3, 3, '- - - -'],
    ['RPL too high', DATA, 0, 1, 0, '- - - -'],
    ['inner conforming code', CODE_CONFORMING, 0, 3, 3, 'c09e00 12fff y -'],
    ['a TSS', TSS32_BUSY, 0, 0, 0, 'c08b00 12fff - -'],
    ['a call gate', CALL_GATE32, 0, 0, 0, 'c08c00 - - -'],
    ['an interrupt gate', INTERRUPT_GATE32, 0, 0, 0, '- - - -'],
    ['absent data', DATA & 0x7f, 0, 0, 0, 'c01200 12fff y y'],
  ])('%s', (_, access, dpl, rpl, cpl, answers) => {
    expect(ask(access, dpl, rpl, cpl)).toBe(answers);
  });
  it('null, out of the table, 16-bit operands, real mode', () => {
    const cpu = protectedCpu();
    expect([lar(cpu, 0, 4, 5), lsl(cpu, 0x7f8, 4, 6)]).toEqual([5, 6]);
    expect([lar(cpu, K_DATA, 2, 0), lsl(cpu, K_DATA, 2, 0)]).toEqual([0x9200, 0xffff]);
    const real = new FakeCpu();
    expect(real.cleanFault(() => verr(real, 8))).toBe('6');
    expect(real.cleanFault(() => lldt(real, 0))).toBe('6');
  });
  it('keeps the other flags', () => {
    const cpu = protectedCpu();
    Object.assign(cpu.R, { [CC_OP]: CC_OP_SUBL, [CC_DST]: -1, [CC_SRC]: 1 });
    const before = cpu.eflags;
    verr(cpu, K_CODE);
    expect(cpu.eflags).toBe(before | ZF);
  });
});

describe('frames', () => {
  it('PUSHA stores the old ESP', () => {
    const cpu = new FakeCpu();
    for (let i = 0; i < 8; i++) cpu.R[i] = 0x1000 + i;
    cpu.R[ESP] = 0x77770100;
    pusha(cpu, 2);
    expect(cpu.R[ESP]).toBe(0x777700f0);
    expect(Array.from({ length: 8 }, (_, i) => cpu.load16(0xf0 + 2 * i))).toEqual([0x1007, 0x1006, 0x1005, 0x100, 0x1003, 0x1002, 0x1001, 0x1000]);
    cpu.R[ESP] = 7;
    expect(cpu.cleanFault(() => pusha(cpu, 2))).toBe('c:0');
  });
  it('ENTER of all levels', () => {
    const cpu = protectedCpu(3);
    cpu.R[EBP] = 0xb000;
    enter(cpu, 0x20, 0, 4);
    expect([cpu.R[EBP], cpu.R[ESP], cpu.load32(USER_STACK - 4)]).toEqual([USER_STACK - 4, USER_STACK - 0x24, 0xb000]);
    for (let i = 1; i < 31; i++) cpu.store32(0xb000 - 4 * i, 0x100 + i);
    Object.assign(cpu.R, { [EBP]: 0xb000, [ESP]: USER_STACK });
    enter(cpu, 8, 0x23, 4);
    expect(cpu.R[EBP]).toBe(USER_STACK - 4);
    expect([1, 2, 3, 4].map((i) => cpu.load32(USER_STACK - 4 * i))).toEqual([0xb000, 0x101, 0x102, USER_STACK - 4]);
    expect(cpu.R[ESP]).toBe(USER_STACK - 24);
    cpu.absent.add(cpu.R[ESP]! - 0x2004 >> 12);
    expect(cpu.cleanFault(() => enter(cpu, 0x2000, 0, 4))).toBe('e:0');
  });
  it('ENTER with 16-bit operands and stack', () => {
    const cpu = new FakeCpu();
    Object.assign(cpu.R, { [EBP]: 0x11112000, [ESP]: 0x22220100 });
    enter(cpu, 4, 1, 2);
    expect([cpu.R[EBP], cpu.R[ESP], cpu.load16(0xfe), cpu.load16(0xfc)]).toEqual([0x111100fe, 0x222200f8, 0x2000, 0xfe]);
  });
  it('ENTER with 32-bit operands on a 16-bit stack: the frame pointer is all of ESP', () => {
    const cpu = new FakeCpu();
    Object.assign(cpu.R, { [EBP]: 0x12000, [ESP]: 0x10100 });
    enter(cpu, 4, 1, 4);
    expect([cpu.R[EBP], cpu.R[ESP], cpu.load32(0xfc), cpu.load32(0xf8)]).toEqual([0x100fc, 0x100f4, 0x12000, 0x100fc]);
  });
  it('BOUND', () => {
    const cpu = new FakeCpu();
    cpu.store16(0x100, 0xfff0);
    cpu.store16(0x102, 5);
    expect(cpu.fault(() => bound(cpu, 0xfff0, 0x100, 2))).toBe('none');
    expect(cpu.fault(() => bound(cpu, 5, 0x100, 2))).toBe('none');
    expect(cpu.cleanFault(() => bound(cpu, 6, 0x100, 2))).toBe('5');
    expect(cpu.cleanFault(() => bound(cpu, 0xffef, 0x100, 2))).toBe('5');
    expect(cpu.cleanFault(() => bound(cpu, 0, 0x100, 4))).toBe('5');
  });
});

describe('ports', () => {
  it('give the low bytes', () => {
    const cpu = new FakeCpu();
    cpu.ports.set(0x60, -1);
    expect([portIn(cpu, 0x10060, 1), portIn(cpu, 0x60, 2), portIn(cpu, 0x60, 4)]).toEqual([0xff, 0xffff, -1]);
    portOut(cpu, 0x70, 0x1234, 1);
    expect(cpu.portLog).toEqual(['in 60 1', 'in 60 2', 'in 60 4', 'out 70 1 34']);
  });
  it('need IOPL or the bitmap of the TSS', () => {
    const cpu = protectedCpu(3);
    expect(cpu.cleanFault(() => portIn(cpu, 0x60, 1))).toBe('d:0');
    cpu.R[TR_LIMIT] = 0x68 + 16;
    cpu.store32(TSS_AT + 0x68 + 12, ~3); // ports 60h and 61h
    expect(cpu.fault(() => portIn(cpu, 0x60, 1))).toBe('none');
    expect(cpu.fault(() => portIn(cpu, 0x60, 2))).toBe('none');
    expect(cpu.cleanFault(() => portIn(cpu, 0x61, 2))).toBe('d:0');
    expect(cpu.cleanFault(() => portIn(cpu, 0x60, 4))).toBe('d:0');
    // The byte behind the one asked for must be within the TSS too.
    expect(cpu.fault(() => portOut(cpu, 0x7f, 0, 1))).toBe('d:0');
    cpu.store8(TSS_AT + 0x68 + 15, 0x7f);
    expect(cpu.fault(() => portOut(cpu, 0x7f, 0, 1))).toBe('none');
    cpu.R[TR_LIMIT] = 0x68 + 15;
    expect(cpu.fault(() => portOut(cpu, 0x7f, 0, 1))).toBe('d:0');
    cpu.eflags = IOPL;
    expect(cpu.fault(() => portOut(cpu, 0x7f, 0, 1))).toBe('none');
    cpu.eflags = IOPL | VM;
    expect(cpu.cleanFault(() => portOut(cpu, 0x7f, 0, 1))).toBe('d:0');
  });
});

describe('CPUID, RDTSC, HLT', () => {
  it('name the model', () => {
    const cpu = new FakeCpu();
    cpuid(cpu);
    expect(cpu.R[EAX]).toBe(7);
    const text = Buffer.from(Int32Array.of(cpu.R[EBX]!, cpu.R[EDX]!, cpu.R[ECX]!).buffer).toString();
    expect(text).toBe('GenuineIntel');
    cpu.R[EAX] = 1;
    cpuid(cpu);
    expect([cpu.R[EAX], cpu.R[EBX]]).toEqual([0x663, 0x10800]);
    expect(cpu.R[EDX]! & 0x8119).toBe(0x8119);
    cpu.R[EAX] = 0x80000002 | 0;
    cpuid(cpu);
    expect(Buffer.from(Int32Array.of(cpu.R[EAX]!, cpu.R[EBX]!, cpu.R[ECX]!, cpu.R[EDX]!).buffer).toString()).toBe('tcg86 CPU\0\0\0\0\0\0\0');
    Object.assign(cpu.R, { [EAX]: 99, [ECX]: 0 });
    cpuid(cpu);
    expect(cpu.R[EBX]! & 1 << 20, 'a leaf too high is the highest: 7 has SMAP').not.toBe(0);
  });
  it('IA32_MISC_ENABLE limits the leaves and takes NX away', () => {
    const cpu = protectedCpu();
    Object.assign(cpu.R, { [ECX]: 0x1a0, [EAX]: 1 << 22 | 1, [EDX]: 4 });
    wrmsr(cpu);
    cpu.R[EAX] = 0;
    cpuid(cpu);
    expect(cpu.R[EAX]).toBe(2);
    cpu.R[EAX] = 0x80000001 | 0;
    cpuid(cpu);
    expect(cpu.R[EDX]! & 1 << 20).toBe(0);
    Object.assign(cpu.R, { [ECX]: 0xc0000080 | 0, [EAX]: 0x800, [EDX]: 0 });
    expect(cpu.cleanFault(() => wrmsr(cpu))).toBe('d:0');
  });
  it('RDTSC obeys CR4.TSD', () => {
    const cpu = protectedCpu(3);
    rdtsc(cpu);
    expect([cpu.R[EAX], cpu.R[EDX]]).toEqual([0x89abcdef | 0, 0x1234567]);
    cpu.R[CR4] = 4;
    expect(cpu.cleanFault(() => rdtsc(cpu))).toBe('d:0');
  });
  it('HLT leaves EIP behind itself', () => {
    const cpu = new FakeCpu();
    hlt(cpu, 0x1235);
    expect([cpu.R[HALTED], cpu.R[EIP]]).toEqual([1, 0x1235]);
  });
});

describe('the table of helpers', () => {
  it('binds each to its processor with its number of arguments', () => {
    const cpu = protectedCpu();
    const { byName, list } = createHelpers(cpu);
    expect(Object.keys(byName).length).toBe(list.length);
    for (const helper of list) expect([helper.name, helper.fn.length]).toEqual([helper.name, helper.args]);
    byName.popf!.fn(CF | IF, 4);
    expect(cpu.eflags).toBe(CF | IF | 2);
    expect(byName.cc_compute_c!.fn(-1, 1, 0, CC_OP_SUBL)).toBe(1);
    // In place where the operation is known and short.
    const shortcut = (op: string): string => byName.cc_compute_c!.shortcut!('call', 'dst', 'src', 'src2', op);
    expect([`${CC_OP_ADDL}`, `${CC_OP_LOGICL}`, `${CC_OP_DECL}`].map(shortcut)).toEqual(['call', '0', 'src']);
    expect([shortcut(`${CC_OP_SUBL}`), shortcut('cc_op')]).toEqual([expect.not.stringContaining('call'), expect.stringContaining(': call)')]);
    expect(byName.read_eflags!.fn()).toBe(CF | IF | 2);
    expect(cpu.fault(() => byName.raise_err!.fn(13, 0x20))).toBe('d:20');
    expect(cpu.fault(() => byName.raise!.fn(6))).toBe('6');
  });
});
