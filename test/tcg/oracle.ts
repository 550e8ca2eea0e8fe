/**
 * What ops mean, written a second time and independently of the op table's `js` text: with BigInt and bit strings, slowly.
 * And a direct evaluator of whole blocks, unoptimized, for comparison with what passes, packer and interpreter make of them.
 */
import { CONDITIONS } from '../../src/tcg/conditions.ts';
import { CONST, TEMP64, type Block } from '../../src/tcg/ir.ts';
import { MO_SIGN, memOpBytes, type OpDef } from '../../src/tcg/ops.ts';

const u = (n: number): bigint => BigInt.asUintN(32, BigInt(n));
const s = (n: number): bigint => BigInt.asIntN(32, BigInt(n));
const int = (n: bigint): number => Number(BigInt.asIntN(32, n));
/** 32 binary digits, most significant first. */
const bits = (n: number): string => u(n).toString(2).padStart(32, '0');
const fromBits = (digits: string): number => int(BigInt(`0b${digits}`));

export function compare(condition: number, a: number, b: number): boolean {
  switch (CONDITIONS[condition]) {
    case 'eq': return a === b;
    case 'ne': return a !== b;
    case 'lt': return s(a) < s(b);
    case 'ge': return s(a) >= s(b);
    case 'le': return s(a) <= s(b);
    case 'gt': return s(a) > s(b);
    case 'ltu': return u(a) < u(b);
    case 'geu': return u(a) >= u(b);
    case 'leu': return u(a) <= u(b);
    case 'gtu': return u(a) > u(b);
    case 'tsteq': return (u(a) & u(b)) === 0n;
    case 'tstne': return (u(a) & u(b)) !== 0n;
    default: throw new Error(`condition ${condition}`);
  }
}

type Meaning = (...operands: number[]) => number;

/** By op name, over inputs and then immediates. */
export const MEANING: Readonly<Record<string, Meaning>> = {
  mov_i32: (a) => a!,
  add_i32: (a, b) => int(s(a!) + s(b!)),
  sub_i32: (a, b) => int(s(a!) - s(b!)),
  neg_i32: (a) => int(-s(a!)),
  mul_i32: (a, b) => int(s(a!) * s(b!)),
  muluh_i32: (a, b) => int(u(a!) * u(b!) >> 32n),
  mulsh_i32: (a, b) => int(s(a!) * s(b!) >> 32n),
  and_i32: (a, b) => int(u(a!) & u(b!)),
  or_i32: (a, b) => int(u(a!) | u(b!)),
  xor_i32: (a, b) => int(u(a!) ^ u(b!)),
  not_i32: (a) => int(-s(a!) - 1n),
  andc_i32: (a, b) => int(u(a!) & (0xffffffffn - u(b!))),
  shl_i32: (a, b) => int(u(a!) << BigInt(b!)),
  shr_i32: (a, b) => int(u(a!) >> BigInt(b!)),
  sar_i32: (a, b) => int(s(a!) >> BigInt(b!)),
  rotl_i32: (a, b) => fromBits(bits(a!).slice(b!) + bits(a!).slice(0, b!)),
  rotr_i32: (a, b) => fromBits(bits(a!).slice(32 - b!) + bits(a!).slice(0, 32 - b!)),
  ext8s_i32: (a) => Number(BigInt.asIntN(8, u(a!))),
  ext8u_i32: (a) => Number(BigInt.asUintN(8, u(a!))),
  ext16s_i32: (a) => Number(BigInt.asIntN(16, u(a!))),
  ext16u_i32: (a) => Number(BigInt.asUintN(16, u(a!))),
  bswap32_i32: (a) => fromBits(bits(a!).match(/.{8}/g)!.reverse().join('')),
  clz_i32: (a, b) => (a === 0 ? b! : bits(a!).indexOf('1')),
  ctz_i32: (a, b) => (a === 0 ? b! : 31 - bits(a!).lastIndexOf('1')),
  deposit_i32: (a, b, position, length) => {
    const to = 32 - position!, from = to - length!;
    return fromBits(bits(a!).slice(0, from) + bits(b!).slice(32 - length!) + bits(a!).slice(to));
  },
  extract_i32: (a, position, length) => fromBits(bits(a!).slice(32 - position! - length!, 32 - position!)),
  sextract_i32: (a, position, length) => Number(BigInt.asIntN(length!, u(a!) >> BigInt(position!))),
  setcond_i32: (a, b, c) => (compare(c!, a!, b!) ? 1 : 0),
  negsetcond_i32: (a, b, c) => (compare(c!, a!, b!) ? -1 : 0),
  movcond_i32: (a, b, x, y, c) => (compare(c!, a!, b!) ? x! : y!),
};

/** 64-bit ops: inputs and output as unsigned BigInts of their width. */
const MEANING_64: Readonly<Record<string, (...operands: bigint[]) => bigint>> = {
  mov_i64: (a) => a!,
  add_i64: (a, b) => a! + b!,
  sub_i64: (a, b) => a! - b!,
  and_i64: (a, b) => a! & b!,
  or_i64: (a, b) => a! | b!,
  xor_i64: (a, b) => a! ^ b!,
  mulu_i32_i64: (a, b) => a! * b!,
  muls_i32_i64: (a, b) => BigInt.asIntN(32, a!) * BigInt.asIntN(32, b!),
  extrl_i64_i32: (a) => a!,
  extrh_i64_i32: (a) => a! >> 32n,
  concat_i32_i64: (low, high) => high! << 32n | low!,
};

