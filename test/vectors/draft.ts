/**
 * One instruction in the making: its registers, flags and memory, the ModRM operand with an address that the registers add up to,
 * and the operands of its row. Who fills it: scenarios.ts.
 */

import type { Row } from '../../src/cpu/decode/insn.ts';
import { isFloatRow } from './forms.ts';
import { opcodeBytes } from '../../src/cpu/decode/table.ts';
import { EAX, EBP, EBX, ECX, EDI, EDX, ESI, ESP } from '../../src/cpu/state.ts';
import type { Patch } from './format.ts';
import { AREAS, DEFAULT_REGISTERS, EFLAGS_INDEX, ENTRY, HIGH_DATA, LOW_DATA, READ_ONLY, STACK, initialByte } from './layout.ts';
import type { Area } from './layout.ts';
import type { Random } from './random.ts';

export type Operand =
  | { readonly kind: 'register'; readonly register: number; readonly size: number }
  | { readonly kind: 'memory'; readonly address: number; readonly size: number }
  /** x87, MMX or SSE: of any size, not a number here. */
  | { readonly kind: 'vector'; readonly address: number; readonly size: number }
  | { readonly kind: 'immediate'; readonly offset: number; readonly size: number }
  /** Segment registers, the string operands, jumps: what a scenario sets in its own way. */
  | { readonly kind: 'other' };

/** Which variant of a row. */
export interface Variant {
  readonly row: Row;
  /** Bytes: 2 or 4. */
  readonly opSize: number;
  readonly addrSize: number;
  /** The E or M operand is in memory. */
  readonly memory: boolean;
  /** Bytes of an x87 operand in memory. */
  readonly size?: number;
}

const VECTOR_SIZES: Readonly<Record<string, number>> = { d: 4, ss: 4, q: 8, sd: 8, '': 512 };

/** Base and index registers of 16-bit ModRM.rm. */
const RM16: readonly (readonly number[])[] = [[EBX, ESI], [EBX, EDI], [EBP, ESI], [EBP, EDI], [ESI], [EDI], [EBP], [EBX]];
/** 26 2E 36 3E 64 65: ES CS SS DS FS GS. CS is rare, since writes through it fault. */
const OVERRIDES: readonly number[] = [0x26, 0x36, 0x3E, 0x64, 0x65, 0x26, 0x36, 0x3E, 0x64, 0x65, 0x2E];
const STATUS_AND_DIRECTION = 0xCD5;

/** ModRM.reg: for segment and control registers mostly one that exists. */
function middleOf({ operands }: Row, random: Random): number {
  if (random.chance(0.9)) {
    if (operands.includes('Sw')) return random.below(6);
    if (operands.includes('Cd')) return random.pick([0, 2, 3, 4]);
  }
  return random.below(8);
}

const littleEndian = (value: number, size: number): number[] => Array.from({ length: size }, (_, i) => value >> 8 * i & 0xFF);

export class Draft {
  readonly variant: Variant;
  readonly random: Random;
  readonly registers = Int32Array.from(DEFAULT_REGISTERS);
  readonly memory: Patch[] = [];
  readonly operands: Operand[] = [];
  /** Legal only before strings. */
  rep = 0;
  lock = false;
  override = false;
  undefinedFlags = 0;
  /** ModRM.reg. */
  readonly middle: number;
  private readonly immediate: number[] = [];
  private modrm: readonly number[] = [];
  /** General registers whose value is settled. */
  private settled = 1 << ESP;

  /** `reserved`: registers (a mask) that are no part of the address. `stackUse`: bytes that are popped, or if negative pushed. */
  constructor(variant: Variant, random: Random, reserved: number, stackUse = 0) {
    this.variant = variant;
    this.random = random;
    if (stackUse !== 0) this.registers[ESP] = this.stackPointer(stackUse);
    this.registers[EFLAGS_INDEX] = 0x202 | random.next() & STATUS_AND_DIRECTION;
    this.middle = variant.row.group >= 0 ? variant.row.group : middleOf(variant.row, random);
    this.resolve(reserved);
  }

