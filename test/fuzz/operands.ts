/**
 * Memory operands for code whose registers are not known for sure: an address is chosen first, then registers that probably add
 * up to it, set by MOVs in front if need be. Where it goes wrong the instruction faults, and the handlers skip it.
 */
import { EBP, EBX, ECX, EDI, EDX, ESI, ESP, EAX, DS, SS } from '../../src/cpu/state.ts';
import type { Random } from '../vectors/random.ts';
import * as L from './layout.ts';
import type { Mode, SegmentState } from './modes.ts';
import type { Program } from './program.ts';

export const littleEndian = (value: number, size: number): number[] => Array.from({ length: size }, (_, i) => value >> 8 * i & 0xff);

/** Base and index registers of 16-bit ModRM.rm. */
const RM16: readonly (readonly number[])[] = [[EBX, ESI], [EBX, EDI], [EBP, ESI], [EBP, EDI], [ESI], [EDI], [EBP], [EBX]];
export const SEGMENT_PREFIXES: readonly number[] = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const ADDRESS_REGISTERS: readonly number[] = [EAX, ECX, EDX, EBX, EBP, ESI, EDI];

export interface Address {
  /** ModRM, SIB, displacement. */
  readonly modrm: readonly number[];
  /** Segment override, or none. */
  readonly prefixes: readonly number[];
  /** Where it probably is. */
  readonly linear: number;
}

export interface AddressWish {
  readonly size: number;
  readonly addrSize: 2 | 4;
  /** ModRM.reg. */
  readonly middle: number;
  /** Registers (a mask) that the instruction needs for something else. */
  readonly reserved?: number;
  /** Wanted linear address. */
  readonly linear?: number;
}

export class Operands {
  readonly random: Random;
  readonly mode: Mode;
  readonly program: Program;
  /** What registers hold, if nothing went wrong. */
  private readonly known: (number | undefined)[] = new Array<number | undefined>(8).fill(undefined);

  constructor(random: Random, mode: Mode, program: Program) {
    this.random = random;
    this.mode = mode;
    this.program = program;
  }

  /** MOV register, value. */
  setRegister(register: number, value: number, size: 2 | 4 = 4): void {
    const prefix = this.mode.code32 === (size === 4) ? [] : [0x66];
    this.program.add([...prefix, 0xb8 | register, ...littleEndian(value, size)]);
    this.known[register] = size === 4 ? value : undefined;
  }

  /** A register was written, by all that one knows. */
  forget(register: number): void {
    this.known[register] = undefined;
  }
  forgetAll(): void {
    this.known.fill(undefined);
  }

  segment(number: number): SegmentState {
    return this.mode.segments[number]!;
  }

  /** An offset by which a segment reaches a linear address, or -1. */
  offsetOf(segment: number, linear: number, addrSize: 2 | 4): number {
    const { base, low, high } = this.segment(segment);
    const offset = linear - base >>> 0;
    return offset < low || offset > high || (addrSize === 2 && offset > 0xffff) ? -1 : offset;
  }

  /** A linear address where `size` bytes are worth touching. */
  linear(size: number): number {
    const { random, mode: { paging } } = this;
    const edge = (end: number): number => end - random.below(size + 2);
    switch (random.below(24)) {
      case 0: return edge(L.READ_ONLY);
      case 1: return edge(L.READ_ONLY + 0x1000);
      case 2: return edge(L.LOW_DATA + 0x1000);
      case 3: return edge(L.DATA + 0x1000 * (1 + random.below(4)));
      case 4: return L.READ_ONLY + random.below(0x1000);
      case 5: return random.chance(0.5) ? L.DEVICE + random.below(0x1000) : edge(L.DEVICE);
      case 6: return random.chance(0.5) ? L.SUPERVISOR + random.below(0x1000) : edge(L.STACK_END);
      case 7: return L.STACK + random.below(0x2000);
      case 8: return paging ? random.pick([L.ALIAS, L.READ_ONLY_ALIAS, L.SUPERVISOR_ALIAS, L.LARGE_ALIAS]) + L.DATA + random.below(0x4000) : L.DATA + random.below(0x4000);
      case 9: return random.chance(0.3) ? random.next() : L.LOW_DATA + L.SELECTOR_LIST + random.below(0x80);
      case 10: case 11: case 12: case 13: return L.LOW_DATA + L.STRUCTURES_SIZE + random.below(0xe00);
      default: return L.DATA + L.STRUCTURES_SIZE + random.below(0x3e00);
    }
  }

  /** Segment and offset for an address, by one of the segments that reach it; any, if none does. */
  private place(wish: AddressWish): { segment: number; offset: number } {
    const { random } = this;
    for (let attempt = 0; attempt < 6; attempt++) {
      const linear = wish.linear ?? this.linear(wish.size);
      const usable = [0, 1, 2, 3, 3, 3, 3, 4, 5].filter((segment) => this.offsetOf(segment, linear, wish.addrSize) >= 0 && (segment !== 1 || random.chance(0.2)));
      if (usable.length === 0) continue;
      const segment = usable.includes(DS) && random.chance(0.7) ? DS : random.pick(usable);
      return { segment, offset: this.offsetOf(segment, linear, wish.addrSize) };
    }
    const segment = random.chance(0.7) ? DS : random.below(6), { low, high } = this.segment(segment);
    const top = wish.addrSize === 2 ? Math.min(high, 0xffff) : high;
    // At the limit, or anywhere within.
    const offset = random.chance(0.3) ? top - random.below(wish.size + 2) : low + random.below(Math.max(1, top - low));
    return { segment, offset: wish.addrSize === 2 ? offset & 0xffff : offset };
  }

