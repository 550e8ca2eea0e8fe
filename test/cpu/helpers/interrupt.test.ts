import { describe, expect, it } from 'vitest';
import { debug_trap } from '../../../src/cpu/helpers/debug.ts';
import { combineExceptions, deliverInterrupt, exceptionClass, int1, int3, soft_int } from '../../../src/cpu/helpers/interrupt.ts';
import { iret } from '../../../src/cpu/helpers/iret.ts';
import {
  AC, CF, CR0, CS, CUR_OP, DR, DS, EFLAGS, EIP, ES, ESP, EXC_BP, EXC_DB, EXC_DE, EXC_DF, EXC_GP, EXC_NP, EXC_PF, EXC_UD, FS, GS, IDT_LIMIT, IF, IOPL,
  NMI_BLOCKED, NT, OF, RF, SEG_ATTR, SEG_BASE, SEG_LIMIT, SS, TF, VM, ZF,
} from '../../../src/cpu/state.ts';
import {
  BIG, CODE, CODE_CONFORMING, DATA, FakeCpu, FREE, GDT_AT, IDT_AT, INTERRUPT_GATE16, INTERRUPT_GATE32, K_CODE, K_DATA, KERNEL_STACK, PAGES, protectedCpu,
  TASK_GATE, TRAP_GATE32, U_CODE, U_DATA, USER_STACK,
} from './fake-cpu.ts';

const NEXT = 0x5002, HANDLER = 0x7000;
/** With a gate for `vector` to the kernel's code. */
function withGate(cpl: 0 | 3, vector: number, access = INTERRUPT_GATE32, dpl = 3, selector = K_CODE): FakeCpu {
  const cpu = protectedCpu(cpl);
  cpu.gate(IDT_AT, vector, selector, HANDLER, access, dpl);
  cpu.eflags = IF | CF | 2;
  return cpu;
}
const hardware = { software: false, external: true, nextEip: NEXT };

describe('real mode', () => {
  const machine = (): FakeCpu => {
    const cpu = new FakeCpu();
    cpu.store32(0x21 * 4, 0x12345678);
    cpu.setSegment(CS, 0x200, 0x2000, 0xffff, 0x9b00);
    cpu.R[ESP] = 0x100;
    return cpu;
  };
  it('pushes FLAGS CS IP and clears IF, TF, AC', () => {
    const cpu = machine();
    cpu.eflags = IF | TF | AC | CF | OF | 2;
    soft_int(cpu, 0x21, NEXT);
    expect([cpu.selector(CS), cpu.R[SEG_BASE + CS], cpu.R[EIP]]).toEqual([0x1234, 0x12340, 0x5678]);
    expect(cpu.stack(3, 2)).toEqual([NEXT, 0x200, IF | TF | CF | OF | 2]);
    expect(cpu.eflags).toBe(CF | OF | 2);
    cpu.R[NMI_BLOCKED] = 1;
    iret(cpu, 2, 0);
    expect([cpu.selector(CS), cpu.R[EIP], cpu.R[ESP]]).toEqual([0x200, NEXT, 0x100]);
    expect(cpu.eflags).toBe(IF | TF | CF | OF | 2);
    expect(cpu.R[NMI_BLOCKED]).toBe(0);
  });
  it('pushes no error code', () => {
    const cpu = machine();
    cpu.store32(EXC_GP * 4, 0x00500060);
    deliverInterrupt(cpu, EXC_GP, { software: false, hasError: true, errorCode: 0, nextEip: 0x44 });
    expect(cpu.stack(3, 2)).toEqual([0x44, 0x200, 2]);
    expect(cpu.R[ESP]).toBe(0x100 - 6);
  });
  it('wraps SP, checks the limit of the vector table and of the stack', () => {
    const cpu = machine();
    cpu.R[ESP] = 4;
    soft_int(cpu, 0x21, NEXT);
    expect([cpu.R[ESP], cpu.load16(2), cpu.load16(0), cpu.load16(0xfffe)]).toEqual([0xfffe, 2, 0x200, NEXT]);
    cpu.R[IDT_LIMIT] = 0x21 * 4 + 2;
    expect(cpu.cleanFault(() => soft_int(cpu, 0x21, NEXT))).toBe(`d:${(0x21 * 8 + 2).toString(16)}`);
    cpu.R[IDT_LIMIT] = 0x3ff;
    cpu.R[ESP] = 5;
    expect(cpu.cleanFault(() => soft_int(cpu, 0x21, NEXT))).toBe('c:0');
  });
  it('IRET loads IOPL and NT; with 32 bits AC, ID and RF, not VM', () => {
    const cpu = machine();
    cpu.store32(0x100, 0x1000);
    cpu.store32(0x104, 0x300);
    cpu.store32(0x108, -1);
    iret(cpu, 4, 0);
    expect(cpu.eflags).toBe(0x257fd7);
    expect([cpu.selector(CS), cpu.R[EIP], cpu.R[ESP]]).toEqual([0x300, 0x1000, 0x10c]);
  });
});

