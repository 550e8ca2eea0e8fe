/** One instruction from a row of the decode tables, with all variants of its encoding. */
import type { Row } from '../../src/cpu/decode/insn.ts';
import { FORM_MEMORY, FORM_REGISTER, FORM_REGISTER_ONLY, OPCODE_FORM, OPCODE_MODRM, ROW_FORM } from '../../src/cpu/decode/table.ts';
import { EAX, ECX, EDX, ESP } from '../../src/cpu/state.ts';
import type { Random } from '../vectors/random.ts';
import { Operands, SEGMENT_PREFIXES, littleEndian } from './operands.ts';
import type { Mode } from './modes.ts';
import { Program } from './program.ts';
import type { Reference } from './program.ts';

/** What is not left to chance. */
export interface Shape {
  readonly opSize?: 2 | 4;
  readonly addrSize?: 2 | 4;
  /** The E operand is in memory. */
  readonly memory?: boolean;
  /** Linear address of the memory operand. */
  readonly linear?: number;
  /** ModRM.reg, ModRM.rm of a register operand. */
  readonly middle?: number;
  readonly rm?: number;
  /** Registers (a mask) that addresses leave alone. */
  readonly reserved?: number;
  readonly immediate?: number;
  /** Second immediate. */
  readonly second?: number;
  readonly rep?: number;
  /** An instruction that jumps, immediates and offsets refer to. */
  readonly target?: number;
}

export const usesModrm = (row: Row): boolean => OPCODE_FORM[row.map << 8 | row.opcode] === OPCODE_MODRM;
export const isMemoryOnly = (row: Row): boolean => (ROW_FORM[row.index]! & FORM_MEMORY) !== 0;
export const mayBeMemory = (row: Row): boolean => usesModrm(row) && row.modrm < 0 && (ROW_FORM[row.index]! & (FORM_REGISTER | FORM_REGISTER_ONLY)) === 0;

/** MMX, SSE and what goes with them. */
export const isSimd = ({ feature }: Row): boolean => /^(?:mmx|sse\d?|fxsr)$/.test(feature);

/** Mnemonics whose registers beside the operands change. */
const CLOBBERS: Readonly<Record<string, readonly number[]>> = {
  MUL: [EAX, EDX], IMUL: [EAX, EDX], DIV: [EAX, EDX], IDIV: [EAX, EDX], CWD: [EDX], CBW: [EAX], AAA: [EAX], AAS: [EAX], DAA: [EAX], DAS: [EAX], AAM: [EAX], AAD: [EAX], SALC: [EAX], LAHF: [EAX],
  XLAT: [EAX], CMPXCHG: [EAX], CMPXCHG8B: [EAX, EDX], RDMSR: [EAX, EDX], CPUID: [0, 1, 2, 3], RDTSC: [EAX, EDX], POPA: [0, 1, 2, 3, 5, 6, 7], MOVS: [6, 7], CMPS: [6, 7], STOS: [7], SCAS: [7], LODS: [EAX, 6], INS: [7], OUTS: [6],
  ENTER: [5], LEAVE: [5], LOOP: [ECX], LOOPE: [ECX], LOOPNE: [ECX],
};
const VECTOR_SIZES: Readonly<Record<string, number>> = { d: 4, ss: 4, q: 8, sd: 8, '': 512 };
const MEMORY_SIZES: Readonly<Record<string, number>> = { b: 1, w: 2, d: 4, q: 8, a: 8, p: 6, s: 6, f: 10 };

export class Instructions extends Operands {
  /** Registers (a mask) that should not be written: they count loops. */
  kept = 1 << ESP;

  /** Bits of CR0 that the case starts with, beside PE, PG and ET. */
  readonly cr0: number;

  constructor(random: Random, mode: Mode, cr0: number) {
    super(random, mode, new Program());
    this.cr0 = cr0;
  }

  /** Adds an instruction. */
  emit(row: Row, shape: Shape = {}): void {
    const { random, mode } = this;
    const normal = mode.code32 ? 4 : 2;
    const opSize = shape.opSize ?? (random.chance(0.25) ? 6 - normal : normal) as 2 | 4;
    const addrSize = shape.addrSize ?? (random.chance(0.2) ? 6 - normal : normal) as 2 | 4;
    const prefixes: number[] = [];
    // Where 66h selects the instruction it is rare by itself.
    if (opSize !== normal && (row.prefix === '' || random.chance(0.02))) prefixes.push(0x66);
    if (addrSize !== normal) prefixes.push(0x67);
    const bytes: number[] = row.map === 1 ? [0x0f, row.opcode] : [row.opcode];
    let memory = false;
    if (row.modrm >= 0) bytes.push(row.modrm);
    else if (usesModrm(row)) {
      const middle = shape.middle ?? (row.group >= 0 ? row.group : this.middle(row));
      memory = shape.memory ?? (mayBeMemory(row) && (isMemoryOnly(row) ? !random.chance(0.02) : random.chance(0.5)));
      if (memory) {
        const address = this.address({ size: this.sizeInMemory(row, opSize), addrSize, middle, ...(shape.reserved !== undefined && { reserved: shape.reserved }),
          ...(shape.linear !== undefined && { linear: shape.linear }) });
        bytes.push(...address.modrm);
        prefixes.push(...address.prefixes);
      } else {
        const mod = (ROW_FORM[row.index]! & FORM_REGISTER) !== 0 ? random.below(4) : 3;
        bytes.push(row.modrm >= 0 ? row.modrm : mod << 6 | middle << 3 | (shape.rm ?? this.register(row.operands[0] === 'Eb')));
      }
      if (row.operands.some((operand) => /^G|^Rd/.test(operand))) this.forget(middle);
    }
    const references = this.immediates(row, { bytes, prefixes, opSize, addrSize }, shape);
    this.oddPrefixes(row, prefixes, memory, shape.rep ?? 0);
    if (row.prefix !== '' && row.prefix !== 'NP') prefixes.push(parseInt(row.prefix, 16));
    const shift = prefixes.length;
    for (let i = prefixes.length - 1; i > 0; i--) {
      const other = random.below(i + 1);
      [prefixes[i], prefixes[other]] = [prefixes[other]!, prefixes[i]!];
    }
    this.program.add([...prefixes, ...bytes], ...references.map((reference) => ({ ...reference, at: reference.at + shift })));
    for (const register of CLOBBERS[row.mnemonic] ?? []) this.forget(register);
    if (row.operands[0]?.startsWith('Z') === true) this.forget(row.opcode & 7);
    if (row.operands[0]?.startsWith('E') === true && !memory) this.forget(bytes.at(row.map === 1 ? 2 : 1)! & 7);
  }

