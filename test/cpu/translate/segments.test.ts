/** Segment ranges and the stack's width: what the check in front of each access lets through. */
import { describe, expect, it } from 'vitest';
import { CR0, CR0_PE, DS, EAX, EBX, EBP, ECX, EDI, ES, ESI, ESP, HF_PE, SS } from '../../../src/cpu/state.ts';
import { protectedCpu, realCpu } from './machine.ts';

const HLT = 0xf4;
const DATA = 0x9300, DOWN = 0x9700, READ_ONLY = 0x9100, BIG = 0x400000;

describe('range', () => {
  /** Segment, code, registers before; what happens. */
  const REAL: readonly [string, number[], Record<number, number>, string][] = [
    ['byte at FFFF', [0x8a, 0x07], { [EBX]: 0xffff }, 'hlt'],
    ['word at FFFE', [0x8b, 0x07], { [EBX]: 0xfffe }, 'hlt'],
    ['word at FFFF', [0x8b, 0x07], { [EBX]: 0xffff }, 'd:0'],
    ['dword at FFFC', [0x66, 0x8b, 0x07], { [EBX]: 0xfffc }, 'hlt'],
    ['dword at FFFD', [0x66, 0x8b, 0x07], { [EBX]: 0xfffd }, 'd:0'],
    ['word written at FFFF', [0x89, 0x07], { [EBX]: 0xffff }, 'd:0'],
    ['word at FFFF in SS', [0x8b, 0x46, 0x00], { [EBP]: 0xffff }, 'c:0'],
    ['base + index wraps', [0x8a, 0x00], { [EBX]: 0xffff, [ESI]: 1 }, 'hlt'],
    ['32-bit address beyond 64 KB', [0x67, 0x8a, 0x03], { [EBX]: 0x10000 }, 'd:0'],
    ['32-bit address wraps', [0x67, 0x66, 0x8b, 0x03], { [EBX]: -1 }, 'd:0'],
    ['absolute FFFF', [0xa1, 0xff, 0xff], {}, 'd:0'],
    ['far pointer at FFFD', [0xc4, 0x07], { [EBX]: 0xfffd }, 'd:0'],
    ['far pointer at FFFC', [0xc4, 0x07], { [EBX]: 0xfffc }, 'hlt'],
    ['XLAT wraps', [0xd7], { [EBX]: 0xffff, [EAX]: 1 }, 'hlt'],
    ['MOVS destination', [0xa5], { [EDI]: 0xffff }, 'd:0'],
    ['push at 1', [0x50], { [ESP]: 1 }, 'c:0'],
    ['push at 0 wraps', [0x50], { [ESP]: 0 }, 'hlt'],
    ['pop at FFFF', [0x58], { [ESP]: 0xffff }, 'c:0'],
    ['bit 8 beyond FFFF', [0x0f, 0xa3, 0x0f], { [EBX]: 0xffff, [ECX]: 8 }, 'd:0'],
    ['bit 16 beyond FFFE wraps', [0x0f, 0xa3, 0x0f], { [EBX]: 0xfffe, [ECX]: 16 }, 'hlt'],
  ];
  it.each(REAL)('real mode: %s', (_, code, registers, expected) => {
    const cpu = realCpu().code(...code, HLT);
    for (const [register, value] of Object.entries(registers)) cpu.R[Number(register)] = value;
    expect(cpu.run()).toBe(expected);
  });

  /** Limit, attributes, offset, bytes, write; allowed? */
  const PROTECTED: readonly [string, number, number, number, boolean, string][] = [
    ['within', 0xfff, DATA | BIG, 0xffc, false, 'hlt'],
    ['last byte out', 0xfff, DATA | BIG, 0xffd, false, 'd:0'],
    ['first byte out', 0xfff, DATA | BIG, 0x1000, false, 'd:0'],
    ['wrap', 0xfffff, DATA | BIG, -2, false, 'd:0'],
    ['write within', 0xfff, DATA | BIG, 0xffc, true, 'hlt'],
    ['write beyond', 0xfff, DATA | BIG, 0xffe, true, 'd:0'],
    ['read-only, read', 0xfff, READ_ONLY | BIG, 0, false, 'hlt'],
    ['read-only, write', 0xfff, READ_ONLY | BIG, 0, true, 'd:0'],
    ['expand-down, at the limit', 0xfff, DOWN | BIG, 0xfff, false, 'd:0'],
    ['expand-down, above the limit', 0xfff, DOWN | BIG, 0x1000, false, 'hlt'],
    ['expand-down 16 bits, top', 0xfff, DOWN, 0xfffc, false, 'hlt'],
    ['expand-down 16 bits, over the top', 0xfff, DOWN, 0xfffd, false, 'd:0'],
    ['unusable, offset 0', 0, 0, 0, false, 'd:0'],
    ['unusable, offset 1', 0, 0, 1, false, 'd:0'],
  ];
  it.each(PROTECTED)('protected mode: %s', (_, limit, attributes, offset, write, expected) => {
    const cpu = protectedCpu({ limit: 0xfffff }).code(write ? 0x89 : 0x8b, 0x0b, HLT);
    cpu.setSegment(DS, 0x18, 0, limit, attributes);
    cpu.updateHflags();
    cpu.R[EBX] = offset;
    expect(cpu.run()).toBe(expected);
  });

  it('adds the base, which may wrap', () => {
    const cpu = protectedCpu({ limit: 0xfffff }).code(0x8b, 0x03, 0x26, 0x8b, 0x0b, HLT);
    cpu.setSegment(ES, 0x18, -0x1000, -1, 0xc09300);
    cpu.updateHflags();
    cpu.view.setInt32(0x2000, 0x11223344, true);
    cpu.view.setInt32(0x1000, 0x55667788, true);
    cpu.R[EBX] = 0x2000;
    expect(cpu.run()).toBe('hlt');
    expect([cpu.R[EAX], cpu.R[ECX]]).toEqual([0x11223344, 0x55667788]);
  });

  it('costs one comparison where the segment starts at 0', () => {
    const ops = protectedCpu({ limit: 0xfffff }).code(0x8b, 0x03, 0x8b, 0x0e, 0x89, 0x07, HLT).ops();
    expect(ops.match(/trapcond_i32/g)?.length).toBe(3);
    // The limits for reading and for writing, once each.
    expect(ops.match(/ld_i32 tmp\d+,env/g)?.length).toBe(2);
  });

  it('is not known behind an instruction that writes on one way only', () => {
    // ARPL [EBX], AX; ADD WORD [EBX], -3.
    const cpu = protectedCpu({ limit: 0xfffff }).code(0x63, 0x03, 0x66, 0x83, 0x03, 0xfd, HLT);
    cpu.R[EBX] = 0x2000;
    cpu.view.setInt32(0x2000, 0x1003, true);
    expect(cpu.run()).toBe('hlt');
    expect(cpu.view.getInt32(0x2000, true)).toBe(0x1000);
  });

  it('costs a flat segment nothing', () => {
    expect(protectedCpu().code(0x8b, 0x03, 0x50, 0xc3).ops()).not.toMatch(/trapcond|_base/);
  });
});

