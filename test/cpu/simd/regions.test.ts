/**
 * SSE arithmetic in regions, where doubles are locals and common operations are written out: random loops over numbers of all kinds give
 * the same registers, flags and memory as the op interpreter, under any MXCSR.
 */
import { describe, expect, it } from 'vitest';
import { MXCSR, XMM } from '../../../src/cpu/simd/state.ts';
import { CR4, CR4_OSFXSR } from '../../../src/cpu/state.ts';
import { double, single } from '../../vectors/float-values.ts';
import { Random } from '../../vectors/random.ts';
import { protectedGuest } from '../guest/guest.ts';
import type { Guest, GuestOptions } from '../guest/guest.ts';

const DATA = 0x5_0000, CELLS = 32;

const ARITHMETIC = ['add', 'sub', 'mul', 'div', 'min', 'max', 'sqrt'];
const SHAPES = ['sd', 'sd', 'sd', 'pd', 'ss'];
const WHOLE = ['movapd', 'movaps', 'xorpd', 'andpd', 'orpd', 'unpcklpd', 'unpckhpd', 'paddd', 'pxor', 'addps', 'cvtdq2pd'];

/** One or more instructions; labels are numbered by `at`. */
function instructions(random: Random, at: number): string {
  const x = `xmm${random.below(8)}`, y = `xmm${random.below(8)}`, r = random.pick(['eax', 'ebx', 'edx']);
  const cell = random.below(4) === 0 ? `[esi + ${16 * random.below(CELLS / 2)}]` : `[${DATA + 16 * random.below(CELLS / 2)}]`;
  const source = (memory: number): string => (random.below(memory) === 0 ? cell : y);
  switch (random.below(18)) {
    case 0: case 1: case 2: case 3: case 4: case 5: return `${random.pick(ARITHMETIC)}${random.pick(SHAPES)} ${x}, ${source(3)}`;
    case 6: return `${random.pick(WHOLE)} ${x}, ${source(4)}`;
    case 7: return `movapd ${x}, ${y}`;
    case 8: return `movsd ${x}, ${source(2)}`;
    case 9: return `${random.pick(['movsd', 'movapd', 'movhpd', 'movlpd', 'movq', 'movss'])} ${cell}, ${x}`;
    case 10: return `${random.pick(['movhpd', 'movlpd', 'movq', 'movss'])} ${x}, ${cell}`;
    case 11: return `${random.pick(['comisd', 'ucomisd', 'comiss', 'ucomiss'])} ${x}, ${source(3)}\nj${random.pick(['a', 'b', 'p', 'z', 'ae'])} .m${at}\n${random.pick(['addsd', 'mulsd', 'movapd'])} ${y}, ${x}\n.m${at}:`;
    case 12: return `cmp${random.pick(['sd', 'pd'])} ${x}, ${source(3)}, ${random.below(8)}\nmovmskpd ${r}, ${x}`;
    case 13: return `cvtsi2s${random.pick(['d', 's'])} ${x}, ${random.below(2) === 0 ? r : `dword ${cell}`}`;
    case 14: return `${random.pick(['cvttsd2si', 'cvtsd2si', 'cvttss2si', 'cvtss2si'])} ${r}, ${source(3)}\nadd edi, ${r}`;
    case 15: return `${random.pick(['cvtsd2ss', 'cvtss2sd'])} ${x}, ${source(3)}`;
    case 16: return `movd ${x}, ${r}\n${random.pick(['pshufd', 'shufpd'])} ${x}, ${y}, ${random.below(256)}`;
    default: return `movd ${r}, ${x}\nxor edi, ${r}`;
  }
}

function program(random: Random): string {
  const body = Array.from({ length: 8 + random.below(24) }, (_, i) => instructions(random, i));
  return `ldmxcsr [${DATA + 16 * CELLS}]\nmov ecx, 400\n.l: mov esi, ecx\nand esi, 7\nshl esi, 4\nadd esi, ${DATA}\n${body.join('\n')}\ndec ecx\njnz near .l\nhlt`;
}

function prepared(source: string, seed: number, options: GuestOptions): Guest {
  const guest = protectedGuest(source, options), random = new Random(seed), { R } = guest;
  const put = (address: number, word: number): void => guest.space.write(address, word, 4);
  for (let i = 0; i < CELLS; i++) {
    const [low, high] = random.below(6) === 0 ? [single(random), single(random)] : double(random);
    put(DATA + 8 * i, low);
    put(DATA + 8 * i + 4, high);
  }
  // Mostly to nearest with PE set, as it is in programs that run for a while.
  put(DATA + 16 * CELLS, random.below(3) > 0 ? 0x1fa0 : 0x1f80 | random.below(4) << 13 | random.below(64) | random.pick([0, 0x40, 0x8000]));
  for (let i = 0; i < 32; i += 2) [R[XMM + i], R[XMM + i + 1]] = double(random);
  R[CR4] = R[CR4]! | CR4_OSFXSR;
  guest.cpu.updateHflags();
  return guest;
}

/** All that the program can change. */
function outcome(guest: Guest): unknown {
  const { R } = guest;
  expect(guest.run(2_000_000)).toBe('hlt');
  const memory = new Uint8Array(16 * CELLS);
  guest.space.readBytes(DATA, memory);
  return { memory: Buffer.from(memory).toString('hex'), general: [...R.subarray(0, 8)], mxcsr: R[MXCSR], xmm: [...R.subarray(XMM, XMM + 32)], retired: guest.cpu.retired };
}

describe('SSE in regions', () => {
  it('a way out with a helper leaves the locals of the others as they are', () => {
    const source = `mov ecx, 300\n.l: addsd xmm6, [${DATA}]\ninto\nloop .l\nhlt`;
    const [wanted, got] = [{ jit: false }, { jitThreshold: 100 }].map((options) => outcome(prepared(source, 5, options)));
    expect(got).toEqual(wanted);
  });

  for (const seed of [1, 2, 3]) {
    it(`does what the op interpreter does (seed ${seed})`, () => {
      const random = new Random(seed);
      for (let n = 0; n < 4; n++) {
        const source = program(random), start = random.next();
        const wanted = outcome(prepared(source, start, { jit: false }));
        for (const jitThreshold of [0, 2000]) expect(outcome(prepared(source, start, { jitThreshold })), source).toEqual(wanted);
      }
    });
  }
});
