/**
 * Runs a case instruction by instruction on the op interpreter, to find what cannot be compared with a real processor: what reads
 * undefined flags, what the kernel would answer, what touches memory that our program does not have but the recorder has. Such an
 * instruction is taken out. For the rest it tells which flags are defined at each exception.
 */
import { Decoder } from '../../src/cpu/decode/decoder.ts';
import { disassembleX87 } from '../../src/cpu/decode/disasm-x87.ts';
import { DECODE_OK, DECODE_UD } from '../../src/cpu/decode/insn.ts';
import type { Insn, Row } from '../../src/cpu/decode/insn.ts';
import { FPU_CW } from '../../src/cpu/fpu/state.ts';
import { CS, EDI, EFLAGS, EIP, ESI, ESP, NT, SEG_SEL, TF } from '../../src/cpu/state.ts';
import { UserMachine } from '../suites/user-machine.ts';
import { EIP_INDEX, USER_CODE } from '../vectors/layout.ts';
import { MAX_STOPS } from '../vectors/recorder.ts';
import type { RecorderArea, Stop } from '../vectors/recorder.ts';
import { loadFloats } from '../vectors/float-state.ts';
import { stateOfSeed } from '../vectors/float-values.ts';
import { isFloatRow } from '../vectors/forms.ts';
import { isExcluded } from '../vectors/scenarios.ts';
import { ESTIMATES, TRANSCENDENTAL } from '../vectors/undefined-floats.ts';
import { flagsRead, shiftCount, undefinedAfter } from './flag-use.ts';
import * as L from './layout.ts';
import { offsetsOf } from './machine.ts';
import type { FuzzCase } from './machine.ts';
import { NATIVE_AREAS, codeBytes, nextTable, startRegisters } from './native-world.ts';

/** Instructions of a case at most. */
export const MAX_STEPS = 3000;
/** Instructions that may be taken out of a case. */
const MAX_REPAIRS = 40;
/** Where the recorder's own memory begins; and our tables, which the user can tell from unmapped memory. */
const RECORDER = 0x800_0000, TABLES = 0x10_0000, TABLES_END = 0x10_8000;
const STACK_FAULT = 12, PAGE_FAULT = 14, SYSTEM_CALL = 0x80;
/** Entries of Linux's descriptor table that ours does not have. */
const FIRST_UNKNOWN = 9, UNKNOWN_END = 16;
/** May have done a part when they fault, or look at the stack in another order. */
const PARTIAL: readonly string[] = ['PUSHA', 'POPA', 'ENTER', 'CALLF', 'RETF', 'IRET', 'JMPF'];
const SELECTOR_TESTS: readonly string[] = ['LAR', 'LSL', 'VERR', 'VERW'];

export interface Judgement {
  readonly fuzzCase: FuzzCase;
  readonly stops: readonly Stop[];
  /** Undefined flags at each stop. */
  readonly undefinedFlags: readonly number[];
  readonly retired: number;
}

/** Told of the row of each instruction. */
export type Told = (row: number) => void;

const isUnknown = (selector: number): boolean => (selector & 4) === 0 && (selector & 0xffff) >> 3 >= FIRST_UNKNOWN && (selector & 0xffff) >> 3 < UNKNOWN_END;
const isDangerous = (address: number): boolean => address >>> 0 >= RECORDER || (address >= TABLES && address < TABLES_END);

/** Not executable on the real processor. */
const isReadOnly = (address: number): boolean => address >= L.READ_ONLY && address < L.READ_ONLY + 0x1000;

const isMapped = (address: number): boolean => NATIVE_AREAS.some(({ base, size }) => address >= base && address + 3 < base + size);

/** Of x87 and SSE: results that are near, pointers to the last instruction, digits that are none, bytes written in any order (undefined-floats.ts). */
const APPROXIMATE: readonly string[] = [...TRANSCENDENTAL, ...ESTIMATES, 'fnstenv', 'fnsave', 'fldenv', 'frstor', 'fbld', 'FXSAVE', 'FXRSTOR', 'MASKMOVQ', 'MASKMOVDQU'];
const IE_AND_DE = 3;
/** No instruction of the row can be compared. */
export const isApproximate = ({ mnemonic }: Row): boolean => APPROXIMATE.includes(mnemonic);

