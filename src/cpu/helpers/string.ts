/**
 * String instructions with REP, and INS and OUTS: many iterations in one call. Intel SDM vol. 2, REP, MOVS, CMPS, STOS, LODS,
 * SCAS, INS, OUTS.
 *
 * Accounting: the block has charged one instruction, so the first iteration is paid for; each further one takes one from
 * R[BUDGET] before it runs. When the budget is used up (or taken away by kick()), or after one iteration while TF is set, the
 * helper returns 0 with index registers and counter as they then are, and is entered again later. A fault leaves registers
 * and flags as they were after the last complete iteration.
 *
 * Runs of elements within one page of plain memory are done at once (string-fast.ts) when nothing between them could
 * be observed; everything else goes element by element, with all checks of single instructions.
 */
import type { AccessSize } from '../../memory/io-region.ts';
import type { CpuContext } from './context.ts';
import { lowBytes } from './io.ts';
import { compareRun, copyRun, fillRun, runLength } from './string-fast.ts';
import { notePort } from './debug.ts';
import { checkIoPermission } from './tss.ts';
import { CC_OP_SUBB } from '../flags.ts';
import {
  BUDGET, CC_DST, CC_OP, CC_SRC, DF, EAX, ECX, EDI, EDX, ES, ESI, HF_AC, HF_DEBUG, HF_TF, HFLAGS,
} from '../state.ts';

export const STRING_MOVS = 0, STRING_CMPS = 1, STRING_STOS = 2, STRING_LODS = 3, STRING_SCAS = 4, STRING_INS = 5, STRING_OUTS = 6;
const REPNE = 0xf2;

/** What one call works on: the instruction, decoded. */
interface StringInsn {
  readonly kind: number;
  readonly bytes: number;
  /** Address bits: 0xffff or -1. */
  readonly mask: number;
  /** Segment of the source. */
  readonly seg: number;
  readonly rep: number;
}

const load = (cpu: CpuContext, va: number, bytes: number): number => (bytes === 1 ? cpu.load8(va) : bytes === 2 ? cpu.load16(va) : cpu.load32(va));
function store(cpu: CpuContext, va: number, value: number, bytes: number): void {
  if (bytes === 1) cpu.store8(va, value & 0xff);
  else if (bytes === 2) cpu.store16(va, value & 0xffff);
  else cpu.store32(va, value);
}

const loadSource = (cpu: CpuContext, { seg, mask, bytes }: StringInsn): number => load(cpu, cpu.segCheck(seg, cpu.R[ESI]! & mask, bytes, false), bytes);
const destination = (cpu: CpuContext, { mask, bytes }: StringInsn, write: boolean): number => cpu.segCheck(ES, cpu.R[EDI]! & mask, bytes, write);

/** Moves an index register or the counter by `step`, within the address size. */
function move(R: Int32Array, register: number, step: number, mask: number): void {
  const value = R[register]!;
  R[register] = value & ~mask | value + step & mask;
}

/** The lazy flags of a comparison: `first` - `second`. */
function setCompareFlags(R: Int32Array, first: number, second: number, bytes: number): void {
  R[CC_OP] = CC_OP_SUBB + (bytes >> 1);
  R[CC_DST] = first - second;
  R[CC_SRC] = second;
}

/** One element; registers change only when all that may fault is done. The counter is the caller's. */
function iterate(cpu: CpuContext, insn: StringInsn): void {
  const R = cpu.R;
  const { kind, bytes, mask } = insn;
  const step = R[DF]! < 0 ? -bytes : bytes;
  switch (kind) {
    case STRING_MOVS:
      store(cpu, destination(cpu, insn, true), loadSource(cpu, insn), bytes);
      move(R, ESI, step, mask);
      move(R, EDI, step, mask);
      break;
    case STRING_CMPS: {
      const first = loadSource(cpu, insn), second = load(cpu, destination(cpu, insn, false), bytes);
      setCompareFlags(R, first, second, bytes);
      move(R, ESI, step, mask);
      move(R, EDI, step, mask);
      break;
    }
    case STRING_STOS:
      store(cpu, destination(cpu, insn, true), R[EAX]!, bytes);
      move(R, EDI, step, mask);
      break;
    case STRING_LODS: {
      const value = loadSource(cpu, insn);
      R[EAX] = bytes === 4 ? value : R[EAX]! & -1 << bytes * 8 | value;
      move(R, ESI, step, mask);
      break;
    }
    case STRING_SCAS: {
      const second = load(cpu, destination(cpu, insn, false), bytes);
      setCompareFlags(R, lowBytes(R[EAX]!, bytes), second, bytes);
      move(R, EDI, step, mask);
      break;
    }
    case STRING_INS: {
      // Reading a port has effects: everything that may fault comes first.
      const va = destination(cpu, insn, true);
      cpu.probe(va, bytes, true);
      store(cpu, va, cpu.io.read(R[EDX]! & 0xffff, bytes as AccessSize), bytes);
      move(R, EDI, step, mask);
      break;
    }
    default:
      cpu.io.write(R[EDX]! & 0xffff, lowBytes(loadSource(cpu, insn), bytes), bytes as AccessSize);
      move(R, ESI, step, mask);
  }
}

