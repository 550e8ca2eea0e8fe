/** The registers that are compared, by their names in gdb, and where our processor has them. QEMU tells no x87 tags and pointers. */
import { FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_SW } from '../../src/cpu/fpu/state.ts';
import { readEflags, writeEflags } from '../../src/cpu/flags.ts';
import { MXCSR, XMM, XMM_WORDS } from '../../src/cpu/simd/state.ts';
import { CR0, CR2, CR3, CR4, EFER, EIP, FS, GS, SEG_BASE, SEG_SEL } from '../../src/cpu/state.ts';
import type { Register } from '../../src/gdb/target.ts';
import { wordsOf } from '../../src/gdb/target.ts';

export interface Compared {
  readonly name: string;
  /** What --ignore may also call it. */
  readonly group: 'general' | 'segment' | 'control' | 'x87' | 'sse';
  /** Words of 32 bits, the lowest first. */
  readonly read: (R: Int32Array) => readonly number[];
  /** Takes a value over; null: what depends on it would have to follow. */
  readonly write: ((R: Int32Array, words: readonly number[]) => void) | null;
}

const GENERAL = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'], SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];

const slot = (name: string, group: Compared['group'], at: number, write = true): Compared => ({
  name, group, read: (R) => [R[at]!], write: write ? (R, [word]) => { R[at] = word!; } : null,
});

/** What QEMU calls st0 to st7 are the registers R0 to R7, wherever TOP is. */
function x87Register(i: number): Compared {
  return {
    name: `st${i}`, group: 'x87', read: (R) => [R[FPU_LOW + 2 * i]!, R[FPU_HIGH + 2 * i]!, R[FPU_EXP + i]! & 0xffff],
    write: (R, [low, high, exponent]) => {
      R[FPU_LOW + 2 * i] = low!;
      R[FPU_HIGH + 2 * i] = high!;
      R[FPU_EXP + i] = exponent!;
    },
  };
}

export const COMPARED: readonly Compared[] = [
  slot('eip', 'general', EIP), ...GENERAL.map((name, i) => slot(name, 'general', i)),
  { name: 'eflags', group: 'general', read: (R) => [readEflags(R)], write: (R, [word]) => writeEflags(R, word!, -1) },
  ...SEGMENTS.map((name, i) => slot(name, 'segment', SEG_SEL + i, false)),
  slot('fs_base', 'segment', SEG_BASE + FS, false), slot('gs_base', 'segment', SEG_BASE + GS, false),
  slot('cr0', 'control', CR0, false), slot('cr2', 'control', CR2), slot('cr3', 'control', CR3, false), slot('cr4', 'control', CR4, false), slot('efer', 'control', EFER, false),
  slot('fctrl', 'x87', FPU_CW), slot('fstat', 'x87', FPU_SW), ...Array.from({ length: 8 }, (_, i) => x87Register(i)),
  ...Array.from({ length: 8 }, (_, i): Compared => ({
    name: `xmm${i}`, group: 'sse', read: (R) => [...R.subarray(XMM + XMM_WORDS * i, XMM + XMM_WORDS * (i + 1))], write: (R, words) => R.set(words, XMM + XMM_WORDS * i),
  })),
  slot('mxcsr', 'sse', MXCSR),
];

export const GROUPS: readonly string[] = [...new Set(COMPARED.map(({ group }) => group))];

/** Bits of EFLAGS by the names that --ignore takes after `eflags.`. */
export const FLAG_BITS: Readonly<Record<string, number>> = {
  cf: 1, pf: 4, af: 0x10, zf: 0x40, sf: 0x80, tf: 0x100, if: 0x200, df: 0x400, of: 0x800, iopl: 0x3000, nt: 0x4000, rf: 0x10000, vm: 0x20000, ac: 0x40000, vif: 0x80000, vip: 0x100000, id: 0x200000,
};

export interface Difference {
  readonly register: Compared;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** What --ignore leaves out. */
export interface Ignored {
  readonly registers: ReadonlySet<string>;
  readonly flags: number;
}

export class Comparison {
  readonly #pairs: readonly { readonly register: Compared; readonly theirs: Register }[];
  readonly #flags: number;
  readonly #described: readonly Register[];

  /** @param described what the other side has */
  constructor(described: readonly Register[], { registers, flags }: Ignored) {
    this.#pairs = COMPARED.flatMap((register) => {
      const theirs = described.find(({ name }) => name === register.name);
      return theirs === undefined || registers.has(register.name) || registers.has(register.group) ? [] : [{ register, theirs }];
    });
    this.#flags = ~flags;
    this.#described = described;
  }

  /** What differs between the state and the data of a `g` packet. */
  differences(R: Int32Array, data: string): Difference[] {
    return this.#pairs.flatMap(({ register, theirs }) => {
      const other = wordsOf(theirs, data), own = register.read(R);
      if (other === null) return [];
      const mask = register.name === 'eflags' ? this.#flags : -1;
      return own.some((word, i) => ((word ^ (other[i] ?? 0)) & mask) !== 0) ? [{ register, ours: own, theirs: other }] : [];
    });
  }

  /** A register of the other side; 0 if it has none of that name. */
  value(name: string, data: string): number {
    const found = this.#described.find((register) => register.name === name);
    return found === undefined ? 0 : wordsOf(found, data)?.[0] ?? 0;
  }
}

/** `eax`, `x87`, `eflags.af`, comma separated. @throws Error naming the one that there is not */
export function parseIgnored(text: string): Ignored {
  const registers = new Set<string>();
  let flags = 0;
  for (const name of text.toLowerCase().split(',')) {
    const flag = name.startsWith('eflags.') ? FLAG_BITS[name.slice(7)] : undefined;
    if (flag !== undefined) flags |= flag;
    else if (COMPARED.some((register) => register.name === name) || GROUPS.includes(name)) registers.add(name);
    else throw new Error(`no register '${name}' (${COMPARED.map((register) => register.name).join(' ')}; groups ${GROUPS.join(' ')}; flags eflags.af and so on)`);
  }
  return { registers, flags };
}
