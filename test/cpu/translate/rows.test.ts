/** Every row of the opcode tables, in every mode: it has an emitter, its ops are well formed, and its faults are precise. */
import { describe, expect, it } from 'vitest';
import { ROWS, opcodeBytes } from '../../../src/cpu/decode/table.ts';
import type { Row } from '../../../src/cpu/decode/insn.ts';
import {
  CR0, CS, DS, EBX, ES, ESP, HF_AC, HF_CS32, HF_FLAT, HF_INHIBIT_IRQ, HF_IOPL_MASK, HF_ONE_INSN, HF_PE, HF_RF, HF_SS32, HF_TF, HF_VM, SS,
} from '../../../src/cpu/state.ts';
import { EMITTERS } from '../../../src/cpu/translate/emitters.ts';
import { TestCpu, protectedCpu, realCpu } from './machine.ts';

const ALL_FLAT = 63 * HF_FLAT;
const MODES: readonly [name: string, flags: number][] = [
  ['real', 0],
  ['virtual-8086', HF_PE | HF_VM | 3],
  ['virtual-8086, IOPL 3', HF_PE | HF_VM | 3 | HF_IOPL_MASK],
  ['protected 16-bit', HF_PE],
  ['protected 16-bit code, 32-bit stack, CPL 3', HF_PE | HF_SS32 | 3],
  ['protected 32-bit', HF_PE | HF_CS32 | HF_SS32],
  ['flat', HF_PE | HF_CS32 | HF_SS32 | ALL_FLAT],
  ['flat, CPL 3, alignment checks', HF_PE | HF_CS32 | HF_SS32 | ALL_FLAT | HF_AC | 3],
  ['32-bit code, 16-bit stack', HF_PE | HF_CS32],
  ['single step', HF_TF],
  ['interrupt shadow and RF', HF_INHIBIT_IRQ | HF_RF],
  ['one instruction', HF_ONE_INSN | HF_PE | HF_CS32],
];
const PREFIXES = [[], [0x66], [0x67], [0xf3], [0xf2, 0x2e]];
/** Register, [BX+SI] or [EAX], [BP+disp8] or SIB with ESP, absolute. */
const MODRM = [0xc0, 0xc7, 0x00, 0x44, 0x46, 0x06];
const TAIL = [0x24, 0x7f, 0x12, 0x34, 0x56, 0x78, 0x9a];
/** Instructions before it that leave the lazy flags in different states: none, SUB, INC, a shift by CL. */
const BEFORE = [[], [0x29, 0xd8], [0x40], [0xd3, 0xe0]];

const label = ({ map, opcode, group, mnemonic, operands }: Row): string =>
  `${map === 1 ? '0F ' : ''}${opcode.toString(16)}${group < 0 ? '' : `/${group}`} ${mnemonic} ${operands.join(',')}`;

const bytesOf = (row: Row, prefixes: readonly number[], modrm: number, tail = TAIL): number[] =>
  [...prefixes, ...opcodeBytes(row), row.modrm >= 0 ? row.modrm : row.group < 0 ? modrm : modrm & ~0x38 | row.group << 3, ...tail];

describe('every row', () => {
  it('has an emitter', () => {
    expect(ROWS.filter((row) => EMITTERS[row.index] === undefined).map(label)).toEqual([]);
  });

  it.each(MODES)('gives a well-formed block: %s', (_, flags) => {
    const cpu = new TestCpu(0x10000);
    const failures: string[] = [];
    const check = (row: Row, code: number[], csLimit: number): void => {
      cpu.bytes.set(code, 0x1000);
      try {
        cpu.translate({ pc: 0x1000, eip: 0x1000, csBase: 0, csLimit, flags }, 4);
      } catch (error) {
        failures.push(`${label(row)}: ${String(error).slice(0, 500)}`);
      }
    };
    for (const row of ROWS) {
      for (const prefixes of PREFIXES) for (const modrm of MODRM) check(row, bytesOf(row, prefixes, modrm), -1);
      for (const before of BEFORE) for (const modrm of [0xc1, 0x04]) check(row, [...before, ...bytesOf(row, [], modrm)], -1);
      // Jump targets beyond the limit.
      for (const prefixes of [[], [0x66]]) check(row, bytesOf(row, prefixes, 0xc1), 0x1004);
    }
    expect(failures.slice(0, 3)).toEqual([]);
  });
});

const OPERAND = 0x6000, STACK = 0x8800, MEMORY = 0x20000;
/** As displacement or offset: near the operand. */
const FAULT_TAIL = [0x60, 0, 0, 0, 0, 0, 0];