/** How many elements can be done at once from here, up to `limit`; 0 or 1: none. Does them, but for the counter. */
function runFast(cpu: CpuContext, insn: StringInsn, limit: number): number {
  const R = cpu.R;
  const { kind, bytes, mask, seg } = insn;
  const backward = R[DF]! < 0;
  let count = 0;
  switch (kind) {
    case STRING_MOVS:
      count = runLength(cpu, ES, R[EDI]!, mask, bytes, backward, true, limit);
      count = runLength(cpu, seg, R[ESI]!, mask, bytes, backward, false, count);
      if (count > 1) count = copyRun(cpu, seg, R[ESI]! & mask, R[EDI]! & mask, count, bytes, backward);
      break;
    case STRING_STOS:
      count = runLength(cpu, ES, R[EDI]!, mask, bytes, backward, true, limit);
      if (count > 1) count = fillRun(cpu, R[EDI]! & mask, count, bytes, backward, R[EAX]!);
      break;
    case STRING_CMPS:
      count = runLength(cpu, ES, R[EDI]!, mask, bytes, backward, false, limit);
      count = runLength(cpu, seg, R[ESI]!, mask, bytes, backward, false, count);
      if (count > 1) count = compareRun(cpu, seg, R[ESI]! & mask, R[EDI]! & mask, count, bytes, backward, insn.rep !== REPNE);
      break;
    case STRING_SCAS:
      count = runLength(cpu, ES, R[EDI]!, mask, bytes, backward, false, limit);
      if (count > 1) count = compareRun(cpu, -1, R[EAX]!, R[EDI]! & mask, count, bytes, backward, insn.rep !== REPNE);
      break;
  }
  if (count <= 1) return 0;
  const step = (backward ? -bytes : bytes) * count;
  if (kind === STRING_MOVS || kind === STRING_CMPS) move(R, ESI, step, mask);
  move(R, EDI, step, mask);
  return count;
}

const compares = (kind: number): boolean => kind === STRING_CMPS || kind === STRING_SCAS;

/**
 * @param kind STRING_*  @param bytes element size 1, 2, 4  @param addrSize 2 or 4
 * @param seg segment of the source (DS or the override)  @param rep 0, F2h or F3h
 * @returns 1 when the instruction is complete, 0 when iterations remain
 */
export function string(cpu: CpuContext, kind: number, bytes: number, addrSize: number, seg: number, rep: number): number {
  const R = cpu.R;
  const insn: StringInsn = { kind, bytes, mask: addrSize === 2 ? 0xffff : -1, seg, rep };
  // A processor asks for the permission even if there is nothing to do.
  if (kind >= STRING_INS) {
    checkIoPermission(cpu, R[EDX]! & 0xffff, bytes);
    if ((R[HFLAGS]! & HF_DEBUG) !== 0) notePort(cpu, R[EDX]! & 0xffff, bytes);
  }
  if (rep !== 0 && (R[ECX]! & insn.mask) === 0) return 1;
  if (rep === 0) {
    iterate(cpu, insn);
    return 1;
  }
  return repeat(cpu, insn);
}

function repeat(cpu: CpuContext, insn: StringInsn): number {
  const R = cpu.R;
  const { kind, mask, rep } = insn, port = R[EDX]! & 0xffff;
  // The first iteration is paid for by the block.
  let paid = 1;
  for (;;) {
    const left = (R[ECX]! & mask) >>> 0;
    const affordable = (R[HFLAGS]! & (HF_TF | HF_DEBUG)) !== 0 ? paid : Math.max(paid, R[BUDGET]! + paid);
    let done = (R[HFLAGS]! & HF_AC) !== 0 ? 0 : runFast(cpu, insn, Math.min(left, affordable));
    if (done === 0) {
      if (paid === 0) R[BUDGET] = R[BUDGET]! - 1;
      iterate(cpu, insn);
      done = 1;
    } else R[BUDGET] = R[BUDGET]! - (done - paid);
    paid = 0;
    move(R, ECX, -done, mask);
    // INS and OUTS: the port may have written registers. Another one needs its permission.
    if ((R[ECX]! & mask) === 0) return 1;
    if (kind >= STRING_INS && (R[EDX]! & 0xffff) !== port) return 0;
    // CMPS and SCAS have set the flags of a subtraction: cc_dst is 0 in the element's size when the operands were equal.
    if (compares(kind) && (lowBytes(R[CC_DST]!, insn.bytes) === 0) === (rep === REPNE)) return 1;
    if (R[BUDGET]! <= 0 || (R[HFLAGS]! & (HF_TF | HF_DEBUG)) !== 0) return 0;
  }
}
