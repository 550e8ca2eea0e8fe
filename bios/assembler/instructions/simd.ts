/** MMX, SSE and SSE2 (Intel SDM vol. 2; opcodes by table A-3). 66, F2 and F3 here are part of the opcode. */
import { hex, templates } from './template.ts';
import type { Template } from './template.ts';

/** Integer operations that exist for mm and, with 66, for xmm. */
const PACKED: Readonly<Record<string, string>> = {
  PACKSSWB: '63', PACKUSWB: '67', PACKSSDW: '6B', PUNPCKHBW: '68', PUNPCKHWD: '69', PUNPCKHDQ: '6A',
  PCMPGTB: '64', PCMPGTW: '65', PCMPGTD: '66', PCMPEQB: '74', PCMPEQW: '75', PCMPEQD: '76',
  PADDB: 'FC', PADDW: 'FD', PADDD: 'FE', PADDQ: 'D4', PADDSB: 'EC', PADDSW: 'ED', PADDUSB: 'DC', PADDUSW: 'DD',
  PSUBB: 'F8', PSUBW: 'F9', PSUBD: 'FA', PSUBQ: 'FB', PSUBSB: 'E8', PSUBSW: 'E9', PSUBUSB: 'D8', PSUBUSW: 'D9',
  PMULLW: 'D5', PMULHW: 'E5', PMULHUW: 'E4', PMULUDQ: 'F4', PMADDWD: 'F5', PSADBW: 'F6', PAVGB: 'E0', PAVGW: 'E3',
  PMAXUB: 'DE', PMINUB: 'DA', PMAXSW: 'EE', PMINSW: 'EA', PAND: 'DB', PANDN: 'DF', POR: 'EB', PXOR: 'EF',
  PUNPCKLBW: '60', PUNPCKLWD: '61', PUNPCKLDQ: '62',
};

const packed = ([name, code]: [string, string]): string => `
${name} mm,mm/m64 : 0F ${code} /r
${name} xmm,xmm/m128 : 66 0F ${code} /r
`;

/** Shifts: opcode with a register count, opcode and digit with an immediate one. */
const SHIFTS: readonly (readonly [name: string, code: string, group: string, digit: number])[] = [
  ['PSRLW', 'D1', '71', 2], ['PSRLD', 'D2', '72', 2], ['PSRLQ', 'D3', '73', 2], ['PSRAW', 'E1', '71', 4], ['PSRAD', 'E2', '72', 4],
  ['PSLLW', 'F1', '71', 6], ['PSLLD', 'F2', '72', 6], ['PSLLQ', 'F3', '73', 6],
];

const shift = ([name, code, group, digit]: (typeof SHIFTS)[number]): string => `
${name} mm,mm/m64 : 0F ${code} /r
${name} xmm,xmm/m128 : 66 0F ${code} /r
${name} mmR,nb : 0F ${group} /${digit} ib
${name} xmmR,ub : 66 0F ${group} /${digit} ib
`;

