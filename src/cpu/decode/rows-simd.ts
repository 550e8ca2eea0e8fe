/**
 * MMX, SSE, SSE2 and SSE3 in the two-byte opcode map (0F xx). Notation: see rows.ts; source: Intel SDM vol. 2, appendix A.2, table A-3,
 * groups 12 to 15.
 *
 * Operand codes beside those of rows.ts:
 *     P MMX register ModRM.reg       Q MMX register ModRM.rm or memory         N MMX register ModRM.rm (a memory form is #UD)
 *     V XMM register ModRM.reg       W XMM register ModRM.rm or memory         U XMM register ModRM.rm (a memory form is #UD)
 *     d, q, dq: 4, 8, 16 bytes in memory; ss, sd, ps, pd: a scalar or packed single or double (4, 8, 16, 16 bytes)
 * MOVLPS and MOVHPS of two registers are the manual's MOVHLPS and MOVLHPS; AE /7 of a register is SFENCE, of memory CLFLUSH.
 */

export const SIMD_ROWS = `
NP.10 MOVUPS Vps,Wps @sse
66.10 MOVUPD Vpd,Wpd @sse2
F3.10 MOVSS Vss,Wss @sse
F2.10 MOVSD Vsd,Wsd @sse2
NP.11 MOVUPS Wps,Vps @sse
66.11 MOVUPD Wpd,Vpd @sse2
F3.11 MOVSS Wss,Vss @sse
F2.11 MOVSD Wsd,Vsd @sse2
NP.12 MOVLPS Vq,Wq @sse
66.12 MOVLPD Vq,Mq @sse2
F3.12 MOVSLDUP Vps,Wps @sse3
F2.12 MOVDDUP Vq,Wq @sse3
NP.13 MOVLPS Mq,Vq @sse
66.13 MOVLPD Mq,Vq @sse2
NP.14 UNPCKLPS Vps,Wps @sse
66.14 UNPCKLPD Vpd,Wpd @sse2
NP.15 UNPCKHPS Vps,Wps @sse
66.15 UNPCKHPD Vpd,Wpd @sse2
NP.16 MOVHPS Vq,Wq @sse
66.16 MOVHPD Vq,Mq @sse2
F3.16 MOVSHDUP Vps,Wps @sse3
NP.17 MOVHPS Mq,Vq @sse
66.17 MOVHPD Mq,Vq @sse2
NP.28 MOVAPS Vps,Wps @sse
66.28 MOVAPD Vpd,Wpd @sse2
NP.29 MOVAPS Wps,Vps @sse
66.29 MOVAPD Wpd,Vpd @sse2
NP.2A CVTPI2PS Vps,Qq @sse
66.2A CVTPI2PD Vpd,Qq @sse2
F3.2A CVTSI2SS Vss,Ed @sse
F2.2A CVTSI2SD Vsd,Ed @sse2
NP.2B MOVNTPS Mps,Vps @sse
66.2B MOVNTPD Mpd,Vpd @sse2
NP.2C CVTTPS2PI Pq,Wq @sse
66.2C CVTTPD2PI Pq,Wpd @sse2
F3.2C CVTTSS2SI Gd,Wss @sse
F2.2C CVTTSD2SI Gd,Wsd @sse2
NP.2D CVTPS2PI Pq,Wq @sse
66.2D CVTPD2PI Pq,Wpd @sse2
F3.2D CVTSS2SI Gd,Wss @sse
F2.2D CVTSD2SI Gd,Wsd @sse2
NP.2E UCOMISS Vss,Wss @sse
66.2E UCOMISD Vsd,Wsd @sse2
NP.2F COMISS Vss,Wss @sse
66.2F COMISD Vsd,Wsd @sse2
NP.50 MOVMSKPS Gd,Ups @sse
66.50 MOVMSKPD Gd,Upd @sse2
NP.51 SQRTPS Vps,Wps @sse
66.51 SQRTPD Vpd,Wpd @sse2
F3.51 SQRTSS Vss,Wss @sse
F2.51 SQRTSD Vsd,Wsd @sse2
NP.52 RSQRTPS Vps,Wps @sse
F3.52 RSQRTSS Vss,Wss @sse
NP.53 RCPPS Vps,Wps @sse
F3.53 RCPSS Vss,Wss @sse
NP.54 ANDPS Vps,Wps @sse
66.54 ANDPD Vpd,Wpd @sse2
NP.55 ANDNPS Vps,Wps @sse
66.55 ANDNPD Vpd,Wpd @sse2
NP.56 ORPS Vps,Wps @sse
66.56 ORPD Vpd,Wpd @sse2
NP.57 XORPS Vps,Wps @sse
66.57 XORPD Vpd,Wpd @sse2
NP.58 ADDPS Vps,Wps @sse
66.58 ADDPD Vpd,Wpd @sse2
F3.58 ADDSS Vss,Wss @sse
F2.58 ADDSD Vsd,Wsd @sse2
NP.59 MULPS Vps,Wps @sse
66.59 MULPD Vpd,Wpd @sse2
F3.59 MULSS Vss,Wss @sse
F2.59 MULSD Vsd,Wsd @sse2
NP.5A CVTPS2PD Vpd,Wq @sse2
66.5A CVTPD2PS Vps,Wpd @sse2
F3.5A CVTSS2SD Vsd,Wss @sse2
F2.5A CVTSD2SS Vss,Wsd @sse2
NP.5B CVTDQ2PS Vps,Wdq @sse2
66.5B CVTPS2DQ Vdq,Wps @sse2
F3.5B CVTTPS2DQ Vdq,Wps @sse2
NP.5C SUBPS Vps,Wps @sse
66.5C SUBPD Vpd,Wpd @sse2
F3.5C SUBSS Vss,Wss @sse
F2.5C SUBSD Vsd,Wsd @sse2
NP.5D MINPS Vps,Wps @sse
66.5D MINPD Vpd,Wpd @sse2
F3.5D MINSS Vss,Wss @sse
F2.5D MINSD Vsd,Wsd @sse2
NP.5E DIVPS Vps,Wps @sse
66.5E DIVPD Vpd,Wpd @sse2
F3.5E DIVSS Vss,Wss @sse
F2.5E DIVSD Vsd,Wsd @sse2
NP.5F MAXPS Vps,Wps @sse
66.5F MAXPD Vpd,Wpd @sse2
F3.5F MAXSS Vss,Wss @sse
F2.5F MAXSD Vsd,Wsd @sse2
NP.60 PUNPCKLBW Pq,Qd @mmx
66.60 PUNPCKLBW Vdq,Wdq @sse2
NP.61 PUNPCKLWD Pq,Qd @mmx
66.61 PUNPCKLWD Vdq,Wdq @sse2
NP.62 PUNPCKLDQ Pq,Qd @mmx
66.62 PUNPCKLDQ Vdq,Wdq @sse2
NP.63 PACKSSWB Pq,Qq @mmx
66.63 PACKSSWB Vdq,Wdq @sse2
NP.64 PCMPGTB Pq,Qq @mmx
66.64 PCMPGTB Vdq,Wdq @sse2
NP.65 PCMPGTW Pq,Qq @mmx
66.65 PCMPGTW Vdq,Wdq @sse2
NP.66 PCMPGTD Pq,Qq @mmx
66.66 PCMPGTD Vdq,Wdq @sse2
NP.67 PACKUSWB Pq,Qq @mmx
66.67 PACKUSWB Vdq,Wdq @sse2
NP.68 PUNPCKHBW Pq,Qq @mmx
66.68 PUNPCKHBW Vdq,Wdq @sse2
NP.69 PUNPCKHWD Pq,Qq @mmx
66.69 PUNPCKHWD Vdq,Wdq @sse2
NP.6A PUNPCKHDQ Pq,Qq @mmx
66.6A PUNPCKHDQ Vdq,Wdq @sse2
NP.6B PACKSSDW Pq,Qq @mmx
66.6B PACKSSDW Vdq,Wdq @sse2
66.6C PUNPCKLQDQ Vdq,Wdq @sse2
66.6D PUNPCKHQDQ Vdq,Wdq @sse2
NP.6E MOVD Pd,Ed @mmx
66.6E MOVD Vd,Ed @sse2
NP.6F MOVQ Pq,Qq @mmx
66.6F MOVDQA Vdq,Wdq @sse2
F3.6F MOVDQU Vdq,Wdq @sse2
NP.70 PSHUFW Pq,Qq,Ib @sse
66.70 PSHUFD Vdq,Wdq,Ib @sse2
F3.70 PSHUFHW Vdq,Wdq,Ib @sse2
F2.70 PSHUFLW Vdq,Wdq,Ib @sse2
NP.71 /2 PSRLW Nq,Ib @mmx
66.71 /2 PSRLW Udq,Ib @sse2
NP.71 /4 PSRAW Nq,Ib @mmx
66.71 /4 PSRAW Udq,Ib @sse2
NP.71 /6 PSLLW Nq,Ib @mmx
66.71 /6 PSLLW Udq,Ib @sse2
NP.72 /2 PSRLD Nq,Ib @mmx
66.72 /2 PSRLD Udq,Ib @sse2
NP.72 /4 PSRAD Nq,Ib @mmx
66.72 /4 PSRAD Udq,Ib @sse2
NP.72 /6 PSLLD Nq,Ib @mmx
66.72 /6 PSLLD Udq,Ib @sse2
NP.73 /2 PSRLQ Nq,Ib @mmx
66.73 /2 PSRLQ Udq,Ib @sse2
66.73 /3 PSRLDQ Udq,Ib @sse2
NP.73 /6 PSLLQ Nq,Ib @mmx
66.73 /6 PSLLQ Udq,Ib @sse2
66.73 /7 PSLLDQ Udq,Ib @sse2
NP.74 PCMPEQB Pq,Qq @mmx
66.74 PCMPEQB Vdq,Wdq @sse2
NP.75 PCMPEQW Pq,Qq @mmx
66.75 PCMPEQW Vdq,Wdq @sse2
NP.76 PCMPEQD Pq,Qq @mmx
66.76 PCMPEQD Vdq,Wdq @sse2
NP.77 EMMS @mmx
66.7C HADDPD Vpd,Wpd @sse3
F2.7C HADDPS Vps,Wps @sse3
66.7D HSUBPD Vpd,Wpd @sse3
F2.7D HSUBPS Vps,Wps @sse3
NP.7E MOVD Ed,Pd @mmx
66.7E MOVD Ed,Vd @sse2
F3.7E MOVQ Vq,Wq @sse2
NP.7F MOVQ Qq,Pq @mmx
66.7F MOVDQA Wdq,Vdq @sse2
F3.7F MOVDQU Wdq,Vdq @sse2
NP.AE /0 FXSAVE M @fxsr
NP.AE /1 FXRSTOR M @fxsr
NP.AE /2 LDMXCSR Md @sse
NP.AE /3 STMXCSR Md @sse
NP.AE /5 LFENCE Rv @sse2
NP.AE /6 MFENCE Rv @sse2
NP.AE /7 SFENCE Ev @sse
NP.C2 CMPPS Vps,Wps,Ib @sse
66.C2 CMPPD Vpd,Wpd,Ib @sse2
F3.C2 CMPSS Vss,Wss,Ib @sse
F2.C2 CMPSD Vsd,Wsd,Ib @sse2
NP.C3 MOVNTI Md,Gd @sse2
NP.C4 PINSRW Pq,Ew,Ib @sse
66.C4 PINSRW Vdq,Ew,Ib @sse2
NP.C5 PEXTRW Gd,Nq,Ib @sse
66.C5 PEXTRW Gd,Udq,Ib @sse2
NP.C6 SHUFPS Vps,Wps,Ib @sse
66.C6 SHUFPD Vpd,Wpd,Ib @sse2
66.D0 ADDSUBPD Vpd,Wpd @sse3
F2.D0 ADDSUBPS Vps,Wps @sse3
NP.D1 PSRLW Pq,Qq @mmx
66.D1 PSRLW Vdq,Wdq @sse2
NP.D2 PSRLD Pq,Qq @mmx
66.D2 PSRLD Vdq,Wdq @sse2
NP.D3 PSRLQ Pq,Qq @mmx
66.D3 PSRLQ Vdq,Wdq @sse2
NP.D4 PADDQ Pq,Qq @sse2
66.D4 PADDQ Vdq,Wdq @sse2
NP.D5 PMULLW Pq,Qq @mmx
66.D5 PMULLW Vdq,Wdq @sse2
66.D6 MOVQ Wq,Vq @sse2
F3.D6 MOVQ2DQ Vdq,Nq @sse2
F2.D6 MOVDQ2Q Pq,Uq @sse2
NP.D7 PMOVMSKB Gd,Nq @sse
66.D7 PMOVMSKB Gd,Udq @sse2
NP.D8 PSUBUSB Pq,Qq @mmx
66.D8 PSUBUSB Vdq,Wdq @sse2
NP.D9 PSUBUSW Pq,Qq @mmx
66.D9 PSUBUSW Vdq,Wdq @sse2
NP.DA PMINUB Pq,Qq @sse
66.DA PMINUB Vdq,Wdq @sse2
NP.DB PAND Pq,Qq @mmx
66.DB PAND Vdq,Wdq @sse2
NP.DC PADDUSB Pq,Qq @mmx
66.DC PADDUSB Vdq,Wdq @sse2
NP.DD PADDUSW Pq,Qq @mmx
66.DD PADDUSW Vdq,Wdq @sse2
NP.DE PMAXUB Pq,Qq @sse
66.DE PMAXUB Vdq,Wdq @sse2
NP.DF PANDN Pq,Qq @mmx
66.DF PANDN Vdq,Wdq @sse2
NP.E0 PAVGB Pq,Qq @sse
66.E0 PAVGB Vdq,Wdq @sse2
NP.E1 PSRAW Pq,Qq @mmx
66.E1 PSRAW Vdq,Wdq @sse2
NP.E2 PSRAD Pq,Qq @mmx
66.E2 PSRAD Vdq,Wdq @sse2
NP.E3 PAVGW Pq,Qq @sse
66.E3 PAVGW Vdq,Wdq @sse2
NP.E4 PMULHUW Pq,Qq @sse
66.E4 PMULHUW Vdq,Wdq @sse2
NP.E5 PMULHW Pq,Qq @mmx
66.E5 PMULHW Vdq,Wdq @sse2
66.E6 CVTTPD2DQ Vdq,Wpd @sse2
F3.E6 CVTDQ2PD Vpd,Wq @sse2
F2.E6 CVTPD2DQ Vdq,Wpd @sse2
NP.E7 MOVNTQ Mq,Pq @sse
66.E7 MOVNTDQ Mdq,Vdq @sse2
NP.E8 PSUBSB Pq,Qq @mmx
66.E8 PSUBSB Vdq,Wdq @sse2
NP.E9 PSUBSW Pq,Qq @mmx
66.E9 PSUBSW Vdq,Wdq @sse2
NP.EA PMINSW Pq,Qq @sse
66.EA PMINSW Vdq,Wdq @sse2
NP.EB POR Pq,Qq @mmx
66.EB POR Vdq,Wdq @sse2
NP.EC PADDSB Pq,Qq @mmx
66.EC PADDSB Vdq,Wdq @sse2
NP.ED PADDSW Pq,Qq @mmx
66.ED PADDSW Vdq,Wdq @sse2
NP.EE PMAXSW Pq,Qq @sse
66.EE PMAXSW Vdq,Wdq @sse2
NP.EF PXOR Pq,Qq @mmx
66.EF PXOR Vdq,Wdq @sse2
F2.F0 LDDQU Vdq,Mdq @sse3
NP.F1 PSLLW Pq,Qq @mmx
66.F1 PSLLW Vdq,Wdq @sse2
NP.F2 PSLLD Pq,Qq @mmx
66.F2 PSLLD Vdq,Wdq @sse2
NP.F3 PSLLQ Pq,Qq @mmx
66.F3 PSLLQ Vdq,Wdq @sse2
NP.F4 PMULUDQ Pq,Qq @sse2
66.F4 PMULUDQ Vdq,Wdq @sse2
NP.F5 PMADDWD Pq,Qq @mmx
66.F5 PMADDWD Vdq,Wdq @sse2
NP.F6 PSADBW Pq,Qq @sse
66.F6 PSADBW Vdq,Wdq @sse2
NP.F7 MASKMOVQ Pq,Nq @sse
66.F7 MASKMOVDQU Vdq,Udq @sse2
NP.F8 PSUBB Pq,Qq @mmx
66.F8 PSUBB Vdq,Wdq @sse2
NP.F9 PSUBW Pq,Qq @mmx
66.F9 PSUBW Vdq,Wdq @sse2
NP.FA PSUBD Pq,Qq @mmx
66.FA PSUBD Vdq,Wdq @sse2
NP.FB PSUBQ Pq,Qq @sse2
66.FB PSUBQ Vdq,Wdq @sse2
NP.FC PADDB Pq,Qq @mmx
66.FC PADDB Vdq,Wdq @sse2
NP.FD PADDW Pq,Qq @mmx
66.FD PADDW Vdq,Wdq @sse2
NP.FE PADDD Pq,Qq @mmx
66.FE PADDD Vdq,Wdq @sse2
`;
