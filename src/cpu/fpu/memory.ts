/** x87 instructions with a memory operand (Intel SDM vol. 2, tables A-7 ff.; environment formats: vol. 1, 8.1.10). */
import * as F from './float80.ts';
import type { Float80 } from './float80.ts';
import { DOUBLE, SINGLE, fromBcd, load, narrow, toBcd, widen } from './convert.ts';
import { ARITHMETIC, combine, compareWith, pushValue } from './registers.ts';
import { FPU_FCS, FPU_FDP, FPU_FDS, FPU_FIP, FPU_FOP, initFpu } from './state.ts';
import type { FpuUnit } from './unit.ts';

/** Guest memory at the current privilege; throws on a fault. */
export interface DataAccess {
  readonly R: Int32Array;
  load8(va: number): number;
  load16(va: number): number;
  load32(va: number): number;
  store8(va: number, value: number): void;
  store16(va: number, value: number): void;
  store32(va: number, value: number): void;
  probe(va: number, length: number, write: boolean): void;
}

/** How FSTENV and FSAVE lay out pointers: 16 or 32 bits wide, real-address or protected mode. */
export interface EnvironmentFormat {
  readonly wide: boolean;
  readonly protectedMode: boolean;
}

interface MemoryInstruction {
  /** Bytes of the operand; -1: an environment, -2: the whole state, both by operand size. */
  readonly size: number;
  readonly write: boolean;
  /** Leaves the pointers to the last instruction alone. */
  readonly control: boolean;
  /** Pending exceptions are reported first: all but FNSTCW, FNSTSW, FNSTENV and FNSAVE. */
  readonly waits: boolean;
  readonly run: (u: FpuUnit, m: DataAccess, va: number, format: EnvironmentFormat) => void;
}

// Numbers in memory.

// From the lowest address on: a page fault reports the start of the operand.
const load64 = (m: DataAccess, va: number): bigint => BigInt(m.load32(va) >>> 0) | BigInt(m.load32(va + 4 | 0) >>> 0) << 32n;
const load80 = (m: DataAccess, va: number): bigint => load64(m, va) | BigInt(m.load16(va + 8 | 0)) << 64n;

function store64(m: DataAccess, va: number, bits: bigint): void {
  m.store32(va, Number(bits & 0xffffffffn) | 0);
  m.store32(va + 4 | 0, Number(bits >> 32n & 0xffffffffn) | 0);
}
function store80(m: DataAccess, va: number, bits: bigint): void {
  store64(m, va, bits);
  m.store16(va + 8 | 0, Number(bits >> 64n));
}

const fromBits = (bits: bigint): Float80 => ({ sign: Number(bits >> 79n) as 0 | 1, exponent: Number(bits >> 64n) & 0x7fff, significand: bits & 0xffffffffffffffffn });
const toBits = (x: Float80): bigint => BigInt(x.sign << 15 | x.exponent) << 64n | x.significand;

type Reader = (m: DataAccess, va: number) => (a: F.Arithmetic) => Float80;
/** As an operand, and as what FLD loads. */
const single = (convert: typeof widen): Reader => (m, va) => {
  const bits = BigInt(m.load32(va) >>> 0);
  return (a) => convert(a, bits, SINGLE);
};
const double = (convert: typeof widen): Reader => (m, va) => {
  const bits = load64(m, va);
  return (a) => convert(a, bits, DOUBLE);
};
const integer = (bytes: 2 | 4 | 8): Reader => (m, va) => {
  const value = bytes === 2 ? BigInt(m.load16(va) << 16 >> 16) : bytes === 4 ? BigInt(m.load32(va)) : BigInt.asIntN(64, load64(m, va));
  return () => F.fromInteger(value);
};
const extended: Reader = (m, va) => {
  const bits = load80(m, va);
  return () => fromBits(bits);
};
const decimal: Reader = (m, va) => {
  const bits = load80(m, va);
  return () => fromBcd(bits);
};

