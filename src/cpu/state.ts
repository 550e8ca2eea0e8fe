/**
 * The processor's state: one Int32Array, so that every value stays an int32 and both execution tiers share it.
 * Layout (slot numbers): the TCG globals first (their slot is their number in the ops), then system state, which ops
 * reach by ld_i32/st_i32 on `env`, then x87, SSE and model-specific registers, then the temporaries of the op interpreter.
 * Names: Intel SDM vol. 3 ch. 2; lazy flags as in QEMU (cc_op, cc_dst, cc_src, cc_src2).
 */

// General registers; also the TCG globals 0-7.
export const EAX = 0, ECX = 1, EDX = 2, EBX = 3, ESP = 4, EBP = 5, ESI = 6, EDI = 7;
/** Offset of the next instruction in CS; exact only outside of translation blocks. */
export const EIP = 8;
// Lazy arithmetic flags: see src/cpu/flags.ts.
export const CC_OP = 9, CC_DST = 10, CC_SRC = 11, CC_SRC2 = 12;
/** String direction: 1 or -1 (EFLAGS.DF clear or set). */
export const DF = 13;
/** Bases of ES, CS, SS, DS, FS, GS (segment register numbers 0-5). */
export const SEG_BASE = 14;
/** Number of TCG globals: slots 0-19. */
export const GLOBALS = 20;

export const GLOBAL_NAMES: readonly string[] = [
  'eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'cc_op', 'cc_dst', 'cc_src', 'cc_src2', 'df',
  'es_base', 'cs_base', 'ss_base', 'ds_base', 'fs_base', 'gs_base',
];

/** Segment register numbers as in ModRM.reg of MOV Sreg. */
export const ES = 0, CS = 1, SS = 2, DS = 3, FS = 4, GS = 5;

/** EFLAGS without the status flags and DF (those are lazy, resp. in DF): TF IF IOPL NT RF VM AC VIF VIP ID, bit 1 set. */
export const EFLAGS = 20;
/** What the translator assumes about the processor: HF_* bits; part of a block's key. Kept by updateHflags(). */
export const HFLAGS = 21;

// Segment registers 0-5 (ES CS SS DS FS GS): visible selector, and the hidden part.
export const SEG_SEL = 24;
/** Byte limit (granularity applied). */
export const SEG_LIMIT = 30;
/** High dword of the descriptor (type, S, DPL, P, AVL, D/B, G); bits of base and limit in it are not used. 0 = unusable (null). */
export const SEG_ATTR = 36;
// Offsets that may be read and written through the segment: lowest and highest allowed (unsigned); none: low = 1, high = 0.
export const SEG_RLO = 42, SEG_RHI = 48, SEG_WLO = 54, SEG_WHI = 60;

// System segments and tables: selector, base, limit, attributes.
export const LDT_SEL = 66, LDT_BASE = 67, LDT_LIMIT = 68, LDT_ATTR = 69;
export const TR_SEL = 70, TR_BASE = 71, TR_LIMIT = 72, TR_ATTR = 73;
export const GDT_BASE = 74, GDT_LIMIT = 75, IDT_BASE = 76, IDT_LIMIT = 77;

export const CR0 = 78, CR2 = 79, CR3 = 80, CR4 = 81;
/** DR0-DR7. */
export const DR = 82;
/** 0xFFFFFFFF, or 0xFFEFFFFF while the A20 gate is closed. */
export const A20_MASK = 90;
/** 1 after HLT until an interrupt. */
export const HALTED = 91;
/** Level of the INTR pin (1 = the PIC asks). */
export const INTR = 92;
/** 1 = an NMI waits. */
export const NMI_PENDING = 93;
/** 1 from NMI delivery to IRET. */
export const NMI_BLOCKED = 94;
/** Bit 0: the reset pin was pulled (8042, port 92h, triple fault). Bit 1: INIT#. */
export const RESET_REQUEST = 95;
export const RESET_ALL = 1, RESET_INIT = 2;

/** What WRMSR added to the time-stamp counter: low and high word. */
export const TSC_OFFSET = 96;

/** Breakpoints met by the instruction that runs: bits of DR6. */
export const DEBUG_HITS = 98;
/** While breakpoints are enabled: the interrupt shadow is that of MOV SS or POP SS. */
export const SS_SHADOW = 99;

// Execution (not architectural).
/** Guest instructions that may still run in this slice; a block charges its count when it starts. */
export const BUDGET = 100;
/** What kick() took from BUDGET to force the next block boundary to leave. */
export const BUDGET_PARKED = 101;
/** Position in the op code (interpreter) of the op that may leave: set before anything that can fault. */
export const CUR_OP = 102;
/** Exit reason asked for by a slow path (0 = none); see tcg/interp. */
export const PENDING_EXIT = 103;
/** Exception being raised: vector, error code, 1 if it has one. */
export const EXC_VECTOR = 104, EXC_ERROR = 105, EXC_HAS_ERROR = 106;
/** The region that runs or ran last, the site of the call that it makes (0 = none). */
export const REGION_NUMBER = 109, REGION_SITE = 107;
/** Instructions retired in regions; how often those were entered, and left for an event or the budget. Modulo 2^32. */
export const REGION_RETIRED = 108, REGION_ENTRIES = 112, REGION_EVENTS = 113, REGION_BUDGETS = 114;
/** The HFLAGS bits that follow from the segment registers alone (flat, from zero, sizes of code and stack): kept by setSegment(). */
export const SEG_HFLAGS = 110;

