/**
 * Takes a processor's whole state over from what QEMU's monitor says of it (`info registers`): hidden parts of segments, tables, control and
 * debug registers, x87, SSE. Model-specific registers but EFER are not told.
 */
import type { Cpu } from '../../src/cpu/cpu.ts';
import { writeEflags } from '../../src/cpu/flags.ts';
import { FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_SW, FPU_TW } from '../../src/cpu/fpu/state.ts';
import { MXCSR, XMM } from '../../src/cpu/simd/state.ts';
import {
  CR0, CR2, CR3, CR4, CR4_PAE, DR, EAX, EBP, EBX, ECX, EDI, EDX, EFER, EIP, ESI, ESP, GDT_BASE, GDT_LIMIT, HALTED, HF_INHIBIT_IRQ, HFLAGS, IDT_BASE, IDT_LIMIT, LDT_ATTR, LDT_BASE, LDT_LIMIT, LDT_SEL,
  PDPTE, TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL,
} from '../../src/cpu/state.ts';

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];
const SLOTS: Readonly<Record<string, number>> = {
  EAX, EBX, ECX, EDX, ESI, EDI, EBP, ESP, EIP, CR0, CR2, CR3, CR4, HLT: HALTED, FCW: FPU_CW, FSW: FPU_SW, MXCSR, EFER,
  ...Object.fromEntries([0, 1, 2, 3, 6, 7].map((i) => [`DR${i}`, DR + i])),
};
const EMPTY = 3;

const word = (hex: string): number => Number.parseInt(hex, 16) | 0;

/** @throws Error if the text is not what QEMU prints */
export function takeOver(cpu: Cpu, text: string): void {
  const { R } = cpu;
  const single = new Map([...text.matchAll(/\b([A-Z][A-Z0-9]*) ?=([0-9a-f]+)\b/g)].map(([, name, hex]) => [name!, hex!]));
  const value = (name: string): number => {
    const hex = single.get(name);
    if (hex === undefined) throw new Error(`QEMU does not tell ${name}`);
    return word(hex.slice(-8));
  };
  const row = (name: string): number[] => {
    const [, words] = new RegExp(`^${name} *= *([0-9a-f ]+)`, 'm').exec(text) ?? [];
    if (words === undefined) throw new Error(`QEMU does not tell ${name}`);
    return words.trim().split(/ +/).map(word);
  };
  for (const [name, slot] of Object.entries(SLOTS)) R[slot] = value(name);
  writeEflags(R, value('EFL'), -1);
  cpu.setCpl(value('CPL'));
  SEGMENTS.forEach((name, seg) => {
    const [selector, base, limit, attributes] = row(name);
    cpu.setSegment(seg, selector!, base!, limit!, attributes! & 0xf0ff00);
  });
  for (const [name, first] of [['LDT', [LDT_SEL, LDT_BASE, LDT_LIMIT, LDT_ATTR]], ['TR', [TR_SEL, TR_BASE, TR_LIMIT, TR_ATTR]], ['GDT', [GDT_BASE, GDT_LIMIT]], ['IDT', [IDT_BASE, IDT_LIMIT]]] as const) {
    const words = row(name);
    first.forEach((slot, i) => { R[slot] = words[i]!; });
  }
  // FTW has a bit for each register that is not empty.
  const used = value('FTW');
  R[FPU_TW] = Array.from({ length: 8 }, (_, i) => ((used >> i & 1) !== 0 ? 0 : EMPTY) << 2 * i).reduce((all, tag) => all | tag, 0);
  for (const [, i, high, low, exponent] of text.matchAll(/FPR(\d)=([0-9a-f]{8})([0-9a-f]{8}) ([0-9a-f]{4})/g)) {
    R[FPU_LOW + 2 * Number(i)] = word(low!);
    R[FPU_HIGH + 2 * Number(i)] = word(high!);
    R[FPU_EXP + Number(i)] = word(exponent!);
  }
  for (const [, i, ...words] of text.matchAll(/XMM(\d\d)=([0-9a-f]{8})([0-9a-f]{8}) ([0-9a-f]{8})([0-9a-f]{8})/g)) {
    words.reverse().forEach((hex, at) => { R[XMM + 4 * Number(i) + at] = word(hex); });
  }
  if ((R[CR4]! & CR4_PAE) !== 0) for (let i = 0; i < 8; i++) R[PDPTE + i] = cpu.readPhysical((R[CR3]! & ~31) + 4 * i);
  R[HFLAGS] = R[HFLAGS]! & ~HF_INHIBIT_IRQ | (value('II') !== 0 ? HF_INHIBIT_IRQ : 0);
  cpu.setA20(value('A20') !== 0);
  cpu.updateHflags();
  cpu.flushTlb();
}
