/** A machine without a processor, for tests and measurements of the tcg room: a few globals, flat memory, some helpers. */
import type { EnvLayout, ExecEnv, Helper } from '../../src/tcg/env.ts';
import { createInterpreter, type Interpreter } from '../../src/tcg/interp.ts';
import type { Block } from '../../src/tcg/ir.ts';
import { MO_SIGN, memOpBytes } from '../../src/tcg/ops.ts';
import { TbCache, type TbKey, type TranslationBlock } from '../../src/tcg/tb-cache.ts';

export const GLOBALS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'cc_op', 'cc_dst', 'cc_src'] as const;
export const EAX = 0, ECX = 1, EDX = 2, EBX = 3, EIP = 8, CC_OP = 9, CC_DST = 10, CC_SRC = 11;

export const LAYOUT: EnvLayout = {
  globals: GLOBALS, eip: EIP, csBase: 12, csLimit: 13, flags: 14, budget: 16, currentOp: 17, pendingExit: 18, parked: 19, region: 22, site: 20, regionRetired: 21, regionEntries: 23, regionEvents: 24, regionBudgets: 25, temps: 256, leastDouble: '0',
};
/** State words that are free for tests. */
export const WORD = 20;

const helper = (name: string, fn: Helper['fn'], options: Partial<Helper> = {}): Helper => ({
  name, fn, args: fn.length, returns: true, globals: 'none', pure: false, mayFault: false, ...options,
});

export class TestMachine {
  readonly regs = new Int32Array(2048);
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly cache: TbCache;
  readonly interpreter: Interpreter;
  readonly env: ExecEnv;
  /** What the slow paths and the helpers saw. */
  readonly log: string[] = [];
  /** Exit that the slow paths ask for. */
  slowExit = 0;

  static readonly HELPERS: readonly Helper[] = [
    helper('cc_compute_all', (dst, src, op) => dst! * 3 ^ src! + op! | 0, { args: 3, pure: true }),
    helper('note', () => undefined, { args: 1, returns: false }),
    helper('set_eax', () => undefined, { args: 1, returns: false, globals: 'write' }),
    helper('get_eax', () => 0, { args: 0, globals: 'read' }),
    helper('fault', () => { throw new Error('guest fault'); }, { args: 0, returns: false, mayFault: true }),
    helper('sum5', (a, b, c, d, e) => a! + b! + c! + d! + e! | 0, { args: 5, mayFault: true }),
  ];

  readonly helpers: readonly Helper[];

  constructor(options: { pages?: number; codeBytes?: number } = {}) {
    const { pages = 16, codeBytes = 1 << 20 } = options;
    const buffer = new ArrayBuffer(pages * 4096);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    const { regs, log } = this;
    const words = new Uint8Array(regs.buffer);
    this.helpers = TestMachine.HELPERS.map((h) => {
      switch (h.name) {
        case 'note': return { ...h, fn: (a) => { log.push(`note ${a}`); } };
        case 'set_eax': return { ...h, fn: (a) => { regs[EAX] = a!; } };
        case 'get_eax': return { ...h, fn: () => regs[EAX]! };
        default: return h;
      }
    });
    // Pages map to themselves; pages beyond memory miss.
    const table = Int32Array.from({ length: 1 << 20 }, (_, page) => (page < pages ? 0 : ~(page << 12) & 1 << 31));
    this.env = {
      layout: LAYOUT, regs, bytes: this.bytes, view: this.view, readTable: table, writeTable: table.slice(), helpers: this.helpers, regions: [() => 0],
      loadSlow: (address, memop) => {
        log.push(`load ${(address >>> 0).toString(16)} ${memOpBytes(memop)}`);
        regs[LAYOUT.pendingExit] = this.slowExit;
        let value = 0;
        for (let i = 0; i < memOpBytes(memop); i++) value |= this.bytes[(address + i) % this.bytes.length]! << 8 * i;
        const shift = 32 - 8 * memOpBytes(memop);
        return memop & MO_SIGN ? value << shift >> shift : value;
      },
      storeSlow: (address, value, memop) => {
        log.push(`store ${(address >>> 0).toString(16)} ${memOpBytes(memop)}`);
        regs[LAYOUT.pendingExit] = this.slowExit;
        if (this.slowExit === 0) for (let i = 0; i < memOpBytes(memop); i++) this.bytes[(address + i) % this.bytes.length] = value >> 8 * i;
      },
      loadVecSlow: (address, slot, bytes) => {
        log.push(`load ${(address >>> 0).toString(16)} ${bytes}`);
        regs[LAYOUT.pendingExit] = this.slowExit;
        if (this.slowExit === 0) for (let i = 0; i < bytes; i++) words[slot * 4 + i] = this.bytes[(address + i) % this.bytes.length]!;
      },
      storeVecSlow: (address, slot, bytes) => {
        log.push(`store ${(address >>> 0).toString(16)} ${bytes}`);
        regs[LAYOUT.pendingExit] = this.slowExit;
        if (this.slowExit === 0) for (let i = 0; i < bytes; i++) this.bytes[(address + i) % this.bytes.length] = words[slot * 4 + i]!;
      },
    };
    this.cache = new TbCache({ layout: LAYOUT, bytes: codeBytes });
    this.interpreter = createInterpreter(this.env, this.cache.jumpCache, this.cache.code);
    regs[LAYOUT.budget] = 1 << 30;
    regs[LAYOUT.csLimit] = -1;
  }

  /** Enters a block at this linear pc, one page of flat code. */
  add(block: Block, pc: number, key: Partial<TbKey> = {}): TranslationBlock {
    return this.cache.add({ pc, csBase: 0, csLimit: -1, flags: 0, ma: pc, length: 1, ma1: -1, length1: 0, ...key }, block);
  }

  run(block: TranslationBlock): number {
    return this.interpreter.run(block.position);
  }
}