/** Runs single instructions on one processor, each from the same state; collects those that fault and still change something. */
class FaultCheck {
  readonly failures: string[] = [];
  faults = 0;
  private readonly cpu: TestCpu;
  private readonly state: Int32Array;
  private readonly memory: Uint8Array;

  constructor(cpu: TestCpu) {
    this.cpu = cpu;
    this.state = cpu.R.slice();
    this.memory = cpu.bytes.slice();
  }

  run(row: Row, code: number[]): void {
    const { cpu, state, memory } = this;
    cpu.R.set(state);
    const at = cpu.key().pc;
    cpu.code(...code);
    memory.set(code, at);
    const how = cpu.step();
    const bytesChanged = Buffer.compare(cpu.bytes, memory) !== 0;
    if (bytesChanged) cpu.bytes.set(memory);
    if (how === 'hlt' || how === 'running') {
      cpu.bytes.set(memory);
      return;
    }
    this.faults++;
    const slots = [...cpu.R.subarray(0, CR0)].flatMap((value, slot) => (value === state[slot] ? [] : [slot]));
    if (slots.length > 0 || bytesChanged) this.failures.push(`${label(row)} ${Buffer.from(code).toString('hex')}: ${how}, slots ${slots.join(' ')}${bytesChanged ? ', memory' : ''}`);
  }
}

/** Software interrupts have tables of their own; ENTER has pushed below the stack pointer when its last check fails, as on processors. */
const OTHERS = new Set(['ENTER', 'HLT', 'INT', 'INT1', 'INT3', 'INTO']);
const TESTED = ROWS.filter(({ mnemonic }) => !OTHERS.has(mnemonic));

describe('a fault leaves everything as it was', () => {
  const BAD: readonly [string, (cpu: TestCpu) => void][] = [
    ['absent operand', (cpu) => cpu.absent.add(OPERAND >>> 12)],
    ['read-only operand', (cpu) => cpu.readOnly.add(OPERAND >>> 12)],
    ['absent stack', (cpu) => cpu.absent.add(STACK >>> 12)],
    ['read-only stack', (cpu) => cpu.readOnly.add(STACK >>> 12)],
    ['operand half in an absent page', (cpu) => {
      cpu.absent.add((OPERAND >>> 12) + 1);
      for (const register of [0, 1, 2, EBX, 6, 7]) cpu.R[register] = OPERAND + 0xfff;
    }],
  ];

  it.each(BAD)('%s, flat', (_, spoil) => {
    const cpu = protectedCpu({ size: MEMORY });
    cpu.R.fill(OPERAND, 0, 8);
    cpu.R[ESP] = STACK;
    spoil(cpu);
    const check = new FaultCheck(cpu);
    for (const row of TESTED) {
      for (const prefixes of [[], [0x66], [0xf0]]) for (const modrm of [0x03, 0xc3]) check.run(row, bytesOf(row, prefixes, modrm, FAULT_TAIL));
    }
    expect(check.failures).toEqual([]);
    expect(check.faults).toBeGreaterThan(100);
  });

  it.each([['data', [DS, ES]], ['stack', [SS]]] as const)('%s segment too small, real mode', (_, segments) => {
    const cpu = realCpu(MEMORY);
    cpu.R.fill(0x5fff, 0, 8);
    for (const segment of segments) cpu.setSegment(segment, 0x200, 0x2000, 0x5fff, 0x9300);
    cpu.updateHflags();
    const check = new FaultCheck(cpu);
    for (const row of TESTED) {
      for (const prefixes of [[], [0x66], [0x36]]) for (const modrm of [0x07, 0x46]) check.run(row, bytesOf(row, prefixes, modrm, FAULT_TAIL));
    }
    expect(check.failures).toEqual([]);
    expect(check.faults).toBeGreaterThan(100);
  });

  it('refuses writes to code in protected mode, flat or not', () => {
    for (const options of [{}, { limit: 0xfffff }]) {
      const cpu = protectedCpu(options);
      cpu.R[EBX] = 0x6000;
      expect(cpu.code(0x2e, 0x89, 0x03, 0xf4).run()).toBe('d:0');
      expect(cpu.code(0x2e, 0x8b, 0x03, 0xf4).run()).toBe('hlt');
    }
    const real = realCpu();
    real.R[EBX] = 0x6000;
    expect(real.code(0x2e, 0x89, 0x07, 0xf4).run()).toBe('hlt');
    expect(real.selector(CS)).toBe(0x100);
  });
});
