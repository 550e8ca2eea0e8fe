/**
 * What each instruction needs to be worth recording: counts for shifts, quotients that just fit, strings that match for a while,
 * selectors of every kind. A mnemonic that is not here gets operands from Random.operand().
 * x87, MMX and SSE: float-scenarios.ts.
 */

import { DFLAG, EAX, EBP, EBX, ECX, EDI, EDX, ESI, ESP, NT } from '../../src/cpu/state.ts';
import type { Row } from '../../src/cpu/decode/insn.ts';
import { landing } from './draft.ts';
import type { Draft } from './draft.ts';
import { EFLAGS_INDEX, ENTRY, LOW_DATA, STACK, USER_CODE } from './layout.ts';
import type { Random } from './random.ts';
import { undefinedByRotate, undefinedByShift } from './undefined-flags.ts';

export interface Scenario {
  /** Registers (a mask) that the instruction uses by itself. */
  readonly reserved?: number;
  /** Bytes that it may pop, or if negative push. */
  readonly stack?: number;
  /** How many times as many vectors as others. */
  readonly weight?: number;
  /** Operands hold random values already. False: nothing to record here, try again. */
  readonly prepare?: (draft: Draft) => boolean | void;
}

/** Not recorded, and why. */
const EXCLUDED: Readonly<Record<string, string>> = {
  CPUID: 'differs by processor', RDTSC: 'not repeatable', RDRAND: 'not repeatable', RDSEED: 'not repeatable', RDTSCP: 'not repeatable',
  RDPMC: 'the kernel may allow it', SYSENTER: 'a system call',
  SGDT: 'UMIP: the kernel answers', SIDT: 'UMIP: the kernel answers', SMSW: 'UMIP: the kernel answers', SLDT: 'UMIP: the kernel answers', STR: 'UMIP: the kernel answers',
  INT1: 'a virtual machine reports another EIP',
};

export const isExcluded = ({ mnemonic }: Row): boolean => mnemonic in EXCLUDED;

const A = 1 << EAX, C = 1 << ECX, D = 1 << EDX, B = 1 << EBX;

/** For data segments: usable ones, null, kernel data and code, a system segment, a null descriptor, behind the GDT, in an LDT that is not there. */
const DATA_SELECTORS: readonly number[] = [0x2B, 0x2B, 0x2B, 0x23, 0x28, 0x29, 0x20, 0x33, 0, 0, 0x18, 0x1B, 0x10, 0x13, 0x40, 0x3B, 0x100, 0x57];
/** For far jumps: not 33h, which is 64-bit code. */
const CODE_SELECTORS: readonly number[] = [USER_CODE, USER_CODE, USER_CODE, USER_CODE, USER_CODE, 0x20, 0x21, 0, 3, 0x2B, 0x10, 0x0B, 0x40, 0x3B, 0x100, 0x57];
/** CF PF AF ZF SF IF DF OF IOPL NT AC ID: what POPF and IRET may find on the stack. */
const POPPED_FLAGS = 0x247ED5;

const SHIFT_COUNTS: readonly number[] = [
  0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 63, 65, 127, 128, 129, 255,
];

/** All of EAX and EDX, or what of them an address does not need. */
function randomAccumulator(draft: Draft): void {
  const { random } = draft;
  if (random.chance(0.5)) {
    draft.setRegister(EAX, 4, random.operand(4));
  } else {
    draft.setRegister(EAX, 1, random.operand(1));
    draft.setRegister(EAX + 4, 1, random.operand(1));
  }
  draft.setRegister(EDX, 4, random.operand(4));
}

const operandSize = (draft: Draft, index: number): number => {
  const operand = draft.operands[index];
  return operand.kind === 'other' ? draft.variant.opSize : operand.size;
};

/** The shift count is the last operand; a row with the constant 1 has none. */
function shiftCount(draft: Draft): number {
  const last = draft.operands.length - 1;
  if (draft.operands[last].kind === 'other') return 1;
  draft.setOperand(last, draft.random.pick(SHIFT_COUNTS));
  return draft.getOperand(last) & 31;
}

const shift: Scenario = {
  reserved: C, weight: 2,
  prepare: (draft) => {
    draft.undefinedFlags = undefinedByShift(shiftCount(draft), 8 * operandSize(draft, 0));
  },
};

const rotate: Scenario = {
  reserved: C, weight: 2,
  prepare: (draft) => {
    draft.undefinedFlags = undefinedByRotate(shiftCount(draft));
  },
};

const doubleShift: Scenario = {
  reserved: C, weight: 3,
  prepare: (draft) => {
    const count = shiftCount(draft), bits = 8 * draft.variant.opSize;
    draft.undefinedFlags = undefinedByShift(count, bits);
    // The result is undefined as well.
    return count <= bits;
  },
};

