/**
 * Operands by the notation of the instruction's row (../decode/rows.ts): their sizes, reading and writing them.
 * Emitters name operands by position, 0 is the destination.
 */
import type { Row } from '../decode/insn.ts';
import { ROWS } from '../decode/table.ts';
import { ANY, SIGN } from './context.ts';
import type { Context, Extension, Size } from './context.ts';
import { access, effectiveAddress, load, loadToModify, store } from './memory.ts';

// What an operand is. REGISTER_* say where the register's number stands.
const NONE = 0, MODRM_RM = 1, MODRM_REG = 2, OPCODE_LOW = 3, FIXED = 4, MEMORY = 5, IMMEDIATE = 6, ONE = 7;
/** Operand size by operand-size prefix, or (SLDT and the like) that for a register and a word in memory. */
const BY_PREFIX = 0, BY_PREFIX_OR_WORD = 3;

const FIXED_REGISTERS: Readonly<Record<string, readonly [register: number, size: number]>> = {
  AL: [0, 1], CL: [1, 1], DX: [2, 2], eAX: [0, BY_PREFIX],
};
const LETTERS: Readonly<Record<string, number>> = { E: MODRM_RM, R: MODRM_RM, G: MODRM_REG, Z: OPCODE_LOW, M: MEMORY, O: MEMORY, I: IMMEDIATE };
const SIZES: Readonly<Record<string, number>> = { b: 1, w: 2, d: 4, v: BY_PREFIX, z: BY_PREFIX };

interface OperandForm {
  kind: number;
  size: number;
  register: number;
}

function formOf(row: Row, n: number): OperandForm {
  const code = row.operands[n];
  if (code === undefined) return { kind: NONE, size: 1, register: 0 };
  const fixed = FIXED_REGISTERS[code];
  if (fixed !== undefined) return { kind: FIXED, size: fixed[1], register: fixed[0] };
  if (code === '1') return { kind: ONE, size: 1, register: 0 };
  if (code === 'Rv/Mw') return { kind: MODRM_RM, size: BY_PREFIX_OR_WORD, register: 0 };
  // A sign-extended byte has the size of what it is added to.
  if (code === 'sIb') return { kind: IMMEDIATE, size: BY_PREFIX, register: 0 };
  return { kind: LETTERS[code[0]!] ?? NONE, size: SIZES[code[1] ?? 'b'] ?? 1, register: 0 };
}

// Per row and operand (at most three): row * 3 + n.
const KIND = new Uint8Array(ROWS.length * 3), SIZE = new Uint8Array(ROWS.length * 3), REGISTER = new Uint8Array(ROWS.length * 3);
for (const row of ROWS) {
  for (let n = 0; n < 3; n++) {
    const form = formOf(row, n), at = row.index * 3 + n;
    KIND[at] = form.kind;
    SIZE[at] = form.size;
    REGISTER[at] = form.register;
  }
}

/** The size of operand n in bytes. */
export function sizeOf(ctx: Context, n: number): Size {
  const { insn } = ctx;
  const size = SIZE[insn.row.index * 3 + n];
  if (size === BY_PREFIX) return insn.opSize;
  if (size === BY_PREFIX_OR_WORD) return insn.mod === 3 ? insn.opSize : 2;
  return size as Size;
}

/** The number of the register that operand n is, or -1 if it is memory or an immediate. */
export function registerOf(ctx: Context, n: number): number {
  const { insn } = ctx;
  const at = insn.row.index * 3 + n;
  switch (KIND[at]) {
    case MODRM_RM: return insn.mod === 3 ? insn.rm : -1;
    case MODRM_REG: return insn.reg;
    case OPCODE_LOW: return insn.row.opcode & 7;
    case FIXED: return REGISTER[at]!;
    default: return -1;
  }
}

/** Whether operands 0 and 1 are the same register. */
export function sameRegister(ctx: Context): boolean {
  const register = registerOf(ctx, 0);
  return register >= 0 && register === registerOf(ctx, 1);
}

/** The offset of the memory operand in its segment; computed once. */
export function operandOffset(ctx: Context): number {
  if (ctx.offset < 0) ctx.offset = effectiveAddress(ctx);
  return ctx.offset;
}

/** The linear address of the memory operand of `size` bytes, range and alignment checked (see access()); computed once. */
export function operandAddress(ctx: Context, size: number, write: boolean, alignment = size): number {
  if (ctx.linear < 0 || (write && !ctx.linearIsWritable)) {
    ctx.linear = access(ctx, ctx.insn.seg, operandOffset(ctx), size, write, alignment);
    ctx.linearIsWritable = write;
  }
  return ctx.linear;
}

/** The value of operand n. A 32-bit register's value is its own number: it means the old value until the emitter is done. */
export function read(ctx: Context, n: number, extension: Extension): number {
  return readFor(ctx, n, extension, false);
}

/** As read(), of an operand that will be written: memory must be writable. */
export function modify(ctx: Context, n: number, extension: Extension): number {
  return readFor(ctx, n, extension, true);
}

function readFor(ctx: Context, n: number, extension: Extension, write: boolean): number {
  const { insn } = ctx;
  const kind = KIND[insn.row.index * 3 + n];
  if (kind === ONE) return ctx.const(1);
  if (kind === IMMEDIATE) return ctx.extend(ctx.const(insn.imm), sizeOf(ctx, 0), extension);
  const size = sizeOf(ctx, n);
  const register = registerOf(ctx, n);
  if (register >= 0) return ctx.register(size, register, extension);
  const linear = operandAddress(ctx, size, write);
  if (write) return ctx.extend(loadToModify(ctx, linear, size), size, extension === SIGN ? SIGN : ANY);
  return load(ctx, linear, size, extension === SIGN);
}

/** Writes operand n: memory at once, a register when the emitter is done. */
export function write(ctx: Context, n: number, value: number): void {
  const size = sizeOf(ctx, n);
  const register = registerOf(ctx, n);
  if (register >= 0) ctx.setRegisterLater(size, register, value);
  else store(ctx, operandAddress(ctx, size, true), size, value);
}
