/**
 * Control and debug registers, and what goes with them: MOV CR/DR, LMSW, CLTS, INVLPG, WBINVD.
 * Intel SDM vol. 3, 2.5 and 17.2; vol. 2, MOV to control registers. The model is a 486 with CR4.PSE and CR4.TSD.
 */
import type { CpuContext } from './context.ts';
import { requireRing0 } from './table-registers.ts';
import {
  CR0, CR0_AM, CR0_CD, CR0_EM, CR0_ET, CR0_MP, CR0_NE, CR0_NW, CR0_PE, CR0_PG, CR0_TS, CR0_WP, CR2, CR3, CR4, DR, EXC_DB, EXC_GP, EXC_UD,
} from '../state.ts';

/** CR4: RDTSC is privileged; 4 MB pages. */
export const CR4_TSD = 1 << 2, CR4_PSE = 1 << 4;
const CR4_DEFINED = CR4_TSD | CR4_PSE;
/** CR0 bits that can be written; the others read as 0, ET as 1. */
const CR0_DEFINED = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
/** A change of these makes translations stale. */
const CR0_TRANSLATION = CR0_PG | CR0_WP;

const DR6_FIXED = 0xffff0ff0 | 0;
/** DR6.BD: a debug register was accessed while DR7.GD was set. */
const DR6_BD = 1 << 13, DR7_GD = 1 << 13, DR7_FIXED = 0x400, DR7_ZERO = 0xd800;

function writeCr0(cpu: CpuContext, value: number): void {
  const R = cpu.R;
  const old = R[CR0]!, next = value & CR0_DEFINED | CR0_ET;
  if ((next & (CR0_PG | CR0_PE)) === CR0_PG || (next & (CR0_NW | CR0_CD)) === CR0_NW) cpu.raise(EXC_GP, 0);
  R[CR0] = next;
  if (((old ^ next) & CR0_TRANSLATION) !== 0) cpu.flushTlb();
  cpu.updateHflags();
}

export function mov_from_cr(cpu: CpuContext, register: number): number {
  requireRing0(cpu);
  switch (register) {
    case 0: return cpu.R[CR0]!;
    case 2: return cpu.R[CR2]!;
    case 3: return cpu.R[CR3]!;
    case 4: return cpu.R[CR4]!;
    default: return cpu.raise(EXC_UD);
  }
}

export function mov_to_cr(cpu: CpuContext, register: number, value: number): void {
  requireRing0(cpu);
  const R = cpu.R;
  switch (register) {
    case 0:
      writeCr0(cpu, value);
      break;
    case 2:
      R[CR2] = value;
      break;
    case 3:
      R[CR3] = value;
      cpu.flushTlb();
      break;
    case 4:
      if ((value & ~CR4_DEFINED) !== 0) cpu.raise(EXC_GP, 0);
      R[CR4] = value;
      cpu.flushTlb();
      break;
    default:
      cpu.raise(EXC_UD);
  }
}

/** LMSW loads PE, MP, EM and TS; it can set PE but not clear it. */
export function lmsw(cpu: CpuContext, value: number): void {
  requireRing0(cpu);
  const mask = CR0_MP | CR0_EM | CR0_TS | (value & CR0_PE);
  writeCr0(cpu, cpu.R[CR0]! & ~mask | value & mask);
}

export function clts(cpu: CpuContext): void {
  requireRing0(cpu);
  cpu.R[CR0] = cpu.R[CR0]! & ~CR0_TS;
  cpu.updateHflags();
}

/** DR4 and DR5 are DR6 and DR7 (there is no CR4.DE). */
function debugSlot(cpu: CpuContext, register: number): number {
  requireRing0(cpu);
  const R = cpu.R;
  if ((R[DR + 7]! & DR7_GD) !== 0) {
    R[DR + 6] = R[DR + 6]! | DR6_BD;
    // The handler may use the registers.
    R[DR + 7] = R[DR + 7]! & ~DR7_GD;
    cpu.raise(EXC_DB);
  }
  return DR + (register === 4 || register === 5 ? register + 2 : register);
}

export const mov_from_dr = (cpu: CpuContext, register: number): number => cpu.R[debugSlot(cpu, register)]!;

export function mov_to_dr(cpu: CpuContext, register: number, value: number): void {
  const slot = debugSlot(cpu, register);
  cpu.R[slot] = slot === DR + 6 ? value & 0xe00f | DR6_FIXED : slot === DR + 7 ? value & ~DR7_ZERO | DR7_FIXED : value;
  cpu.updateHflags();
}

export function invlpg(cpu: CpuContext, linear: number): void {
  requireRing0(cpu);
  cpu.flushPage(linear);
}

/** WBINVD and INVD: there is no cache to write back, but they are privileged. */
export const wbinvd = (cpu: CpuContext): void => requireRing0(cpu);