describe('gates of protected mode', () => {
  it('at the same level push EFLAGS CS EIP and the error code', () => {
    const cpu = withGate(0, EXC_GP);
    cpu.eflags = IF | TF | NT | CF | 2;
    deliverInterrupt(cpu, EXC_GP, { software: false, hasError: true, errorCode: 0x1238, nextEip: NEXT });
    expect([cpu.selector(CS), cpu.R[EIP], cpu.cpl, cpu.R[ESP]]).toEqual([K_CODE, HANDLER, 0, KERNEL_STACK - 16]);
    expect(cpu.stack(4, 4)).toEqual([0x1238, NEXT, K_CODE, IF | TF | NT | CF | RF | 2]);
    expect(cpu.eflags).toBe(CF | 2);
  });

  it('to an inner level take the stack of the TSS', () => {
    const cpu = withGate(3, 0x80, TRAP_GATE32);
    soft_int(cpu, 0x80, NEXT);
    expect([cpu.selector(CS), cpu.selector(SS), cpu.cpl, cpu.R[EIP]]).toEqual([K_CODE, K_DATA, 0, HANDLER]);
    expect(cpu.stack(5, 4)).toEqual([NEXT, U_CODE, IF | CF | 2, USER_STACK, U_DATA]);
    expect(cpu.eflags).toBe(IF | CF | 2); // a trap gate
    expect(cpu.selector(DS)).toBe(U_DATA);
    iret(cpu, 4, 0);
    expect([cpu.selector(CS), cpu.selector(SS), cpu.cpl, cpu.R[EIP], cpu.R[ESP]]).toEqual([U_CODE, U_DATA, 3, NEXT, USER_STACK]);
    expect(cpu.eflags).toBe(IF | CF | 2);
  });

  it('of 16 bits push words', () => {
    const cpu = withGate(3, 0x20, INTERRUPT_GATE16);
    deliverInterrupt(cpu, 0x20, hardware);
    expect(cpu.stack(5, 2)).toEqual([NEXT, U_CODE, IF | CF | 2, USER_STACK, U_DATA]);
    expect(cpu.R[ESP]).toBe(KERNEL_STACK - 10);
    iret(cpu, 2, 0);
    expect([cpu.cpl, cpu.R[EIP], cpu.R[ESP]]).toEqual([3, NEXT, USER_STACK]);
  });

  it('push RF for faults only', () => {
    const pushed = (vector: number, options: { software: boolean; external?: boolean }): number => {
      const cpu = withGate(0, vector);
      deliverInterrupt(cpu, vector, { ...options, nextEip: NEXT });
      return cpu.stack(3, 4)[2]! & RF;
    };
    expect(pushed(EXC_UD, { software: false })).toBe(RF);
    expect(pushed(EXC_UD, { software: true })).toBe(0);
    expect(pushed(EXC_GP, { software: false, external: true })).toBe(0);
    expect(pushed(EXC_DB, { software: false })).toBe(0);
    expect(pushed(EXC_BP, { software: true })).toBe(0);
  });

  it('of lower DPL may be used by hardware and INT1, not by INT n and INT3', () => {
    const at = (vector: number): FakeCpu => withGate(3, vector, INTERRUPT_GATE32, 0);
    const a = at(0x30), b = at(EXC_BP), c = at(EXC_DB), d = at(0x30);
    expect(a.cleanFault(() => soft_int(a, 0x30, NEXT))).toBe('d:182');
    expect(b.cleanFault(() => int3(b, NEXT))).toBe('d:1a');
    expect(c.fault(() => int1(c, NEXT))).toBe('none');
    expect(d.fault(() => deliverInterrupt(d, 0x30, hardware))).toBe('none');
  });

  it.each<[string, 0 | 3, (cpu: FakeCpu) => void, string, string]>([
    // What spoils it, then the fault of INT n and that of hardware (EXT set).
    ['vector beyond the IDT', 3, (cpu) => { cpu.R[IDT_LIMIT] = 0x186; }, 'd:182', 'd:183'],
    ['no gate', 3, (cpu) => cpu.describe(IDT_AT, 0x30, 0, 0, 0, 3), 'd:182', 'd:183'],
    ['a call gate', 3, (cpu) => cpu.gate(IDT_AT, 0x30, K_CODE, 0, 0x8c, 3), 'd:182', 'd:183'],
    ['absent gate', 3, (cpu) => cpu.gate(IDT_AT, 0x30, K_CODE, 0, 0x0e, 3), 'b:182', 'b:183'],
    ['null code', 3, (cpu) => cpu.gate(IDT_AT, 0x30, 0, 0, 0x8e, 3), 'd:0', 'd:1'],
    ['data', 3, (cpu) => cpu.gate(IDT_AT, 0x30, K_DATA, 0, 0x8e, 3), 'd:10', 'd:11'],
    ['code of an outer level', 0, (cpu) => cpu.gate(IDT_AT, 0x30, U_CODE, 0, 0x8e, 3), 'd:18', 'd:19'],
    ['absent code', 3, (cpu) => cpu.describe(GDT_AT, 1, 0, 0xfffff, CODE & 0x7f, 0, BIG), 'b:8', 'b:9'],
    ['beyond the code limit', 3, (cpu) => cpu.describe(GDT_AT, 1, 0, 0x6fff, CODE, 0, BIG), 'd:0', 'd:1'],
    ['stack of another level', 3, (cpu) => cpu.describe(GDT_AT, 2, 0, 0xfffff, DATA, 3, BIG), 'a:10', 'a:11'],
    ['absent stack', 3, (cpu) => cpu.describe(GDT_AT, 2, 0, 0xfffff, DATA & 0x7f, 0, BIG), 'c:10', 'c:11'],
    ['new stack too small', 3, (cpu) => cpu.describe(GDT_AT, 2, 0, 0x8000, DATA, 0, BIG), 'c:10', 'c:11'],
    ['own stack too small', 0, (cpu) => cpu.setSegment(SS, K_DATA, 0, 0x8000, 0x409300), 'c:0', 'c:1'],
    ['page of the stack absent', 3, (cpu) => cpu.absent.add(KERNEL_STACK - 1 >> 12), 'e:0', 'e:0'],
  ])('fault with nothing changed: %s', (_, cpl, spoil, software, external) => {
    const cpu = withGate(cpl, 0x30);
    spoil(cpu);
    expect(cpu.cleanFault(() => soft_int(cpu, 0x30, NEXT))).toBe(software);
    expect(cpu.cleanFault(() => deliverInterrupt(cpu, 0x30, hardware))).toBe(external);
  });

  it('to conforming code stay at the level of the program', () => {
    const cpu = withGate(3, 0x30, INTERRUPT_GATE32, 3, FREE);
    cpu.describe(GDT_AT, FREE >> 3, 0, 0xfffff, CODE_CONFORMING, 0, BIG | PAGES);
    soft_int(cpu, 0x30, NEXT);
    expect([cpu.selector(CS), cpu.cpl, cpu.R[ESP]]).toEqual([FREE | 3, 3, USER_STACK - 12]);
  });

  it('through a task gate refuse what is no available TSS', () => {
    const cpu = withGate(3, 0x30, TASK_GATE, 3, K_DATA);
    expect(cpu.cleanFault(() => soft_int(cpu, 0x30, NEXT))).toBe('d:10');
    expect(cpu.cleanFault(() => deliverInterrupt(cpu, 0x30, hardware))).toBe('d:11');
  });
});

