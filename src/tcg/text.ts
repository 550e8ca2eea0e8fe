/**
 * The text form of ops, both ways; it looks like QEMU's `-d op`. One op per line:
 *
 *      ---- 00001000 00000009                    insn_start: EIP, cc_op
 *      add_i32 tmp0,eax,$0x4                     outputs, inputs, immediates
 *      brcond_i32 tmp0,$0x0,eq,$L0               conditions by name, labels $Ln
 *      qemu_ld_i32 tmp1,tmp0,leul                memory operand by size and sign
 *      ld_i32 tmp2,env,$0x14                     state slots after `env`
 *      call cc_compute_all,tmp3,cc_dst,cc_src    helper, outputs, inputs
 *      set_label $L0
 *
 * Values: globals by name, `tmp<n>`, `wide<n>` (64 bits), `$0x…` constants. Printing what was parsed gives the same text.
 */
import { CONDITIONS, type ConditionName } from './conditions.ts';
import type { Helper } from './env.ts';
import { Block, CONST, GLOBAL, TEMP, TEMP64, type Op } from './ir.ts';
import { CALL, INSN_START, MEMOP_NAMES, opByName, type OperandKind } from './ops.ts';

const hex = (n: number): string => `$0x${(n >>> 0).toString(16)}`;
const hex8 = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');

export function printValue(block: Block, value: number): string {
  switch (block.kinds[value]) {
    case GLOBAL: return block.globals[value]!;
    case TEMP: return `tmp${block.numbers[value]}`;
    case TEMP64: return `wide${block.numbers[value]}`;
    case CONST: return hex(block.numbers[value]!);
    default: return `?${value}`;
  }
}

function printOperand(block: Block, kind: OperandKind, arg: number): string {
  switch (kind) {
    case 'out': case 'in': return printValue(block, arg);
    case 'imm': return hex(arg);
    case 'cond': return CONDITIONS[arg] ?? `?${arg}`;
    case 'memop': return MEMOP_NAMES[arg] ?? `?${arg}`;
    case 'label': return `$L${arg}`;
    case 'helper': return block.helpers[arg]?.name ?? `?${arg}`;
    case 'slot': return `env,${hex(arg)}`;
  }
}

/** One line, with a leading space as in QEMU's logs. */
export function printOp(block: Block, op: Op): string {
  const { def, args } = op;
  if (def === INSN_START) return ` ---- ${hex8(args[0]!)} ${hex8(args[1]!)}`;
  const operands = args.map((arg, i) => printOperand(block, def.operands[i] ?? (def === CALL ? 'in' : 'imm'), arg));
  return operands.length === 0 ? ` ${def.name}` : ` ${def.name} ${operands.join(',')}`;
}

/** All ops, one per line. */
export function printBlock(block: Block): string {
  return block.ops.map((op) => printOp(block, op)).join('\n');
}

/** Reads the text form. Empty lines and lines that start with `#` are skipped. Throws an Error with the line's number and text. */
export function parseBlock(text: string, globals: readonly string[], helpers: readonly Helper[]): Block {
  const block = new Block(globals, helpers);
  const temps = new Map<string, number>();

  const number = (word: string): number => {
    if (!/^\$-?(0x[0-9a-f]+|\d+)$/i.test(word)) throw new Error(`${word} is no number`);
    const negative = word[1] === '-';
    const n = Number(word.slice(negative ? 2 : 1));
    return (negative ? -n : n) | 0;
  };
  const value = (word: string): number => {
    if (word.startsWith('$')) return block.const(number(word));
    const global = globals.indexOf(word);
    if (global >= 0) return global;
    const match = /^(tmp|wide)(\d+)$/.exec(word);
    if (match === null) throw new Error(`${word} is no value`);
    let temp = temps.get(word);
    if (temp === undefined) temps.set(word, temp = block.namedTemp(match[1] === 'tmp' ? TEMP : TEMP64, Number(match[2])));
    return temp;
  };
  const operand = (kind: OperandKind, word: string): number => {
    const named = (index: number): number => {
      if (index < 0) throw new Error(`${word} is no ${kind}`);
      return index;
    };
    switch (kind) {
      case 'out': case 'in': return value(word);
      case 'imm': case 'slot': return number(word);
      case 'cond': return named(CONDITIONS.indexOf(word as ConditionName));
      case 'memop': return named(MEMOP_NAMES.findIndex((name) => name === word));
      case 'helper': return named(helpers.findIndex((helper) => helper.name === word));
      case 'label': {
        const match = /^\$L(\d+)$/.exec(word);
        if (match === null) throw new Error(`${word} is no label`);
        const label = Number(match[1]);
        block.labels = Math.max(block.labels, label + 1);
        return label;
      }
    }
  };
  const parseLine = (line: string): Op => {
    const start = /^---- ([0-9a-f]+)(?: ([0-9a-f]+))?$/.exec(line);
    if (start !== null) return { def: INSN_START, args: [parseInt(start[1]!, 16) | 0, parseInt(start[2] ?? '0', 16) | 0] };
    const [name, rest] = line.split(/\s+/, 2);
    const def = opByName(name!);
    if (def === undefined) throw new Error(`no op ${name}`);
    const words = (rest ?? '').split(',').filter((word) => word !== '' && word !== 'env');
    if (def !== CALL && words.length !== def.operands.length) throw new Error(`${name} takes ${def.operands.length} operands`);
    return { def, args: words.map((word, i) => operand(def.operands[i] ?? 'in', word)) };
  };

  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    try {
      block.ops.push(parseLine(line));
    } catch (error) {
      throw new Error(`line ${index + 1}: ${(error as Error).message}: ${line}`);
    }
  });
  return block;
}
