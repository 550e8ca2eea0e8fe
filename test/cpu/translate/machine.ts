/**
 * A processor for translator tests: the fake of the helper tests, with blocks that are translated, verified, and run op by
 * op from the IR itself. Pure ops are evaluated by the op table's own text, the others by the few lines here.
 */
import { evaluator } from '../../../src/tcg/evaluate.ts';
import { conditionJs } from '../../../src/tcg/conditions.ts';
import * as O from '../../../src/tcg/ops.ts';
import { printBlock } from '../../../src/tcg/text.ts';
import { verify } from '../../../src/tcg/verify.ts';
import { createHelpers } from '../../../src/cpu/helpers/index.ts';
import {
  CC_OP, CR0, CR0_PE, CR2, CS, CUR_OP, DR, EFLAGS, EIP, EXC_ERROR, EXC_HAS_ERROR, EXC_PF, EXC_VECTOR, GLOBALS, HALTED, HF_FLAT, HF_FROM_ZERO,
  HF_INHIBIT_IRQ, HF_OSFXSR, CR4, CR4_OSFXSR, HF_ONE_INSN, HF_PE, HF_RF, HFLAGS, RF, SEG_BASE, SEG_LIMIT, SEG_RHI, SEG_RLO, SEG_WHI, SEG_WLO,
} from '../../../src/cpu/state.ts';
import { Translator, createBuilder } from '../../../src/cpu/translate/translate.ts';
import type { BlockInfo, BlockKey } from '../../../src/cpu/translate/translate.ts';
import { FAULT, FakeCpu } from '../helpers/fake-cpu.ts';

const compareJs = new Map<number, (a: number, b: number) => boolean>();
function compare(condition: number, a: number, b: number): boolean {
  let test = compareJs.get(condition);
  if (test === undefined) compareJs.set(condition, test = new Function('a', 'b', `return ${conditionJs(condition, 'a', 'b')}`) as (a: number, b: number) => boolean);
  return test(a, b);
}

const IMMEDIATES: readonly O.OpDef['operands'][number][] = ['imm', 'cond'];

export class TestCpu extends FakeCpu {
  readonly translator: Translator;
  /** Pages that may be read but not written. */
  readonly readOnly = new Set<number>();
  #insnEip = 0;
  #insnCcOp = 0;

  constructor(size?: number) {
    super(size);
    const helpers = createHelpers(this);
    this.translator = new Translator(createBuilder(helpers.list), helpers.byName, this.model.features);
  }

  override updateHflags(): void {
    const R = this.R;
    const kept = R[HFLAGS]! & HF_INHIBIT_IRQ;
    super.updateHflags();
    let flags = R[HFLAGS]! | kept;
    if ((R[EFLAGS]! & RF) !== 0) flags |= HF_RF;
    if ((R[CR4]! & CR4_OSFXSR) !== 0) flags |= HF_OSFXSR;
    for (let seg = 0; seg < 6; seg++) {
      const readable = R[SEG_BASE + seg] === 0 && R[SEG_RLO + seg] === 0 && R[SEG_RHI + seg] === -1;
      if (readable && (seg === CS || (R[SEG_WLO + seg] === 0 && R[SEG_WHI + seg] === -1))) flags |= HF_FLAT << seg;
      const fromZero = (R[SEG_RLO + seg]! | R[SEG_WLO + seg]!) === 0 && R[SEG_RHI + seg]! >>> 0 >= 3 && R[SEG_WHI + seg]! >>> 0 >= 3;
      if (fromZero && (flags & HF_PE) !== 0) flags |= HF_FROM_ZERO << seg;
    }
    R[HFLAGS] = flags;
  }

  key(extraFlags = 0): BlockKey {
    const R = this.R;
    const csBase = R[SEG_BASE + CS]!;
    return { pc: csBase + R[EIP]! | 0, eip: R[EIP]!, csBase, csLimit: R[SEG_LIMIT + CS]!, flags: R[HFLAGS]! | extraFlags };
  }

  /** Translates at CS:EIP and verifies. */
  translate(key = this.key(), maxInsns?: number): BlockInfo {
    const info = this.translator.translate(key, (linear) => this.load8(linear), maxInsns);
    verify(this.translator.builder);
    return info;
  }

  /** Puts code at CS:EIP. */
  code(...bytes: number[]): this {
    this.bytes.set(bytes, this.R[SEG_BASE + CS]! + this.R[EIP]! >>> 0);
    return this;
  }

  /**
   * Runs blocks until HLT, a fault or `most` blocks. Gives `hlt`, `running`, or the fault as `vector` or `vector:error`,
   * hexadecimal; then EIP and cc_op are put back to the instruction's start, as the run loop does.
   */
  run(most = 1000, extraFlags = 0): string {
    const R = this.R;
    R[HALTED] = 0;
    for (let i = 0; i < most; i++) {
      this.translate(this.key(extraFlags));
      R[CUR_OP] = 0;
      try {
        this.#execute();
      } catch (thrown) {
        if (thrown !== FAULT) throw thrown;
        if (R[CUR_OP] !== -1) {
          R[EIP] = this.#insnEip;
          if (this.#insnCcOp !== 0) R[CC_OP] = this.#insnCcOp;
        }
        return R[EXC_VECTOR]!.toString(16) + (R[EXC_HAS_ERROR] === 1 ? `:${R[EXC_ERROR]!.toString(16)}` : '');
      }
      if (R[HALTED] === 1) return 'hlt';
    }
    return 'running';
  }

  /** Runs one instruction. */
  step(): string {
    return this.run(1, HF_ONE_INSN);
  }

  /** The ops of the block at CS:EIP, in text. */
  ops(): string {
    this.translate();
    return printBlock(this.translator.builder);
  }

  #access(address: number, bytes: number, write: boolean): void {
    for (const page of [address >>> 12, address + bytes - 1 >>> 12]) {
      if (!this.absent.has(page) && !(write && this.readOnly.has(page))) continue;
      this.R[CR2] = address;
      this.raise(EXC_PF, (this.absent.has(page) ? 0 : 1) | (write ? 2 : 0));
    }
  }

