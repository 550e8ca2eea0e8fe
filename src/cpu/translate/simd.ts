/** MMX, SSE, SSE2 and SSE3 instructions that compute (SDM vol. 1, 5.4 to 5.7): a helper each, on slots of the state. */
import { LT, NE } from '../../tcg/conditions.ts';
import { FPU_TW } from '../fpu/state.ts';
import { LANES, SAME_AS } from '../simd/lanes.ts';
import { packedName } from '../simd/helpers.ts';
import { MXCSR, SIMD_BYTES } from '../simd/state.ts';
import { DS, EDI, EXC_NM, EXC_UD, EXC_XM, HF_EM, HF_OSFXSR, HF_TS } from '../state.ts';
import { raise } from './block-end.ts';
import { ANY } from './context.ts';
import type { Context } from './context.ts';
import { forAll } from './emitter.ts';
import type { Emit, Family } from './emitter.ts';
import { access, load, wrapAddress } from './memory.ts';
import { operandAddress, read, write } from './operands.ts';
import { enterMmx, isMmx, registerSlot, simd, sourceSlot } from './simd-operands.ts';

/** Logical instructions need no helper. */
const LOGIC: Readonly<Record<string, (ctx: Context, out: number, a: number, b: number) => void>> = {
  PAND: (ctx, out, a, b) => ctx.b.and(out, a, b), PANDN: (ctx, out, a, b) => ctx.b.andc(out, b, a), POR: (ctx, out, a, b) => ctx.b.or(out, a, b),
  PXOR: (ctx, out, a, b) => ctx.b.xor(out, a, b),
};

function logic(ctx: Context, mnemonic: string): void {
  const { b } = ctx, source = sourceSlot(ctx, 1), to = registerSlot(ctx, 0);
  // The usual way to make a zero.
  if (mnemonic === 'PXOR' && source === to) {
    b.zeroVec(to, isMmx(ctx, 0) ? 8 : 16);
    return;
  }
  for (let word = 0; word < (isMmx(ctx, 0) ? 2 : 4); word++) {
    const first = b.temp(), second = b.temp(), out = b.temp();
    b.ldEnv(first, to + word);
    b.ldEnv(second, source + word);
    LOGIC[mnemonic]!(ctx, out, first, second);
    b.stEnv(out, to + word);
  }
}

/** Packed integers: the destination is the first operand, the source the second or a count in the instruction. */
function packed(ctx: Context): void {
  const { insn } = ctx, { row } = insn;
  const mnemonic = SAME_AS[row.mnemonic] ?? row.mnemonic, mmx = isMmx(ctx, 0), counted = row.operands[1] === 'Ib';
  if (LOGIC[mnemonic] !== undefined) logic(ctx, mnemonic);
  else {
    const to = ctx.const(registerSlot(ctx, 0)), source = counted ? to : ctx.const(sourceSlot(ctx, 1));
    const name = packedName(mnemonic, mmx, counted);
    ctx.call(name, ...argumentsOf(ctx, name, to, source));
  }
  if (mmx) enterMmx(ctx, 0);
}

/** Destination and source, and the immediate if the helper wants it. */
function argumentsOf(ctx: Context, name: string, to: number, source: number): number[] {
  return [to, source, ctx.const(ctx.insn.imm)].slice(0, ctx.helper(name).args);
}

/** UNPCKLPS and its like are moves of bits. */
const AS_INTEGERS: Readonly<Record<string, string>> = { UNPCKLPS: 'PUNPCKLDQ', UNPCKHPS: 'PUNPCKHDQ' };
function unpack(ctx: Context): void {
  ctx.call(packedName(AS_INTEGERS[ctx.insn.row.mnemonic]!, false, false), ctx.const(registerSlot(ctx, 0)), ctx.const(sourceSlot(ctx, 1)));
}

/** UNPCKLPD and PUNPCKLQDQ join the low halves, the others the high ones. */
function joinHalves(half: 0 | 2): Emit {
  return (ctx) => {
    const { b } = ctx, to = registerSlot(ctx, 0), source = sourceSlot(ctx, 1);
    b.movVec(to, to + half, 8);
    b.movVec(to + 2, source + half, 8);
  };
}

/** The helper says 1 if it has done nothing because of an exception. */
function trapUnmasked(ctx: Context, outcome: number): void {
  ctx.b.trapi(NE, outcome, 0, EXC_XM);
}

function float(ctx: Context): void {
  const name = ctx.insn.row.mnemonic.toLowerCase(), to = ctx.const(registerSlot(ctx, 0)), source = ctx.const(sourceSlot(ctx, 1));
  trapUnmasked(ctx, ctx.callFor(name, ...argumentsOf(ctx, name, to, source)));
}

/** Conversions: a source that is a general register or memory comes by SIMD_BYTES, and so does a result that goes there. */
function convert(ctx: Context): void {
  const { b, insn } = ctx, [to, from] = insn.row.operands as [string, string];
  let source = SIMD_BYTES;
  if (from === 'Ed') b.stEnv(read(ctx, 1, ANY), SIMD_BYTES);
  else source = sourceSlot(ctx, 1);
  const general = to === 'Gd', entersMmx = isMmx(ctx, 0) || (isMmx(ctx, 1) && insn.mod === 3);
  // MMX is entered even if the conversion then raises #XM.
  if (entersMmx) ctx.call('enter_mmx');
  trapUnmasked(ctx, ctx.callFor(insn.row.mnemonic.toLowerCase(), ctx.const(general ? SIMD_BYTES : registerSlot(ctx, 0)), ctx.const(source)));
  if (isMmx(ctx, 0)) enterMmx(ctx, 0);
  if (!general) return;
  const value = b.temp();
  b.ldEnv(value, SIMD_BYTES);
  write(ctx, 0, value);
}

