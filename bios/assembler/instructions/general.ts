/** Data movement, arithmetic, logic, shifts and bits (Intel SDM vol. 2; 8086 to 80486, Pentium and P6 additions). */
import { CONDITIONS, hex, templates } from './template.ts';
import type { Template } from './template.ts';

const MOVES = `
MOV al,moff8 : A0 moff
MOV av,moffv : A1 moff
MOV moff8,al : A2 moff
MOV moffv,av : A3 moff
MOV rm8,r8 : 88 /r
MOV rmv,rv : 89 /r
MOV r8,rm8 : 8A /r
MOV rv,rmv : 8B /r
MOV m16,sreg : 8C /r
MOV Rv,sreg : 8C /r
MOV sreg,m16 : 8E /r
MOV sreg,R16 : 8E /r
MOV sreg,R32 : 8E /r
MOV r8,i8 : B0 +r ib
MOV rv,iv : B8 +r iv
MOV rm8,i8 : C6 /0 ib
MOV rmv,iv : C7 /0 iv
MOV R32,creg : 0F 20 /r
MOV creg,R32 : 0F 22 /r
MOV R32,dreg : 0F 21 /r
MOV dreg,R32 : 0F 23 /r
MOV R32,treg : 0F 24 /r
MOV treg,R32 : 0F 26 /r
MOVSX rv,rm8 : 0F BE /r
MOVSX r32,rm16 : o32 0F BF /r
MOVZX rv,rm8 : 0F B6 /r
MOVZX r32,rm16 : o32 0F B7 /r
LEA rv,m : 8D /r
LES rv,mu : C4 /r
LDS rv,mu : C5 /r
LSS rv,mu : 0F B2 /r
LFS rv,mu : 0F B4 /r
LGS rv,mu : 0F B5 /r
XCHG av,rv : 90 +r
XCHG rv,av : 90 +r
XCHG r8,rm8 : 86 /r
XCHG rv,rmv : 87 /r
XCHG rm8,r8 : 86 /r
XCHG rmv,rv : 87 /r
XLAT : D7
XLATB : D7
BSWAP r32 : o32 0F C8 +r
PUSH rv : 50 +r
PUSH rmv : FF /6
PUSH es : 06
PUSH cs : 0E
PUSH ss : 16
PUSH ds : 1E
PUSH fs : 0F A0
PUSH gs : 0F A8
POP rv : 58 +r
POP rmv : 8F /0
POP es : 07
POP cs : 0F
POP ss : 17
POP ds : 1F
POP fs : 0F A1
POP gs : 0F A9
PUSHA : 60
PUSHAW : o16 60
PUSHAD : o32 60
POPA : 61
POPAW : o16 61
POPAD : o32 61
PUSHF : 9C
PUSHFW : o16 9C
PUSHFD : o32 9C
POPF : 9D
POPFW : o16 9D
POPFD : o32 9D
LAHF : 9F
SAHF : 9E
CBW : o16 98
CWDE : o32 98
CWD : o16 99
CDQ : o32 99
SALC : D6
`;

// `push word 5` and `push dword 5` choose the operand size; without a size it is the mode's.
const PUSH_IMMEDIATE = `
PUSH x8 : 6A ib
PUSH sx16 : o16 6A ib
PUSH sx32 : o32 6A ib
PUSH x16 : o16 68 iw
PUSH x32 : o32 68 id
`;

const ARITHMETIC = `
INC rv : 40 +r
INC rm8 : FE /0
INC rmv : FF /0
DEC rv : 48 +r
DEC rm8 : FE /1
DEC rmv : FF /1
TEST rm8,r8 : 84 /r
TEST rmv,rv : 85 /r
TEST r8,m8 : 84 /r
TEST r16,m16 : o16 85 /r
TEST r32,m32 : o32 85 /r
TEST al,i8 : A8 ib
TEST av,iv : A9 iv
TEST rm8,i8 : F6 /0 ib
TEST rmv,iv : F7 /0 iv
NOT rm8 : F6 /2
NOT rmv : F7 /2
NEG rm8 : F6 /3
NEG rmv : F7 /3
MUL rm8 : F6 /4
MUL rmv : F7 /4
IMUL rm8 : F6 /5
IMUL rmv : F7 /5
IMUL rv,rmv : 0F AF /r
IMUL rv,s8 : 6B /same ib
IMUL rv,iv : 69 /same iv
IMUL rv,rmv,s8 : 6B /r ib
IMUL rv,rmv,iv : 69 /r iv
DIV rm8 : F6 /6
DIV rmv : F7 /6
IDIV rm8 : F6 /7
IDIV rmv : F7 /7
AAA : 37
AAS : 3F
DAA : 27
DAS : 2F
AAM : D4 0A
AAM ub : D4 ib
AAD : D5 0A
AAD ub : D5 ib
SHLD rmv,rv,nb : 0F A4 /r ib
SHLD rmv,rv,cl : 0F A5 /r
SHRD rmv,rv,nb : 0F AC /r ib
SHRD rmv,rv,cl : 0F AD /r
BSF rv,rmv : 0F BC /r
BSR rv,rmv : 0F BD /r
CMPXCHG rm8,r8 : 0F B0 /r
CMPXCHG rmv,rv : 0F B1 /r
CMPXCHG8B m64 : 0F C7 /1
XADD rm8,r8 : 0F C0 /r
XADD rmv,rv : 0F C1 /r
`;

const alu = (name: string, code: number): string => `
${name} rm8,r8 : ${hex(code)} /r
${name} rmv,rv : ${hex(code + 1)} /r
${name} r8,rm8 : ${hex(code + 2)} /r
${name} rv,rmv : ${hex(code + 3)} /r
${name} al,i8 : ${hex(code + 4)} ib
${name} rm8,i8 : 80 /${code >> 3} ib
${name} rmv,s8 : 83 /${code >> 3} ib
${name} av,iv : ${hex(code + 5)} iv
${name} rmv,iv : 81 /${code >> 3} iv
`;

const shift = (name: string, digit: number): string => `
${name} rm8,one : D0 /${digit}
${name} rm8,cl : D2 /${digit}
${name} rm8,ub : C0 /${digit} ib
${name} rmv,one : D1 /${digit}
${name} rmv,cl : D3 /${digit}
${name} rmv,ub : C1 /${digit} ib
`;

const bitTest = (name: string, digit: number): string => `
${name} rmv,rv : 0F ${hex(0xa3 + ((digit - 4) << 3))} /r
${name} rmv,ub : 0F BA /${digit} ib
`;

const ALU = ['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR', 'CMP'];
const SHIFTS: readonly (readonly [string, number])[] = [
  ['ROL', 0], ['ROR', 1], ['RCL', 2], ['RCR', 3], ['SHL', 4], ['SAL', 4], ['SHR', 5], ['SAR', 7],
];
const BIT_TESTS = ['BT', 'BTS', 'BTR', 'BTC'];

export const GENERAL: readonly Template[] = [
  MOVES,
  PUSH_IMMEDIATE,
  ARITHMETIC,
  ...ALU.map((name, i) => alu(name, i << 3)),
  ...SHIFTS.map(([name, digit]) => shift(name, digit)),
  ...BIT_TESTS.map((name, i) => bitTest(name, 4 + i)),
  ...CONDITIONS.map(([name, code]) => `SET${name} rm8 : 0F ${hex(0x90 + code)} /0\nCMOV${name} rv,rmv : 0F ${hex(0x40 + code)} /r`),
].flatMap(templates);