const INTEGER = `
EMMS : 0F 77
MOVD mm,rm32 : 0F 6E /r
MOVD rm32,mm : 0F 7E /r
MOVD xmm,rm32 : 66 0F 6E /r
MOVD rm32,xmm : 66 0F 7E /r
MOVQ mm,mm/m64 : 0F 6F /r
MOVQ mm/m64,mm : 0F 7F /r
MOVQ xmm,xmm/m64 : F3 0F 7E /r
MOVQ xmm/m64,xmm : 66 0F D6 /r
PUNPCKLQDQ xmm,xmm/m128 : 66 0F 6C /r
PUNPCKHQDQ xmm,xmm/m128 : 66 0F 6D /r
PSLLDQ xmmR,ub : 66 0F 73 /7 ib
PSRLDQ xmmR,ub : 66 0F 73 /3 ib
PSHUFW mm,mm/m64,nb : 0F 70 /r ib
PSHUFD xmm,xmm/m128,nb : 66 0F 70 /r ib
PSHUFLW xmm,xmm/m128,nb : F2 0F 70 /r ib
PSHUFHW xmm,xmm/m128,nb : F3 0F 70 /r ib
PINSRW mm,R32,nb : 0F C4 /r ib
PINSRW mm,m16,nb : 0F C4 /r ib
PINSRW xmm,R32,nb : 66 0F C4 /r ib
PINSRW xmm,m16,nb : 66 0F C4 /r ib
PEXTRW r32,mmR,nb : 0F C5 /r ib
PEXTRW r32,xmmR,nb : 66 0F C5 /r ib
PMOVMSKB r32,mmR : 0F D7 /r
PMOVMSKB r32,xmmR : 66 0F D7 /r
MASKMOVQ mm,mmR : 0F F7 /r
MASKMOVDQU xmm,xmmR : 66 0F F7 /r
MOVNTQ m64,mm : 0F E7 /r
MOVNTDQ m128,xmm : 66 0F E7 /r
MOVNTI m32,r32 : 0F C3 /r
MOVDQA xmm,xmm/m128 : 66 0F 6F /r
MOVDQA xmm/m128,xmm : 66 0F 7F /r
MOVDQU xmm,xmm/m128 : F3 0F 6F /r
MOVDQU xmm/m128,xmm : F3 0F 7F /r
MOVDQ2Q mm,xmmR : F2 0F D6 /r
MOVQ2DQ xmm,mmR : F3 0F D6 /r
`;

/** Suffixes of floating-point operations: prefix of the opcode, memory operand. */
const FORMATS: Readonly<Record<string, readonly [prefix: string, memory: string]>> = {
  PS: ['', 'm128'], PD: ['66', 'm128'], SS: ['F3', 'm32'], SD: ['F2', 'm64'],
};

const ARITHMETIC: readonly (readonly [name: string, code: string, formats: string])[] = [
  ['SQRT', '51', 'PS PD SS SD'], ['RSQRT', '52', 'PS SS'], ['RCP', '53', 'PS SS'],
  ['AND', '54', 'PS PD'], ['ANDN', '55', 'PS PD'], ['OR', '56', 'PS PD'], ['XOR', '57', 'PS PD'],
  ['ADD', '58', 'PS PD SS SD'], ['MUL', '59', 'PS PD SS SD'], ['SUB', '5C', 'PS PD SS SD'],
  ['MIN', '5D', 'PS PD SS SD'], ['DIV', '5E', 'PS PD SS SD'], ['MAX', '5F', 'PS PD SS SD'],
  ['UNPCKL', '14', 'PS PD'], ['UNPCKH', '15', 'PS PD'],
];

const PREDICATES = ['EQ', 'LT', 'LE', 'UNORD', 'NEQ', 'NLT', 'NLE', 'ORD'];

const arithmetic = ([name, code, formats]: (typeof ARITHMETIC)[number]): string =>
  formats.split(' ').map((format) => `${name}${format} xmm,xmm/${FORMATS[format]![1]} : ${FORMATS[format]![0]} 0F ${code} /r`).join('\n');

/** CMPxx with its predicate as an immediate, and the eight names that imply it. */
const compare = ([format, [prefix, memory]]: [string, readonly [string, string]]): string => `
CMP${format} xmm,xmm/${memory},ub : ${prefix} 0F C2 /r ib
${PREDICATES.map((name, i) => `CMP${name}${format} xmm,xmm/${memory} : ${prefix} 0F C2 /r ${hex(i)}`).join('\n')}
`;