  /** A register that may be written; byte registers fold on the first four. */
  register(byte = false): number {
    const { random } = this;
    for (let attempt = 0; attempt < 8; attempt++) {
      const register = random.below(8);
      if ((this.kept >> (byte ? register & 3 : register) & 1) === 0) return register;
    }
    return EAX;
  }

  /** ModRM.reg: of segment, control and debug registers mostly one that exists. */
  private middle({ operands }: Row): number {
    const { random } = this;
    if (random.chance(0.95)) {
      if (operands[0] === 'Sw') return random.pick([0, 3, 4, 5, 3, 0, 2]);
      if (operands.includes('Sw')) return random.below(6);
      if (operands.includes('Cd')) return random.pick([0, 2, 3, 4]);
    }
    return operands.some((operand) => operand.startsWith('G')) ? this.register(operands.includes('Gb')) : random.below(8);
  }

  sizeInMemory(row: Row, opSize: number): number {
    const operand = row.operands.find((each) => /^[EMQW]|^Rv/.test(each));
    if (operand === undefined) return 1;
    if (operand.startsWith('Rv')) return 2;
    if (/^[QWM]/.test(operand) && isSimd(row)) return VECTOR_SIZES[operand.slice(1)] ?? 16;
    return operand === 'Ef' ? this.random.pick([2, 4, 8, 10, 28, 108]) : MEMORY_SIZES[operand[1] ?? ''] ?? opSize;
  }

  /** Immediates, displacements and absolute addresses. */
  private immediates(row: Row, { bytes, prefixes, opSize, addrSize }: { bytes: number[]; prefixes: number[]; opSize: 2 | 4; addrSize: 2 | 4 }, shape: Shape): Reference[] {
    const { random, mode } = this;
    const references: Reference[] = [];
    let value = shape.immediate;
    for (const operand of row.operands) {
      const at = bytes.length;
      switch (operand) {
        case 'Ib': case 'sIb': case 'Iw': case 'Iz': case 'Iv': {
          const size = operand.endsWith('b') ? 1 : operand === 'Iw' ? 2 : opSize;
          bytes.push(...littleEndian(value ?? random.operand(size), size));
          if (shape.target !== undefined) references.push({ at, size: size as 1 | 2 | 4, relative: false, target: shape.target, offset: mode.codeEip });
          value = shape.second;
          break;
        }
        case 'Jb': case 'Jz': {
          const size = operand === 'Jb' ? 1 : opSize;
          bytes.push(...littleEndian(0, size));
          references.push({ at, size, relative: true, target: shape.target ?? this.target(), offset: 0 });
          break;
        }
        case 'Ob': case 'Ov': {
          const { segment, offset } = this.absolute({ size: operand === 'Ob' ? 1 : opSize, addrSize, middle: 0, ...(shape.linear !== undefined && { linear: shape.linear }) });
          if (segment !== 3) prefixes.push(SEGMENT_PREFIXES[segment]!);
          bytes.push(...littleEndian(offset, addrSize));
          break;
        }
        case 'Ap':
          bytes.push(...littleEndian(0, opSize), ...littleEndian(shape.second ?? mode.knownCs, 2));
          references.push({ at, size: opSize, relative: false, target: shape.target ?? this.target(), offset: mode.codeEip });
          break;
      }
    }
    return references;
  }

  /** Where a jump goes: mostly forward. */
  target(): number {
    const { random, program: { next } } = this;
    return random.chance(0.85) ? next + 1 + random.below(6) : Math.max(0, next - random.below(12));
  }

  /** LOCK, REP, superfluous prefixes, and now and then too many of them. */
  private oddPrefixes(row: Row, prefixes: number[], memory: boolean, rep: number): void {
    const { random } = this;
    if (rep !== 0) prefixes.push(rep);
    if (random.chance(row.lock && memory ? 0.1 : 0.004)) prefixes.push(0xf0);
    if (random.chance(0.015)) prefixes.push(random.pick([0xf2, 0xf3, 0x2e, 0x3e, 0x26]));
    if (random.chance(0.002)) for (let i = random.below(14); i >= 0; i--) prefixes.push(0x3e);
  }
}