/** Makes the dividend from a quotient at the limits or in the middle, and a remainder. */
function divide(draft: Draft, signed: boolean): void {
  const { random } = draft;
  const size = operandSize(draft, 0);
  if (random.chance(0.2)) return randomAccumulator(draft);
  const bits = BigInt(8 * size);
  const half = 1n << bits - 1n;
  const raw = draft.getOperand(0);
  const divisor = signed ? BigInt.asIntN(8 * size, BigInt(raw)) : BigInt.asUintN(8 * size, BigInt(raw));
  const limits = signed ? [half - 1n, half, -half, -half - 1n, 0n, -1n] : [2n * half - 1n, 2n * half, 0n, 1n];
  const wild = BigInt(random.next());
  const quotient = random.chance(0.4) ? random.pick(limits) : signed ? BigInt.asIntN(8 * size, wild) : BigInt.asUintN(8 * size, wild);
  const magnitude = divisor < 0n ? -divisor : divisor;
  let remainder = magnitude === 0n ? 0n : random.chance(0.3) ? magnitude - 1n : BigInt(random.next() >>> 0) % magnitude;
  const product = quotient * divisor;
  if (product < 0n || product === 0n && signed && random.chance(0.5)) remainder = -remainder;
  const dividend = product + remainder;
  const low = Number(BigInt.asIntN(32, dividend));
  if (size === 1) {
    draft.setRegister(EAX, 2, low);
  } else {
    draft.setRegister(EAX, size, low);
    draft.setRegister(EDX, size, Number(BigInt.asIntN(32, dividend >> bits)));
  }
}

/** A bit offset in a register reaches memory outside of the operand. */
function bitOffset(draft: Draft): boolean | void {
  if (draft.operands[1].kind !== 'register' || draft.operands[0].kind !== 'memory') return;
  return draft.setOperand(1, draft.random.below(0x2000) - 0x1000);
}

/** Relative jump of `size` bytes to an INT3 before or behind the instruction. */
function relative(draft: Draft, size: number): void {
  const { random } = draft;
  const end = ENTRY + draft.lengthWith(size);
  const reach = size === 1 ? 110 : 0x700;
  const target = random.chance(0.5) ? ENTRY - 1 - random.below(reach) : end + random.below(reach);
  draft.append(target - end, size);
}

const jump: Scenario = {
  stack: -4,
  prepare: (draft) => {
    const { row, opSize } = draft.variant;
    const [operand] = row.operands;
    if (operand === 'Jb') relative(draft, 1);
    else if (operand === 'Jz') relative(draft, opSize);
    // Not through ESP: the stack would be run.
    else return draft.setOperand(0, landing(draft.random));
  },
};

const loop: Scenario = {
  reserved: C, weight: 2,
  prepare: (draft) => {
    const { random } = draft;
    const count = random.pick([0, 1, 2, 3, -1, 0x10000, 0x10001, 0x8000]);
    draft.registers[ECX] = random.chance(0.3) ? count | random.next() << 16 : count;
    relative(draft, 1);
  },
};

/** Far pointer in the instruction or in memory. */
const farTransfer: Scenario = {
  stack: -8,
  prepare: (draft) => {
    const { random, variant } = draft;
    const [operand] = draft.operands;
    const target = landing(random), selector = random.pick(CODE_SELECTORS);
    if (operand.kind === 'memory') {
      draft.setMemory(operand.address, variant.opSize, target);
      draft.setMemory(operand.address + variant.opSize, 2, selector);
    } else {
      draft.append(target, variant.opSize);
      draft.append(selector, 2);
    }
  },
};

/** Puts values of operand size on the stack, the top first. */
function stacked(draft: Draft, ...values: number[]): void {
  const { opSize } = draft.variant;
  values.forEach((value, i) => draft.setMemory(draft.registers[ESP] + i * opSize, opSize, value));
}

const withStackedFlags = (draft: Draft): number => draft.random.next() & POPPED_FLAGS | 2;

function systemFlags(draft: Draft): void {
  if (draft.random.chance(0.3)) draft.registers[EFLAGS_INDEX] |= NT;
}

const loadFarPointer: Scenario = {
  prepare: (draft) => {
    const { random, variant } = draft;
    const [, pointer] = draft.operands;
    if (pointer.kind !== 'memory') return false;
    draft.setMemory(pointer.address, variant.opSize, random.next());
    draft.setMemory(pointer.address + variant.opSize, 2, random.pick(DATA_SELECTORS));
  },
};

const selectorIn = (index: number): Scenario => ({
  weight: 2,
  prepare: (draft) => {
    draft.setOperand(index, draft.random.pick(DATA_SELECTORS));
  },
});