  /** Sets a register of 1, 2 or 4 bytes in ModRM numbering; no effect if an address is made of it. True if it holds the value now. */
  setRegister(register: number, size: number, value: number): boolean {
    const whole = size === 1 ? register & 3 : register;
    if ((this.settled >> whole & 1) !== 0) return false;
    const shift = size === 1 && register >= 4 ? 8 : 0;
    const mask = (size === 4 ? -1 : (1 << 8 * size) - 1) << shift;
    this.registers[whole] = this.registers[whole] & ~mask | value << shift & mask;
    return true;
  }

  /** The same, and nothing sets it again. */
  settle(register: number, value: number): void {
    this.registers[register] = value;
    this.settled |= 1 << register;
  }

  setMemory(address: number, size: number, value: number): void {
    this.setBytes(address, littleEndian(value, size));
  }

  /** What lies outside of the mapped areas is left out. */
  setBytes(address: number, bytes: readonly number[]): void {
    const area = AREAS.find(({ base, size }) => address >= base && address < base + size);
    if (area === undefined) return;
    const patch = { address, bytes: Uint8Array.from(bytes.slice(0, area.base + area.size - address)) };
    const same = this.memory.findIndex((other) => other.address === address && other.bytes.length === patch.bytes.length);
    if (same < 0) this.memory.push(patch);
    else this.memory[same] = patch;
  }

  setOperand(index: number, value: number): boolean {
    const operand = this.operands[index];
    if (operand === undefined || operand.kind === 'other' || operand.kind === 'vector') return false;
    if (operand.kind === 'register') return this.setRegister(operand.register, operand.size, value);
    if (operand.kind === 'memory') this.setMemory(operand.address, operand.size, value);
    else this.immediate.splice(operand.offset, operand.size, ...littleEndian(value, operand.size));
    return true;
  }

  /** What an operand holds, zero-extended (4 bytes: int32). */
  getOperand(index: number): number {
    const operand = this.operands[index];
    if (operand === undefined || operand.kind === 'other' || operand.kind === 'vector') return 0;
    const { size } = operand;
    if (operand.kind === 'register') {
      const whole = size === 1 ? operand.register & 3 : operand.register;
      const value = this.registers[whole] >>> (size === 1 && operand.register >= 4 ? 8 : 0);
      return size === 4 ? value | 0 : value & (1 << 8 * size) - 1;
    }
    const byte = operand.kind === 'immediate' ? (i: number) => this.immediate[operand.offset + i] : (i: number) => this.byteAt(operand.address + i);
    return Array.from({ length: size }, (_, i) => byte(i) << 8 * i).reduce((sum, part) => sum | part, 0);
  }

  /** Appends an immediate that no operand code stands for (or sets jumps). */
  append(value: number, size: number): void {
    this.immediate.push(...littleEndian(value, size));
  }

  /** How long the instruction is with an immediate of `more` bytes yet to come. */
  lengthWith(more: number): number {
    return this.encode(() => 0).length + more;
  }

  /** The bytes. Prefixes come in any order. */
  encode(below: (limit: number) => number = (limit) => this.random.below(limit)): Uint8Array {
    const { row, opSize, addrSize } = this.variant;
    const prefixes: number[] = [];
    const add = (prefix: number): void => void prefixes.splice(below(prefixes.length + 1), 0, prefix);
    if (opSize === 2) add(0x66);
    if (addrSize === 2) add(0x67);
    if (this.override) add(OVERRIDES[below(OVERRIDES.length)]);
    if (this.lock) add(0xF0);
    if (this.rep !== 0) add(this.rep);
    const [mandatory, ...opcode] = row.prefix === '' || row.prefix === 'NP' ? [0, ...opcodeBytes(row)] : opcodeBytes(row);
    if (mandatory !== 0) add(mandatory!);
    return Uint8Array.from([...prefixes, ...opcode, ...this.modrm, ...this.immediate]);
  }