const push = (size: number, read: Reader): MemoryInstruction => ({
  size, write: false, control: false, waits: true, run: (u, m, va) => pushValue(u, read(m, va)),
});

/** FADD ... FDIVR with a memory operand: what the operand raises depends on the operation. */
function arithmetic(reg: number, size: number, read: Reader): MemoryInstruction {
  return { size, write: false, control: false, waits: true, run: (u, m, va) => {
    const make = read(m, va);
    if (reg === 2 || reg === 3) {
      const a = u.begin();
      compareWith(u, make(a), false, reg - 2, a);
      return;
    }
    const f = ARITHMETIC[reg]!;
    combine(u, (a, x) => {
      const y = make(a);
      return f(a, x, y);
    }, 0, F.ZERO, 0);
  } };
}

// Stores.

type Writer = (a: F.Arithmetic, x: Float80) => bigint;
const integerWriter = (bits: number, rounding?: number): Writer => (a, x) => F.toInteger(a, x, bits, rounding) ?? -(1n << BigInt(bits - 1));

function store(size: number, write: Writer, pops: number): MemoryInstruction {
  return { size, write: true, control: false, waits: true, run: (u, m, va) => {
    const a = u.begin();
    m.probe(va, size, true);
    let bits: bigint;
    if (u.isEmpty(0)) {
      if (!u.stackFault(false)) return;
      bits = write(new F.Arithmetic(), F.INDEFINITE);
    } else {
      bits = write(a, u.get(0));
      if (!u.finishStore()) return;
    }
    if (size === 2) m.store16(va, Number(bits & 0xffffn));
    else if (size === 4) m.store32(va, Number(BigInt.asIntN(32, bits)));
    else if (size === 8) store64(m, va, BigInt.asUintN(64, bits));
    else store80(m, va, bits);
    for (let i = 0; i < pops; i++) u.pop();
  } };
}

const toSingle: Writer = (a, x) => narrow(a, x, SINGLE);
const toDouble: Writer = (a, x) => narrow(a, x, DOUBLE);

// Environment and state.

const environmentSize = (format: EnvironmentFormat): number => (format.wide ? 28 : 14);

function saveEnvironment(u: FpuUnit, m: DataAccess, va: number, format: EnvironmentFormat): void {
  const { R } = m;
  const ip = R[FPU_FIP]!, dp = R[FPU_FDP]!, opcode = R[FPU_FOP]! & 0x7ff;
  // In real-address form the pointers are linear addresses, with the opcode in the free bits.
  const linearIp = (R[FPU_FCS]! << 4) + ip | 0, linearDp = (R[FPU_FDS]! << 4) + dp | 0;
  if (format.wide) {
    const words = format.protectedMode
      ? [ip, R[FPU_FCS]! & 0xffff | opcode << 16, dp, R[FPU_FDS]! & 0xffff | 0xffff0000]
      : [linearIp & 0xffff, (linearIp >>> 16 & 0xffff) << 12 | opcode, linearDp & 0xffff, (linearDp >>> 16 & 0xffff) << 12];
    [u.control | 0xffff0000, u.status | 0xffff0000, u.tagWord | 0xffff0000, ...words].forEach((word, i) => m.store32(va + i * 4 | 0, word));
  } else {
    const words = format.protectedMode
      ? [ip, R[FPU_FCS]!, dp, R[FPU_FDS]!]
      : [linearIp, (linearIp >>> 16 & 15) << 12 | opcode, linearDp, (linearDp >>> 16 & 15) << 12];
    [u.control, u.status, u.tagWord, ...words].forEach((word, i) => m.store16(va + i * 2 | 0, word & 0xffff));
  }
}

