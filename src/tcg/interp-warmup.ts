/**
 * Runs every packed form a few times, with values of all kinds, before the interpreter sees guest code. V8 otherwise compiles
 * the loop knowing only the forms that the first blocks used, and throws the result away at each form that is new to it.
 */
import type { EnvLayout } from './env.ts';
import { EXIT_EVENT } from './env.ts';
import { A_SHIFT, CALL, D_SHIFT, EXIT_TB, FORMS, LOOKUP, SLOT_MASK, TB_START } from './forms.ts';

export interface WarmUp {
  readonly layout: EnvLayout;
  readonly regs: Int32Array;
  readonly code: Int32Array;
  readonly jumpCache: Int32Array;
  /** Runs from a position, with tables under which page 0 lies at MA 0 and all other pages miss. */
  readonly run: (position: number) => void;
  /** Numbers of helpers that may be called. */
  readonly helpers: readonly number[];
  /** Numbers of regions that may be called. */
  readonly regions: readonly number[];
}

const ROUNDS = 12;
const VALUES = [0, 1, -1, 5, 0x7fffffff, -0x80000000, 0x1234, -300, 31, 0x00ff00ff, 64, 2048];
/** Where the trial op and the block that it goes on to stand in the code; the latter is also every operand. */
const TRIAL = 16, NEXT = 64;

/** Leaves registers, code and jump cache as they were; the caller restores the first page of memory. */
export function warmUp({ layout, regs, code, jumpCache, run, helpers, regions }: WarmUp): void {
  const savedRegs = regs.slice(), savedCode = code.slice(0, NEXT + 16);
  const { temps } = layout;
  const a = temps, d = temps + 1;
  for (let round = 0; round < ROUNDS; round++) {
    for (const { number, words } of FORMS) {
      code.fill(0, 0, NEXT + 16);
      // Operands that are 0 may be jumped to as well: a block stands there too.
      code[9] = EXIT_TB | EXIT_EVENT << A_SHIFT;
      if (round % 3 === 1) code[NEXT] = regions[number % regions.length]! << 16;
      code[NEXT + 5] = 1;
      code[NEXT + 7] = round === 5 ? -1 : 0;
      code[NEXT + 9] = EXIT_TB | EXIT_EVENT << A_SHIFT;
      const other = round % 3 === 2 ? 0 : NEXT;
      code.fill(other, TRIAL + 1, TRIAL + words);
      // A block's head has no operands: there they would name a region.
      code[TRIAL] = number === TB_START ? 0 : number | d << D_SHIFT | (number === EXIT_TB ? EXIT_EVENT : a) << A_SHIFT;
      code[TRIAL + words] = EXIT_TB | EXIT_EVENT << A_SHIFT;
      if (CALL.includes(number)) code[TRIAL + 1] = helpers[round % helpers.length]! | (round & 1 ? 0xff0000 : 0);
      regs[a] = VALUES[round]!;
      regs[d] = regs[NEXT & SLOT_MASK] = VALUES[(round * 5 + number) % VALUES.length]!;
      regs[layout.budget] = round === 7 ? 0 : 1000;
      if (number === LOOKUP) {
        regs[layout.eip] = regs[layout.csBase] = regs[layout.csLimit] = regs[layout.flags] = 0;
        jumpCache[0] = other;
      }
      run(TRIAL);
    }
  }
  jumpCache[0] = 0;
  code.set(savedCode);
  regs.set(savedRegs);
}
