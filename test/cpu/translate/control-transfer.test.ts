/** Jumps, calls, loops: targets, limits, operand and address sizes. What arithmetic makes of conditions is in native.test.ts. */
import { describe, expect, it } from 'vitest';
import { CF, CS, DR, EAX, EBX, ECX, EFLAGS, EIP, ESP, OF, SEG_BASE, SEG_SEL, TF, ZF } from '../../../src/cpu/state.ts';
import { protectedCpu, realCpu } from './machine.ts';

const HLT = 0xf4;

describe('near targets', () => {
  /** Code at 0100h of a code segment with limit FFFFh, flags, ECX; then what happens and EIP. */
  const TARGETS: readonly [string, number[], { flags?: number; ecx?: number; ax?: number }, string, number][] = [
    ['JMP back wraps', [0xe9, 0x00, 0xfe], {}, 'running', 0xff03],
    ['JMP forward wraps', [0xe9, 0xff, 0xff], {}, 'running', 0x0102],
    ['JMP of 32 bits leaves the limit', [0x66, 0xe9, 0x00, 0x00, 0x01, 0x00], {}, 'd:0', 0x100],
    ['JMP of 32 bits below 0', [0x66, 0xe9, 0x00, 0xf0, 0xff, 0xff], {}, 'd:0', 0x100],
    ['Jcc of 32 bits out, taken', [0x66, 0x0f, 0x82, 0x00, 0x00, 0x01, 0x00], { flags: CF }, 'd:0', 0x100],
    ['Jcc of 32 bits out, not taken', [0x66, 0x0f, 0x82, 0x00, 0x00, 0x01, 0x00], {}, 'running', 0x107],
    ['Jcc of 16 bits wraps', [0x0f, 0x82, 0x00, 0xff], { flags: CF }, 'running', 0x4],
    ['CALL of 32 bits out', [0x66, 0xe8, 0x00, 0x00, 0x01, 0x00], {}, 'd:0', 0x100],
    ['LOOP down to 1', [0xe2, 0x10], { ecx: 0x20002 }, 'running', 0x112],
    ['LOOP down to 0', [0xe2, 0x10], { ecx: 0x20001 }, 'running', 0x102],
    ['LOOP by ECX', [0x67, 0xe2, 0x10], { ecx: 0x10000 }, 'running', 0x113],
    ['LOOPE with ZF', [0xe1, 0x10], { ecx: 2, flags: ZF }, 'running', 0x112],
    ['LOOPE without ZF', [0xe1, 0x10], { ecx: 2 }, 'running', 0x102],
    ['LOOPNE with ZF', [0xe0, 0x10], { ecx: 2, flags: ZF }, 'running', 0x102],
    ['JCXZ', [0xe3, 0x10], { ecx: 0x10000 }, 'running', 0x112],
    ['JECXZ', [0x67, 0xe3, 0x10], { ecx: 0x10000 }, 'running', 0x103],
    ['JMP AX', [0xff, 0xe0], { ax: 0x12345678 }, 'running', 0x5678],
    ['JMP EAX out', [0x66, 0xff, 0xe0], { ax: 0x12345678 }, 'd:0', 0x100],
    ['CALL EAX out', [0x66, 0xff, 0xd0], { ax: 0x10000 }, 'd:0', 0x100],
  ];
  it.each(TARGETS)('%s', (_, code, { flags = 0, ecx = 0, ax = 0 }, expected, eip) => {
    const cpu = realCpu().code(...code);
    cpu.eflags = flags | 2;
    cpu.R[ECX] = ecx;
    cpu.R[EAX] = ax;
    const esp = cpu.R[ESP];
    expect([cpu.run(1), cpu.R[EIP]]).toEqual([expected, eip]);
    if (expected !== 'running') expect([cpu.R[ESP], cpu.R[ECX]]).toEqual([esp, ecx]);
  });

  it('of a LOOP beyond the limit changes nothing', () => {
    const cpu = protectedCpu({ limit: 0x5003 }).code(0xe2, 0x10);
    cpu.R[ECX] = 5;
    expect([cpu.run(1), cpu.R[ECX], cpu.R[EIP]]).toEqual(['d:0', 5, 0x5000]);
    cpu.R[ECX] = 1;
    expect([cpu.run(1), cpu.R[ECX], cpu.R[EIP]]).toEqual(['running', 0, 0x5002]);
  });

  it('RET checks its target before it pops', () => {
    const cpu = protectedCpu({ limit: 0xffff }).code(0xc3);
    cpu.view.setInt32(0x9000, 0x10000, true);
    expect([cpu.run(1), cpu.R[ESP]]).toEqual(['d:0', 0x9000]);
    cpu.view.setInt32(0x9000, 0xfff0, true);
    expect([cpu.run(1), cpu.R[ESP], cpu.R[EIP]]).toEqual(['running', 0x9004, 0xfff0]);
  });

  it('CALL and RET of 16 bits in 32-bit code', () => {
    const cpu = protectedCpu().code(0x66, 0xe8, 0x00, 0x10);
    expect([cpu.run(1), cpu.R[EIP], cpu.R[ESP]]).toEqual(['running', 0x6004, 0x8ffe]);
    cpu.code(0x66, 0xc3);
    expect([cpu.run(1), cpu.R[EIP], cpu.R[ESP]]).toEqual(['running', 0x5004, 0x9000]);
  });

  it('CALL through ESP uses the pointer before the push', () => {
    const cpu = protectedCpu().code(0xff, 0xd4);
    expect([cpu.run(1), cpu.R[EIP], cpu.R[ESP]]).toEqual(['running', 0x9000, 0x8ffc]);
    const memory = protectedCpu().code(0xff, 0x14, 0x24);
    memory.view.setInt32(0x9000, 0x7000, true);
    expect([memory.run(1), memory.R[EIP], memory.view.getInt32(0x8ffc, true)]).toEqual(['running', 0x7000, 0x5003]);
  });
});