function loadEnvironment(u: FpuUnit, m: DataAccess, va: number, format: EnvironmentFormat): void {
  const { R } = m;
  const word = (i: number): number => (format.wide ? m.load32(va + i * 4 | 0) : m.load16(va + i * 2 | 0));
  const words = [0, 1, 2, 3, 4, 5, 6].map(word);
  const [control, status, tags, ip, cs, dp, ds] = words as [number, number, number, number, number, number, number];
  u.tagWord = tags;
  u.control = control & 0xffff;
  u.status = status & 0xffff;
  if (format.protectedMode) {
    R[FPU_FIP] = ip;
    R[FPU_FCS] = cs & 0xffff;
    R[FPU_FOP] = format.wide ? cs >>> 16 & 0x7ff : 0;
    R[FPU_FDP] = dp;
    R[FPU_FDS] = ds & 0xffff;
  } else {
    R[FPU_FIP] = ip & 0xffff | (cs >>> 12 & 0xffff) << 16;
    R[FPU_FOP] = cs & 0x7ff;
    R[FPU_FDP] = dp & 0xffff | (ds >>> 12 & 0xffff) << 16;
    R[FPU_FCS] = R[FPU_FDS] = 0;
  }
}

const control = (size: number, write: boolean, run: MemoryInstruction['run']): MemoryInstruction => ({ size, write, control: true, waits: !write, run });

const saveState = control(-2, true, (u, m, va, format) => {
  const start = environmentSize(format);
  m.probe(va, start + 80, true);
  saveEnvironment(u, m, va, format);
  for (let i = 0; i < 8; i++) store80(m, va + start + i * 10 | 0, toBits(u.get(i)));
  initFpu(m.R);
});

/** FRSTOR: registers are loaded without touching their tags, which come with the environment. */
const restoreState: MemoryInstruction = { size: -2, write: false, control: true, waits: true, run: (u, m, va, format) => {
  const start = environmentSize(format);
  m.probe(va, start + 80, false);
  const registers = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => fromBits(load80(m, va + start + i * 10 | 0)));
  loadEnvironment(u, m, va, format);
  registers.forEach((x, i) => u.setPhysical(u.top + i & 7, x));
} };

const storeEnvironment = control(-1, true, (u, m, va, format) => {
  m.probe(va, environmentSize(format), true);
  saveEnvironment(u, m, va, format);
  u.control = u.control | 0x3f;
});

const group = (size: number, read: Reader): (MemoryInstruction | null)[] => [0, 1, 2, 3, 4, 5, 6, 7].map((reg) => arithmetic(reg, size, read));

/** By opcode low bits and ModRM.reg; null: no instruction. FISTTP (DB, DD, DF /1) came with SSE3. */
const TABLE: readonly (readonly (MemoryInstruction | null)[])[] = [
  group(4, single(widen)),
  [push(4, single(load)), null, store(4, toSingle, 0), store(4, toSingle, 1), control(-1, false, loadEnvironment),
    control(2, false, (u, m, va) => { u.control = m.load16(va); }), storeEnvironment, control(2, true, (u, m, va) => m.store16(va, u.control))],
  group(4, integer(4)),
  [push(4, integer(4)), store(4, integerWriter(32, F.CHOP), 1), store(4, integerWriter(32), 0), store(4, integerWriter(32), 1), null, push(10, extended), null, store(10, (_a, x) => toBits(x), 1)],
  group(8, double(widen)),
  [push(8, double(load)), store(8, integerWriter(64, F.CHOP), 1), store(8, toDouble, 0), store(8, toDouble, 1), restoreState, null, saveState, control(2, true, (u, m, va) => m.store16(va, u.status))],
  group(2, integer(2)),
  [push(2, integer(2)), store(2, integerWriter(16, F.CHOP), 1), store(2, integerWriter(16), 0), store(2, integerWriter(16), 1), push(10, decimal), push(8, integer(8)), store(10, toBcd, 1), store(8, integerWriter(64), 1)],
];

export const memoryInstruction = (opcode: number, reg: number): MemoryInstruction | null => TABLE[opcode]![reg]!;

/** Bytes that the operand takes. */
export function operandSize(instruction: MemoryInstruction, wide: boolean): number {
  if (instruction.size > 0) return instruction.size;
  return (wide ? 28 : 14) + (instruction.size === -2 ? 80 : 0);
}
