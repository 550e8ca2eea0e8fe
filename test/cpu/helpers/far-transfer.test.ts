import { describe, expect, it } from 'vitest';
import { far_call, far_jmp, far_ret } from '../../../src/cpu/helpers/far-transfer.ts';
import { CS, DS, EIP, ES, ESP, FS, GS, SEG_ATTR, SEG_BASE, SS, TR_LIMIT } from '../../../src/cpu/state.ts';
import {
  BIG, CALL_GATE16, CALL_GATE32, CODE, CODE_CONFORMING, DATA, FakeCpu, FREE, GDT_AT, K_CODE, K_DATA, KERNEL_STACK, PAGES, protectedCpu, TSS_AT, U_CODE,
  U_DATA, USER_STACK,
} from './fake-cpu.ts';

const INDEX = FREE >> 3, NEXT = 0x5007;

describe('real mode', () => {
  it('jumps, calls and returns by segment and offset', () => {
    const cpu = new FakeCpu();
    cpu.setSegment(CS, 0x100, 0x1000, 0xffff, 0x9b00);
    cpu.R[ESP] = 0xabcd0100 | 0;
    far_call(cpu, 0x2000, 0x12345, 2, 0x77);
    expect([cpu.selector(CS), cpu.R[SEG_BASE + CS], cpu.R[EIP]]).toEqual([0x2000, 0x20000, 0x2345]);
    expect(cpu.R[ESP]).toBe(0xabcd00fc | 0);
    expect([cpu.load16(0xfc), cpu.load16(0xfe)]).toEqual([0x77, 0x100]);
    far_ret(cpu, 2, 6);
    expect([cpu.selector(CS), cpu.R[EIP], cpu.R[ESP]]).toEqual([0x100, 0x77, 0xabcd0106 | 0]);
    far_jmp(cpu, 0xffff, 0x10, 2, 0);
    expect([cpu.R[SEG_BASE + CS], cpu.R[EIP]]).toEqual([0xffff0, 0x10]);
  });

  it('wraps SP at 64 KB, faults on a word that straddles the end', () => {
    const cpu = new FakeCpu();
    cpu.R[ESP] = 2;
    far_call(cpu, 0x100, 0, 2, 0x1111);
    expect(cpu.R[ESP]).toBe(0xfffe);
    expect([cpu.load16(0xfffe), cpu.load16(0)]).toEqual([0x1111, 0]);
    cpu.R[ESP] = 1;
    expect(cpu.cleanFault(() => far_call(cpu, 0x100, 0, 2, 0))).toBe('c:0');
  });

  it('refuses offsets above 64 KB with 32-bit operands', () => {
    const cpu = new FakeCpu();
    expect(cpu.cleanFault(() => far_jmp(cpu, 0, 0x10000, 4, 0))).toBe('d:0');
  });
});

describe('jumps and calls to code segments', () => {
  const attempt = (cpl: 0 | 3, access: number, dpl: number, rpl: number, offset = 0x100): string => {
    const cpu = protectedCpu(cpl);
    cpu.describe(GDT_AT, INDEX, 0x8000, 0xfff, access, dpl, BIG);
    const jump = cpu.fault(() => far_jmp(cpu, FREE | rpl, offset, 4, NEXT));
    const other = protectedCpu(cpl);
    other.describe(GDT_AT, INDEX, 0x8000, 0xfff, access, dpl, BIG);
    expect(other.fault(() => far_call(other, FREE | rpl, offset, 4, NEXT))).toBe(jump);
    if (jump === 'none') {
      expect([cpu.selector(CS), cpu.R[EIP], cpu.cpl]).toEqual([FREE | cpl, offset, cpl]);
      expect(other.stack(2, 4)).toEqual([NEXT, cpl === 0 ? K_CODE : U_CODE]);
    }
    return jump;
  };
  it.each<[string, 0 | 3, number, number, number, string]>([
    ['same level', 0, CODE, 0, 0, 'none'],
    ['same level, outer RPL', 0, CODE, 0, 3, 'd:40'],
    ['user to user', 3, CODE, 3, 0, 'none'],
    ['user to kernel', 3, CODE, 0, 3, 'd:40'],
    ['kernel to user', 0, CODE, 3, 0, 'd:40'],
    ['conforming of an inner level', 3, CODE_CONFORMING, 0, 3, 'none'],
    ['conforming of an outer level', 0, CODE_CONFORMING, 3, 0, 'd:40'],
    ['data', 0, DATA, 0, 0, 'd:40'],
    ['absent', 0, CODE & 0x7f, 0, 0, 'b:40'],
    ['an LDT', 0, 0x82, 0, 0, 'd:40'],
    ['a busy TSS', 0, 0x8b, 0, 0, 'd:40'],
  ])('%s', (_, cpl, access, dpl, rpl, fault) => {
    expect(attempt(cpl, access, dpl, rpl)).toBe(fault);
  });
  it('null, out of table, beyond the limit', () => {
    const cpu = protectedCpu();
    expect(cpu.cleanFault(() => far_jmp(cpu, 3, 0, 4, NEXT))).toBe('d:0');
    expect(cpu.cleanFault(() => far_call(cpu, 0x7f8, 0, 4, NEXT))).toBe('d:7f8');
    expect(attempt(0, CODE, 0, 0, 0xfff)).toBe('none');
    expect(attempt(0, CODE, 0, 0, 0x1000)).toBe('d:0');
  });
  it('calls without stack raise #SS(0)', () => {
    const cpu = protectedCpu();
    cpu.setSegment(SS, K_DATA, 0, 0x7fff, 0x409300);
    expect(cpu.cleanFault(() => far_call(cpu, K_CODE, 0x10, 4, NEXT))).toBe('c:0');
  });
});

