/** The world of layout.ts as a 32-bit program of Linux can have it: user mode, flat segments, some pages mapped, and nothing else. */
import type { Area } from '../vectors/layout.ts';
import type { RecorderArea } from '../vectors/recorder.ts';
import * as L from './layout.ts';
import { buildImage, offsetsOf } from './machine.ts';
import type { FuzzCase } from './machine.ts';
import { NATIVE_MODE } from './modes.ts';

export const NATIVE_AREAS: readonly Area[] = [
  { base: L.LOW_DATA, size: 0x1000, writable: true }, { base: L.CODE, size: L.CODE_SIZE, writable: true }, { base: L.DATA, size: 0x4000, writable: true },
  { base: L.READ_ONLY, size: 0x1000, writable: false }, { base: L.STACK, size: L.STACK_END - L.STACK, writable: true },
];

/** All cases see the same data. */
const MEMORY_SEED = 20261125;

/** What each area holds at the start of a case, but for the code. */
export function nativeAreas(): readonly RecorderArea[] {
  const image = buildImage({ mode: NATIVE_MODE.name, memorySeed: MEMORY_SEED, doubleFaultTask: false, start: { registers: [], eflags: 0, cr0: 0, cr4: 0, floats: 0 }, offset: 0, code: [], schedule: [], limit: 0 });
  const view = new DataView(image.buffer), { data } = NATIVE_MODE.selectors!;
  for (const base of [L.LOW_DATA, L.DATA]) {
    for (let i = 0; i < L.SELECTOR_COUNT; i++) view.setUint16(base + L.SELECTOR_LIST + 2 * i, data[i % data.length]!, true);
    for (let i = 0; i < L.FAR_COUNT; i++) {
      view.setUint16(base + L.FAR_32 + 8 * i + 4, data[i]!, true);
      view.setUint16(base + L.FAR_16 + 4 * i + 2, data[i]!, true);
    }
  }
  return NATIVE_AREAS.map((area) => ({ ...area, bytes: image.slice(area.base, area.base + area.size) }));
}

export const codeBytes = ({ code }: FuzzCase): Uint8Array => Buffer.from(code.join(''), 'hex');

/** By offset in CODE: the address of the next instruction, or 0. */
export function nextTable(fuzzCase: FuzzCase): Int32Array {
  const next = new Int32Array(L.CODE_SIZE), offsets = offsetsOf(fuzzCase);
  for (let i = 0; i + 1 < offsets.length; i++) next.fill(L.CODE + offsets[i + 1]!, offsets[i], offsets[i + 1]);
  return next;
}

/** EAX ECX EDX EBX ESP EBP ESI EDI EFLAGS EIP. */
export const startRegisters = ({ start, offset }: FuzzCase): Int32Array => Int32Array.of(...start.registers, start.eflags & 0xcd5 | 0x202, L.CODE + offset);
