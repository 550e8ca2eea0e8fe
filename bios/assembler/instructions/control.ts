/** Jumps, calls, loops, interrupts, strings, ports and flags (Intel SDM vol. 2). */
import { CONDITIONS, hex, templates } from './template.ts';
import type { Template } from './template.ts';

const TRANSFERS = `
JMP rel8 : EB rel8
JMP relv : E9 relv
JMP farv : EA off
JMP mfarv : FF /5
JMP jmv : FF /4
CALL relv : E8 relv
CALL farv : 9A off
CALL mfarv : FF /3
CALL jmv : FF /2
RET : C3
RET uw : C2 iw
RETN : C3
RETN uw : C2 iw
RETF : CB
RETF uw : CA iw
RETW : o16 C3
RETW uw : o16 C2 iw
RETD : o32 C3
RETD uw : o32 C2 iw
RETNW : o16 C3
RETNW uw : o16 C2 iw
RETND : o32 C3
RETND uw : o32 C2 iw
RETFW : o16 CB
RETFW uw : o16 CA iw
RETFD : o32 CB
RETFD uw : o32 CA iw
JCXZ srel8 : a16 E3 rel8
JECXZ srel8 : a32 E3 rel8
LOOP srel8 : E2 rel8
LOOP srel8,cx : a16 E2 rel8
LOOP srel8,ecx : a32 E2 rel8
LOOPE srel8 : E1 rel8
LOOPE srel8,cx : a16 E1 rel8
LOOPE srel8,ecx : a32 E1 rel8
LOOPZ srel8 : E1 rel8
LOOPZ srel8,cx : a16 E1 rel8
LOOPZ srel8,ecx : a32 E1 rel8
LOOPNE srel8 : E0 rel8
LOOPNE srel8,cx : a16 E0 rel8
LOOPNE srel8,ecx : a32 E0 rel8
LOOPNZ srel8 : E0 rel8
LOOPNZ srel8,cx : a16 E0 rel8
LOOPNZ srel8,ecx : a32 E0 rel8
INT ub : CD ib
INT3 : CC
INT03 : CC
INT1 : F1
INT01 : F1
ICEBP : F1
INTO : CE
IRET : CF
IRETW : o16 CF
IRETD : o32 CF
ENTER uw,nb : C8 iw ib
LEAVE : C9
BOUND r16,mu : o16 62 /r
BOUND r32,mu : o32 62 /r
`;

const STRINGS = `
MOVSB : A4
MOVSW : o16 A5
MOVSD : o32 A5
CMPSB : A6
CMPSW : o16 A7
CMPSD : o32 A7
STOSB : AA
STOSW : o16 AB
STOSD : o32 AB
LODSB : AC
LODSW : o16 AD
LODSD : o32 AD
SCASB : AE
SCASW : o16 AF
SCASD : o32 AF
INSB : 6C
INSW : o16 6D
INSD : o32 6D
OUTSB : 6E
OUTSW : o16 6F
OUTSD : o32 6F
`;

const PORTS_AND_FLAGS = `
IN al,ub : E4 ib
IN ax,ub : o16 E5 ib
IN eax,ub : o32 E5 ib
IN al,dx : EC
IN ax,dx : o16 ED
IN eax,dx : o32 ED
OUT ub,al : E6 ib
OUT ub,ax : o16 E7 ib
OUT ub,eax : o32 E7 ib
OUT dx,al : EE
OUT dx,ax : o16 EF
OUT dx,eax : o32 EF
CLC : F8
STC : F9
CMC : F5
CLD : FC
STD : FD
CLI : FA
STI : FB
NOP : 90
NOP rmv : 0F 1F /0
HLT : F4
PAUSE : F3 90
`;

/** Before the 386 a conditional jump is short, so a far one jumps over a jump on the opposite condition. */
const conditional = (name: string, code: number): string => `
${name} rel8 : ${hex(0x70 + code)} rel8
${name} nrelv : 386+ 0F ${hex(0x80 + code)} relv
${name} nrel16 : 286- ${hex((0x70 + code) ^ 1)} 03 E9 rel16
`;

export const CONTROL: readonly Template[] = [
  TRANSFERS,
  STRINGS,
  PORTS_AND_FLAGS,
  ...CONDITIONS.map(([name, code]) => conditional(`J${name}`, code)),
].flatMap(templates);