/** An index register in an address: with 16-bit addresses the upper half does not count. */
function setIndex(draft: Draft, register: number, address: number): void {
  draft.registers[register] = draft.variant.addrSize === 2 ? address & 0xFFFF | draft.random.next() << 16 : address;
}

/** `count` elements from `address` on, in the direction of DF. */
function setElements(draft: Draft, address: number, size: number, values: readonly number[]): void {
  const step = (draft.registers[EFLAGS_INDEX] & DFLAG) !== 0 ? -size : size;
  values.forEach((value, i) => draft.setMemory(address + i * step, size, value));
}

function string(draft: Draft, prefixes: readonly number[]): void {
  const { random, variant: { row, opSize, addrSize } } = draft;
  const size = row.operands.some((operand) => operand.endsWith('b')) ? 1 : opSize;
  if (random.chance(0.3)) draft.registers[EFLAGS_INDEX] ^= DFLAG;
  draft.rep = random.pick(prefixes);
  draft.registers[EAX] = random.operand(4);
  const count = random.pick([0, 1, 2, 3, 7, 20, 33]);
  draft.registers[ECX] = addrSize === 2 ? count | random.next() << 16 : count;
  const source = draft.address(size);
  const near = random.chance(0.2);
  const destination = near ? source + random.below(9) - 4 : draft.address(size);
  setIndex(draft, ESI, source);
  setIndex(draft, EDI, destination);
  if (addrSize === 2 && Math.abs(destination - source) < 0x100) {
    // With 16-bit addresses and anything in the upper halves the recording processor (an AMD of family 1Ah) misses that REP MOVS overlaps, and
    // copies in wrong order: an erratum.
    draft.registers[ESI] &= 0xFFFF;
    draft.registers[EDI] &= 0xFFFF;
  }
  if (near || !['CMPS', 'SCAS'].includes(row.mnemonic)) return;
  // Runs that are equal or different for a while, then not.
  const wanted = draft.rep === 0xF3;
  const turn = random.below(8);
  const sources = Array.from({ length: 8 }, () => (row.mnemonic === 'SCAS' ? draft.registers[EAX] : random.next()));
  const destinations = sources.map((value, i) => (i < turn === wanted ? value : value + 1 + random.below(200) | 0));
  if (row.mnemonic === 'CMPS') setElements(draft, source, size, sources);
  setElements(draft, destination, size, destinations);
}

const repeated: Scenario = { weight: 4, prepare: (draft) => string(draft, [0, 0xF3]) };
const comparing: Scenario = { weight: 6, prepare: (draft) => string(draft, [0, 0xF3, 0xF2]) };
const ports: Scenario = { reserved: D, prepare: (draft) => void draft.setRegister(EDX, 4, draft.random.next()) };
const accumulator: Scenario = { reserved: A | D, weight: 3, prepare: randomAccumulator };
const base = (bases: readonly number[]): Scenario => ({
  weight: 4,
  prepare: (draft) => {
    randomAccumulator(draft);
    draft.setOperand(0, draft.random.pick(bases));
  },
});