const MOVES = `
MOVAPS xmm,xmm/m128 : 0F 28 /r
MOVAPS xmm/m128,xmm : 0F 29 /r
MOVAPD xmm,xmm/m128 : 66 0F 28 /r
MOVAPD xmm/m128,xmm : 66 0F 29 /r
MOVUPS xmm,xmm/m128 : 0F 10 /r
MOVUPS xmm/m128,xmm : 0F 11 /r
MOVUPD xmm,xmm/m128 : 66 0F 10 /r
MOVUPD xmm/m128,xmm : 66 0F 11 /r
MOVSS xmm,xmm/m32 : F3 0F 10 /r
MOVSS xmm/m32,xmm : F3 0F 11 /r
MOVSD xmm,xmm/m64 : F2 0F 10 /r
MOVSD xmm/m64,xmm : F2 0F 11 /r
MOVLPS xmm,m64 : 0F 12 /r
MOVLPS m64,xmm : 0F 13 /r
MOVHPS xmm,m64 : 0F 16 /r
MOVHPS m64,xmm : 0F 17 /r
MOVLPD xmm,m64 : 66 0F 12 /r
MOVLPD m64,xmm : 66 0F 13 /r
MOVHPD xmm,m64 : 66 0F 16 /r
MOVHPD m64,xmm : 66 0F 17 /r
MOVHLPS xmm,xmmR : 0F 12 /r
MOVLHPS xmm,xmmR : 0F 16 /r
MOVMSKPS r32,xmmR : 0F 50 /r
MOVMSKPD r32,xmmR : 66 0F 50 /r
MOVNTPS m128,xmm : 0F 2B /r
MOVNTPD m128,xmm : 66 0F 2B /r
SHUFPS xmm,xmm/m128,ub : 0F C6 /r ib
SHUFPD xmm,xmm/m128,ub : 66 0F C6 /r ib
COMISS xmm,xmm/m32 : 0F 2F /r
COMISD xmm,xmm/m64 : 66 0F 2F /r
UCOMISS xmm,xmm/m32 : 0F 2E /r
UCOMISD xmm,xmm/m64 : 66 0F 2E /r
`;

const CONVERSIONS = `
CVTPI2PS xmm,mm/m64 : 0F 2A /r
CVTPI2PD xmm,mm/m64 : 66 0F 2A /r
CVTSI2SS xmm,rm32 : F3 0F 2A /r
CVTSI2SD xmm,rm32 : F2 0F 2A /r
CVTTPS2PI mm,xmm/m64 : 0F 2C /r
CVTTPD2PI mm,xmm/m128 : 66 0F 2C /r
CVTTSS2SI r32,xmm/m32 : F3 0F 2C /r
CVTTSD2SI r32,xmm/m64 : F2 0F 2C /r
CVTPS2PI mm,xmm/m64 : 0F 2D /r
CVTPD2PI mm,xmm/m128 : 66 0F 2D /r
CVTSS2SI r32,xmm/m32 : F3 0F 2D /r
CVTSD2SI r32,xmm/m64 : F2 0F 2D /r
CVTPS2PD xmm,xmm/m64 : 0F 5A /r
CVTPD2PS xmm,xmm/m128 : 66 0F 5A /r
CVTSS2SD xmm,xmm/m32 : F3 0F 5A /r
CVTSD2SS xmm,xmm/m64 : F2 0F 5A /r
CVTDQ2PS xmm,xmm/m128 : 0F 5B /r
CVTPS2DQ xmm,xmm/m128 : 66 0F 5B /r
CVTTPS2DQ xmm,xmm/m128 : F3 0F 5B /r
CVTDQ2PD xmm,xmm/m64 : F3 0F E6 /r
CVTTPD2DQ xmm,xmm/m128 : 66 0F E6 /r
CVTPD2DQ xmm,xmm/m128 : F2 0F E6 /r
`;

const CONTROL = `
FXSAVE mu : 0F AE /0
FXRSTOR mu : 0F AE /1
LDMXCSR m32 : 0F AE /2
STMXCSR m32 : 0F AE /3
LFENCE : 0F AE E8
MFENCE : 0F AE F0
SFENCE : 0F AE F8
CLFLUSH mu : 0F AE /7
PREFETCHNTA m8 : 0F 18 /0
PREFETCHT0 m8 : 0F 18 /1
PREFETCHT1 m8 : 0F 18 /2
PREFETCHT2 m8 : 0F 18 /3
`;

export const SIMD: readonly Template[] = [
  INTEGER,
  ...Object.entries(PACKED).map(packed),
  ...SHIFTS.map(shift),
  MOVES,
  ...ARITHMETIC.map(arithmetic),
  ...Object.entries(FORMATS).map(compare),
  CONVERSIONS,
  CONTROL,
].flatMap(templates);