/** Which view of the fast tables data accesses use: VIEW_* of src/memory/tlb.ts. Kept by updateHflags(). */
export const VIEW = 115;
/** IA32_EFER; IA32_SYSENTER_CS, _ESP, _EIP. */
export const EFER = 116, SYSENTER = 117;
/** With CR4.PAE: the four page-directory-pointer entries, low and high word of each. */
export const PDPTE = 120;

// x87 (and later MMX): slots 128-191, laid out in src/cpu/fpu/state.ts.
export const FPU = 128;
/** Model-specific registers that are just words, low and high word of each: see msrs.ts. */
export const MSRS = 256, MSR_COUNT = 72;
/** Temporaries of the op interpreter start here; all before them is the processor's state. */
export const TEMPS = MSRS + 2 * MSR_COUNT;
export const STATE_SIZE = 4096;

// HFLAGS bits.
/** Bits 0-1: current privilege level (3 in virtual-8086 mode, 0 in real mode). */
export const HF_CPL_MASK = 3;
/** CR0.PE. */
export const HF_PE = 1 << 2;
/** EFLAGS.VM. */
export const HF_VM = 1 << 3;
/** CS.D: 32-bit code. */
export const HF_CS32 = 1 << 4;
/** SS.B: 32-bit stack. */
export const HF_SS32 = 1 << 5;
/** CR0.PG. */
export const HF_PG = 1 << 6;
/** Segment i (0-5) has base 0 and every offset may be read and written: bit HF_FLAT << i. For CS: read only. */
export const HF_FLAT = 1 << 7;
/** EFLAGS.TF. */
export const HF_TF = 1 << 13;
/** EFLAGS.RF: instruction breakpoints off for one instruction. */
export const HF_RF = 1 << 14;
/** Interrupts are inhibited for one instruction (after MOV SS, POP SS, STI). */
export const HF_INHIBIT_IRQ = 1 << 15;
/** CR0.EM, CR0.TS, CR0.MP: decide #NM for x87 and WAIT. */
export const HF_EM = 1 << 16, HF_TS = 1 << 17, HF_MP = 1 << 18;
/** CS.base is 0 for translation of the EIP (linear = EIP). */
export const HF_IOPL_SHIFT = 19;
/** EFLAGS.IOPL, two bits. */
export const HF_IOPL_MASK = 3 << HF_IOPL_SHIFT;
/** CR0.AM and EFLAGS.AC and CPL 3: alignment check. */
export const HF_AC = 1 << 21;
/** Segment i (0-5) may be read and written from offset 0 to at least 3: bit HF_FROM_ZERO << i. Says nothing in real and virtual-8086 mode. */
export const HF_FROM_ZERO = 1 << 22;
/** CR4.OSFXSR: SSE instructions are there. */
export const HF_OSFXSR = 1 << 28;
/** DR7 enables breakpoints: blocks of one instruction. */
export const HF_DEBUG = 1 << 29;
/** The block covers one instruction only, whatever follows (QEMU: CF_COUNT 1); never set in the state, only in block keys. */
export const HF_ONE_INSN = 1 << 30;

// EFLAGS bits (SDM vol. 1, 3.4.3).
export const CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, TF = 0x100, IF = 0x200, DFLAG = 0x400, OF = 0x800;
export const IOPL = 0x3000, NT = 0x4000, RF = 0x10000, VM = 0x20000, AC = 0x40000, VIF = 0x80000, VIP = 0x100000, ID = 0x200000;
/** OF SF ZF AF PF CF. */
export const STATUS_FLAGS = OF | SF | ZF | AF | PF | CF;

// CR0 bits (SDM vol. 3, 2.5).
export const CR0_PE = 1, CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_ET = 0x10, CR0_NE = 0x20, CR0_WP = 0x10000, CR0_AM = 0x40000,
  CR0_NW = 0x20000000, CR0_CD = 0x40000000, CR0_PG = 0x80000000 | 0;

// CR4 bits that memory accesses and segments look at (SDM vol. 3, 2.5).
export const CR4_DE = 1 << 3, CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_PGE = 1 << 7, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_UMIP = 1 << 11, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21;

/** EFER: entries of PAE paging may forbid execution. */
export const EFER_NXE = 1 << 11;
/** EFER: SYSCALL is there in 64-bit mode. */
export const EFER_SCE = 1;

// Exception vectors (SDM vol. 3, 6.3).
export const EXC_DE = 0, EXC_DB = 1, EXC_NMI = 2, EXC_BP = 3, EXC_OF = 4, EXC_BR = 5, EXC_UD = 6, EXC_NM = 7, EXC_DF = 8, EXC_TS = 10,
  EXC_NP = 11, EXC_SS = 12, EXC_GP = 13, EXC_PF = 14, EXC_MF = 16, EXC_AC = 17, EXC_XM = 19;
