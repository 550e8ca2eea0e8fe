/**
 * The world of the fuzzer: 512 KB of RAM with a device in it, descriptor tables with good and bad entries, handlers for every
 * exception that record it and skip the instruction, and the code under test at CODE.
 *
 *     0x00000  real-mode vectors           0x0B000  kernel stacks          0x18000  data, read only with paging
 *     0x01000  GDT, LDT, IDT               0x0E000  data below 64 KB       0x19000  -
 *     0x02000  task state segments         0x0F000  -                      0x1A000  data, supervisor only with paging
 *     0x03000  256 entries of handlers     0x10000  code, two pages        0x1B000  -
 *     0x04000  NEXT                        0x12000  -                      0x1C000  stack, two pages
 *     0x08000  handlers                    0x14000  data, four pages       0x1F000  device
 *     0x09000  variables, log                                              0x7C000  page tables
 *
 * With paging addresses are mapped to themselves, but not the pages marked "-" and those from 0x20000 on; the page tables are
 * at PAGE_TABLES_VA, the first 4 MB again at ALIAS, and at ALIASES read only, supervisor only, and as a 4 MB page.
 */

export const RAM_SIZE = 0x8_0000;
export const GDT = 0x1000, LDT = 0x1400, IDT = 0x1800, TSS = 0x2000, TSS_TASK = 0x2200, TSS_DOUBLE_FAULT = 0x2400, TSS_16 = 0x2600;
export const STUBS = 0x3000, HANDLERS = 0x8000;
/** For each byte of the code under test, a word: where in it the next instruction begins; 0: no code. */
export const NEXT = 0x4000;
/** Exceptions so far, modulo 2^32; code selectors that the handlers know; EIP of CODE. Then a ring of EIP and vector. */
export const COUNT = 0x9000, KNOWN_CS = 0x9004, OTHER_CS = 0x9008, CODE_EIP = 0x900c, LOG = 0x9800;
export const KERNEL_STACK = 0xd000, TASK_STACK = 0xc400, DOUBLE_FAULT_STACK = 0xc800;
export const SYSTEM_END = 0xe000;

export const LOW_DATA = 0xe000, CODE = 0x1_0000, CODE_SIZE = 0x2000, DATA = 0x1_4000, READ_ONLY = 0x1_8000, SUPERVISOR = 0x1_a000, STACK = 0x1_c000, STACK_END = 0x1_e000;
export const DEVICE = 0x1_f000, DEVICE_SIZE = 0x1000, END_OF_PAGES = 0x2_0000;
export const PAGE_DIRECTORY = 0x7_c000, PAGE_TABLE = 0x7_d000, OTHER_DIRECTORY = 0x7_e000, OTHER_TABLE = 0x7_f000;
export const PAGE_TABLES_VA = 0x30_0000;
export const ALIAS = 0x40_0000, READ_ONLY_ALIAS = 0x80_0000, SUPERVISOR_ALIAS = 0xc0_0000, LARGE_ALIAS = 0x100_0000;

/** Ports 0 to PORTS - 1 are one device; of those the I/O permission map denies the user DENIED_PORT to DENIED_PORT + 15. */
export const PORTS = 0x400, DENIED_PORT = 0x180;

/** At the start of LOW_DATA and of DATA: what some instructions need in memory. Offsets. */
export const GDT_POINTER = 0, IDT_POINTER = 8, REAL_IDT_POINTER = 0x10, SHORT_GDT_POINTER = 0x18, SHORT_IDT_POINTER = 0x20;
/** 32 words. */
export const SELECTOR_LIST = 0x28, SELECTOR_COUNT = 32;
/** Pairs of bounds: bytes -100 and 100 of any size; far pointers 16:32, the selector first of the list. */
export const BOUNDS_16 = 0x68, BOUNDS_32 = 0x6c, FAR_32 = 0x78, FAR_16 = 0xb8, FAR_COUNT = 8, STRUCTURES_SIZE = 0x100;
/** Counters of loops are in the last bytes of LOW_DATA's and DATA's first page. */
export const COUNTERS = 0xfc0;

/** Selectors. The names say type, size and privilege. */
export const SEL = {
  code32: 0x08, data: 0x10, code32User: 0x1b, dataUser: 0x23, tss: 0x28, ldt: 0x30, code16: 0x38, code16User: 0x43, data16: 0x48, data16User: 0x53,
  smallUser: 0x5b, downUser: 0x63, down16User: 0x6b, readOnlyUser: 0x73, stack32: 0x78, conforming: 0x80, executeOnlyUser: 0x8b, notPresent: 0x90, tssTask: 0x98,
  tss16: 0xa0, callGate: 0xa8, callGate16: 0xb0, taskGate: 0xb8, callGateArgs: 0xc0, codeNotPresent: 0xc8, smallCodeUser: 0xd3, smallCode: 0xd8,
  notAccessedUser: 0xe3, interruptGate: 0xe8, stack32User: 0xf3, codeAliasUser: 0xfb,
  tssDoubleFault: 0x100, ldtData: 0x0c, ldtCodeUser: 0x17, ldtDataUser: 0x1f,
} as const;
export const GDT_LIMIT_BYTES = 0x107, LDT_LIMIT_BYTES = 0x3f;
