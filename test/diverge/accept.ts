/**
 * What two right processors may do differently at an instruction: flags and results that the manual leaves undefined, what devices, clocks and
 * CPUID answer, and x87's transcendental functions, which differ in the last place; and C1 of x87, which QEMU does not tell rounding by. There the
 * other side's values are taken over.
 */
import { disassembleX87 } from '../../src/cpu/decode/disasm-x87.ts';
import type { Insn } from '../../src/cpu/decode/insn.ts';
import { SW_C1 } from '../../src/cpu/fpu/unit.ts';
import { STATUS_FLAGS } from '../../src/cpu/state.ts';
import { shiftCount, undefinedAfter } from '../fuzz/flag-use.ts';
import { ESTIMATES, TRANSCENDENTAL } from '../vectors/undefined-floats.ts';

export interface Accepted {
  /** Bits of EFLAGS and of x87's status word. */
  readonly flags: number;
  readonly status: number;
  /** Names of registers, or of their groups. */
  readonly registers: readonly string[];
  /** What was stored in memory. */
  readonly stores: boolean;
}

const NOTHING: Accepted = { flags: 0, status: 0, registers: [], stores: false };
const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const POINTERS = ['fnstenv', 'fnsave'];
const FROM_OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  IN: ['eax'], RDTSC: ['eax', 'edx'], RDTSCP: ['eax', 'edx', 'ecx'], RDPMC: ['eax', 'edx'], RDMSR: ['eax', 'edx'], CPUID: ['eax', 'ebx', 'ecx', 'edx'],
};

/**
 * @param insn the instruction, null if it is none
 * @param before the state before it
 * @param touched it has read from a device's memory, ROM or video memory
 */
export function acceptedAt(insn: Insn | null, before: Int32Array, touched: boolean): Accepted {
  if (insn === null) return NOTHING;
  const { mnemonic } = insn.row;
  if (touched) return { ...NOTHING, flags: STATUS_FLAGS, registers: [...REGISTERS.filter((name) => name !== 'esp'), 'x87', 'sse'], stores: true };
  if (mnemonic === 'INS') return { ...NOTHING, stores: true };
  const outside = FROM_OUTSIDE[mnemonic];
  if (outside !== undefined) return { ...NOTHING, registers: outside };
  if (mnemonic === 'RDRAND' || mnemonic === 'RDSEED') return { ...NOTHING, flags: STATUS_FLAGS, registers: [REGISTERS[insn.rm]!] };
  if (ESTIMATES.includes(mnemonic)) return { ...NOTHING, registers: [`xmm${insn.reg}`] };
  if (mnemonic.startsWith('ESC')) {
    const [name] = disassembleX87(insn, () => 'm').split(' ');
    // Pointers to the last instruction are not told, and not kept by QEMU; FXAM's C1 is the sign.
    return { ...NOTHING, status: name === 'fxam' ? 0 : SW_C1, registers: TRANSCENDENTAL.includes(name!) ? ['x87'] : [], stores: POINTERS.includes(name!) };
  }
  const target = insn.mod === 3 ? REGISTERS[insn.rm]! : null;
  const undefinedResult = (mnemonic === 'SHLD' || mnemonic === 'SHRD') && shiftCount(insn, before) > 8 * insn.opSize;
  if (undefinedResult) return { ...NOTHING, flags: STATUS_FLAGS, registers: target === null ? [] : [target], stores: target === null };
  if (mnemonic === 'BSWAP' && insn.opSize === 2) return { ...NOTHING, registers: [REGISTERS[insn.row.opcode & 7]!] };
  if (mnemonic === 'FXSAVE') return { ...NOTHING, stores: true };
  return { ...NOTHING, flags: undefinedAfter(insn, before, 0) };
}
