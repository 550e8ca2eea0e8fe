/**
 * The JavaScript backend: the optimized ops of a region's blocks become one function.
 *
 *     (function tb_c0101234(entry, TR, TW) {
 *       let eax = R[0], …, budget = R[100], site = 0, …;       registers that the region uses, as int32 locals
 *       X: { … }                                               the blocks, in structured control flow
 *       R[0] = eax; …; R[100] = budget;                        registers that it writes
 *       return site;
 *     })
 *
 * It returns LEAVE_* or, for an instruction that must be done in tier 1 (a miss of the fast tables, a trap), the number of
 * its site: then nothing of that instruction has happened. A call that may throw finds all registers in the state, and
 * its site in R[site]. Each block charges its instructions when it starts.
 */
import { conditionJs } from '../conditions.ts';
import type { EnvLayout, Helper } from '../env.ts';
import { CONST, GLOBAL } from '../ir.ts';
import type { Block, Op } from '../ir.ts';
import * as O from '../ops.ts';
import { Shadows } from './shadows.ts';
import { DISPATCH, edgeTo } from './flow-graph.ts';
import type { Edge, FlowNode, Terminator } from './flow-graph.ts';
import { structure } from './structure.ts';
import { constantTarget } from './successors.ts';

/** What a region's function returns beside site numbers (1 and up): look up the next block; look at events; no budget, or the run loop must look for the block. */
export const LEAVE_LOOKUP = 0, LEAVE_EVENT = -1, LEAVE_BUDGET = -2;

/** An instruction at which the function may be left. */
export interface Site {
  readonly eip: number;
  /** cc_op before it, 0 if the state's is right. */
  readonly ccOp: number;
  /** Instructions of its block that had been charged and did not run, itself included. */
  readonly refund: number;
  /** What the instruction would have done next. */
  readonly kind: 'load' | 'store' | 'read-modify-write' | 'trap' | 'call';
  /** Names the access across compilations: EIP and the number of the access in it. */
  readonly key: string;
}

/** One block of the region, as it is added. */
export interface RegionBlock {
  /** EIP of its first instruction. */
  readonly eip: number;
  readonly icount: number;
  /** The pages that it lies in (linear address >>> 12), and what the read table holds for them as long as they are mapped as now. */
  readonly pages: readonly { readonly page: number; readonly entry: number }[];
}

export interface EmitOptions {
  readonly layout: EnvLayout;
  readonly helpers: readonly Helper[];
  /** The flags that all blocks were translated for. */
  readonly flags: number;
  /** Keys of sites that missed often: they call the slow path in place. */
  readonly callSites: ReadonlySet<string>;
  /** Stores that miss ask ExecEnv.claim() first. */
  readonly claims?: boolean;
}

const LEAVE = 'break X;\n';
/** Stand for code that depends on which registers the whole region uses. */
const SAVE = '\u0001', RELOAD = '\u0002';

export class RegionEmitter {
  private readonly layout: EnvLayout;
  private readonly helpers: readonly Helper[];
  private readonly flags: number;
  private readonly callSites: ReadonlySet<string>;
  private readonly claims: boolean;
  private readonly blocks: readonly RegionBlock[];
  private readonly nodes: FlowNode[];
  private readonly shadows: Shadows;
  readonly sites: Site[] = [];
  private readonly used = new Set<number>();
  private readonly written = new Set<number>();
  private readonly calls = new Set<number>();
  private temps = 0;
  // The block being added.
  private block!: Block;
  private names: string[] = [];
  /** Per value: the op that names it last. */
  private last = new Map<number, number>();
  private text = '';
  private node = 0;
  private insn = { eip: 0, ccOp: 0, index: -1, accesses: 0, calls: false };
  private own!: RegionBlock;
  /** The block may have changed the flags that its successors assume. */
  private changes = false;
  /** Address (a value) whose page the variable p is known to be good for, writes included; else -1. */
  private writable = -1;

  constructor(blocks: readonly RegionBlock[], options: EmitOptions) {
    this.blocks = blocks;
    this.layout = options.layout;
    this.helpers = options.helpers;
    this.flags = options.flags;
    this.callSites = options.callSites;
    this.claims = options.claims ?? false;
    this.shadows = new Shadows(options.layout.leastDouble);
    // The first node of block i is node i.
    this.nodes = blocks.map(() => ({ code: '', next: { kind: 'none' } }));
  }

