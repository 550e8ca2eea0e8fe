/**
 * The world that a recorded instruction sees, the same on the real processor and on ours: flat 32-bit segments at privilege
 * level 3, and a few pages of memory at fixed addresses. Everything else is unmapped: touching it is a page fault.
 */

export interface Area {
  readonly base: number;
  readonly size: number;
  readonly writable: boolean;
}

/** Holds the instruction; INT3 everywhere else. Below 64 KB, so that 16-bit jumps stay inside. */
export const CODE: Area = { base: 0x4000, size: 0x1000, writable: true };
/** Below 64 KB for 16-bit addresses. */
export const LOW_DATA: Area = { base: 0x8000, size: 0x2000, writable: true };
/** Writing faults. */
export const READ_ONLY: Area = { base: 0x6000, size: 0x1000, writable: false };
export const STACK: Area = { base: 0xC000, size: 0x2000, writable: true };
export const HIGH_DATA: Area = { base: 0x50_0000, size: 0x2000, writable: true };
export const AREAS: readonly Area[] = [CODE, READ_ONLY, LOW_DATA, STACK, HIGH_DATA];

/** Where the instruction starts: room for jumps both ways. */
export const ENTRY = 0x4800;
export const INT3 = 0xCC;

/** What a 64-bit Linux gives its 32-bit processes: CS, and DS = ES = SS; here also FS = GS. */
export const USER_CODE = 0x23, USER_DATA = 0x2B;

/**
 * Its GDT, entry by entry (the descriptors' high dword; base 0, limit 4 GB): 32-bit and 64-bit kernel code, kernel data, user code
 * of 32 bits, user data, user code of 64 bits. Linux, arch/x86/kernel/cpu/common.c.
 */
export const GDT_HIGH: readonly number[] = [0, 0x00CF9B00, 0x00AF9B00, 0x00CF9300, 0x00CFFB00, 0x00CFF300, 0x00AFFB00];

/** General registers of a vector, in ModRM order, and EFLAGS; what a vector does not say. */
export const EFLAGS_INDEX = 8, EIP_INDEX = 9;
export const DEFAULT_REGISTERS: readonly number[] = [0xA3A2A1A0, 0xC3C2C1C0, 0xD3D2D1D0, 0xB3B2B1B0, 0xD000, 0xD080, 0x8800, 0x9400, 0x202].map((value) => value | 0);

/** What memory holds where a vector does not say: bytes that differ from their neighbours, and from area to area. */
export function initialByte(address: number): number {
  if (address - CODE.base < CODE.size) return INT3;
  return (address * 37 ^ address >>> 8) & 0xFF;
}

export function initialMemory(area: Area): Uint8Array {
  return Uint8Array.from({ length: area.size }, (_, offset) => initialByte(area.base + offset));
}
