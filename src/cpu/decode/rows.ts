/**
 * The one-byte opcode map: what a 486 executes, in the notation of the Intel SDM, vol. 2, appendix A.2 (table A-2, groups
 * The 0F map is in rows-0f.ts; table.ts parses both into `ROWS`. One line per row:
 *
 *     [PREFIX.]OPCODE[-LAST] [/REG | MODRM] MNEMONIC [OPERANDS] [lock] [@feature]
 *
 * Opcodes in hexadecimal; `40-47` makes eight rows that differ in `opcode` only. `/0` is ModRM.reg of a group, `CA` a whole ModRM byte.
 * PREFIX is a mandatory one: 66, F2, F3, or NP for none of them; of several, F2 and F3 decide. Operands: the destination first.
 * `@cmov`: the processor's model must have that feature (src/cpu/features.ts). What no row names is #UD.
 *
 * Operand codes: an addressing letter and a size letter, as in the manual.
 *     E ModRM register or memory     G register ModRM.reg            M memory only (a register form is #UD)
 *     R register ModRM.rm: Rd with any ModRM.mod, Rv without memory form  S, C, D segment, control, debug register ModRM.reg
 *     O offset without ModRM         X, Y string source, destination (DS:eSI, ES:eDI)
 *     I immediate, zero-extended     J displacement from the next instruction, sign-extended
 *     A far pointer in the instruction (imm = offset, imm2 = selector)
 *     b byte, w word, d dword, v and z word or dword by operand size (equal until there is 64-bit code), a BOUND's pair of v,
 *     p far pointer of 16:v, s pseudo-descriptor of LGDT (6 bytes)
 *     AL, CL, DX, ES, 1, ...: themselves. eAX: AX or EAX by operand size.
 *
 * Deviations from the manual:
 *  - Z: the register in the low three bits of the opcode (`row.opcode & 7`); the manual writes one row per register.
 *  - sIb: a byte, sign-extended to the operand size (the manual says it in the text of each instruction).
 *  - Rv/Mw: a register of operand size or a word in memory (SLDT, STR, SMSW, MOV from Sreg).
 *  - M without a size: only the address counts (LEA, INVLPG).
 *  - Ef: an x87 operand: ST(rm), or memory whose size the x87 opcode says. D8-DF are ESC0-ESC7; ModRM.reg is opcode too.
 *  - Jcc and SETcc: the condition is `row.opcode & 15`.
 *  - Far forms have names of their own: CALLF, JMPF, RETF. Size variants share one name, the operand size tells: CBW (CWDE),
 *    CWD (CDQ), PUSHA, POPA, PUSHF, POPF, IRET; the address size for JCXZ (JECXZ); the operand for MOVS, CMPS, STOS, ...
 *  - MUL, DIV, IDIV and the one-operand IMUL name the explicit operand only.
 *  - Real but undocumented: group 82 = 80, shift /6 = SHL, F6 and F7 /1 = TEST, D6 = SALC, F1 = INT1 (ICEBP).
 */

