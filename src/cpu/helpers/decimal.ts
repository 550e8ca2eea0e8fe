/**
 * Decimal adjustment: DAA, DAS, AAA, AAS, AAM, AAD. Intel SDM vol. 2, those instructions; flags that the manual leaves
 * undefined are those of an AMD processor (recorded in test/cpu/helpers/data): the adjustments behave as one
 * addition or subtraction, of a byte for DAA and DAS, of a word for AAA and AAS.
 */
import type { CpuContext } from './context.ts';
import {
  CC_OP_ADDB, CC_OP_ADDW, CC_OP_LOGICB, CC_OP_SUBB, CC_OP_SUBW, computeAll, readStatusFlags, writeStatusFlags,
} from '../flags.ts';
import { AF, CF, EAX, EXC_DE } from '../state.ts';

const setAl = (cpu: CpuContext, al: number): void => { cpu.R[EAX] = cpu.R[EAX]! & ~0xff | al & 0xff; };
const setAx = (cpu: CpuContext, ax: number): void => { cpu.R[EAX] = cpu.R[EAX]! & ~0xffff | ax & 0xffff; };

/** What DAA adds and DAS subtracts, and the AF and CF that follow from the digits. */
function packedAdjustment(al: number, flags: number): { adjustment: number; carries: number } {
  const low = (al & 15) > 9 || (flags & AF) !== 0, high = al > 0x99 || (flags & CF) !== 0;
  return { adjustment: (low ? 6 : 0) + (high ? 0x60 : 0), carries: (low ? AF : 0) | (high ? CF : 0) };
}

export function daa(cpu: CpuContext): void {
  const al = cpu.R[EAX]! & 0xff;
  const { adjustment, carries } = packedAdjustment(al, readStatusFlags(cpu.R));
  const result = al + adjustment;
  setAl(cpu, result);
  writeStatusFlags(cpu.R, computeAll(result, adjustment, 0, CC_OP_ADDB) & ~(AF | CF) | carries);
}

export function das(cpu: CpuContext): void {
  const al = cpu.R[EAX]! & 0xff;
  const { adjustment, carries } = packedAdjustment(al, readStatusFlags(cpu.R));
  const result = al - adjustment;
  setAl(cpu, result);
  // The low digit alone can borrow too (AL below 6 with AF set).
  writeStatusFlags(cpu.R, computeAll(result, adjustment, 0, CC_OP_SUBB) & ~(AF | CF) | carries | (result < 0 ? CF : 0));
}

/** The low digit of AL goes beyond 9: AH takes the carry. */
const UNPACKED_ADJUSTMENT = 0x106;

function unpackedAdjust(cpu: CpuContext, subtract: boolean): void {
  const R = cpu.R;
  const ax = R[EAX]! & 0xffff;
  const adjust = (ax & 15) > 9 || (readStatusFlags(R) & AF) !== 0;
  const amount = adjust ? UNPACKED_ADJUSTMENT : 0;
  const result = subtract ? ax - amount : ax + amount;
  setAx(cpu, result & 0xff0f);
  writeStatusFlags(R, computeAll(result, amount, 0, subtract ? CC_OP_SUBW : CC_OP_ADDW) & ~(AF | CF) | (adjust ? AF | CF : 0));
}

export const aaa = (cpu: CpuContext): void => unpackedAdjust(cpu, false);
export const aas = (cpu: CpuContext): void => unpackedAdjust(cpu, true);

/** AL in digits of `base` (10 in the documented form): AH quotient, AL remainder; #DE for base 0. */
export function aam(cpu: CpuContext, base: number): void {
  base &= 0xff;
  if (base === 0) cpu.raise(EXC_DE);
  const al = cpu.R[EAX]! & 0xff;
  setAx(cpu, Math.trunc(al / base) << 8 | al % base);
  writeStatusFlags(cpu.R, computeAll(al % base, 0, 0, CC_OP_LOGICB));
}

/** The inverse: AL = AL + AH * base, AH = 0; flags as of that addition. */
export function aad(cpu: CpuContext, base: number): void {
  const ax = cpu.R[EAX]!;
  const product = Math.imul(ax >> 8 & 0xff, base & 0xff);
  const result = (ax & 0xff) + product & 0xff;
  setAx(cpu, result);
  writeStatusFlags(cpu.R, computeAll(result, product, 0, CC_OP_ADDB));
}
