/**
 * How full the BIOS's keyboard buffer is. It holds 15 keys and drops what comes after them, so typing has to wait for a
 * DOS program that is busy. Only a guest in real or virtual-8086 mode has a BIOS data area at 400h.
 * Source: IBM PS/2 and PC BIOS Interface Technical Reference, BIOS data area (40:1A head, 40:1C tail, 40:1E buffer).
 */
import { CR0, CR0_PE, EFLAGS, VM } from '../cpu/state.ts';

const HEAD = 0x41a, TAIL = 0x41c;
/** Offsets from 400h: the buffer's first byte, and the first behind it. */
const START = 0x1e, END = 0x3e;

/** Keys that wait for a program to read them; 0 where there is no such buffer. @param read16 a word of guest physical memory */
export function biosKeysWaiting(R: Int32Array, read16: (address: number) => number): number {
  if ((R[CR0]! & CR0_PE) !== 0 && (R[EFLAGS]! & VM) === 0) return 0;
  const head = read16(HEAD), tail = read16(TAIL);
  const valid = (offset: number): boolean => offset >= START && offset < END && offset % 2 === 0;
  return valid(head) && valid(tail) ? ((tail - head + END - START) % (END - START)) / 2 : 0;
}