  /** Adds the ops of block `index`. `returns`: blocks (by number) that a computed jump may lead to. */
  add(index: number, ops: Block, returns: readonly number[]): void {
    this.block = ops;
    this.own = this.blocks[index]!;
    this.node = index;
    this.insn = { eip: this.own.eip, ccOp: 0, index: -1, accesses: 0, calls: false };
    this.changes = false;
    this.names = this.nameTemps();
    const { icount, eip } = this.own;
    // No arithmetic on the way out: V8 throws a function away when it first meets an operation that had never run.
    this.text = `if (budget < ${icount}) { ${this.global(this.layout.eip)} = ${eip}; site = ${LEAVE_BUDGET}; break X; }\nbudget = budget - ${icount} | 0;\n`;
    this.written.add(this.layout.eip);
    const labels = new Map<number, number>();
    const nodeOf = (label: number): number => {
      let node = labels.get(label);
      if (node === undefined) labels.set(label, node = this.nodes.push({ code: '', next: { kind: 'none' } }) - 1);
      return node;
    };
    let open = true;
    for (let i = 0; i < ops.ops.length; i++) {
      const op = ops.ops[i]!, { def, args } = op;
      if (def === O.SET_LABEL) {
        const node = nodeOf(args[0]!);
        if (open) this.close({ kind: 'goto', edge: edgeTo(node) });
        this.node = node;
        open = true;
      } else if (!open) continue;
      else if (def === O.BR) {
        this.close({ kind: 'goto', edge: edgeTo(nodeOf(args[0]!)) });
        open = false;
      } else if (def === O.BRCOND) {
        const behind = this.nodes.push({ code: '', next: { kind: 'none' } }) - 1;
        this.close({ kind: 'if', condition: conditionJs(args[2]!, this.input(args[0]!), this.input(args[1]!)), then: edgeTo(nodeOf(args[3]!)), else: edgeTo(behind) });
        this.node = behind;
      } else if (def === O.GOTO_TB) {
        const target = this.target(i);
        if (target >= 0) {
          this.close({ kind: 'goto', edge: this.edgeInto(target) });
          open = false;
        }
      } else if (def === O.EXIT_TB) {
        this.text += args[0] === 2 ? `site = ${LEAVE_EVENT};\n${LEAVE}` : LEAVE;
        this.close({ kind: 'none' });
        open = false;
      } else if (def === O.LOOKUP_AND_GOTO_PTR) {
        const target = this.target(i), computed = constantTarget(ops, i, this.layout.eip) === undefined;
        // The block may have changed what its successor assumes.
        const check = this.changes ? `if (R[${this.layout.flags}] !== ${this.flags}) break X;\n` : '';
        if (target >= 0) {
          this.text += check;
          this.close({ kind: 'goto', edge: this.edgeInto(target) });
        } else if (computed && returns.length > 0) {
          this.text += check;
          const cases = returns.map((to) => ({ value: this.blocks[to]!.eip, edge: this.edgeInto(to) }));
          this.close({ kind: 'switch', on: this.global(this.layout.eip), cases, otherwise: LEAVE });
        } else {
          this.text += LEAVE;
          this.close({ kind: 'none' });
        }
        open = false;
      } else if (this.isInline(op)) {
        // What the helper says of exceptions matters only where it is called.
        const check = ops.ops[i + 1]!, checked = check.def === O.TRAP && check.args[0] === args[1];
        this.inline(op, checked ? check : undefined, i);
        if (checked) i++;
      } else this.emit(op);
    }
    if (open) throw new Error('a block does not end');
  }

  /** The function's source, for entries (numbers of blocks) that it is called with as 0, 1, … */
  finish(name: string, entries: readonly number[]): string {
    let first = entries[0]!;
    if (entries.length > 1) {
      first = this.nodes.push({ code: '', next: { kind: 'switch', on: 'entry', cases: entries.map((to, value) => ({ value, edge: edgeTo(to) })), otherwise: LEAVE } }) - 1;
    }
    const body = structure(this.nodes, first);
    const { globals, budget } = this.layout;
    const all = [...new Set([...this.used, ...this.written])].sort((a, b) => a - b), written = [...this.written].sort((a, b) => a - b);
    const save = written.map((slot) => `R[${slot}] = ${globals[slot]};`).join(' '), reload = all.map((slot) => `${globals[slot]} = R[${slot}];`).join(' ');
    const { shadows } = this;
    shadows.complete();
    const text = shadows.resolve(body.replaceAll(SAVE, save).replaceAll(RELOAD, reload));
    const locals = [
      ...all.map((slot) => `${globals[slot]} = R[${slot}]`), ...shadows.locals, `budget = R[${budget}]`, 'site = 0', `${DISPATCH} = 0`, 'a = 0', 'p = 0',
      ...Array.from({ length: this.temps }, (_, i) => `t${i} = 0`),
    ];
    return `return (function ${name}(entry, TR, TW) {\nlet ${locals.join(', ')};\n${shadows.prologue}\nX: {\n${text}}\n${save} ${shadows.epilogue}R[${budget}] = budget;\nreturn site;\n})`;
  }