  /** An address where `size` bytes can be read and written; rarely read only, or one that reaches into the unmapped page behind. */
  address(size: number, areas: readonly Area[] = this.variant.addrSize === 2 ? [LOW_DATA, STACK] : [LOW_DATA, STACK, HIGH_DATA]): number {
    const { random } = this;
    const { base, size: length } = random.chance(0.04) ? READ_ONLY : random.pick(areas);
    if (random.chance(0.03)) return base + length - random.below(size);
    if (random.chance(0.15)) return base + length / 2 - random.below(size + 1);
    return base + 0x200 + random.below(length - 0x400);
  }

  /** Mostly aligned; rarely where the stack runs into an unmapped page. */
  private stackPointer(use: number): number {
    const { random } = this;
    const { base, size } = STACK;
    if (random.chance(0.05)) return use < 0 ? base + random.below(-use) : base + size - random.below(use);
    const middle = base + size / 2 + 4 * random.below(64);
    return random.chance(0.1) ? middle - random.below(4) : middle;
  }

  private byteAt(address: number): number {
    for (const { address: start, bytes } of this.memory.toReversed()) {
      if (address >= start && address < start + bytes.length) return bytes[address - start];
    }
    return initialByte(address);
  }

  /** Chooses the operands of the row. */
  private resolve(reserved: number): void {
    const { row, opSize, memory, addrSize } = this.variant;
    const { random, middle } = this;
    const sizes: Readonly<Record<string, number>> = { b: 1, w: 2, d: 4, v: opSize, z: opSize, a: 2 * opSize, p: 2 + opSize, s: 6, q: 8 };
    const hasModrm = row.group >= 0 || row.operands.some((operand) => /^[EGMRSCDPQNVWU][a-z/]|^M$/.test(operand));
    const general = row.operands.find((operand) => operand.startsWith('G'));
    const kept = general === undefined || random.chance(0.2) ? reserved : reserved | 1 << (general === 'Gb' ? middle & 3 : middle);
    const last = random.below(8);
    const indirect = row.operands.find((operand) => /^[EMQWNU]|^Rv/.test(operand));
    const isVector = indirect !== undefined && (/^[QW]|^Ef/.test(indirect) || isFloatRow(row) && indirect.startsWith('M'));
    const indirectSize = indirect === undefined ? 0 : isVector ? this.variant.size ?? VECTOR_SIZES[indirect.slice(1)] ?? 16 : memory && indirect.startsWith('Rv') ? 2 : (sizes[indirect[1]] ?? opSize);
    let address = 0;
    if (hasModrm) {
      if (memory) {
        address = this.address(indirectSize);
        if (isVector && indirectSize >= 16 && random.chance(0.95)) address &= -16;
        this.modrm = addrSize === 2 ? this.address16(middle, address, kept) : this.address32(middle, address, kept);
      } else {
        this.modrm = [row.modrm >= 0 ? row.modrm : 0xC0 | middle << 3 | last];
      }
    }
    for (const operand of row.operands) {
      const size = sizes[operand[1]] ?? opSize;
      if (operand === indirect) {
        if (isVector || /^[NU]/.test(operand)) this.operands.push(memory ? { kind: 'vector', address, size: indirectSize } : { kind: 'other' });
        else this.operands.push(memory ? { kind: 'memory', address, size: indirectSize } : { kind: 'register', register: last, size: indirectSize });
      } else if (/^G/.test(operand)) this.operands.push({ kind: 'register', register: middle, size });
      else if (/^Z/.test(operand)) this.operands.push({ kind: 'register', register: row.opcode & 7, size });
      else if (operand === 'AL') this.operands.push({ kind: 'register', register: EAX, size: 1 });
      else if (operand === 'CL') this.operands.push({ kind: 'register', register: ECX, size: 1 });
      else if (operand === 'DX') this.operands.push({ kind: 'register', register: EDX, size: 2 });
      else if (operand === 'eAX') this.operands.push({ kind: 'register', register: EAX, size: opSize });
      else if (/^s?I/.test(operand)) {
        const immediateSize = operand === 'sIb' ? 1 : size;
        this.operands.push({ kind: 'immediate', offset: this.immediate.length, size: immediateSize });
        this.append(0, immediateSize);
      } else if (/^O/.test(operand)) {
        address = this.address(size);
        this.operands.push({ kind: 'memory', address, size });
        this.append(address, addrSize);
      } else this.operands.push({ kind: 'other' });
    }
  }

