/** FXSAVE, FXRSTOR, LDMXCSR, MASKMOVQ and MASKMOVDQU: the instructions of MMX and SSE that may fault in the middle (SDM vol. 1, 10.5). */
import type { DataAccess } from '../fpu/memory.ts';
import { FPU_CW, FPU_EXP, FPU_FCS, FPU_FDP, FPU_FDS, FPU_FIP, FPU_FOP, FPU_HIGH, FPU_LOW } from '../fpu/state.ts';
import { FpuUnit } from '../fpu/unit.ts';
import { CR4, CR4_OSFXSR, EXC_GP } from '../state.ts';
import { MXCSR, MXCSR_VALID, XMM } from './state.ts';

/** What the helpers need of the processor. */
export interface SimdContext extends DataAccess {
  raise(vector: number, errorCode?: number): never;
}

const AREA = 512, REGISTERS = 32, XMM_AREA = 160, TAG_EMPTY = 3;

interface Functions {
  readonly fxsave: (va: number) => void;
  readonly fxrstor: (va: number) => void;
  readonly ldmxcsr: (value: number) => void;
  readonly maskmov: (va: number, data: number, mask: number, size: number) => void;
}

export function createFxsave(cpu: SimdContext): Functions {
  const { R } = cpu;
  const unit = new FpuUnit(R);
  const bytes = new Uint8Array(R.buffer, R.byteOffset);

  function begin(va: number, write: boolean): void {
    if ((va & 15) !== 0) cpu.raise(EXC_GP, 0);
    cpu.probe(va, AREA, write);
  }

  /** One bit a physical register: 1 if it is not empty. */
  function abridgedTags(): number {
    let tags = 0;
    for (let register = 0; register < 8; register++) if ((unit.tagWord >> 2 * register & 3) !== TAG_EMPTY) tags |= 1 << register;
    return tags;
  }

  return {
    fxsave(va) {
      begin(va, true);
      cpu.store16(va, R[FPU_CW]!);
      cpu.store16(va + 2 | 0, unit.status);
      cpu.store16(va + 4 | 0, abridgedTags());
      cpu.store16(va + 6 | 0, R[FPU_FOP]!);
      cpu.store32(va + 8 | 0, R[FPU_FIP]!);
      cpu.store32(va + 12 | 0, R[FPU_FCS]! & 0xffff);
      cpu.store32(va + 16 | 0, R[FPU_FDP]!);
      cpu.store32(va + 20 | 0, R[FPU_FDS]! & 0xffff);
      cpu.store32(va + 24 | 0, R[MXCSR]!);
      cpu.store32(va + 28 | 0, MXCSR_VALID);
      for (let i = 0; i < 8; i++) {
        const register = unit.top + i & 7, at = va + REGISTERS + 16 * i | 0;
        cpu.store32(at, R[FPU_LOW + 2 * register]!);
        cpu.store32(at + 4 | 0, R[FPU_HIGH + 2 * register]!);
        cpu.store32(at + 8 | 0, R[FPU_EXP + register]!);
        cpu.store32(at + 12 | 0, 0);
      }
      if ((R[CR4]! & CR4_OSFXSR) === 0) return;
      for (let word = 0; word < 32; word++) cpu.store32(va + XMM_AREA + 4 * word | 0, R[XMM + word]!);
    },
    fxrstor(va) {
      begin(va, false);
      const mxcsr = cpu.load32(va + 24 | 0);
      if ((mxcsr & ~MXCSR_VALID) !== 0) cpu.raise(EXC_GP, 0);
      const tags = cpu.load8(va + 4 | 0);
      let tagWord = 0;
      for (let register = 0; register < 8; register++) if ((tags >> register & 1) === 0) tagWord |= TAG_EMPTY << 2 * register;
      unit.tagWord = tagWord;
      unit.control = cpu.load16(va);
      unit.status = cpu.load16(va + 2 | 0);
      R[FPU_FOP] = cpu.load16(va + 6 | 0) & 0x7ff;
      R[FPU_FIP] = cpu.load32(va + 8 | 0);
      R[FPU_FCS] = cpu.load16(va + 12 | 0);
      R[FPU_FDP] = cpu.load32(va + 16 | 0);
      R[FPU_FDS] = cpu.load16(va + 20 | 0);
      for (let i = 0; i < 8; i++) {
        const register = unit.top + i & 7, at = va + REGISTERS + 16 * i | 0;
        R[FPU_LOW + 2 * register] = cpu.load32(at);
        R[FPU_HIGH + 2 * register] = cpu.load32(at + 4 | 0);
        R[FPU_EXP + register] = cpu.load16(at + 8 | 0);
      }
      R[MXCSR] = mxcsr;
      if ((R[CR4]! & CR4_OSFXSR) === 0) return;
      for (let word = 0; word < 32; word++) R[XMM + word] = cpu.load32(va + XMM_AREA + 4 * word | 0);
    },
    ldmxcsr(value) {
      if ((value & ~MXCSR_VALID) !== 0) cpu.raise(EXC_GP, 0);
      R[MXCSR] = value;
    },
    /** Bytes whose mask has its top bit set. Nothing is written if one of them cannot be. */
    maskmov(va, data, mask, size) {
      const chosen = Array.from({ length: size }, (_, i) => i).filter((i) => bytes[mask * 4 + i]! > 127);
      for (const i of chosen) cpu.probe(va + i | 0, 1, true);
      for (const i of chosen) cpu.store8(va + i | 0, bytes[data * 4 + i]!);
    },
  };
}