describe('stack', () => {
  it('with 16 bits keeps the high half of ESP', () => {
    const cpu = realCpu().code(0x50, 0x66, 0x50, 0x5b, 0xc8, 4, 0, 0, 0xc9, HLT);
    cpu.R[ESP] = 0x12340002;
    cpu.R[EAX] = 0xaaaa5555 | 0;
    expect(cpu.run()).toBe('hlt');
    expect(cpu.R[ESP]! >>> 0).toBe(0x1234fffe);
    expect(cpu.R[EBX]).toBe(0x5555);
  });

  it('is wrapped by its own width, whatever the code\'s', () => {
    const cpu = protectedCpu({ limit: 0xfffff }).code(0x68, 0x78, 0x56, 0x34, 0x12, 0x8f, 0x44, 0x24, 0x04, HLT);
    cpu.setSegment(SS, 0x20, 0x10000, 0xffff, DATA);
    cpu.updateHflags();
    cpu.R[ESP] = 0x7fff0000;
    expect(cpu.run()).toBe('c:0');
    // PUSH has wrapped to FFFC; POP computes its address with ESP = 7FFF0000 again, which is beyond the limit.
    expect(cpu.R[ESP]).toBe(0x7ffffffc);
    expect(cpu.view.getInt32(0x1fffc, true)).toBe(0x12345678);
  });

  it('of 32 bits is used by 16-bit code', () => {
    const cpu = realCpu().code(0x50, HLT);
    cpu.R[CR0] = CR0_PE;
    cpu.setSegment(SS, 0x20, 0, 0xfffff, DATA | BIG);
    cpu.updateHflags();
    expect(cpu.key().flags & HF_PE).toBe(HF_PE);
    cpu.R[ESP] = 0x12000;
    expect(cpu.run(1)).not.toBe('c:0');
    expect(cpu.R[ESP]).toBe(0x11ffe);
  });
});
