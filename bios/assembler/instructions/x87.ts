/** x87 floating point (Intel SDM vol. 2, D8-DF; appendix A.5). F2XM1 ... FYL2XP1 are the D9 F0-FF row. */
import { hex, templates } from './template.ts';
import type { Template } from './template.ts';

/** FADD and its five sisters: memory forms, stack forms in both directions, integer and popping forms. */
const arithmetic = (name: string, digit: number, reversed: number): string => `
F${name} m32 : D8 /${digit}
F${name} m64 : DC /${digit}
F${name} tosti : DC ${hex(0xc0 + reversed * 8)} +r
F${name} sti : D8 ${hex(0xc0 + digit * 8)} +r
F${name} sti,st0 : DC ${hex(0xc0 + reversed * 8)} +r
F${name} st0,sti : D8 ${hex(0xc0 + digit * 8)} +r
F${name} : DE ${hex(0xc0 + reversed * 8 + 1)}
F${name}P sti : DE ${hex(0xc0 + reversed * 8)} +r
F${name}P sti,st0 : DE ${hex(0xc0 + reversed * 8)} +r
F${name}P : DE ${hex(0xc0 + reversed * 8 + 1)}
FI${name} m32 : DA /${digit}
FI${name} m16 : DE /${digit}
`;

const ARITHMETIC = [
  arithmetic('ADD', 0, 0), arithmetic('MUL', 1, 1), arithmetic('SUB', 4, 5),
  arithmetic('SUBR', 5, 4), arithmetic('DIV', 6, 7), arithmetic('DIVR', 7, 6),
];

const compare = (name: string, first: string, code: number): string => `
${name} sti : ${first} ${hex(code)} +r
${name} st0,sti : ${first} ${hex(code)} +r
${name} : ${first} ${hex(code + 1)}
`;

const MEMORY = `
FLD m32 : D9 /0
FLD m64 : DD /0
FLD m80 : DB /5
FLD sti : D9 C0 +r
FLD : D9 C1
FST m32 : D9 /2
FST m64 : DD /2
FST sti : DD D0 +r
FST : DD D1
FSTP m32 : D9 /3
FSTP m64 : DD /3
FSTP m80 : DB /7
FSTP sti : DD D8 +r
FSTP : DD D9
FILD m16 : DF /0
FILD m32 : DB /0
FILD m64 : DF /5
FIST m16 : DF /2
FIST m32 : DB /2
FISTP m16 : DF /3
FISTP m32 : DB /3
FISTP m64 : DF /7
FISTTP m16 : DF /1
FISTTP m32 : DB /1
FISTTP m64 : DD /1
FBLD m80 : DF /4
FBSTP m80 : DF /6
FCOM m32 : D8 /2
FCOM m64 : DC /2
FCOMP m32 : D8 /3
FCOMP m64 : DC /3
FICOM m16 : DE /2
FICOM m32 : DA /2
FICOMP m16 : DE /3
FICOMP m32 : DA /3
FLDCW m16 : D9 /5
FNSTCW m16 : D9 /7
FSTCW m16 : wait D9 /7
FNSTSW m16 : DD /7
FNSTSW ax : DF E0
FSTSW m16 : wait DD /7
FSTSW ax : wait DF E0
FLDENV mu : D9 /4
FNSTENV mu : D9 /6
FSTENV mu : wait D9 /6
FRSTOR mu : DD /4
FNSAVE mu : DD /6
FSAVE mu : wait DD /6
`;

const STACK = `
FXCH sti : D9 C8 +r
FXCH sti,st0 : D9 C8 +r
FXCH st0,sti : D9 C8 +r
FXCH : D9 C9
FFREE sti : DD C0 +r
FFREE : DD C1
FFREEP sti : DF C0 +r
FFREEP : DF C1
FCOMPP : DE D9
FUCOMPP : DA E9
FNOP : D9 D0
FCHS : D9 E0
FABS : D9 E1
FTST : D9 E4
FXAM : D9 E5
FLD1 : D9 E8
FLDL2T : D9 E9
FLDL2E : D9 EA
FLDPI : D9 EB
FLDLG2 : D9 EC
FLDLN2 : D9 ED
FLDZ : D9 EE
F2XM1 : D9 F0
FYL2X : D9 F1
FPTAN : D9 F2
FPATAN : D9 F3
FXTRACT : D9 F4
FPREM1 : D9 F5
FDECSTP : D9 F6
FINCSTP : D9 F7
FPREM : D9 F8
FYL2XP1 : D9 F9
FSQRT : D9 FA
FSINCOS : D9 FB
FRNDINT : D9 FC
FSCALE : D9 FD
FSIN : D9 FE
FCOS : D9 FF
FNENI : DB E0
FENI : wait DB E0
FNDISI : DB E1
FDISI : wait DB E1
FNCLEX : DB E2
FCLEX : wait DB E2
FNINIT : DB E3
FINIT : wait DB E3
FSETPM : DB E4
WAIT : 9B
FWAIT : 9B
`;

/** FCMOVcc knows b, e, be, u and their opposites. */
const MOVES: readonly (readonly [string, string])[] = [
  ['B', 'DA C0'], ['E', 'DA C8'], ['BE', 'DA D0'], ['U', 'DA D8'], ['NB', 'DB C0'], ['NE', 'DB C8'], ['NBE', 'DB D0'], ['NU', 'DB D8'],
];

const move = (condition: string, code: string): string => `
FCMOV${condition} sti : ${code} +r
FCMOV${condition} st0,sti : ${code} +r
FCMOV${condition} : ${code.slice(0, 3)}${hex(parseInt(code.slice(3), 16) + 1)}
`;

export const X87: readonly Template[] = [
  ...ARITHMETIC,
  MEMORY,
  STACK,
  compare('FCOM', 'D8', 0xd0), compare('FCOMP', 'D8', 0xd8), compare('FUCOM', 'DD', 0xe0), compare('FUCOMP', 'DD', 0xe8),
  compare('FCOMI', 'DB', 0xf0), compare('FCOMIP', 'DF', 0xf0), compare('FUCOMI', 'DB', 0xe8), compare('FUCOMIP', 'DF', 0xe8),
  ...MOVES.map(([condition, code]) => move(condition, code)),
].flatMap(templates);