/** COMISS and its like: ZF, PF, CF; the other status flags are cleared. */
function compare(ctx: Context): void {
  const flags = ctx.callFor(ctx.insn.row.mnemonic.toLowerCase(), ctx.const(registerSlot(ctx, 0)), ctx.const(sourceSlot(ctx, 1)));
  ctx.b.trapi(LT, flags, 0, EXC_XM);
  ctx.cc.setAll(flags);
}

/** Bytes of register 0 go to DS:eDI where the mask in register 1 says so. */
function maskMove(ctx: Context): void {
  const { insn } = ctx, mmx = isMmx(ctx, 0), size = mmx ? 8 : 16;
  const linear = access(ctx, insn.override < 0 ? DS : insn.override, wrapAddress(ctx, EDI, insn.addrSize), size, true, 1);
  ctx.call('maskmov', linear, ctx.const(registerSlot(ctx, 0)), ctx.const(registerSlot(ctx, 1)), ctx.const(size));
  if (mmx) enterMmx(ctx);
}

function emms(ctx: Context): void {
  enterMmx(ctx);
  ctx.b.sti(FPU_TW, 0xffff);
}

/** FXSAVE and FXRSTOR are of x87 too: CR4.OSFXSR only decides what they cover. */
function saveArea(name: string): Emit {
  return (ctx) => {
    if ((ctx.key.flags & HF_EM) !== 0 || (ctx.key.flags & HF_TS) !== 0) raise(ctx, EXC_NM);
    else ctx.call(name, operandAddress(ctx, 512, name === 'fxsave', 1));
  };
}

function mxcsr(emit: Emit): Emit {
  return (ctx) => {
    const { flags } = ctx.key;
    if ((flags & HF_EM) !== 0 || (flags & HF_OSFXSR) === 0) raise(ctx, EXC_UD);
    else if ((flags & HF_TS) !== 0) raise(ctx, EXC_NM);
    else emit(ctx);
  };
}

function stmxcsr(ctx: Context): void {
  const value = ctx.b.temp();
  ctx.b.ldEnv(value, MXCSR);
  write(ctx, 0, value);
}

/** One processor sees its own stores in order. CLFLUSH (AE /7 with memory) reads the address. */
function fence(ctx: Context): void {
  if (ctx.insn.mod === 3) return;
  if (ctx.features.has('clflush')) load(ctx, operandAddress(ctx, 1, false), 1);
  else raise(ctx, EXC_UD);
}

const shapes = (...names: string[]): string[] => names.flatMap((name) => ['PS', 'PD', 'SS', 'SD'].map((shape) => name + shape));
const FLOATS = [
  ...shapes('ADD', 'SUB', 'MUL', 'DIV', 'MIN', 'MAX', 'SQRT', 'CMP'), 'ADDSUBPS', 'ADDSUBPD', 'HADDPS', 'HADDPD', 'HSUBPS', 'HSUBPD', 'RCPPS', 'RCPSS', 'RSQRTPS', 'RSQRTSS',
];
const PACKED = [
  ...Object.keys(LANES), ...Object.keys(SAME_AS), 'PUNPCKLBW', 'PUNPCKHBW', 'PUNPCKLWD', 'PUNPCKHWD', 'PUNPCKLDQ', 'PUNPCKHDQ',
  'PACKSSWB', 'PACKUSWB', 'PACKSSDW', 'PSHUFW', 'PSHUFLW', 'PSHUFHW', 'PSHUFD', 'SHUFPS', 'SHUFPD', 'PSLLW', 'PSLLD', 'PSLLQ', 'PSRLW', 'PSRLD', 'PSRLQ', 'PSRAW', 'PSRAD',
  'PSLLDQ', 'PSRLDQ', 'PADDQ', 'PSUBQ', 'PMULUDQ', 'PSADBW',
];
const CONVERSIONS = [
  'CVTPI2PS', 'CVTPI2PD', 'CVTDQ2PS', 'CVTDQ2PD', 'CVTSI2SS', 'CVTSI2SD', 'CVTPS2PI', 'CVTTPS2PI', 'CVTPD2PI', 'CVTTPD2PI', 'CVTPS2DQ', 'CVTTPS2DQ', 'CVTPD2DQ',
  'CVTTPD2DQ', 'CVTSS2SI', 'CVTTSS2SI', 'CVTSD2SI', 'CVTTSD2SI', 'CVTPS2PD', 'CVTPD2PS', 'CVTSS2SD', 'CVTSD2SS',
];

export const simdFamily: Family = {
  ...forAll(PACKED, simd(packed)), ...forAll(Object.keys(AS_INTEGERS), simd(unpack)),
  ...forAll(['UNPCKLPD', 'PUNPCKLQDQ'], simd(joinHalves(0))), ...forAll(['UNPCKHPD', 'PUNPCKHQDQ'], simd(joinHalves(2))), ...forAll(FLOATS, simd(float)), ...forAll(CONVERSIONS, simd(convert)),
  ...forAll(['COMISS', 'COMISD', 'UCOMISS', 'UCOMISD'], simd(compare)), MASKMOVQ: simd(maskMove), MASKMOVDQU: simd(maskMove), EMMS: simd(emms, () => true),
  FXSAVE: saveArea('fxsave'), FXRSTOR: saveArea('fxrstor'), LDMXCSR: mxcsr((ctx) => ctx.call('ldmxcsr', read(ctx, 0, ANY))), STMXCSR: mxcsr(stmxcsr),
  LFENCE: fence, MFENCE: fence, SFENCE: fence,
};