describe('call gates', () => {
  it('keep the level for conforming code and for the same level', () => {
    const cpu = protectedCpu(3);
    cpu.gate(GDT_AT, INDEX, U_CODE, 0x12345678, CALL_GATE32, 3);
    far_call(cpu, FREE | 3, 0xdead, 4, NEXT);
    expect([cpu.selector(CS), cpu.R[EIP], cpu.cpl, cpu.R[ESP]]).toEqual([U_CODE, 0x12345678, 3, USER_STACK - 8]);
    const narrow = protectedCpu(3);
    narrow.gate(GDT_AT, INDEX, U_CODE, 0x12345678, CALL_GATE16, 3);
    far_call(narrow, FREE | 3, 0, 4, NEXT);
    expect([narrow.R[EIP], narrow.R[ESP]]).toEqual([0x5678, USER_STACK - 4]);
    expect(narrow.stack(2, 2)).toEqual([NEXT, U_CODE]);
  });

  it.each([[CALL_GATE32, 4], [CALL_GATE16, 2]] as const)('to an inner level switch the stack and copy parameters (%i)', (type, size) => {
    const cpu = protectedCpu(3);
    cpu.gate(GDT_AT, INDEX, K_CODE, 0x6000, type, 3, 3);
    for (let i = 0; i < 3; i++) {
      if (size === 4) cpu.store32(USER_STACK + 4 * i, 0x11110000 + i);
      else cpu.store16(USER_STACK + 2 * i, 0x1000 + i);
    }
    far_call(cpu, FREE | 3, 0, 4, NEXT);
    expect([cpu.selector(CS), cpu.selector(SS), cpu.cpl, cpu.R[EIP]]).toEqual([K_CODE, K_DATA, 0, 0x6000]);
    const first = size === 4 ? 0x11110000 : 0x1000;
    expect(cpu.stack(7, size)).toEqual([NEXT, U_CODE, first, first + 1, first + 2, USER_STACK, U_DATA]);
    expect(cpu.R[ESP]).toBe(KERNEL_STACK - 7 * size);

    far_ret(cpu, size, 3 * size);
    expect([cpu.selector(CS), cpu.selector(SS), cpu.cpl, cpu.R[EIP], cpu.R[ESP]]).toEqual([U_CODE, U_DATA, 3, NEXT, USER_STACK + 3 * size]);
  });

  it.each<[string, (cpu: FakeCpu) => void, string]>([
    ['gate DPL below CPL', (cpu) => cpu.gate(GDT_AT, INDEX, K_CODE, 0, CALL_GATE32, 0), 'd:40'],
    ['gate absent', (cpu) => cpu.gate(GDT_AT, INDEX, K_CODE, 0, CALL_GATE32 & 0x7f, 3), 'b:40'],
    ['null code selector', (cpu) => cpu.gate(GDT_AT, INDEX, 0, 0, CALL_GATE32, 3), 'd:0'],
    ['data behind the gate', (cpu) => cpu.gate(GDT_AT, INDEX, K_DATA, 0, CALL_GATE32, 3), 'd:10'],
    ['absent code', (cpu) => cpu.describe(GDT_AT, 1, 0, 0xfffff, CODE & 0x7f, 0, BIG), 'b:8'],
    ['offset beyond the limit', (cpu) => cpu.describe(GDT_AT, 1, 0, 0xff, CODE, 0, BIG), 'd:0'],
    ['TSS too short', (cpu) => { cpu.R[TR_LIMIT] = 8; }, 'a:28'],
    ['null stack selector', (cpu) => cpu.store16(TSS_AT + 8, 0), 'a:0'],
    ['stack selector with another RPL', (cpu) => cpu.store16(TSS_AT + 8, K_DATA | 1), 'a:10'],
    ['stack of another level', (cpu) => cpu.store16(TSS_AT + 8, U_DATA & ~3), 'a:20'],
    ['code as stack', (cpu) => cpu.store16(TSS_AT + 8, K_CODE), 'a:8'],
    ['absent stack', (cpu) => cpu.describe(GDT_AT, 2, 0, 0xfffff, DATA & 0x7f, 0, BIG | PAGES), 'c:10'],
    ['no room on the stack', (cpu) => cpu.describe(GDT_AT, 2, 0, 0x1000, DATA, 0, BIG), 'c:10'],
    ['page of the new stack absent', (cpu) => cpu.absent.add(KERNEL_STACK - 1 >> 12), 'e:0'],
  ])('fault before anything changes: %s', (_, spoil, fault) => {
    const cpu = protectedCpu(3);
    cpu.gate(GDT_AT, INDEX, K_CODE, 0x6000, CALL_GATE32, 3);
    spoil(cpu);
    expect(cpu.cleanFault(() => far_call(cpu, FREE | 3, 0, 4, NEXT))).toBe(fault);
  });

  it('may not be used by a jump to an inner level', () => {
    const cpu = protectedCpu(3);
    cpu.gate(GDT_AT, INDEX, K_CODE, 0x6000, CALL_GATE32, 3);
    expect(cpu.cleanFault(() => far_jmp(cpu, FREE | 3, 0, 4, NEXT))).toBe('d:8');
    cpu.gate(GDT_AT, INDEX, U_CODE, 0x6000, CALL_GATE32, 3);
    far_jmp(cpu, FREE | 3, 0, 4, NEXT);
    expect([cpu.selector(CS), cpu.R[EIP]]).toEqual([U_CODE, 0x6000]);
  });
});

