/** Details of MMX and SSE that the recorded corpus (test/vectors/simd.bin.gz) has shown, one by one: runs instructions in user mode. */
import { beforeEach, expect, it } from 'vitest';
import { FPU_SW, FPU_TW } from '../../../src/cpu/fpu/state.ts';
import { MXCSR, XMM } from '../../../src/cpu/simd/state.ts';
import { RF } from '../../../src/cpu/state.ts';
import { DEFAULT_REGISTERS, EFLAGS_INDEX, ENTRY, LOW_DATA, CODE, INT3 } from '../../vectors/layout.ts';
import type { Stop } from '../../vectors/recorder.ts';
import { UserMachine } from '../../suites/user-machine.ts';

const XM = 19, BP = 3, PE = 0x20, UNMASKED_PE = 0x0f80, TOP = 0x3800;
const machine = new UserMachine([CODE, LOW_DATA]), { R } = machine.cpu;

function run(code: readonly number[], prepare: () => void): Stop {
  machine.space.writeBytes(ENTRY, Uint8Array.from([...code, INT3]));
  machine.start(Int32Array.of(...DEFAULT_REGISTERS, ENTRY));
  prepare();
  return machine.run(20)!;
}

beforeEach(() => {
  R.fill(0, XMM, XMM + 32);
});

it('an exception for an inexact result is raised though PE was set before, with RF in the frame', () => {
  // ADDSS XMM0, XMM1; CVTSI2SS XMM0, EAX
  for (const code of [[0xf3, 0x0f, 0x58, 0xc1], [0xf3, 0x0f, 0x2a, 0xc0]]) {
    const stop = run(code, () => {
      R[MXCSR] = UNMASKED_PE | PE;
      R[XMM] = 0x3f800000;
      R[XMM + 4] = 0x30000000;
      R[0] = 0x7fff_fff1;
    });
    expect(stop.exception).toBe(XM);
    expect(stop.registers[EFLAGS_INDEX]! & RF).toBe(RF);
  }
});

it('MOVNTQ enters MMX, and a conversion from MMX does so before it raises #XM', () => {
  const dirty = (): void => {
    R[FPU_SW] = 0x2800;
    R[FPU_TW] = 0xffff;
    R[MXCSR] = UNMASKED_PE;
    // MM0 = 7FFFFFF1h in both halves.
    R[128] = R[129] = 0x7fff_fff1;
  };
  // MOVNTQ [8000h], MM0; CVTPI2PS XMM0, MM0
  expect(run([0x0f, 0xe7, 0x05, 0, 0x80, 0, 0], dirty).exception).toBe(BP);
  expect([R[FPU_SW]! & TOP, R[FPU_TW]]).toEqual([0, 0]);
  expect(run([0x0f, 0x2a, 0xc0], dirty).exception).toBe(XM);
  expect([R[FPU_SW]! & TOP, R[FPU_TW]]).toEqual([0, 0]);
});

it('alignment check covers 8 bytes', () => {
  // PUSH 40202h; POPF; PXOR MM0, [8002h]
  expect(run([0x68, 2, 2, 4, 0, 0x9d, 0x0f, 0xef, 0x05, 2, 0x80, 0, 0], () => { R[4] = LOW_DATA.base + 0x100; }).exception).toBe(17);
});

it('CLFLUSH touches one byte', () => {
  expect(run([0x0f, 0xae, 0x3d, 0xff, 0x9f, 0, 0], () => undefined).exception).toBe(BP);
});