function isFloatIncomparable(insn: Insn, R: Int32Array): boolean {
  if (!insn.row.mnemonic.startsWith('ESC')) return isApproximate(insn.row);
  const text = disassembleX87(insn, () => 'm'), [name] = text.split(' ') as [string];
  // Aliases that we do not have; FCOMI with these unmasked.
  return text.includes('(bad)') || APPROXIMATE.includes(name) || (/^fu?comp?i$/.test(name) && (R[FPU_CW]! & IE_AND_DE) !== IE_AND_DE);
}

export class Judge {
  private readonly machine = new UserMachine(NATIVE_AREAS, { jit: false });
  private readonly decoder = new Decoder();
  private readonly areas: readonly RecorderArea[];
  private readonly bytes: Uint8Array;
  private undefined = 0;
  private outcome = DECODE_OK;

  constructor(areas: readonly RecorderArea[]) {
    this.areas = areas;
    this.bytes = this.machine.space.memory.bytes;
  }

  /** The case, with what cannot be compared taken out; undefined if that cannot be done. */
  repair(given: FuzzCase, told?: Told): Judgement | undefined {
    let fuzzCase = given;
    for (let repairs = 0; repairs < MAX_REPAIRS; repairs++) {
      const result = this.judge(fuzzCase, told);
      if (typeof result !== 'number') return result;
      const offsets = offsetsOf(fuzzCase), at = offsets.findIndex((offset, i) => i + 1 < offsets.length && result >= L.CODE + offset && result < L.CODE + offsets[i + 1]!);
      const old = fuzzCase.code[at];
      if (old === undefined || /^(?:90)+$/.test(old)) return undefined;
      fuzzCase = { ...fuzzCase, code: fuzzCase.code.map((hex, i) => (i === at ? '90'.repeat(hex.length / 2) : hex)) };
    }
    return undefined;
  }

  /** What the case does, or the address of an instruction that cannot be compared. */
  judge(fuzzCase: FuzzCase, told?: Told): Judgement | number {
    const { machine } = this, { cpu } = machine, { R } = cpu;
    prepare(machine, this.areas, fuzzCase);
    const next = nextTable(fuzzCase), stops: Stop[] = [], undefinedFlags: number[] = [], rows: number[] = [];
    const begun = cpu.retired;
    let backward = L.CODE + fuzzCase.offset;
    this.undefined = 0;
    for (let steps = 0; ; steps++) {
      const eip = R[EIP]!, insn = this.decode(eip), { undefined: before } = this;
      if (steps > MAX_STEPS) return backward;
      if (insn === undefined ? this.isUndefined : this.isIncomparable(insn)) return eip;
      const after = insn === undefined ? before : undefinedAfter(insn, R, before);
      const stop = this.step();
      if (insn !== undefined && !insn.bytes.subarray(0, insn.length).every((byte, i) => byte === this.bytes[eip + i]) && insn.rep !== 0) return eip;
      if (stop === undefined) {
        if (isDangerous(R[EIP]!) || isReadOnly(R[EIP]!) || R[SEG_SEL + CS] !== USER_CODE || (R[EFLAGS]! & TF) !== 0) return eip;
        if (R[EIP]! <= eip && insn?.rep === 0) backward = eip;
        this.undefined = after;
        if (insn !== undefined) rows.push(insn.row.index);
        continue;
      }
      const isPartial = PARTIAL.includes(insn?.row.mnemonic ?? '');
      if ((stop.exception === PAGE_FAULT && isDangerous(stop.cr2)) || ((stop.exception === PAGE_FAULT || stop.exception === STACK_FAULT) && isPartial) || (stop.exception !== PAGE_FAULT && isUnknown(stop.errorCode))) return eip;
      // A processor may look at the outer stack before it refuses the selector.
      if (insn?.row.mnemonic === 'RETF' && insn.imm !== 0) return eip;
      if (insn !== undefined) rows.push(insn.row.index);
      stops.push(stop);
      undefinedFlags.push(before);
      const to = next[stop.registers[EIP_INDEX]! - L.CODE] ?? 0;
      if (to === 0 || stops.length === MAX_STOPS) break;
      machine.resume(stop, to);
    }
    for (const row of rows) told?.(row);
    return { fuzzCase, stops, undefinedFlags, retired: cpu.retired - begun };
  }

