/**
 * The two-byte opcode map (0F xx): what a 486 executes, and what later processors have added. Notation: see rows.ts; source: Intel SDM, vol. 2,
 * appendix A.2, table A-3, groups 6, 7 and 8. The test registers (MOV TR, 0F 24 and 26) are left out as on the Pentium.
 */

export const TWO_BYTE_ROWS = `
00 /0 SLDT Rv/Mw
00 /1 STR Rv/Mw
00 /2 LLDT Ew
00 /3 LTR Ew
00 /4 VERR Ew
00 /5 VERW Ew
01 /0 SGDT Ms
01 /1 SIDT Ms
01 /2 LGDT Ms
01 /3 LIDT Ms
01 /4 SMSW Rv/Mw
01 /6 LMSW Ew
01 /7 INVLPG M
01 CA CLAC @smap
01 CB STAC @smap
01 F9 RDTSCP @rdtscp
02 LAR Gv,Ew
03 LSL Gv,Ew
06 CLTS
08 INVD
09 WBINVD
0B UD2
18-1F NOP Ev @nopl
20 MOV Rd,Cd
21 MOV Rd,Dd
22 MOV Cd,Rd
23 MOV Dd,Rd
30 WRMSR @msr
31 RDTSC @tsc
32 RDMSR @msr
33 RDPMC @pmc
34 SYSENTER @sep
35 SYSEXIT @sep
40-4F CMOVcc Gv,Ev @cmov
80-8F Jcc Jz
90-9F SETcc Eb
A0 PUSH FS
A1 POP FS
A2 CPUID
A3 BT Ev,Gv
A4 SHLD Ev,Gv,Ib
A5 SHLD Ev,Gv,CL
A8 PUSH GS
A9 POP GS
AB BTS Ev,Gv lock
AC SHRD Ev,Gv,Ib
AD SHRD Ev,Gv,CL
AF IMUL Gv,Ev
B0 CMPXCHG Eb,Gb lock
B1 CMPXCHG Ev,Gv lock
B2 LSS Gv,Mp
B3 BTR Ev,Gv lock
B4 LFS Gv,Mp
B5 LGS Gv,Mp
B6 MOVZX Gv,Eb
B7 MOVZX Gv,Ew
F3.B8 POPCNT Gv,Ev @popcnt
B9 UD1 Gv,Ev
BA /4 BT Ev,Ib
BA /5 BTS Ev,Ib lock
BA /6 BTR Ev,Ib lock
BA /7 BTC Ev,Ib lock
BB BTC Ev,Gv lock
BC BSF Gv,Ev
BD BSR Gv,Ev
BE MOVSX Gv,Eb
BF MOVSX Gv,Ew
C0 XADD Eb,Gb lock
C1 XADD Ev,Gv lock
C7 /1 CMPXCHG8B Mq lock @cx8
C7 /6 RDRAND Rv @rdrand
C7 /7 RDSEED Rv @rdseed
C8-CF BSWAP Zv
FF UD0 Gv,Ev
`;