describe('virtual-8086 mode', () => {
  const machine = (iopl: number, vector = 0x21, dpl = 3): FakeCpu => {
    const cpu = withGate(3, vector, INTERRUPT_GATE32, dpl);
    cpu.R[EFLAGS] = VM | IF | iopl << 12 | 2;
    [0x100, 0x200, 0x300, 0x400, 0x500, 0x600].forEach((selector, seg) => cpu.setSegment(seg, selector, selector << 4, 0xffff, 0xf300));
    cpu.R[ESP] = 0xffe;
    cpu.updateHflags();
    return cpu;
  };
  it('is left through ring 0 with all segments on the stack, and entered again by IRET', () => {
    const cpu = machine(3);
    soft_int(cpu, 0x21, NEXT);
    expect(cpu.stack(9, 4)).toEqual([NEXT, 0x200, VM | IF | IOPL | CF | 2, 0xffe, 0x300, 0x100, 0x400, 0x500, 0x600]);
    expect([cpu.selector(CS), cpu.selector(SS), cpu.cpl, cpu.R[EIP], cpu.eflags & (VM | IF)]).toEqual([K_CODE, K_DATA, 0, HANDLER, 0]);
    for (const seg of [ES, DS, FS, GS]) expect([cpu.selector(seg), cpu.R[SEG_ATTR + seg]]).toEqual([0, 0]);
    iret(cpu, 4, 0);
    expect([ES, CS, SS, DS, FS, GS].map((seg) => cpu.selector(seg))).toEqual([0x100, 0x200, 0x300, 0x400, 0x500, 0x600]);
    expect([cpu.R[SEG_BASE + GS], cpu.R[SEG_LIMIT + CS], cpu.R[ESP], cpu.R[EIP], cpu.cpl]).toEqual([0x6000, 0xffff, 0xffe, NEXT, 3]);
    expect(cpu.eflags).toBe(VM | IF | IOPL | CF | 2);
  });
  it('lets INT n through with IOPL 3 only; INT3 and hardware always', () => {
    const cpu = machine(0);
    expect(cpu.cleanFault(() => soft_int(cpu, 0x21, NEXT))).toBe('d:0');
    const other = machine(0, EXC_BP);
    expect(other.fault(() => int3(other, NEXT))).toBe('none');
    const third = machine(0, 0x20, 0);
    expect(third.fault(() => deliverInterrupt(third, 0x20, hardware))).toBe('none');
  });
  it('refuses handlers outside ring 0', () => {
    const cpu = machine(3);
    cpu.gate(IDT_AT, 0x21, U_CODE, HANDLER, INTERRUPT_GATE32, 3);
    expect(cpu.cleanFault(() => soft_int(cpu, 0x21, NEXT))).toBe('d:18');
    cpu.describe(GDT_AT, FREE >> 3, 0, 0xfffff, CODE_CONFORMING, 0, BIG);
    cpu.gate(IDT_AT, 0x21, FREE, HANDLER, INTERRUPT_GATE32, 3);
    expect(cpu.cleanFault(() => soft_int(cpu, 0x21, NEXT))).toBe('d:40');
  });
  it('IRET within it needs IOPL 3 and keeps IOPL and VM', () => {
    const cpu = machine(0);
    expect(cpu.cleanFault(() => iret(cpu, 2, 0))).toBe('d:0');
    const free = machine(3);
    free.store16(0x3000 + 0xffe, 0x111);
    free.store16(0x3000 + 0x1000, 0x222);
    free.store16(0x3000 + 0x1002, ZF);
    iret(free, 2, 0);
    expect([free.selector(CS), free.R[EIP], free.R[ESP], free.eflags]).toEqual([0x222, 0x111, 0x1004, VM | IOPL | ZF | 2]);
  });
});

