/** Which instructions a mode and privilege level allows, and what system instructions read and write. */
import { describe, expect, it } from 'vitest';
import { parseCpuModel } from '../../../src/cpu/models.ts';
import { Msrs } from '../../../src/cpu/msrs.ts';
import {
  CR0, CR0_PE, CS, DR, EAX, EBX, ECX, EDX, EFLAGS, EIP, ESP, FS, GDT_BASE, GDT_LIMIT, GS, HFLAGS, HF_CPL_MASK, HF_FLAT, IF, IOPL, LDT_SEL, SEG_BASE, SEG_SEL, SS,
  STATE_SIZE, SYSENTER, TR_SEL, VM,
} from '../../../src/cpu/state.ts';
import { TestCpu, protectedCpu, realCpu } from './machine.ts';

function v86Cpu(iopl: number): TestCpu {
  const cpu = realCpu();
  cpu.R[CR0] = CR0_PE;
  cpu.R[EFLAGS] = cpu.R[EFLAGS]! | VM | iopl << 12;
  for (let seg = 0; seg < 6; seg++) cpu.setSegment(seg, seg === CS ? 0x100 : 0x200, seg === CS ? 0x1000 : 0x2000, 0xffff, 0xf300);
  cpu.updateHflags();
  return cpu;
}

const MODES: Readonly<Record<string, () => TestCpu>> = {
  real: () => realCpu(), v86: () => v86Cpu(0), 'v86 IOPL 3': () => v86Cpu(3), 'CPL 0': () => protectedCpu(), 'CPL 3': () => protectedCpu({ cpl: 3 }),
  'CPL 3 IOPL 3': () => {
    const cpu = protectedCpu({ cpl: 3 });
    cpu.R[EFLAGS] = cpu.R[EFLAGS]! | IOPL;
    cpu.updateHflags();
    return cpu;
  },
};

describe('privilege', () => {
  const OK = 'running', GP = 'd:0', UD = '6';
  /** Results in the order of MODES. */
  const TABLE: readonly [string, number[], ...string[]][] = [
    ['HLT', [0xf4], 'hlt', GP, GP, 'hlt', GP, GP],
    ['CLI', [0xfa], OK, GP, OK, OK, GP, OK],
    ['STI', [0xfb], OK, GP, OK, OK, GP, OK],
    ['PUSHF', [0x9c], OK, GP, OK, OK, OK, OK],
    ['POPF', [0x9d], OK, GP, OK, OK, OK, OK],
    ['CLTS', [0x0f, 0x06], OK, GP, GP, OK, GP, GP],
    ['INVD', [0x0f, 0x08], OK, GP, GP, OK, GP, GP],
    ['WBINVD', [0x0f, 0x09], OK, GP, GP, OK, GP, GP],
    ['INVLPG', [0x0f, 0x01, 0x3f], OK, GP, GP, OK, GP, GP],
    ['LGDT', [0x0f, 0x01, 0x17], OK, GP, GP, OK, GP, GP],
    ['LIDT', [0x0f, 0x01, 0x1f], OK, GP, GP, OK, GP, GP],
    ['SGDT', [0x0f, 0x01, 0x07], OK, OK, OK, OK, OK, OK],
    ['SIDT', [0x0f, 0x01, 0x0f], OK, OK, OK, OK, OK, OK],
    ['SMSW', [0x0f, 0x01, 0xe0], OK, OK, OK, OK, OK, OK],
    ['LMSW', [0x0f, 0x01, 0xf1], OK, GP, GP, OK, GP, GP],
    ['SLDT', [0x0f, 0x00, 0xc0], UD, UD, UD, OK, OK, OK],
    ['STR', [0x0f, 0x00, 0xc8], UD, UD, UD, OK, OK, OK],
    ['LLDT', [0x0f, 0x00, 0xd0], UD, UD, UD, OK, GP, GP],
    ['LTR', [0x0f, 0x00, 0xd8], UD, UD, UD, GP, GP, GP],
    ['VERR', [0x0f, 0x00, 0xe0], UD, UD, UD, OK, OK, OK],
    ['LAR', [0x0f, 0x02, 0xc0], UD, UD, UD, OK, OK, OK],
    ['LSL', [0x0f, 0x03, 0xc0], UD, UD, UD, OK, OK, OK],
    ['ARPL', [0x63, 0xc8], UD, UD, UD, OK, OK, OK],
    ['MOV EAX,CR0', [0x0f, 0x20, 0xc0], OK, GP, GP, OK, GP, GP],
    ['MOV CR2,EAX', [0x0f, 0x22, 0xd0], OK, GP, GP, OK, GP, GP],
    ['MOV EAX,DR7', [0x0f, 0x21, 0xf8], OK, GP, GP, OK, GP, GP],
    ['MOV DR0,EAX', [0x0f, 0x23, 0xc0], OK, GP, GP, OK, GP, GP],
    ['CPUID', [0x0f, 0xa2], OK, OK, OK, OK, OK, OK],
    ['RDTSC', [0x0f, 0x31], OK, OK, OK, OK, OK, OK],
    ['RDTSCP', [0x0f, 0x01, 0xf9], OK, OK, OK, OK, OK, OK],
    ['WRMSR', [0x0f, 0x30], OK, GP, GP, OK, GP, GP],
    ['RDMSR', [0x0f, 0x32], OK, GP, GP, OK, GP, GP],
    ['CLAC', [0x0f, 0x01, 0xca], OK, UD, UD, OK, UD, UD],
    ['STAC', [0x0f, 0x01, 0xcb], OK, UD, UD, OK, UD, UD],
    ['IN AL,DX', [0xec], OK, GP, GP, OK, GP, OK],
    ['OUT DX,AL', [0xee], OK, GP, GP, OK, GP, OK],
    ['RDPMC', [0x0f, 0x33], OK, GP, GP, OK, GP, GP],
    ['SYSENTER without a target', [0x0f, 0x34], GP, GP, GP, GP, GP, GP],
    ['SYSEXIT without a target', [0x0f, 0x35], GP, GP, GP, GP, GP, GP],
    ['RDRAND', [0x0f, 0xc7, 0xf0], OK, OK, OK, OK, OK, OK],
    ['RDSEED', [0x0f, 0xc7, 0xf8], OK, OK, OK, OK, OK, OK],
    ['UD2', [0x0f, 0x0b], UD, UD, UD, UD, UD, UD],
  ];
  it.each(TABLE)('%s', (_, code, ...expected) => {
    const outcomes = Object.values(MODES).map((create) => {
      const cpu = create().code(...code);
      // RDMSR and WRMSR: that of SYSENTER.
      if (code[1] === 0x30 || code[1] === 0x32) cpu.R[ECX] = 0x174;
      return cpu.step();
    });
    expect(Object.fromEntries(Object.keys(MODES).map((mode, i) => [mode, outcomes[i]]))).toEqual(Object.fromEntries(Object.keys(MODES).map((mode, i) => [mode, expected[i]])));
  });
});