  /** Offset by one of DS, ES, ... for absolute and string addresses. */
  absolute(wish: AddressWish): { segment: number; offset: number; linear: number } {
    const { segment, offset } = this.place(wish);
    return { segment, offset, linear: this.segment(segment).base + offset };
  }

  /** ModRM and what goes with it; MOVs that set registers are added to the program. */
  address(wish: AddressWish): Address {
    const { segment, offset } = this.place(wish);
    const linear = this.segment(segment).base + offset;
    const { modrm, usesStack } = wish.addrSize === 2 ? this.address16(wish, offset) : this.address32(wish, offset);
    const natural = usesStack ? SS : DS;
    return { modrm, prefixes: segment === natural && !this.random.chance(0.02) ? [] : [SEGMENT_PREFIXES[segment]!], linear };
  }

  private address16({ middle, reserved = 0 }: AddressWish, offset: number): { modrm: number[]; usesStack: boolean } {
    const { random } = this;
    const rm = random.below(8), registers = RM16[rm]!;
    if (random.chance(0.35) || registers.some((register) => (reserved >> register & 1) !== 0)) return { modrm: [middle << 3 | 6, ...littleEndian(offset, 2)], usesStack: false };
    const mod = rm === 6 ? 1 + random.below(2) : random.below(3);
    const displacement = mod === 0 ? 0 : mod === 1 ? random.next() << 24 >> 24 : random.next() & 0xffff;
    const index = registers.length === 2 ? random.next() & 0xffff : 0;
    const set = (register: number, value: number): void => (random.chance(0.5) ? this.setRegister(register, value & 0xffff, 2) : this.setRegister(register, random.next() << 16 | value & 0xffff));
    if (!random.chance(0.1)) {
      set(registers[0]!, offset - displacement - index);
      if (registers.length === 2) set(registers[1]!, index);
    }
    return { modrm: [mod << 6 | middle << 3 | rm, ...littleEndian(displacement, mod)], usesStack: registers[0] === EBP };
  }

  private address32({ middle, reserved = 0 }: AddressWish, offset: number): { modrm: number[]; usesStack: boolean } {
    const { random } = this;
    const head = (mod: number, rm: number): number => mod << 6 | middle << 3 | rm;
    const dword = (value: number): number[] => littleEndian(value, 4);
    const based = (register: number, from: number): { modrm: number[]; usesStack: boolean } => {
      const displacement = offset - from | 0, usesStack = register === ESP || register === EBP;
      const sib = register === ESP ? [random.below(4) << 6 | 4 << 3 | ESP] : [];
      if (displacement === 0 && register !== EBP) return { modrm: [head(0, register), ...sib], usesStack };
      if (displacement === displacement << 24 >> 24 && random.chance(0.8)) return { modrm: [head(1, register), ...sib, displacement & 0xff], usesStack };
      return { modrm: [head(2, register), ...sib, ...dword(displacement)], usesStack };
    };
    const usable = ADDRESS_REGISTERS.filter((register) => (reserved >> register & 1) === 0);
    const settled = usable.filter((register) => this.known[register] !== undefined);
    if (settled.length > 0 && random.chance(0.5)) {
      const register = random.pick(settled);
      return based(register, this.known[register]!);
    }
    const base = random.pick(usable), other = random.pick(usable), scale = random.below(4);
    switch (random.below(10)) {
      case 0: // [index * scale + disp32]
      case 1: {
        const index = random.chance(0.7) ? random.below(64) : random.next();
        this.setRegister(other, index);
        return { modrm: [head(0, 4), scale << 6 | other << 3 | EBP, ...dword(offset - (index << scale))], usesStack: false };
      }
      case 2: // [base + index * scale + disp]
      case 3: {
        const index = random.chance(0.7) ? random.below(64) : random.next(), displacement = random.chance(0.5) ? random.next() << 24 >> 24 : random.next();
        const short = displacement === displacement << 24 >> 24;
        if (base === other) break;
        this.setRegister(other, index);
        this.setRegister(base, offset - (index << scale) - displacement | 0);
        return { modrm: [head(short ? 1 : 2, 4), scale << 6 | other << 3 | base, ...littleEndian(displacement, short ? 1 : 4)], usesStack: base === EBP };
      }
      case 4: // near the top of the stack
        return { modrm: [head(1, 4), 4 << 3 | ESP, random.below(0x40)], usesStack: true };
      case 5: // whatever the register holds
        if (random.chance(0.8)) break;
        return { modrm: [head(2, base), ...dword(random.below(0x100))], usesStack: base === EBP };
      case 6: case 7: { // [base + disp]
        const from = random.chance(0.8) ? offset - (random.next() << 24 >> 24) | 0 : random.next();
        this.setRegister(base, from);
        return based(base, from);
      }
    }
    return { modrm: random.chance(0.8) ? [head(0, 5), ...dword(offset)] : [head(0, 4), random.below(4) << 6 | 4 << 3 | 5, ...dword(offset)], usesStack: false };
  }
}