describe('IRET in protected mode', () => {
  it('loads IF and IOPL as the privilege level allows', () => {
    const flagsAfter = (cpl: 0 | 3, iopl: number, image: number): number => {
      const cpu = protectedCpu(cpl);
      cpu.eflags = iopl << 12 | 2;
      cpu.push32(image, cpl === 0 ? K_CODE : U_CODE, 0x100);
      iret(cpu, 4, 0);
      return cpu.eflags;
    };
    expect(flagsAfter(0, 0, IF | IOPL | NT | RF | 2)).toBe(IF | IOPL | NT | RF | 2);
    expect(flagsAfter(3, 0, IF | IOPL | NT | CF | 2)).toBe(NT | CF | 2);
    expect(flagsAfter(3, 3, IF | 2)).toBe(IF | IOPL | 2);
    expect(flagsAfter(3, 3, VM | 2)).toBe(IOPL | 2);
  });
  it('to an outer level uses the inner level for the flags', () => {
    const cpu = protectedCpu();
    cpu.push32(U_DATA, USER_STACK, IF | IOPL | 2, U_CODE, 0x100);
    iret(cpu, 4, 0);
    expect([cpu.cpl, cpu.eflags]).toEqual([3, IF | IOPL | 2]);
  });
  it('refuses what far returns refuse', () => {
    const cpu = protectedCpu(3);
    cpu.push32(2, K_CODE, 0x100);
    expect(cpu.cleanFault(() => iret(cpu, 4, 0))).toBe('d:8');
    const kernel = protectedCpu();
    kernel.push32(2, 0, 0x100);
    expect(kernel.cleanFault(() => iret(kernel, 4, 0))).toBe('d:0');
    kernel.setSegment(SS, K_DATA, 0, KERNEL_STACK - 8, 0x409300);
    expect(kernel.cleanFault(() => iret(kernel, 4, 0))).toBe('c:0');
  });
  it('to V86 mode checks only EIP', () => {
    const cpu = protectedCpu();
    cpu.push32(6, 5, 4, 3, 2, 1, VM | 2, 7, 0x10000);
    expect(cpu.cleanFault(() => iret(cpu, 4, 0))).toBe('d:0');
  });
});