  /** What was decoded last is #UD: a newer processor may know it. */
  private get isUndefined(): boolean {
    return this.outcome === DECODE_UD;
  }

  private decode(eip: number): Insn | undefined {
    const { bytes } = this;
    this.outcome = this.decoder.decode({ byte: (at) => bytes[at] ?? 0 }, eip, true);
    return this.outcome === DECODE_OK ? this.decoder.insn : undefined;
  }

  /** One instruction; the exception that it ends in. */
  private step(): Stop | undefined {
    const { machine } = this;
    return machine.run(1) ?? (machine.isSupervisor ? machine.run(1) : undefined);
  }

  private isIncomparable(insn: Insn): boolean {
    const { row, opSize, addrSize, rep, imm } = insn, { mnemonic, operands } = row, { R } = this.machine.cpu;
    if (isExcluded(row) || (isFloatRow(row) && isFloatIncomparable(insn, R)) || (row.mnemonic === 'VERW' && insn.lock) || (flagsRead(insn) & this.undefined) !== 0) return true;
    if (mnemonic === 'INT') return imm === SYSTEM_CALL;
    if (SELECTOR_TESTS.includes(mnemonic)) return isUnknown(this.operandE(insn));
    // The result is undefined.
    if (mnemonic === 'SHLD' || mnemonic === 'SHRD') return shiftCount(insn, R) > 8 * opSize;
    if (mnemonic === 'BSWAP') return opSize === 2;
    // Some processors let F2 and F3 decide between the two.
    if (mnemonic === 'LOOPE' || mnemonic === 'LOOPNE') return rep !== 0;
    // TZCNT and LZCNT on newer processors.
    if (mnemonic === 'BSF' || mnemonic === 'BSR') return rep === 0xf3;
    // A task would be returned to.
    if (mnemonic === 'IRET') return (R[EFLAGS]! & NT) !== 0;
    // An erratum of the recording processor: see scenarios.ts.
    if (mnemonic === 'MOVS') return rep !== 0 && addrSize === 2 && (R[ESI]! | R[EDI]!) >>> 16 !== 0;
    // A 486 writes the lower half of the stack slot only.
    if (mnemonic === 'PUSH' && /^[C-GS]S$/.test(operands[0]!)) return opSize === 4 && (this.bytes[R[ESP]! - 2] !== 0 || this.bytes[R[ESP]! - 1] !== 0);
    // Which operand is read first is the processor's own affair.
    if (mnemonic === 'CMPS') return [R[ESI]!, R[EDI]!].every((address) => !isMapped(addrSize === 2 ? address & 0xffff : address >>> 0));
    // LOCK before MOV CR is an extension of AMD's.
    return insn.lock && operands.some((operand) => /^[RCD]d$/.test(operand));
  }

  /** The word in the ModRM operand, 0 if it cannot be read. */
  private operandE({ mod, rm, base, index, scale, disp, addrSize }: Insn): number {
    const { R } = this.machine.cpu;
    if (mod === 3) return R[rm]! & 0xffff;
    const sum = (base < 0 ? 0 : R[base]!) + (index < 0 ? 0 : R[index]! << scale) + disp, at = addrSize === 2 ? sum & 0xffff : sum >>> 0;
    return (this.bytes[at] ?? 0) | (this.bytes[at + 1] ?? 0) << 8;
  }
}

/** Memory and registers as the case begins. */
export function prepare(machine: UserMachine, areas: readonly RecorderArea[], fuzzCase: FuzzCase): void {
  for (const { base, bytes } of areas) machine.space.writeBytes(base, bytes);
  machine.space.writeBytes(L.CODE + fuzzCase.offset, codeBytes(fuzzCase));
  machine.start(startRegisters(fuzzCase));
  loadFloats(machine.cpu.R, stateOfSeed(fuzzCase.start.floats));
}
