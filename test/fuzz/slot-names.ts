/** Names of state slots, for messages. */
import { MXCSR, XMM } from '../../src/cpu/simd/state.ts';
import * as S from '../../src/cpu/state.ts';

const NAMES: Record<number, string> = {};
S.GLOBAL_NAMES.forEach((name, slot) => { NAMES[slot] = name; });
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
for (const [at, part] of [[S.SEG_SEL, 'selector'], [S.SEG_LIMIT, 'limit'], [S.SEG_ATTR, 'attributes'], [S.SEG_RLO, 'lowest to read'], [S.SEG_RHI, 'highest to read'], [S.SEG_WLO, 'lowest to write'],
  [S.SEG_WHI, 'highest to write']] as const) SEGMENTS.forEach((name, i) => { NAMES[at + i] = `${name} ${part}`; });
const SINGLE = {
  eflags: S.EFLAGS, hflags: S.HFLAGS, ldtr: S.LDT_SEL, 'ldt base': S.LDT_BASE, 'ldt limit': S.LDT_LIMIT, 'ldt attributes': S.LDT_ATTR, tr: S.TR_SEL, 'tr base': S.TR_BASE, 'tr limit': S.TR_LIMIT,
  'tr attributes': S.TR_ATTR, 'gdt base': S.GDT_BASE, 'gdt limit': S.GDT_LIMIT, 'idt base': S.IDT_BASE, 'idt limit': S.IDT_LIMIT, cr0: S.CR0, cr2: S.CR2, cr3: S.CR3, cr4: S.CR4, halted: S.HALTED,
  intr: S.INTR, 'nmi pending': S.NMI_PENDING, 'nmi blocked': S.NMI_BLOCKED, 'reset request': S.RESET_REQUEST,
};
for (const [name, slot] of Object.entries(SINGLE)) NAMES[slot] = name;
for (let i = 0; i < 8; i++) NAMES[S.DR + i] = `dr${i}`;
for (let i = 0; i < 64; i++) NAMES[S.FPU + i] = `x87 word ${i}`;
for (let i = 0; i < 32; i++) NAMES[XMM + i] = `xmm${i >> 2} word ${i & 3}`;
NAMES[MXCSR] = 'mxcsr';

/** By slot. */
export const SLOT_NAMES: Readonly<Record<number, string>> = NAMES;