describe('far returns', () => {
  it('to an outer level load SS:ESP and clear data segments of the inner level', () => {
    const cpu = protectedCpu();
    cpu.setSegment(ES, U_DATA, 0, -1, 0xc0f300);
    cpu.describe(GDT_AT, INDEX, 0, 0xfffff, CODE_CONFORMING, 0, BIG);
    cpu.setSegment(GS, FREE, 0, 0xfffff, 0x409f00);
    cpu.push32(U_DATA, 0x7777, 0x5555, U_CODE, 0x4444);
    far_ret(cpu, 4, 4);
    expect([cpu.selector(CS), cpu.R[EIP], cpu.selector(SS), cpu.R[ESP], cpu.cpl]).toEqual([U_CODE, 0x4444, U_DATA, 0x777b, 3]);
    expect([ES, DS, FS, GS].map((seg) => cpu.selector(seg))).toEqual([U_DATA, 0, 0, FREE]);
    expect(cpu.R[SEG_ATTR + DS]).toBe(0);
  });

  it('keep the upper half of ESP when they return to a 16-bit stack', () => {
    const cpu = protectedCpu();
    cpu.describe(GDT_AT, INDEX, 0, 0xffff, DATA, 3, 0);
    cpu.R[ESP] = 0x19000;
    cpu.push32(FREE | 3, 0x12345678, U_CODE, 0x4444);
    far_ret(cpu, 4, 0);
    expect(cpu.R[ESP]).toBe(0x15678);
  });

  it.each<[string, number[], string]>([
    ['null CS', [U_DATA, 0x100, 0, 0x10], 'd:0'],
    ['to an inner level', [0, 0, K_CODE, 0x10], 'd:8'],
    ['CS that is data', [U_DATA, 0x100, U_DATA, 0x10], 'd:20'],
    ['DPL other than RPL', [U_DATA, 0x100, K_CODE | 3, 0x10], 'd:8'],
    ['null SS', [0, 0x100, U_CODE, 0x10], 'd:0'],
    ['SS with another RPL', [U_DATA & ~3, 0x100, U_CODE, 0x10], 'd:20'],
    ['SS of another level', [K_DATA | 3, 0x100, U_CODE, 0x10], 'd:10'],
    ['SS that is code', [U_CODE, 0x100, U_CODE, 0x10], 'd:18'],
  ])('refuse %s', (name, frame, fault) => {
    const cpu = protectedCpu(name === 'to an inner level' ? 3 : 0);
    cpu.push32(...frame);
    expect(cpu.cleanFault(() => far_ret(cpu, 4, 0))).toBe(fault);
  });

  it('check presence and limits', () => {
    const cpu = protectedCpu();
    cpu.push32(U_DATA, 0x100, U_CODE, 0x10);
    cpu.describe(GDT_AT, 4, 0, 0xfffff, DATA & 0x7f, 3, BIG);
    expect(cpu.cleanFault(() => far_ret(cpu, 4, 0))).toBe('c:20');
    cpu.describe(GDT_AT, 3, 0, 0xf, CODE & 0x7f, 3, BIG);
    expect(cpu.cleanFault(() => far_ret(cpu, 4, 0))).toBe('b:18');
    cpu.describe(GDT_AT, 4, 0, 0xfffff, DATA, 3, BIG);
    cpu.describe(GDT_AT, 3, 0, 0xf, CODE, 3, BIG);
    expect(cpu.cleanFault(() => far_ret(cpu, 4, 0))).toBe('d:0');
  });
});