  /** Numbers of the helpers that the text calls as f<number>. */
  get calledHelpers(): readonly number[] {
    return [...this.calls];
  }

  private close(next: Terminator): void {
    this.writable = -1;
    // The next node begins anew; only exits end without a successor, and leave the words as they are.
    const settled = this.shadows.settle();
    if (next.kind !== 'none') this.text += settled;
    this.nodes[this.node] = { code: this.text, next };
    this.text = '';
  }

  /** The block of this region that the op at `at` leads to for certain, or -1. */
  private target(at: number): number {
    const eip = constantTarget(this.block, at, this.layout.eip);
    return eip === undefined ? -1 : this.blocks.findIndex((block) => block.eip === eip);
  }

  /** The way to a block. Pages that this one does not lie in must be mapped as when the block was translated; else the run loop looks. */
  private edgeInto(to: number): Edge {
    const { eip, pages } = this.blocks[to]!;
    const checks = pages.filter(({ page }) => this.own.pages.every((own) => own.page !== page)).map(({ page, entry }) => `TR[${page}] !== ${entry}`);
    return edgeTo(to, checks.length === 0 ? '' : `if (${checks.join(' || ')}) { ${this.global(this.layout.eip)} = ${eip}; site = ${LEAVE_BUDGET}; break X; } `);
  }

  private emit(op: Op): void {
    const { def, args } = op;
    switch (def) {
      case O.INSN_START:
        this.writable = -1;
        this.insn = { eip: args[0]!, ccOp: args[1]!, index: this.insn.index + 1, accesses: 0, calls: false };
        return;
      case O.DISCARD:
        return;
      case O.LD_ENV:
        this.text += this.shadows.flush(args[1]!, 1);
        this.assign(args[0]!, `R[${args[1]}]`);
        return;
      case O.ST_ENV:
        this.text += `${this.shadows.flush(args[1]!, 1)}${this.shadows.overtake(args[1]!, 1)}R[${args[1]}] = ${this.input(args[0]!)};\n`;
        this.changes ||= args[1] === this.layout.flags;
        return;
      case O.GUEST_LD:
        this.load(args[0]!, args[1]!, args[2]!);
        return;
      case O.GUEST_ST:
        this.store(args[0]!, args[1]!, args[2]!);
        return;
      case O.GUEST_LD_VEC:
      case O.GUEST_ST_VEC:
        this.vector(def === O.GUEST_LD_VEC ? 'load' : 'store', args[1]!, args[0]!, args[2]!);
        return;
      case O.MOV_VEC:
        this.text += this.shadows.move(args[0]!, args[1]!, args[2]!);
        return;
      case O.ZERO_VEC:
        this.text += this.shadows.clear(args[0]!, args[1]!);
        return;
      case O.TRAP:
        this.text += this.trap(op);
        return;
      case O.CALL:
        this.call(op);
        return;
    }
    if (def.js === undefined) throw new Error(`no JavaScript for ${def.name}`);
    const operands = args.slice(1).map((arg, i) => (i < def.ins ? this.input(arg) : String(arg)));
    this.assign(args[0]!, def.js(...operands));
  }

  private load(out: number, address: number, memop: number): void {
    const bytes = O.memOpBytes(memop), signed = (memop & O.MO_SIGN) !== 0;
    const read = bytes === 1 ? (signed ? 'V.getInt8(p)' : 'U[p]') : bytes === 2 ? (signed ? 'V.getInt16(p, true)' : 'V.getUint16(p, true)') : 'V.getInt32(p, true)';
    const modify = (memop & O.MO_RMW) !== 0;
    this.access(modify ? 'read-modify-write' : 'load', address, bytes, { hit: () => this.assignment(out, read), slow: `a = loadSlow(a, ${memop});`, done: () => this.assignment(out, 'a') });
    if (modify && out !== address && !this.insn.calls) this.writable = address;
  }

