/**
 * Control and debug registers, and what goes with them: MOV CR/DR, LMSW, CLTS, INVLPG, WBINVD.
 * Intel SDM vol. 3, 2.5 and 17.2; vol. 2, MOV to control registers. The model decides which bits of CR4 there are.
 */
import type { CpuContext } from './context.ts';
import { requireRing0 } from './table-registers.ts';
import { CR4_DE, CR4_OSFXSR, CR4_OSXMMEXCPT, CR4_PAE, CR4_PGE, CR4_PSE, CR4_SMAP, CR4_SMEP, CR4_UMIP } from '../state.ts';
import {
  CR0, CR0_AM, CR0_CD, CR0_EM, CR0_ET, CR0_MP, CR0_NE, CR0_NW, CR0_PE, CR0_PG, CR0_TS, CR0_WP, CR2, CR3, CR4, DR, EXC_DB, EXC_GP, EXC_UD, PDPTE,
} from '../state.ts';

const CR4_VME = 1 << 0, CR4_PVI = 1 << 1, CR4_MCE = 1 << 6;
/** RDTSC is privileged; RDPMC is not. */
export const CR4_TSD = 1 << 2, CR4_PCE = 1 << 8;
/** The bits of a feature. */
const CR4_BITS: readonly (readonly [feature: string, bits: number])[] = [
  ['vme', CR4_VME | CR4_PVI], ['tsc', CR4_TSD], ['de', CR4_DE], ['pse', CR4_PSE], ['pae', CR4_PAE], ['mce', CR4_MCE], ['pge', CR4_PGE], ['pmc', CR4_PCE],
  ['fxsr', CR4_OSFXSR], ['sse', CR4_OSXMMEXCPT], ['umip', CR4_UMIP], ['smep', CR4_SMEP], ['smap', CR4_SMAP],
];
/** A change of these makes translations stale. */
const CR4_TRANSLATION = CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP;
/** CR0 bits that can be written; the others read as 0, ET as 1. */
const CR0_DEFINED = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
/** A change of these makes translations stale. */
const CR0_TRANSLATION = CR0_PG | CR0_WP;

/** Reserved in a present page-directory-pointer entry; physical addresses have 36 bits. */
const PDPTE_RESERVED = 0x1e6, PHYSICAL_HIGH = 15;

const DR6_FIXED = 0xffff0ff0 | 0;
/** DR6.BD: a debug register was accessed while DR7.GD was set. */
const DR6_BD = 1 << 13, DR7_GD = 1 << 13, DR7_FIXED = 0x400, DR7_ZERO = 0xd800;

const usesPae = (cr0: number, cr4: number): boolean => (cr0 & CR0_PG) !== 0 && (cr4 & CR4_PAE) !== 0;

/** The page-directory-pointer entries that CR3 names; #GP if a present one has a reserved bit set (SDM vol. 3, 4.4.1). */
export function loadPdptes(cpu: CpuContext, cr3: number): void {
  const entries: number[] = [];
  for (let i = 0; i < 4; i++) {
    const at = (cr3 & ~31) + 8 * i | 0, low = cpu.readPhysical(at), high = cpu.readPhysical(at + 4 | 0);
    if ((low & 1) !== 0 && ((low & PDPTE_RESERVED) !== 0 || (high & ~PHYSICAL_HIGH) !== 0)) cpu.raise(EXC_GP, 0);
    entries.push(low, high);
  }
  entries.forEach((word, i) => { cpu.R[PDPTE + i] = word; });
}

function writeCr4(cpu: CpuContext, value: number): void {
  const R = cpu.R, { features } = cpu.model, old = R[CR4]!;
  const defined = CR4_BITS.reduce((bits, [feature, own]) => (features.has(feature) ? bits | own : bits), 0);
  if ((value & ~defined) !== 0) cpu.raise(EXC_GP, 0);
  if (usesPae(R[CR0]!, value) && ((old ^ value) & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) !== 0) loadPdptes(cpu, R[CR3]!);
  R[CR4] = value;
  if (((old ^ value) & CR4_TRANSLATION) !== 0) cpu.flushTlb();
  cpu.updateHflags();
}

function writeCr0(cpu: CpuContext, value: number): void {
  const R = cpu.R;
  const old = R[CR0]!, next = value & CR0_DEFINED | CR0_ET;
  if ((next & (CR0_PG | CR0_PE)) === CR0_PG || (next & (CR0_NW | CR0_CD)) === CR0_NW) cpu.raise(EXC_GP, 0);
  if ((old & CR0_PG) === 0 && usesPae(next, R[CR4]!)) loadPdptes(cpu, R[CR3]!);
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
      if (usesPae(R[CR0]!, R[CR4]!)) loadPdptes(cpu, value);
      R[CR3] = value;
      cpu.flushTlb(true);
      break;
    case 4:
      writeCr4(cpu, value);
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

/** DR4 and DR5 are DR6 and DR7, or with CR4.DE not there. */
function debugSlot(cpu: CpuContext, register: number): number {
  requireRing0(cpu);
  const R = cpu.R;
  if ((register & 6) === 4 && (R[CR4]! & CR4_DE) !== 0) cpu.raise(EXC_UD);
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
  cpu.watchpointsChanged();
  cpu.updateHflags();
}

export function invlpg(cpu: CpuContext, linear: number): void {
  requireRing0(cpu);
  cpu.flushPage(linear);
}

/** WBINVD and INVD: there is no cache to write back, but they are privileged. */
export const wbinvd = (cpu: CpuContext): void => requireRing0(cpu);