describe('SYSENTER and SYSEXIT', () => {
  const state = ({ R }: TestCpu): number[] => [R[SEG_SEL + CS]!, R[SEG_SEL + SS]!, R[ESP]!, R[EIP]!, R[HFLAGS]! & HF_CPL_MASK, R[EFLAGS]! & IF];

  it('go to the kernel and back, by the selectors in a register', () => {
    const cpu = protectedCpu({ cpl: 3 }).code(0x0f, 0x34);
    cpu.R.set([0x08, 0x7000, 0x5000], SYSENTER);
    cpu.R[EFLAGS] = cpu.R[EFLAGS]! | IF;
    expect(cpu.step()).toBe('running');
    expect(state(cpu)).toEqual([0x08, 0x10, 0x7000, 0x5000, 0, 0]);
    cpu.code(0x0f, 0x35);
    cpu.R[ECX] = 0x6000;
    cpu.R[EDX] = 0x4000;
    expect(cpu.step()).toBe('running');
    expect(state(cpu)).toEqual([0x1b, 0x23, 0x6000, 0x4000, 3, 0]);
  });
});

describe('table registers', () => {
  it('are loaded and stored, with 24 bits of base by 16-bit operands', () => {
    const cpu = realCpu().code(0x0f, 0x01, 0x17, 0x0f, 0x01, 0x47, 0x10);
    cpu.bytes.set([0x34, 0x12, 0x78, 0x56, 0x34, 0x12], 0x2000);
    cpu.step();
    expect([cpu.R[GDT_LIMIT], cpu.R[GDT_BASE]]).toEqual([0x1234, 0x345678]);
    cpu.step();
    expect([...cpu.bytes.subarray(0x2010, 0x2016)]).toEqual([0x34, 0x12, 0x78, 0x56, 0x34, 0]);
    cpu.R[EIP] = 0x100;
    cpu.code(0x66, 0x0f, 0x01, 0x17);
    cpu.step();
    expect(cpu.R[GDT_BASE]).toBe(0x12345678);
  });

  it('SLDT, STR and SMSW: a word in memory, a register of operand size', () => {
    const cpu = protectedCpu();
    cpu.R[LDT_SEL] = 0x30;
    cpu.R[TR_SEL] = 0x28;
    cpu.R[EAX] = cpu.R[ECX] = cpu.R[EDX] = -1;
    cpu.R[EBX] = 0x7000;
    cpu.code(0x0f, 0x00, 0xc0, 0x66, 0x0f, 0x00, 0xc9, 0x0f, 0x01, 0xe2, 0x0f, 0x00, 0x03, 0xf4);
    cpu.bytes.fill(0xee, 0x7000, 0x7004);
    expect(cpu.run()).toBe('hlt');
    expect([cpu.R[EAX], cpu.R[ECX]! >>> 0, cpu.R[EDX]]).toEqual([0x30, 0xffff0028, CR0_PE]);
    expect([...cpu.bytes.subarray(0x7000, 0x7004)]).toEqual([0x30, 0, 0xee, 0xee]);
  });
});