describe('far', () => {
  it('JMP and CALL by pointer in the instruction and in memory', () => {
    const cpu = realCpu().code(0xea, 0x34, 0x12, 0x00, 0x07);
    expect([cpu.run(1), cpu.R[EIP], cpu.R[SEG_SEL + CS], cpu.R[SEG_BASE + CS]]).toEqual(['running', 0x1234, 0x700, 0x7000]);
    cpu.code(0xff, 0x1f);
    cpu.R[EBX] = 0x10;
    cpu.bytes.set([0x00, 0x02, 0x00, 0x08], 0x2010);
    expect([cpu.run(1), cpu.R[EIP], cpu.R[SEG_SEL + CS], cpu.R[ESP]]).toEqual(['running', 0x200, 0x800, 0x7ffc]);
    cpu.code(0xca, 0x06, 0x00);
    expect([cpu.run(1), cpu.R[EIP], cpu.R[SEG_SEL + CS], cpu.R[ESP]]).toEqual(['running', 0x1236, 0x700, 0x8006]);
  });

  it('INT, INTO and IRET in real mode', () => {
    const cpu = realCpu().code(0xcd, 0x21);
    cpu.bytes.set([0x00, 0x03, 0x00, 0x07], 0x21 * 4);
    cpu.bytes.set([0x00, 0x04, 0x00, 0x07], 4 * 4);
    cpu.eflags = 0x202 | OF | CF;
    expect([cpu.run(1), cpu.R[EIP], cpu.R[SEG_SEL + CS], cpu.eflags]).toEqual(['running', 0x300, 0x700, 2 | OF | CF]);
    expect(cpu.stack(3, 2)).toEqual([0x102, 0x100, 0x202 | OF | CF]);
    cpu.code(0xcf);
    expect([cpu.run(1), cpu.R[EIP], cpu.eflags]).toEqual(['running', 0x102, 0x202 | OF | CF]);
    cpu.code(0xce);
    expect([cpu.run(1), cpu.R[EIP]]).toEqual(['running', 0x400]);
    cpu.code(0x31, 0xc0, 0xce, HLT);
    expect([cpu.run(), cpu.R[EIP]]).toEqual(['hlt', 0x404]);
  });

  it('INT has no single-step trap, IRET restores TF for the next instruction', () => {
    const cpu = realCpu().code(0xcd, 0x21);
    cpu.bytes.set([0x00, 0x03, 0x00, 0x07], 0x21 * 4);
    cpu.eflags = 2 | TF;
    expect([cpu.run(1), cpu.R[EIP]]).toEqual(['running', 0x300]);
    expect(cpu.R[EFLAGS]! & TF).toBe(0);
    cpu.code(0xcf);
    expect([cpu.run(1), cpu.R[EIP]]).toEqual(['running', 0x102]);
    cpu.code(0x90, 0x90);
    expect([cpu.run(1), cpu.R[EIP], cpu.R[DR + 6]! & 0x4000]).toEqual(['1', 0x103, 0x4000]);
  });
});

it('BOUND raises #BR outside its bounds', () => {
  const cpu = realCpu().code(0x62, 0x07, HLT);
  cpu.R[EBX] = 0x10;
  cpu.bytes.set([0xfe, 0xff, 0x05, 0x00], 0x2010);
  const with16 = (ax: number): string => { cpu.R[EAX] = ax; cpu.R[EIP] = 0x100; return cpu.run(); };
  expect([with16(0xfffe), with16(5), with16(6), with16(0xfffd)]).toEqual(['hlt', 'hlt', '5', '5']);
});