  /** ModRM and displacement of 16-bit addressing. The upper halves of the registers do not count. */
  private address16(middle: number, target: number, reserved: number): number[] {
    const { random } = this;
    const rm = random.below(8);
    const registers = RM16[rm];
    if (random.chance(0.15) || registers.some((register) => (reserved >> register & 1) !== 0)) return [middle << 3 | 6, ...littleEndian(target, 2)];
    const mod = rm === 6 ? 1 + random.below(2) : random.below(3);
    const displacement = mod === 0 ? 0 : mod === 1 ? random.next() << 24 >> 24 : random.next();
    const index = registers.length === 2 ? random.next() : 0;
    const base = target - displacement - index;
    this.settle(registers[0], random.next() << 16 | base & 0xFFFF);
    if (registers.length === 2) this.settle(registers[1], random.next() << 16 | index & 0xFFFF);
    return [mod << 6 | middle << 3 | rm, ...littleEndian(displacement, mod)];
  }

  /** ModRM, SIB and displacement of 32-bit addressing. */
  private address32(middle: number, target: number, reserved: number): number[] {
    const { random } = this;
    const usable = [EAX, ECX, EDX, EBX, EBP, ESI, EDI].filter((register) => (reserved >> register & 1) === 0);
    const base = random.pick(usable), other = random.pick(usable);
    const scale = random.below(4), head = (mod: number, rm: number): number => mod << 6 | middle << 3 | rm;
    const wild = random.chance(0.5) ? random.below(32) : random.next();
    const short = random.next() << 24 >> 24;
    const dword = (value: number): number[] => littleEndian(value, 4);
    switch (random.below(10)) {
      case 0: // disp32
        return [head(0, 5), ...dword(target)];
      case 1: // disp32, by SIB without base and index
        return [head(0, 4), scale << 6 | 4 << 3 | 5, ...dword(target)];
      case 2: // [index * scale + disp32]
        this.settle(other, wild);
        return [head(0, 4), scale << 6 | other << 3 | 5, ...dword(target - (wild << scale))];
      case 3: // [ESP + disp32], the index field saying "none"
        return [head(2, 4), scale << 6 | 4 << 3 | ESP, ...dword(target - this.registers[ESP])];
      case 4: // [base + index * scale + disp32]; the two may be the same register
        this.settle(base, random.next());
        if (other !== base) this.settle(other, wild);
        return [head(2, 4), scale << 6 | other << 3 | base, ...dword(target - this.registers[base] - (this.registers[other] << scale))];
      case 5: // [base + index * scale + disp8]
        if (other === base) break;
        this.settle(other, wild);
        this.settle(base, target - (wild << scale) - short);
        return [head(1, 4), scale << 6 | other << 3 | base, short & 0xFF];
      case 6: // [base + index * scale]
        if (other === base || base === EBP) break;
        this.settle(other, wild);
        this.settle(base, target - (wild << scale));
        return [head(0, 4), scale << 6 | other << 3 | base];
      case 7: // [base]
        if (base === EBP) break;
        this.settle(base, target);
        return [head(0, base)];
      case 8: { // [base + disp32]
        const displacement = random.next();
        this.settle(base, target - displacement);
        return [head(2, base), ...dword(displacement)];
      }
    }
    this.settle(base, target - short);
    return [head(1, base), short & 0xFF];
  }
}

/** A return address: an INT3 of the code page that no instruction covers. */
export const landing = (random: Random): number => ENTRY + 0x100 + random.below(0x600);
