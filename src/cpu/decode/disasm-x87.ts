/**
 * AT&T names of the x87 instructions: opcode D8-DF (ESC0-ESC7), then ModRM.reg, and for the register forms D9 E0-FF, DA, DB, DE
 * and DF also ModRM.rm. Source: Intel SDM, vol. 2, appendix A.5 (tables ); aliases: AMD APM vol. 3, appendix A.2.
 * AT&T swaps the names of SUB and SUBR, DIV and DIVR when the destination is not ST(0), and the tables follow that.
 */

import type { Insn } from './insn.ts';

const BAD = '(bad)';

/** Memory forms, by ModRM.reg; the letter at the end is the operand's size: s 16-bit int or single, l 32-bit int or double, t 80-bit. */
const MEMORY: readonly (readonly string[])[] = [
  ['fadds', 'fmuls', 'fcoms', 'fcomps', 'fsubs', 'fsubrs', 'fdivs', 'fdivrs'],
  ['flds', BAD, 'fsts', 'fstps', 'fldenv', 'fldcw', 'fnstenv', 'fnstcw'],
  ['fiaddl', 'fimull', 'ficoml', 'ficompl', 'fisubl', 'fisubrl', 'fidivl', 'fidivrl'],
  ['fildl', 'fisttpl', 'fistl', 'fistpl', BAD, 'fldt', BAD, 'fstpt'],
  ['faddl', 'fmull', 'fcoml', 'fcompl', 'fsubl', 'fsubrl', 'fdivl', 'fdivrl'],
  ['fldl', 'fisttpll', 'fstl', 'fstpl', 'frstor', BAD, 'fnsave', 'fnstsw'],
  ['fiadds', 'fimuls', 'ficoms', 'ficomps', 'fisubs', 'fisubrs', 'fidivs', 'fidivrs'],
  ['filds', 'fisttps', 'fists', 'fistps', 'fbld', 'fildll', 'fbstp', 'fistpll'],
];

/** Register forms with ST(i), by ModRM.reg: `name` takes %st(i), `name st,i` and `name i,st` take both. A list: by ModRM.rm, no operands. */
const REGISTER: readonly (readonly (string | readonly string[])[])[] = [
  ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr'],
  [
    'fld', 'fxch', ['fnop'], 'fstp',
    ['fchs', 'fabs', BAD, BAD, 'ftst', 'fxam'],
    ['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'],
    ['f2xm1', 'fyl2x', 'fptan', 'fpatan', 'fxtract', 'fprem1', 'fdecstp', 'fincstp'],
    ['fprem', 'fyl2xp1', 'fsqrt', 'fsincos', 'frndint', 'fscale', 'fsin', 'fcos'],
  ],
  ['fcmovb i,st', 'fcmove i,st', 'fcmovbe i,st', 'fcmovu i,st', [], [BAD, 'fucompp'], [], []],
  ['fcmovnb i,st', 'fcmovne i,st', 'fcmovnbe i,st', 'fcmovnu i,st', ['fneni', 'fndisi', 'fnclex', 'fninit', 'fnsetpm'], 'fucomi i,st', 'fcomi i,st', []],
  ['fadd st,i', 'fmul st,i', 'fcom', 'fcomp', 'fsub st,i', 'fsubr st,i', 'fdiv st,i', 'fdivr st,i'],
  ['ffree', 'fxch', 'fst', 'fstp', 'fucom', 'fucomp', [], []],
  ['faddp', 'fmulp', 'fcomp', [BAD, 'fcompp'], 'fsubp', 'fsubrp', 'fdivp', 'fdivrp'],
  ['ffreep', 'fxch', 'fstp', 'fstp', ['fnstsw %ax'], 'fucompi i,st', 'fcompi i,st', []],
];

/** An ESC row's text; `memory` prints its memory operand. `(bad)` for an encoding that the 387 does not define. */
export function disassembleX87(insn: Insn, memory: (insn: Insn) => string): string {
  const escape = insn.row.opcode & 7;
  if (insn.mod !== 3) {
    const name = MEMORY[escape][insn.reg];
    return name === BAD ? BAD : `${name} ${memory(insn)}`;
  }
  const entry = REGISTER[escape][insn.reg];
  if (typeof entry !== 'string') return entry[insn.rm] ?? BAD;
  const [name, form] = entry.split(' ');
  if (form === undefined) return `${name} %st(${insn.rm})`;
  return form === 'i,st' ? `${name} %st(${insn.rm}), %st(0)` : `${name} %st(0), %st(${insn.rm})`;
}