describe('flags by privilege', () => {
  it('POPF at CPL 3 leaves IF and IOPL alone', () => {
    const cpu = protectedCpu({ cpl: 3 }).code(0x6a, 0xff, 0x9d, 0x9c, 0x58);
    cpu.eflags = 2 | IF;
    for (let i = 0; i < 4; i++) cpu.step();
    expect(cpu.R[EAX]! & (IOPL | IF)).toBe(IF);
    expect(cpu.R[ESP]).toBe(0x9000);
  });

  it('HLT returns behind itself', () => {
    const cpu = realCpu().code(0xf4);
    expect([cpu.run(), cpu.R[EIP]]).toEqual(['hlt', 0x101]);
  });

  it('debug registers', () => {
    const cpu = protectedCpu().code(0x0f, 0x23, 0xd0, 0x0f, 0x21, 0xd1);
    cpu.R[EAX] = 0x12345;
    cpu.step();
    cpu.step();
    expect([cpu.R[DR + 2], cpu.R[ECX]]).toEqual([0x12345, 0x12345]);
  });
});

describe('IA32_FS_BASE and IA32_GS_BASE', () => {
  const FLAT_GS = HF_FLAT << GS;

  it('WRMSR sets the hidden base of the segment, and RDMSR reads it', () => {
    // WRMSR; MOV EAX,GS:[10h]; RDMSR
    const cpu = protectedCpu().code(0x0f, 0x30, 0x65, 0xa1, 0x10, 0, 0, 0, 0x0f, 0x32);
    expect(cpu.R[HFLAGS]! & FLAT_GS).toBe(FLAT_GS);
    cpu.R[ECX] = 0xc0000101 | 0;
    cpu.R[EAX] = 0x2400;
    cpu.R[EDX] = 0;
    cpu.store32(0x2410, 0x12345678);
    expect(cpu.step()).toBe('running');
    expect([cpu.R[SEG_BASE + GS], cpu.R[SEG_BASE + FS], cpu.R[HFLAGS]! & FLAT_GS]).toEqual([0x2400, 0, 0]);
    expect(cpu.step()).toBe('running');
    expect(cpu.R[EAX]).toBe(0x12345678);
    cpu.step();
    expect([cpu.R[EAX], cpu.R[EDX]]).toEqual([0x2400, 0]);
  });

  it('a base above 4 GB is not canonical here', () => {
    const cpu = protectedCpu().code(0x0f, 0x30);
    cpu.R[ECX] = 0xc0000100 | 0;
    cpu.R[EDX] = 1;
    expect(cpu.step()).toBe('d:0');
    expect(cpu.R[SEG_BASE + FS]).toBe(0);
  });

  it('only a processor that has them', () => {
    const qemu32 = parseCpuModel('qemu32').features;
    expect(new Msrs(qemu32, new Int32Array(STATE_SIZE)).has(0xc0000102 | 0)).toBe(false);
    expect(qemu32.has('basemsr')).toBe(false);
  });
});

describe('ports', () => {
  it('IN and OUT end the block, INS and OUTS repeat', () => {
    const cpu = realCpu().code(0xe4, 0x60, 0x66, 0xed, 0xe6, 0x80, 0xef, 0xf3, 0x6e, 0xf4);
    cpu.ports.set(0x60, 0x12);
    cpu.ports.set(0x3f0, 0x12345678);
    cpu.R[EDX] = 0x3f0;
    expect(cpu.translate().icount).toBe(1);
    cpu.step();
    expect(cpu.R[EAX]).toBe(0x12);
    cpu.step();
    expect(cpu.R[EAX]).toBe(0x12345678);
    cpu.step();
    cpu.step();
    cpu.R[ECX] = 3;
    cpu.bytes.set([1, 2, 3], 0x2000);
    expect(cpu.run()).toBe('hlt');
    expect(cpu.portLog).toEqual(['in 60 1', 'in 3f0 4', 'out 80 1 78', 'out 3f0 2 5678', 'out 3f0 1 1', 'out 3f0 1 2', 'out 3f0 1 3']);
  });

  it('are refused to CPL 3 without IOPL or bitmap', () => {
    expect(protectedCpu({ cpl: 3 }).code(0xe4, 0x60).step()).toBe('d:0');
    expect(MODES['CPL 3 IOPL 3']!().code(0xe4, 0x60).step()).toBe('running');
  });
});