  #execute(): void {
    const { R } = this;
    const block = this.translator.builder;
    const temps = new Int32Array(block.values);
    const get = (value: number): number => (value < GLOBALS ? R[value]! : block.isConst(value) ? block.constValue(value) : temps[value]!);
    const set = (value: number, to: number): void => { if (value < GLOBALS) R[value] = to; else temps[value] = to; };
    const labels: number[] = [];
    block.ops.forEach((op, i) => { if (op.def === O.SET_LABEL) labels[op.args[0]!] = i; });
    for (let i = 0; ; i++) {
      const { def, args } = block.ops[i]!;
      switch (def) {
        case O.INSN_START:
          this.#insnEip = args[0]!;
          this.#insnCcOp = args[1]!;
          break;
        case O.BRCOND:
          if (compare(args[2]!, get(args[0]!), get(args[1]!))) i = labels[args[3]!]!;
          break;
        case O.BR: i = labels[args[0]!]!; break;
        case O.SET_LABEL:
        case O.GOTO_TB:
        case O.DISCARD: break;
        case O.LD_ENV: set(args[0]!, R[args[1]!]!); break;
        case O.ST_ENV: R[args[1]!] = get(args[0]!); break;
        case O.GUEST_LD: set(args[0]!, this.#load(get(args[1]!), args[2]!)); break;
        case O.GUEST_ST: this.#store(get(args[1]!), get(args[0]!), args[2]!); break;
        case O.GUEST_LD_VEC:
          for (let word = 0; word < args[2]! / 4; word++) R[args[1]! + word] = this.load32(get(args[0]!) + 4 * word | 0);
          break;
        case O.GUEST_ST_VEC:
          this.probe(get(args[0]!), args[2]!);
          for (let word = 0; word < args[2]! / 4; word++) this.store32(get(args[0]!) + 4 * word | 0, R[args[1]! + word]!);
          break;
        case O.MOV_VEC: R.copyWithin(args[0]!, args[1]!, args[1]! + args[2]! / 4); break;
        case O.ZERO_VEC: R.fill(0, args[0]!, args[0]! + args[1]! / 4); break;
        case O.TRAP:
          if (compare(args[2]!, get(args[0]!), get(args[1]!))) this.raise(args[3]!, 0);
          break;
        case O.CALL: {
          const helper = block.helpers[args[0]!]!;
          const ins = args.slice(helper.returns ? 2 : 1).map(get);
          const result = helper.fn(...ins);
          if (helper.returns) set(args[1]!, result as number);
          break;
        }
        case O.EXIT_TB:
        case O.LOOKUP_AND_GOTO_PTR: return;
        default: {
          const immediates = args.filter((_, n) => IMMEDIATES.includes(def.operands[n]!));
          const [a = 0, b = 0, c = 0, d = 0] = args.filter((_, n) => def.operands[n] === 'in').map(get);
          set(args[0]!, evaluator(def, immediates[0] ?? 0, immediates[1] ?? 0)(a, b, c, d));
        }
      }
    }
  }

  #load(address: number, memop: number): number {
    const bytes = O.memOpBytes(memop);
    this.#access(address, bytes, (memop & O.MO_RMW) !== 0);
    const value = bytes === 1 ? this.load8(address) : bytes === 2 ? this.load16(address) : this.load32(address);
    const shift = 32 - bytes * 8;
    return (memop & O.MO_SIGN) !== 0 ? value << shift >> shift : value;
  }

  #store(address: number, value: number, memop: number): void {
    const bytes = O.memOpBytes(memop);
    this.#access(address, bytes, true);
    if (bytes === 1) this.store8(address, value & 0xff);
    else if (bytes === 2) this.store16(address, value & 0xffff);
    else this.store32(address, value);
  }
}

/** Real mode: code at 0100:0100, data at 0200h, extra at 0300h, stack at 0400:8000. */
export function realCpu(size?: number): TestCpu {
  const cpu = new TestCpu(size);
  const segment = (seg: number, selector: number): void => cpu.setSegment(seg, selector, selector << 4, 0xffff, seg === CS ? 0x9b00 : 0x9300);
  [0x300, 0x100, 0x400, 0x200, 0x500, 0x600].forEach((selector, seg) => segment(seg, selector));
  cpu.updateHflags();
  cpu.R[EIP] = 0x100;
  cpu.R[4] = 0x8000;
  cpu.R[DR + 6] = 0xffff0ff0 | 0;
  return cpu;
}

/** Protected mode, 32-bit code and stack, CPL 0; flat, or with a limit of 1 MB and a base. */
export function protectedCpu(options: { base?: number; limit?: number; cpl?: number; size?: number } = {}): TestCpu {
  const { base = 0, limit = -1, cpl = 0, size } = options;
  const cpu = new TestCpu(size);
  cpu.R[CR0] = CR0_PE;
  for (let seg = 0; seg < 6; seg++) cpu.setSegment(seg, seg === CS ? 8 : 16, base, limit, (seg === CS ? 0xc09b00 : 0xc09300) | cpl << 13);
  cpu.setCpl(cpl);
  cpu.updateHflags();
  cpu.R[EIP] = 0x5000;
  cpu.R[4] = 0x9000;
  return cpu;
}
