/** The modes that a case starts in: control registers, segments, and which addresses the generator can reach through them. */
import type { Cpu } from '../../src/cpu/cpu.ts';
import { writeEflags } from '../../src/cpu/flags.ts';
import {
  AC, CR0, CR0_ET, CR0_PE, CR0_PG, CR3, CR4, CS, EFLAGS, EIP, GDT_BASE, GDT_LIMIT, HF_CPL_MASK, HFLAGS, ID, IDT_BASE, IDT_LIMIT, IOPL, LDT_ATTR, LDT_BASE, LDT_LIMIT,
  LDT_SEL, RF, TF, TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL, VM,
} from '../../src/cpu/state.ts';
import { loadFloats } from '../vectors/float-state.ts';
import { randomState } from '../vectors/float-values.ts';
import { USER_CODE, USER_DATA } from '../vectors/layout.ts';
import { Random } from '../vectors/random.ts';
import * as L from './layout.ts';
import { SEL } from './layout.ts';

/** A segment register: selector, base, byte limit, high dword of the descriptor, and the offsets that can be used. */
export interface SegmentState {
  readonly selector: number;
  readonly base: number;
  readonly limit: number;
  readonly attr: number;
  readonly low: number;
  readonly high: number;
}

export interface Mode {
  readonly name: string;
  readonly kind: 'real' | 'protected' | 'v86';
  readonly code32: boolean;
  readonly stack32: boolean;
  readonly user: boolean;
  readonly paging: boolean;
  /** ES CS SS DS FS GS. */
  readonly segments: readonly SegmentState[];
  /** EIP of the first byte of CODE, and ESP of STACK. */
  readonly codeEip: number;
  readonly stackBase: number;
  /** Code selectors from which the handlers go on. */
  readonly knownCs: number;
  readonly otherCs: number;
  /** What segment registers and far pointers are tried with; default: those of system.ts and hints.ts. */
  readonly selectors?: { readonly data: readonly number[]; readonly code: readonly number[] };
}

const flat = (selector: number, attr: number): SegmentState => ({ selector, base: 0, limit: -1, attr, low: 0, high: 0xffff_ffff });
const small = (selector: number, base: number, limit: number, attr: number): SegmentState => ({ selector, base, limit, attr, low: 0, high: limit });
/** Expand-down. */
const down = (selector: number, limit: number, attr: number): SegmentState => ({ selector, base: L.DATA, limit, attr, low: limit + 1, high: (attr & 0x40_0000) !== 0 ? 0xffff_ffff : 0xffff });

const dpl = (user: boolean): number => (user ? 0x6000 : 0);
const FLAT_DATA = flat(SEL.dataUser, 0xcff300), READ_ONLY = flat(SEL.readOnlyUser, 0xcff100), UNUSABLE: SegmentState = { selector: 0, base: 0, limit: 0, attr: 0, low: 1, high: 0 };
const SMALL = small(SEL.smallUser, L.DATA, 0x2ffe, 0x40f300), DATA16 = small(SEL.data16User, L.DATA, 0xbfff, 0x00f300), CODE_ALIAS = small(SEL.codeAliasUser, L.CODE, 0xfffe, 0x40f300);

interface Shape { readonly code: 'flat' | 'small' | '16'; readonly stack: 'flat' | 'small' | '16'; readonly data: 'flat' | 'small' | '16' }

function protectedMode(shape: Shape, user: boolean, paging: boolean): Mode {
  const level = dpl(user);
  const code = {
    flat: flat(user ? SEL.code32User : SEL.code32, 0xcf9b00 | level),
    small: small(user ? SEL.smallCodeUser : SEL.smallCode, L.CODE, 0x1fff, 0x409b00 | level),
    16: small(user ? SEL.code16User : SEL.code16, L.CODE, 0x1fff, 0x009b00 | level),
  }[shape.code];
  const stack = {
    flat: flat(user ? SEL.dataUser : SEL.data, 0xcf9300 | level),
    small: small(user ? SEL.stack32User : SEL.stack32, L.DATA, 0x9fff, 0x409300 | level),
    16: small(user ? SEL.data16User : SEL.data16, L.DATA, 0xbfff, 0x009300 | level),
  }[shape.stack];
  const [ds, es, fs, gs] = {
    flat: [FLAT_DATA, FLAT_DATA, READ_ONLY, UNUSABLE],
    small: [SMALL, CODE_ALIAS, down(SEL.downUser, 0xfff, 0x40f700), FLAT_DATA],
    16: [DATA16, CODE_ALIAS, down(SEL.down16User, 0xfff, 0x00f700), UNUSABLE],
  }[shape.data] as [SegmentState, SegmentState, SegmentState, SegmentState];
  const small16 = shape.code === 'flat' ? [SEL.code32, SEL.code32User] : shape.code === 'small' ? [SEL.smallCode, SEL.smallCodeUser] : [SEL.code16, SEL.code16User];
  return {
    name: `protected ${shape.code === '16' ? 16 : 32} code ${shape.code} stack ${shape.stack} data ${shape.data}${user ? ' user' : ''}${paging ? ' paging' : ''}`,
    kind: 'protected', code32: shape.code !== '16', stack32: shape.stack !== '16', user, paging,
    segments: [es, code, stack, ds, fs, gs], codeEip: L.CODE - code.base, stackBase: L.STACK - stack.base, knownCs: small16[0]!, otherCs: small16[1]!,
  };
}