/** Values that find mistakes, in pairs with each other. */
export const INTERESTING: readonly number[] = [
  0, 1, -1, 2, 3, 5, 7, 8, 31, 32, 127, 128, 255, 256, -128, -129, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678, -0x12345678, 0x7fffffff,
  -0x80000000, -0x7fffffff, 0x55555555, -0x55555556, 0x00ff00ff, -65536,
];

/** Small deterministic random numbers. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed * 2 + 1 | 0;
  }

  /** An int32. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return Math.imul(x, 0x9e3779b1);
  }

  /** 0 to n - 1. */
  below(n: number): number {
    return (this.next() >>> 8) % n;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

export interface Outcome {
  globals: number[];
  /** `exit_tb n`, `lookup_and_goto_ptr`, `trap n`. */
  exit: string;
}

/** Evaluates a block op by op. `regs` holds the globals and the state words; guest memory wraps at its length. */
export function evaluate(block: Block, regs: Int32Array, memory: Uint8Array): Outcome {
  const temps = new Map<number, bigint>();
  const globals = block.globals.length;
  const labels = new Map(block.ops.flatMap((op, i) => (op.def.name === 'set_label' ? [[op.args[0]!, i] as const] : [])));
  const read = (value: number): number => {
    if (value < globals) return regs[value]!;
    if (block.kinds[value] === CONST) return block.constValue(value);
    return int(read64(value));
  };
  const read64 = (value: number): bigint => {
    if (block.kinds[value] !== TEMP64 && (value < globals || block.kinds[value] === CONST)) return u(read(value));
    const word = temps.get(value);
    if (word === undefined) throw new Error('read before written');
    return word;
  };
  const write = (value: number, n: number): void => {
    if (value < globals) regs[value] = n;
    else temps.set(value, u(n));
  };
  const outcome = (exit: string): Outcome => ({ globals: [...regs.slice(0, globals)], exit });
  const mask = memory.length - 1;

  for (let i = 0; i < block.ops.length; i++) {
    const { def, args } = block.ops[i]!;
    const [a = 0, b = 0] = args;
    switch (def.name) {
      case 'insn_start': case 'goto_tb': case 'discard': case 'set_label': break;
      case 'br': i = labels.get(a)!; break;
      case 'brcond_i32': if (compare(args[2]!, read(a), read(b))) i = labels.get(args[3]!)!; break;
      case 'trapcond_i32':
        if (compare(args[2]!, read(a), read(b))) return outcome(`trap ${args[3]}`);
        break;
      case 'ld_i32': write(a, regs[b]!); break;
      case 'st_i32': regs[b] = read(a); break;
      case 'qemu_ld_i32': {
        const address = read(b), size = memOpBytes(args[2]!);
        let n = 0n;
        for (let k = 0; k < size; k++) n |= BigInt(memory[address + k & mask]!) << BigInt(8 * k);
        write(a, Number(args[2]! & MO_SIGN ? BigInt.asIntN(8 * size, n) : n));
        break;
      }
      case 'qemu_st_i32': {
        const value = read(a), address = read(b);
        for (let k = 0; k < memOpBytes(args[2]!); k++) memory[address + k & mask] = value >> 8 * k;
        break;
      }
      case 'mov_vec': regs.copyWithin(a, b, b + args[2]! / 4); break;
      case 'zero_vec': regs.fill(0, a, a + b / 4); break;
      case 'qemu_ld_vec':
      case 'qemu_st_vec': {
        const words = new Uint8Array(regs.buffer, regs.byteOffset + b * 4, args[2]), address = read(a);
        for (let k = 0; k < words.length; k++) {
          if (def.name === 'qemu_ld_vec') words[k] = memory[address + k & mask]!;
          else memory[address + k & mask] = words[k]!;
        }
        break;
      }
      case 'call': {
        const helper = block.helpers[a]!;
        const result = helper.fn(...args.slice(helper.returns ? 2 : 1).map(read));
        if (helper.returns) write(b, Number(result));
        break;
      }
      case 'exit_tb': return outcome(`exit_tb ${a}`);
      case 'lookup_and_goto_ptr': return outcome(def.name);
      default: {
        if (def.type === 'i64') {
          const result = BigInt.asUintN(def.outType === 'i32' ? 32 : 64, MEANING_64[def.name]!(...args.slice(1).map(read64)));
          if (def.outType === 'i32') write(a, int(result));
          else temps.set(a, result);
        } else {
          write(a, meaningOf(def)(...args.slice(1, 1 + def.ins).map(read), ...args.slice(1 + def.ins)));
        }
      }
    }
  }
  throw new Error('the block does not end');
}

export function meaningOf(def: OpDef): Meaning {
  const meaning = MEANING[def.name];
  if (meaning === undefined) throw new Error(`no oracle for ${def.name}`);
  return meaning;
}