const pickOf = (random: Random, ...list: number[]): number => random.pick(list);

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  AAA: accumulator, AAS: accumulator, DAA: accumulator, DAS: accumulator,
  AAD: base([10, 10, 0, 16, 1, 255]), AAM: base([10, 10, 0, 16, 1, 255]),
  ARPL: { weight: 2 },
  BOUND: {
    weight: 2,
    prepare: (draft) => {
      const { random, variant: { opSize } } = draft;
      const [, pair] = draft.operands;
      if (pair.kind !== 'memory') return false;
      const index = draft.getOperand(0);
      draft.setMemory(pair.address, opSize, random.chance(0.3) ? random.next() : index - pickOf(random, 0, 0, 1, 5, -1));
      draft.setMemory(pair.address + opSize, opSize, random.chance(0.3) ? random.next() : index + pickOf(random, 0, 0, 1, 5, -1));
    },
  },
  BT: { weight: 2, prepare: bitOffset }, BTC: { weight: 2, prepare: bitOffset }, BTR: { weight: 2, prepare: bitOffset }, BTS: { weight: 2, prepare: bitOffset },
  CALL: jump, CALLF: farTransfer, CBW: accumulator, CMPS: comparing,
  CMPXCHG: {
    reserved: A, weight: 2,
    prepare: (draft) => {
      const size = operandSize(draft, 0);
      draft.setRegister(EAX, 4, draft.random.next());
      draft.setRegister(EAX, size, draft.random.chance(0.5) ? draft.getOperand(0) : draft.random.operand(size));
    },
  },
  CWD: accumulator,
  DIV: { reserved: A | D, weight: 3, prepare: (draft) => divide(draft, false) },
  ENTER: {
    stack: -0x20, weight: 6,
    prepare: (draft) => {
      const { random } = draft;
      draft.setOperand(0, pickOf(random, 0, 1, 4, 16, 0x100));
      draft.setOperand(1, pickOf(random, 0, 0, 1, 1, 2, 3, 5, 31, 32, 33));
      draft.registers[EBP] = STACK.base + STACK.size / 2 + 4 * random.below(64);
    },
  },
  IDIV: { reserved: A | D, weight: 3, prepare: (draft) => divide(draft, true) },
  IMUL: { reserved: A | D, weight: 2, prepare: randomAccumulator },
  IN: ports, INS: { ...ports, prepare: (draft) => string(draft, [0]) },
  INT: {
    prepare: (draft) => {
      draft.setOperand(0, pickOf(draft.random, 0, 1, 3, 3, 4, 4, 8, 0x0D, 0x10, 0x20, 0xFF));
    },
  },
  IRET: {
    stack: 12, weight: 4,
    prepare: (draft) => stacked(draft, landing(draft.random), draft.random.pick(CODE_SELECTORS), withStackedFlags(draft)),
  },
  Jcc: { ...jump, weight: 1.5 }, JCXZ: loop, JMP: jump, JMPF: farTransfer, LAHF: accumulator, LAR: selectorIn(1), LDS: loadFarPointer,
  LEAVE: {
    weight: 3,
    prepare: (draft) => {
      draft.registers[EBP] = draft.address(draft.variant.opSize, [STACK, LOW_DATA]);
    },
  },
  LES: loadFarPointer, LFS: loadFarPointer, LGS: loadFarPointer, LODS: repeated, LOOP: loop, LOOPE: loop, LOOPNE: loop, LSL: selectorIn(1), LSS: loadFarPointer,
  MOV: {
    prepare: (draft) => {
      if (draft.variant.row.operands[0] === 'Sw') draft.setOperand(1, draft.random.pick(DATA_SELECTORS));
    },
  },
  MOVS: repeated,
  MUL: { reserved: A | D, weight: 2, prepare: randomAccumulator },
  OUT: ports, OUTS: { ...ports, prepare: (draft) => string(draft, [0]) },
  POP: {
    stack: 4,
    prepare: (draft) => {
      const toSegment = /^[DEFGS]S$/.test(draft.variant.row.operands[0]);
      stacked(draft, toSegment ? draft.random.pick(DATA_SELECTORS) : draft.random.next());
    },
  },
  POPA: { stack: 32, weight: 2, prepare: (draft) => stacked(draft, ...Array.from({ length: 8 }, () => draft.random.next())) },
  POPF: {
    stack: 4, weight: 3,
    prepare: (draft) => {
      systemFlags(draft);
      stacked(draft, withStackedFlags(draft));
    },
  },
  PUSH: {
    stack: -4,
    // A 486 writes the lower half of the stack slot only, others clear the upper (SDM vol. 3, "Segment selector pushes and pops").
    prepare: (draft) => {
      if (/^[C-GS]S$/.test(draft.variant.row.operands[0])) draft.setMemory(draft.registers[ESP] - 4, 4, 0);
    },
  },
  PUSHA: {
    stack: -32, weight: 2,
    prepare: (draft) => [EAX, ECX, EDX, EBX, EBP, ESI, EDI].forEach((register) => draft.setRegister(register, 4, draft.random.next())),
  },
  PUSHF: { stack: -4, weight: 2, prepare: systemFlags },
  RCL: rotate, RCR: rotate,
  RET: {
    stack: 4, weight: 2,
    prepare: (draft) => {
      stacked(draft, landing(draft.random));
      if (draft.operands.length > 0) draft.setOperand(0, pickOf(draft.random, 0, 4, 8, 0x100, 0x8000, 0xFFFF));
    },
  },
  RETF: {
    stack: 8, weight: 2,
    prepare: (draft) => {
      const selector = draft.random.pick(CODE_SELECTORS);
      stacked(draft, landing(draft.random), selector);
      // A processor may look at the outer stack before it refuses the selector: a page fault there would win.
      draft.setOperand(0, pickOf(draft.random, 0, 4, 8, 0x100, ...(selector === USER_CODE ? [0x8000, 0xFFFF] : [])));
    },
  },
  ROL: rotate, ROR: rotate, SAHF: accumulator, SALC: accumulator, SAR: shift, SCAS: comparing, SHL: shift, SHLD: doubleShift, SHR: shift, SHRD: doubleShift,
  STOS: repeated,
  VERR: selectorIn(0), VERW: selectorIn(0),
  XLAT: {
    reserved: A | B, weight: 3,
    prepare: (draft) => {
      randomAccumulator(draft);
      setIndex(draft, EBX, draft.address(1) - (draft.registers[EAX] & 0xFF));
    },
  },
};