  private store(value: number, address: number, memop: number): void {
    const bytes = O.memOpBytes(memop), v = this.input(value);
    const write = bytes === 1 ? `U[p] = ${v};` : bytes === 2 ? `V.setInt16(p, ${v}, true);` : `V.setInt32(p, ${v}, true);`;
    this.access('store', address, bytes, { hit: () => write, slow: `storeSlow(a, ${v}, ${memop});`, done: () => '' });
  }

  private vector(kind: 'load' | 'store', slot: number, address: number, bytes: number): void {
    const { shadows } = this;
    // A slow store takes the words.
    const before = kind === 'store' ? shadows.flush(slot, bytes / 4) : '', work = kind === 'load' ? shadows.load(slot, bytes) : shadows.store(slot, bytes);
    this.access(kind, address, bytes, kind === 'load'
      ? { hit: () => work, slow: `loadVecSlow(a, ${slot}, ${bytes});`, done: () => shadows.loaded(slot, bytes) }
      : { hit: () => work, slow: `${before}storeVecSlow(a, ${slot}, ${bytes});`, done: () => '' });
  }

  private trap({ args }: Op): string {
    return `if (${conditionJs(args[2]!, this.input(args[0]!), this.input(args[1]!))}) { site = ${this.site('trap').number}; break X; }\n`;
  }

  /**
   * The address check, and what is done on a hit; on a miss the function is left, or calls the slow path. Only once that has found no fault is it `done`:
   * an instruction that faults has written nothing, or it would go wrong when it is run again.
   */
  private access(kind: 'load' | 'store' | 'read-modify-write', address: number, bytes: number, work: { hit: () => string; slow: string; done: () => string }): void {
    const table = kind === 'load' ? 'TR' : 'TW';
    // The store of a read-modify-write: its load has looked into the write table, and p still holds.
    if (table === 'TW' && this.writable === address) {
      this.writable = -1;
      this.text += `${work.hit()}\n`;
      return;
    }
    this.writable = -1;
    const { key, number } = this.site(kind);
    const crosses = bytes === 1 ? '' : ` || (a & 4095) > ${4096 - bytes}`;
    this.text += `a = ${this.input(address)}; p = ${table}[a >>> 12] ^ a;\n`;
    if (this.claims && table === 'TW') this.text += 'if (p < 0) p = claim(a);\n';
    const miss = `p < 0${crosses}`;
    // What an instruction has read from a device cannot be read again: after a call, it is done here to its end.
    this.insn.calls ||= this.callSites.has(key);
    if (!this.insn.calls) {
      this.text += `if (${miss}) { site = ${number}; break X; }\n${work.hit()}\n`;
      return;
    }
    // A device may ask for the time, and a kick takes the budget away: it is in the state meanwhile.
    const { budget, pendingExit } = this.layout;
    this.text += `if (${miss}) { R[${budget}] = budget; R[${this.layout.site}] = ${number}; ${work.slow} budget = R[${budget}]; if (R[${pendingExit}] !== 0) { site = ${number}; break X; } ${work.done()} } else { ${work.hit()} }\n`;
  }

  private call({ args }: Op): void {
    this.writable = -1;
    const helper = this.helpers[args[0]!]!, { shadows } = this;
    const outs = helper.returns ? 1 : 0;
    const inputs = args.slice(1 + outs).map((arg) => this.input(arg)), call = `f${args[0]}(${inputs.join(', ')})`;
    this.calls.add(args[0]!);
    const expression = helper.shortcut?.(call, ...inputs) ?? call;
    if (helper.pure || helper.contained === true) {
      if (!helper.pure) this.text += shadows.flushAll();
      if (outs > 0) this.assign(args[1]!, `${expression} | 0`);
      else this.text += `${expression};\n`;
      if (!helper.pure) this.text += shadows.overtakeAll();
      return;
    }
    this.changes = true;
    this.text += `${helper.mayFault || helper.globals !== 'none' ? `${SAVE} ` : ''}${shadows.flushAll()}R[${this.layout.budget}] = budget; R[${this.layout.site}] = ${this.site('call').number};\n`;
    // The result is taken before the registers are read again: it may be one of them.
    const reload = `${helper.globals === 'write' ? `${RELOAD} ` : ''}${shadows.overtakeAll()}budget = R[${this.layout.budget}];\n`;
    if (outs === 0) {
      this.text += `${expression};\n${reload}`;
      return;
    }
    this.text += `a = ${expression} | 0;\n${reload}`;
    this.assign(args[1]!, 'a');
  }