/** Real and virtual-8086 mode. `big`: data segments keep the limits that protected mode gave them. */
function realMode(kind: 'real' | 'v86', paging: boolean, big = false): Mode {
  const attr = kind === 'v86' ? 0xf300 : 0x9300;
  const segment = (base: number): SegmentState => small(base >>> 4, base, 0xffff, attr);
  const large = (base: number): SegmentState => ({ ...segment(base), limit: -1, high: 0xffff_ffff, attr: attr | 0xc0_0000 });
  const data = big ? large : segment;
  return {
    name: `${big ? 'unreal' : kind}${paging ? ' paging' : ''}`, kind, code32: false, stack32: false, user: kind === 'v86', paging,
    segments: [data(L.DATA), { ...segment(L.CODE), attr: kind === 'v86' ? 0xf300 : 0x9b00 }, segment(L.DATA), data(L.DATA), segment(L.CODE), segment(L.LOW_DATA)],
    codeEip: 0, stackBase: L.STACK - L.DATA, knownCs: L.CODE >>> 4, otherCs: L.CODE >>> 4,
  };
}

const SHAPES: readonly Shape[] = [
  { code: 'flat', stack: 'flat', data: 'flat' }, { code: 'small', stack: 'small', data: 'small' }, { code: '16', stack: '16', data: '16' },
  { code: 'flat', stack: '16', data: 'small' }, { code: '16', stack: 'flat', data: 'flat' },
];

export const MODES: readonly Mode[] = [
  realMode('real', false), realMode('real', false, true), realMode('v86', false), realMode('v86', true),
  ...SHAPES.flatMap((shape) => [false, true].flatMap((user) => [false, true].map((paging) => protectedMode(shape, user, paging)))),
];

/** Usable ones, null, kernel data and code, beyond the table, in an LDT that is not there. */
const DATA_SELECTORS: readonly number[] = [USER_DATA, USER_DATA, USER_DATA, USER_CODE, 0x28, 0x20, 0x33, 0, 3, 0x18, 0x1b, 0x10, 0x100, 0x57];
/** Not 33h, which is 64-bit code. */
const CODE_SELECTORS: readonly number[] = [USER_CODE, USER_CODE, USER_CODE, 0x20, 0x21, 0, 3, USER_DATA, 0x10, 0x0b, 0x100, 0x57];

const LINUX_DATA = flat(USER_DATA, 0xcff300);

/** A 32-bit program on a 64-bit Linux: see native-world.ts. */
export const NATIVE_MODE: Mode = {
  name: 'native', kind: 'protected', code32: true, stack32: true, user: true, paging: false,
  segments: [0, 1, 2, 3, 4, 5].map((segment) => (segment === CS ? flat(USER_CODE, 0xcffb00) : LINUX_DATA)),
  codeEip: L.CODE, stackBase: L.STACK, knownCs: USER_CODE, otherCs: USER_CODE, selectors: { data: DATA_SELECTORS, code: CODE_SELECTORS },
};

/** Of a case, beside its mode. */
export interface Start {
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  readonly registers: readonly number[];
  readonly eflags: number;
  /** Bits beside PE, PG and ET. */
  readonly cr0: number;
  readonly cr4: number;
  /** Seed of the x87, MMX and SSE state; 0: as after a reset. */
  readonly floats: number;
}

const SETTABLE_FLAGS = 0xcd5 | TF | 0x200 | IOPL | 0x4000 | RF | AC | ID;

/** Brings a processor that was reset into a mode, at an offset of the code. */
export function enterMode(cpu: Cpu, mode: Mode, start: Start, codeOffset: number): void {
  const { R } = cpu;
  R[CR0] = CR0_ET | start.cr0 | (mode.kind === 'real' ? 0 : CR0_PE) | (mode.paging ? CR0_PG : 0);
  R[CR3] = L.PAGE_DIRECTORY;
  R[CR4] = start.cr4;
  R[GDT_BASE] = L.GDT;
  R[GDT_LIMIT] = L.GDT_LIMIT_BYTES;
  R[IDT_BASE] = mode.kind === 'real' ? 0 : L.IDT;
  R[IDT_LIMIT] = mode.kind === 'real' ? 0x3ff : 0x7ff;
  if (mode.kind !== 'real') {
    R[LDT_SEL] = SEL.ldt;
    R[LDT_BASE] = L.LDT;
    R[LDT_LIMIT] = L.LDT_LIMIT_BYTES;
    R[LDT_ATTR] = 0x8200;
    R[TR_SEL] = SEL.tss;
    R[TR_BASE] = L.TSS;
    R[TR_LIMIT] = 0xe8;
    R[TR_ATTR] = 0x8b00;
  }
  if (start.floats !== 0) loadFloats(R, randomState(new Random(start.floats)));
  writeEflags(R, start.eflags, SETTABLE_FLAGS);
  if (mode.kind === 'v86') R[EFLAGS] = R[EFLAGS]! | VM;
  mode.segments.forEach(({ selector, base, limit, attr }, seg) => cpu.setSegment(seg, selector, base, limit, attr));
  R.set(start.registers, 0);
  R[EIP] = mode.codeEip + codeOffset;
  R[HFLAGS] = R[HFLAGS]! & ~HF_CPL_MASK | (mode.user ? 3 : 0);
  cpu.updateHflags();
  cpu.flushTlb();
}
