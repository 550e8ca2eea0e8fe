/** Code that is mapped at many addresses, as each process has its libraries elsewhere: translated twice, then moved. */
import { describe, expect, it } from 'vitest';
import { EAX, ECX } from '../../src/cpu/state.ts';
import { PRESENT, USER, WRITABLE, protectedGuest } from './guest/guest.ts';
import type { Guest } from './guest/guest.ts';

const PAGE = 0x3_0000, PLACES = 24;
/** Far from one another, and at no regular distance. */
const place = (k: number): number => 0x12_0000 + k * 0x1_1000;

/** Adds its own address and 3 to eax by way of a call and a branch; faults if the sum is 0. */
const CALLED = Uint8Array.of(
  0xe8, 0, 0, 0, 0, // 0: call 5
  0x5a, // 5: pop edx
  0x01, 0xd0, // add eax, edx
  0x75, 0x02, // 8: jne 12
  0x0f, 0x0b, // 10: ud2
  0x83, 0xc0, 3, // 12: add eax, 3
  0x7a, 0x01, // 15: jp 18
  0x90, // 17: nop
  0xc3, // 18: ret
);

function start(source: string, jit: boolean): Guest {
  const guest = protectedGuest(source, { paging: true, jit, jitThreshold: 1000 });
  guest.space.writeBytes(PAGE, CALLED);
  for (let k = 0; k < PLACES; k++) guest.mapPage(place(k), PAGE | PRESENT | WRITABLE | USER);
  guest.cpu.flushTlb();
  return guest;
}

/** Calls each place 20 times, and all of them 40 times; `then` stands behind each round. */
const rounds = (then = ''): string => `
        mov ebp,40
.again: mov ebx,${place(0)}
        mov ecx,${PLACES}
.next:  mov esi,20
.call:  call ebx
        dec esi
        jnz .call
        add ebx,0x11000
        dec ecx
        jnz .next
        ${then}
        dec ebp
        jnz .again`;

function run(jit: boolean, then?: string): Guest {
  const guest = start(`${rounds(then)}\nhlt`, jit);
  expect(guest.run(3_000_000)).toBe('hlt');
  expect(guest.R[ECX]).toBe(0);
  return guest;
}

const sum = (add: number): number => Array.from({ length: PLACES }, (_, k) => (place(k) + 5 + add) * 20).reduce((a, b) => a + b);

describe.each([['the op interpreter', false], ['regions', true]])('code at many addresses, in %s', (_name, jit) => {
  it('is translated for two of them', () => {
    const guest = run(jit), { counters } = guest.cpu.exec.cache;
    expect(guest.R[EAX]).toBe(sum(3) * 40 | 0);
    expect(counters.blocks).toBeLessThan(40);
    expect(counters.relocated).toBeGreaterThan(100);
    expect(guest.cpu.retired).toBe(run(jit).cpu.retired);
  });

  it('changes at all of them when it is written to at one', () => {
    // The number that is added is 3 and 5 in turn.
    const guest = run(jit, `xor byte [${place(7) + 14}],6`);
    expect(guest.R[EAX]).toBe((sum(3) + sum(5)) * 20 | 0);
  });

  it('faults at its own address', () => {
    const guest = start(`${rounds()}\nmov ebx,${place(9)}\nmov eax,${-(place(9) + 5)}\ncall ebx\nhlt`, jit);
    expect(guest.run(3_000_000)).toBe('#6');
    expect(guest.frame.eip).toBe(place(9) + 10);
  });
});
