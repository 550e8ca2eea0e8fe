/** RDMSR, WRMSR, RDPMC, RDTSC. Intel SDM vol. 2, those instructions; vol. 4, tables of registers. */
import type { CpuContext } from './context.ts';
import { CR4_PCE, CR4_TSD } from './control-registers.ts';
import { isNxDisabled } from './cpuid.ts';
import { currentCpl } from './descriptor.ts';
import { requireRing0 } from './table-registers.ts';
import { TSC_AUX } from '../msrs.ts';
import { CR4, EAX, ECX, EDX, EFER, EFER_NXE, EFER_SCE, EXC_GP, FS, GS, SEG_ATTR, SEG_BASE, SEG_LIMIT, SEG_SEL, SYSENTER } from '../state.ts';

const IA32_TSC = 0x10, IA32_APIC_BASE = 0x1b, IA32_SYSENTER_CS = 0x174, IA32_SYSENTER_EIP = 0x176, IA32_EFER = 0xc0000080 | 0;
const IA32_FS_BASE = 0xc0000100 | 0, IA32_GS_BASE = 0xc0000101 | 0;
const PERFORMANCE_COUNTERS = 2, PERFCTR0 = 0xc1;

function give(cpu: CpuContext, low: number, high: number): void {
  cpu.R[EAX] = low;
  cpu.R[EDX] = high;
}

/** The segment register whose base this register is; -1 for all others. */
function segmentOf({ model }: CpuContext, msr: number): number {
  if ((msr !== IA32_FS_BASE && msr !== IA32_GS_BASE) || !model.features.has('basemsr')) return -1;
  return msr === IA32_FS_BASE ? FS : GS;
}

/** Changes the hidden base alone. Linear addresses have 32 bits (CPUID leaf 80000008h), so no other base is canonical. */
function setBase(cpu: CpuContext, seg: number, low: number, high: number): void {
  if (high !== 0) cpu.raise(EXC_GP, 0);
  const R = cpu.R;
  cpu.setSegment(seg, R[SEG_SEL + seg]!, low, R[SEG_LIMIT + seg]!, R[SEG_ATTR + seg]!);
  cpu.updateHflags();
}

export function rdmsr(cpu: CpuContext): void {
  requireRing0(cpu);
  const R = cpu.R, msr = R[ECX]!, { features } = cpu.model, segment = segmentOf(cpu, msr);
  if (msr === IA32_TSC && features.has('tsc')) {
    cpu.sampleTsc();
    give(cpu, cpu.tscLow, cpu.tscHigh);
  } else if (msr >= IA32_SYSENTER_CS && msr <= IA32_SYSENTER_EIP && features.has('sep')) give(cpu, R[SYSENTER + msr - IA32_SYSENTER_CS]!, 0);
  else if (msr === IA32_EFER && features.has('nx')) give(cpu, R[EFER]!, 0);
  else if (msr === IA32_APIC_BASE && cpu.apicBase !== null) give(cpu, cpu.apicBase.read(), 0);
  else if (segment >= 0) give(cpu, R[SEG_BASE + segment]!, 0);
  else {
    if (!cpu.msrs.has(msr)) cpu.raise(EXC_GP, 0);
    give(cpu, cpu.msrs.low(msr), cpu.msrs.high(msr));
  }
}

export function wrmsr(cpu: CpuContext): void {
  requireRing0(cpu);
  const R = cpu.R, msr = R[ECX]!, low = R[EAX]!, high = R[EDX]!, { features } = cpu.model, segment = segmentOf(cpu, msr);
  if (msr === IA32_TSC && features.has('tsc')) cpu.setTsc(low, high);
  else if (msr >= IA32_SYSENTER_CS && msr <= IA32_SYSENTER_EIP && features.has('sep')) R[SYSENTER + msr - IA32_SYSENTER_CS] = low;
  else if (msr === IA32_EFER && features.has('nx')) {
    // There is no long mode, and SYSCALL is #UD outside of it, whatever SCE says.
    const allowed = (isNxDisabled(cpu) ? 0 : EFER_NXE) | (features.has('basemsr') ? EFER_SCE : 0);
    if ((low & ~allowed) !== 0 || high !== 0) cpu.raise(EXC_GP, 0);
    R[EFER] = low;
    cpu.flushTlb();
  } else if (msr === IA32_APIC_BASE && cpu.apicBase !== null) {
    if (!cpu.apicBase.write(low, high)) cpu.raise(EXC_GP, 0);
  } else if (segment >= 0) setBase(cpu, segment, low, high);
  else if (!cpu.msrs.set(msr, low, high)) cpu.raise(EXC_GP, 0);
}

export function rdtsc(cpu: CpuContext): void {
  if ((cpu.R[CR4]! & CR4_TSD) !== 0 && currentCpl(cpu) !== 0) cpu.raise(EXC_GP, 0);
  cpu.sampleTsc();
  give(cpu, cpu.tscLow, cpu.tscHigh);
}

/** ECX gets IA32_TSC_AUX: the number that the system has given this processor. */
export function rdtscp(cpu: CpuContext): void {
  rdtsc(cpu);
  cpu.R[ECX] = cpu.msrs.low(TSC_AUX);
}

/** The counters count nothing: they hold what was written. */
export function rdpmc(cpu: CpuContext): void {
  const R = cpu.R, counter = R[ECX]! >>> 0;
  if (((R[CR4]! & CR4_PCE) === 0 && currentCpl(cpu) !== 0) || counter >= PERFORMANCE_COUNTERS) cpu.raise(EXC_GP, 0);
  give(cpu, cpu.msrs.low(PERFCTR0 + counter), cpu.msrs.high(PERFCTR0 + counter));
}
