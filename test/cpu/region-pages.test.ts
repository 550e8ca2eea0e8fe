/** Regions over several pages: entered, and left when a page of theirs is mapped elsewhere. */
import { describe, expect, it } from 'vitest';
import { EAX, EBX, ECX } from '../../src/cpu/state.ts';
import { PRESENT, TABLE, USER, WRITABLE, protectedGuest } from './guest/guest.ts';
import type { Guest, ProtectedOptions } from './guest/guest.ts';

const CALLED = 0x20_0000, FIRST = 0x3_0000, SECOND = 0x3_1000;
/** Table entry of the page CALLED. */
const ENTRY = TABLE + (CALLED >>> 12) * 4;
const ADD_3 = [0x83, 0xc0, 3, 0xc3], ADD_5 = [0x83, 0xc0, 5, 0xc3];

function run(source: string, options: ProtectedOptions, prepare: (guest: Guest) => void = () => {}): Guest {
  const guest = protectedGuest(source, options);
  prepare(guest);
  expect(guest.run(3_000_000)).toBe('hlt');
  return guest;
}

/** The same in both tiers, and mostly in regions where there are any. */
function both(source: string, options: ProtectedOptions, prepare?: (guest: Guest) => void): Guest {
  const interpreted = run(source, { ...options, jit: false }, prepare), compiled = run(source, { ...options, jitThreshold: 1000 }, prepare);
  expect([...compiled.R.subarray(0, 8)]).toEqual([...interpreted.R.subarray(0, 8)]);
  expect(compiled.cpu.retired).toBe(interpreted.cpu.retired);
  expect(compiled.cpu.exec.regionRetired / compiled.cpu.retired).toBeGreaterThan(0.9);
  return compiled;
}

describe('a region', () => {
  it('goes on in another page by calls and returns', () => {
    const guest = both('mov ecx,20000\n.l: call f\ndec ecx\njnz .l\nhlt\ntimes 4096 nop\nf: inc eax\nret', {});
    expect(guest.R[EAX]).toBe(20_000);
    expect(guest.cpu.exec.counters.regions.entries).toBeLessThan(200);
  });

  it('goes on in another page by jumps, and by an instruction that reaches into it', () => {
    // 4 bytes of an instruction of 5 lie in the first page.
    const start = 'mov ecx,20000\n.l: inc eax\njmp near .x\n';
    const guest = both(`${start}times 4092-($-$$) nop\n.x: mov ebx,0x12345678\nadd ebx,eax\ndec ecx\njnz near .l\nhlt`, {});
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([20_000, 0x1234_5678 + 20_000]);
    expect(guest.cpu.exec.counters.regions.entries).toBeLessThan(200);
  });

  const prepare = (guest: Guest): void => {
    guest.space.writeBytes(FIRST, Uint8Array.from(ADD_3));
    guest.space.writeBytes(SECOND, Uint8Array.from(ADD_5));
    guest.mapPage(CALLED, FIRST | PRESENT | WRITABLE | USER);
    guest.cpu.flushTlb();
  };
  const flushes = { invlpg: `invlpg [${CALLED}]`, cr3: 'mov eax,cr3\nmov cr3,eax' };

  it.each(Object.entries(flushes))('sees that a page of it is mapped elsewhere (%s)', (_name, flush) => {
    // Every 2000 calls the entry changes between the two pages.
    const guest = both(`
        mov ecx,20000
        mov ebp,2000
        mov edx,${CALLED}
.l:     call ${CALLED}
        dec ebp
        jnz .same
        mov ebp,2000
        xor dword [${ENTRY}],${FIRST ^ SECOND}
        push eax
        ${flush}
        pop eax
.same:  dec ecx
        jnz .l
        hlt`, { paging: true }, prepare);
    expect(guest.R[EAX]).toBe(20_000 * 4);
    expect(guest.R[ECX]).toBe(0);
  });

  it('is gone when the code in its other page is written to', () => {
    const guest = both(`
        mov ecx,20000
        mov ebp,2000
.l:     call ${CALLED}
        dec ebp
        jnz .same
        mov ebp,2000
        xor byte [${CALLED + 2}],6
.same:  dec ecx
        jnz .l
        hlt`, { paging: true }, prepare);
    expect(guest.R[EAX]).toBe(20_000 * 4);
    expect(guest.cpu.exec.regions.counters.dropped).toBeGreaterThan(3);
  });

  it('does not reach a page that is no longer there', () => {
    const guest = protectedGuest(`mov ecx,20000\n.l: call ${CALLED}\ndec ecx\ncmp ecx,1000\njne .l\nmov dword [${ENTRY}],0\ninvlpg [${CALLED}]\njmp .l`, { paging: true, jitThreshold: 1000 });
    prepare(guest);
    expect(guest.run(3_000_000)).toBe('#e');
    expect(guest.R[EAX]).toBe(19_000 * 3);
    expect(guest.R[ECX]).toBe(1000);
  });
});