export const ONE_BYTE_ROWS = `
00 ADD Eb,Gb lock
01 ADD Ev,Gv lock
02 ADD Gb,Eb
03 ADD Gv,Ev
04 ADD AL,Ib
05 ADD eAX,Iz
06 PUSH ES
07 POP ES
08 OR Eb,Gb lock
09 OR Ev,Gv lock
0A OR Gb,Eb
0B OR Gv,Ev
0C OR AL,Ib
0D OR eAX,Iz
0E PUSH CS
10 ADC Eb,Gb lock
11 ADC Ev,Gv lock
12 ADC Gb,Eb
13 ADC Gv,Ev
14 ADC AL,Ib
15 ADC eAX,Iz
16 PUSH SS
17 POP SS
18 SBB Eb,Gb lock
19 SBB Ev,Gv lock
1A SBB Gb,Eb
1B SBB Gv,Ev
1C SBB AL,Ib
1D SBB eAX,Iz
1E PUSH DS
1F POP DS
20 AND Eb,Gb lock
21 AND Ev,Gv lock
22 AND Gb,Eb
23 AND Gv,Ev
24 AND AL,Ib
25 AND eAX,Iz
27 DAA
28 SUB Eb,Gb lock
29 SUB Ev,Gv lock
2A SUB Gb,Eb
2B SUB Gv,Ev
2C SUB AL,Ib
2D SUB eAX,Iz
2F DAS
30 XOR Eb,Gb lock
31 XOR Ev,Gv lock
32 XOR Gb,Eb
33 XOR Gv,Ev
34 XOR AL,Ib
35 XOR eAX,Iz
37 AAA
38 CMP Eb,Gb
39 CMP Ev,Gv
3A CMP Gb,Eb
3B CMP Gv,Ev
3C CMP AL,Ib
3D CMP eAX,Iz
3F AAS
40-47 INC Zv
48-4F DEC Zv
50-57 PUSH Zv
58-5F POP Zv
60 PUSHA
61 POPA
62 BOUND Gv,Ma
63 ARPL Ew,Gw
68 PUSH Iz
69 IMUL Gv,Ev,Iz
6A PUSH sIb
6B IMUL Gv,Ev,sIb
6C INS Yb,DX
6D INS Yz,DX
6E OUTS DX,Xb
6F OUTS DX,Xz
70-7F Jcc Jb
80 /0 ADD Eb,Ib lock
80 /1 OR Eb,Ib lock
80 /2 ADC Eb,Ib lock
80 /3 SBB Eb,Ib lock
80 /4 AND Eb,Ib lock
80 /5 SUB Eb,Ib lock
80 /6 XOR Eb,Ib lock
80 /7 CMP Eb,Ib
81 /0 ADD Ev,Iz lock
81 /1 OR Ev,Iz lock
81 /2 ADC Ev,Iz lock
81 /3 SBB Ev,Iz lock
81 /4 AND Ev,Iz lock
81 /5 SUB Ev,Iz lock
81 /6 XOR Ev,Iz lock
81 /7 CMP Ev,Iz
82 /0 ADD Eb,Ib lock
82 /1 OR Eb,Ib lock
82 /2 ADC Eb,Ib lock
82 /3 SBB Eb,Ib lock
82 /4 AND Eb,Ib lock
82 /5 SUB Eb,Ib lock
82 /6 XOR Eb,Ib lock
82 /7 CMP Eb,Ib
83 /0 ADD Ev,sIb lock
83 /1 OR Ev,sIb lock
83 /2 ADC Ev,sIb lock
83 /3 SBB Ev,sIb lock
83 /4 AND Ev,sIb lock
83 /5 SUB Ev,sIb lock
83 /6 XOR Ev,sIb lock
83 /7 CMP Ev,sIb
84 TEST Eb,Gb
85 TEST Ev,Gv
86 XCHG Eb,Gb lock
87 XCHG Ev,Gv lock
88 MOV Eb,Gb
89 MOV Ev,Gv
8A MOV Gb,Eb
8B MOV Gv,Ev
8C MOV Rv/Mw,Sw
8D LEA Gv,M
8E MOV Sw,Ew
8F /0 POP Ev
90 NOP
91-97 XCHG Zv,eAX
98 CBW
99 CWD
9A CALLF Ap
9B WAIT
9C PUSHF
9D POPF
9E SAHF
9F LAHF
A0 MOV AL,Ob
A1 MOV eAX,Ov
A2 MOV Ob,AL
A3 MOV Ov,eAX
A4 MOVS Yb,Xb
A5 MOVS Yv,Xv
A6 CMPS Xb,Yb
A7 CMPS Xv,Yv
A8 TEST AL,Ib
A9 TEST eAX,Iz
AA STOS Yb,AL
AB STOS Yv,eAX
AC LODS AL,Xb
AD LODS eAX,Xv
AE SCAS AL,Yb
AF SCAS eAX,Yv
B0-B7 MOV Zb,Ib
B8-BF MOV Zv,Iv
C0 /0 ROL Eb,Ib
C0 /1 ROR Eb,Ib
C0 /2 RCL Eb,Ib
C0 /3 RCR Eb,Ib
C0 /4 SHL Eb,Ib
C0 /5 SHR Eb,Ib
C0 /6 SHL Eb,Ib
C0 /7 SAR Eb,Ib
C1 /0 ROL Ev,Ib
C1 /1 ROR Ev,Ib
C1 /2 RCL Ev,Ib
C1 /3 RCR Ev,Ib
C1 /4 SHL Ev,Ib
C1 /5 SHR Ev,Ib
C1 /6 SHL Ev,Ib
C1 /7 SAR Ev,Ib
C2 RET Iw
C3 RET
C4 LES Gz,Mp
C5 LDS Gz,Mp
C6 /0 MOV Eb,Ib
C7 /0 MOV Ev,Iz
C8 ENTER Iw,Ib
C9 LEAVE
CA RETF Iw
CB RETF
CC INT3
CD INT Ib
CE INTO
CF IRET
D0 /0 ROL Eb,1
D0 /1 ROR Eb,1
D0 /2 RCL Eb,1
D0 /3 RCR Eb,1
D0 /4 SHL Eb,1
D0 /5 SHR Eb,1
D0 /6 SHL Eb,1
D0 /7 SAR Eb,1
D1 /0 ROL Ev,1
D1 /1 ROR Ev,1
D1 /2 RCL Ev,1
D1 /3 RCR Ev,1
D1 /4 SHL Ev,1
D1 /5 SHR Ev,1
D1 /6 SHL Ev,1
D1 /7 SAR Ev,1
D2 /0 ROL Eb,CL
D2 /1 ROR Eb,CL
D2 /2 RCL Eb,CL
D2 /3 RCR Eb,CL
D2 /4 SHL Eb,CL
D2 /5 SHR Eb,CL
D2 /6 SHL Eb,CL
D2 /7 SAR Eb,CL
D3 /0 ROL Ev,CL
D3 /1 ROR Ev,CL
D3 /2 RCL Ev,CL
D3 /3 RCR Ev,CL
D3 /4 SHL Ev,CL
D3 /5 SHR Ev,CL
D3 /6 SHL Ev,CL
D3 /7 SAR Ev,CL
D4 AAM Ib
D5 AAD Ib
D6 SALC
D7 XLAT
D8 ESC0 Ef
D9 ESC1 Ef
DA ESC2 Ef
DB ESC3 Ef
DC ESC4 Ef
DD ESC5 Ef
DE ESC6 Ef
DF ESC7 Ef
E0 LOOPNE Jb
E1 LOOPE Jb
E2 LOOP Jb
E3 JCXZ Jb
E4 IN AL,Ib
E5 IN eAX,Ib
E6 OUT Ib,AL
E7 OUT Ib,eAX
E8 CALL Jz
E9 JMP Jz
EA JMPF Ap
EB JMP Jb
EC IN AL,DX
ED IN eAX,DX
EE OUT DX,AL
EF OUT DX,eAX
F1 INT1
F4 HLT
F5 CMC
F6 /0 TEST Eb,Ib
F6 /1 TEST Eb,Ib
F6 /2 NOT Eb lock
F6 /3 NEG Eb lock
F6 /4 MUL Eb
F6 /5 IMUL Eb
F6 /6 DIV Eb
F6 /7 IDIV Eb
F7 /0 TEST Ev,Iz
F7 /1 TEST Ev,Iz
F7 /2 NOT Ev lock
F7 /3 NEG Ev lock
F7 /4 MUL Ev
F7 /5 IMUL Ev
F7 /6 DIV Ev
F7 /7 IDIV Ev
F8 CLC
F9 STC
FA CLI
FB STI
FC CLD
FD STD
FE /0 INC Eb lock
FE /1 DEC Eb lock
FF /0 INC Ev lock
FF /1 DEC Ev lock
FF /2 CALL Ev
FF /3 CALLF Mp
FF /4 JMP Ev
FF /5 JMPF Mp
FF /6 PUSH Ev
`;