  /** A helper with an inline form, all inputs known. */
  private isInline({ def, args }: Op): boolean {
    if (def !== O.CALL) return false;
    const { inline, returns } = this.helpers[args[0]!]!;
    return inline !== undefined && args.slice(returns ? 2 : 1).every((arg) => this.block.isConst(arg));
  }

  /** The form where it holds, else the helper; `check` is the trap that follows on its result. */
  private inline({ args }: Op, check: Op | undefined, at: number): void {
    this.writable = -1;
    const number = args[0]!, helper = this.helpers[number]!, { shadows } = this;
    const inputs = args.slice(helper.returns ? 2 : 1).map((arg) => this.block.constValue(arg));
    const { reads, writes, readsWords = [], writesWords = [], text } = helper.inline!(inputs);
    this.calls.add(number);
    const emit = (more: string): void => { this.text += more; };
    const operands = reads.map((slot) => shadows.read(slot, emit));
    for (const slot of [...readsWords, ...writesWords]) emit(shadows.flush(slot, 1));
    const before = [...new Set([...reads, ...writes])].map((slot) => shadows.flush(slot, 2)).join('');
    const { before: first, holds, then, value = '0' } = text(operands, writes.map((slot) => shadows.write(slot)));
    const out = helper.returns ? args[1]! : -1, call = `f${number}(${inputs.join(', ')})`;
    const assign = (expression: string): string => (out < 0 ? `${expression}; ` : `${this.assignment(out, expression)} `);
    const wanted = out >= 0 && this.last.get(out)! > (check === undefined ? at : at + 1);
    emit(`${first} if (${holds}) { ${then} ${wanted ? assign(value) : ''}}\nelse { ${before}${assign(`${call} | 0`)}${check === undefined ? '' : this.trap(check)}${shadows.afterSlow(writes)} }\n`);
    for (const slot of writesWords) emit(shadows.overtake(slot, 1));
  }

  /** A site for the present instruction's next access. */
  private site(kind: Site['kind']): { number: number; key: string } {
    const { eip, ccOp, index } = this.insn;
    const key = `${(eip >>> 0).toString(16)}:${this.insn.accesses++}`;
    this.sites.push({ eip, ccOp, refund: this.own.icount - index, kind, key });
    return { number: this.sites.length, key };
  }

  private assign(out: number, expression: string): void {
    this.text += `${this.assignment(out, expression)}\n`;
  }

  private assignment(out: number, expression: string): string {
    if (out === this.writable) this.writable = -1;
    if (this.block.kinds[out] === GLOBAL) {
      this.written.add(out);
      return `${this.global(out)} = ${expression};`;
    }
    return `${this.names[out]} = ${expression};`;
  }

  private input(value: number): string {
    switch (this.block.kinds[value]) {
      case GLOBAL: return this.global(value);
      case CONST: {
        const number = this.block.constValue(value);
        return number < 0 ? `(${number})` : String(number);
      }
      default: return this.names[value]!;
    }
  }

  private global(slot: number): string {
    this.used.add(slot);
    return this.layout.globals[slot]!;
  }

  /** JavaScript names of the block's temporaries: a name is free again after the last use, as long as the block only jumps forward. */
  private nameTemps(): string[] {
    const { ops, kinds } = this.block;
    const last = this.last = new Map<number, number>(), set = new Set<number>();
    let backward = false;
    ops.forEach(({ def, args }, at) => {
      for (const arg of this.valuesOf(def, args)) last.set(arg, at);
      if (def === O.SET_LABEL) set.add(args[0]!);
      backward ||= (def === O.BR && set.has(args[0]!)) || (def === O.BRCOND && set.has(args[3]!));
    });
    const names: string[] = [], free: number[] = [], taken = new Map<number, number>();
    let count = 0;
    ops.forEach(({ def, args }, at) => {
      const values = this.valuesOf(def, args);
      for (const value of values) {
        if (kinds[value] === GLOBAL || kinds[value] === CONST || taken.has(value)) continue;
        const number = free.pop() ?? count++;
        taken.set(value, number);
        names[value] = `t${number}`;
      }
      if (backward) return;
      for (const value of new Set(values)) {
        const number = taken.get(value);
        if (number !== undefined && last.get(value) === at) free.push(number);
      }
    });
    this.temps = Math.max(this.temps, count);
    return names;
  }

  /** The value operands of an op. */
  private valuesOf(def: O.OpDef, args: readonly number[]): readonly number[] {
    return def === O.CALL ? args.slice(1) : args.slice(0, def.outs + def.ins);
  }
}