describe('exceptions', () => {
  it('combine to double faults and shutdown', () => {
    expect(exceptionClass(EXC_DE)).toBe('contributory');
    expect(exceptionClass(EXC_DB)).toBe('benign');
    expect(combineExceptions(-1, EXC_GP)).toBe(EXC_GP);
    expect(combineExceptions(EXC_UD, EXC_PF)).toBe(EXC_PF);
    expect(combineExceptions(EXC_GP, EXC_NP)).toBe(EXC_DF);
    expect(combineExceptions(EXC_GP, EXC_PF)).toBe(EXC_PF);
    expect(combineExceptions(EXC_PF, EXC_PF)).toBe(EXC_DF);
    expect(combineExceptions(EXC_PF, EXC_GP)).toBe(EXC_DF);
    expect(combineExceptions(EXC_PF, EXC_DB)).toBe(EXC_DB);
    expect(combineExceptions(EXC_DF, EXC_GP)).toBe(-1);
    expect(combineExceptions(EXC_DF, EXC_PF)).toBe(-1);
  });
  it('of single steps belong to the completed instruction', () => {
    const cpu = protectedCpu();
    expect(cpu.fault(() => debug_trap(cpu, 1))).toBe('1');
    expect(cpu.R[CUR_OP]).toBe(-1);
    expect(cpu.R[DR + 6]! & 0x4000).toBe(0x4000);
  });
  it('do not touch CR0', () => {
    const cpu = withGate(0, 0x30);
    const before = cpu.R[CR0];
    soft_int(cpu, 0x30, NEXT);
    expect(cpu.R[CR0]).toBe(before);
    expect(exceptionClass(EXC_NP)).toBe('contributory');
  });
});
