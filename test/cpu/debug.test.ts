/** Hardware breakpoints. Intel SDM vol. 3, 17.2-17.3. */
import { describe, expect, it } from 'vitest';
import { CR4, DR, EAX, EBX, ECX } from '../../src/cpu/state.ts';
import { protectedGuest } from './guest/guest.ts';
import type { Guest } from './guest/guest.ts';

/** The handler stores DR6 and the return address at 9000h, 9008h, ..., counts in EBX and sets RF in what it returns to. */
function debugged(source: string): Guest {
  const guest = protectedGuest(`mov ebp,0x9000\n${source}\nhlt
    handler: push eax
    mov eax,dr6
    mov [ebp],eax
    mov eax,[esp+4]
    mov [ebp+4],eax
    add ebp,8
    inc ebx
    xor eax,eax
    mov dr6,eax
    or dword [esp+12],0x10000
    pop eax
    iret`);
  guest.setGate(1, guest.label('handler'));
  return guest;
}
const events = (guest: Guest): [number, number][] => Array.from({ length: guest.R[EBX]! }, (_, i) => [guest.dword(0x9000 + 8 * i) & 0xe00f, guest.dword(0x9004 + 8 * i)]);
const setUp = (address: string, dr7: number): string => `mov eax,${address}\nmov dr0,eax\nmov eax,${dr7}\nmov dr7,eax\n`;

describe('breakpoints', () => {
  it('on an instruction stop before it, once with RF', () => {
    const guest = debugged(`${setUp('there', 1)}xor eax,eax\ninc eax\nthere: inc eax\ninc eax`);
    expect(guest.run()).toBe('hlt');
    expect(events(guest)).toEqual([[1, guest.label('there')]]);
    expect(guest.R[EAX]).toBe(3);
  });

  it('on data stop behind the instruction, for writes or for all accesses', () => {
    for (const [kind, expected] of [[1, ['a', 'c']], [3, ['a', 'b', 'c']]] as const) {
      const guest = debugged(`${setUp('0x8004', 2 | kind << 16 | 3 << 18)}mov [0x8004],eax
        a: mov ecx,[0x8006]
        b: mov byte [0x8007],1
        c: mov [0x8008],eax
        mov [0x8000],eax
        mov ecx,[0x8000]`);
      expect(guest.run()).toBe('hlt');
      expect(events(guest)).toEqual(expected.map((label) => [1, guest.label(label)]));
    }
  });

  it('stop repeated string instructions between iterations', () => {
    const guest = debugged(`${setUp('0x8004', 2 | 1 << 16)}mov edi,0x8000\nmov ecx,10\nagain: rep stosb`);
    expect(guest.run()).toBe('hlt');
    expect([events(guest), guest.R[ECX]]).toEqual([[[1, guest.label('again')]], 0]);
  });

  it('on ports need CR4.DE, and DR4 then is not there', () => {
    const guest = debugged(`mov eax,cr4\nor al,8\nmov cr4,eax\n${setUp('0x60', 2 | 2 << 16)}in al,0x60\na: in al,0x61`);
    guest.port(0x60, () => undefined);
    expect(guest.run()).toBe('hlt');
    expect([events(guest), guest.R[CR4]! & 8]).toEqual([[[1, guest.label('a')]], 8]);
    expect(protectedGuest('mov eax,cr4\nor al,8\nmov cr4,eax\nmov eax,dr4\nhlt').run()).toBe('#6');
  });

  it('on an instruction are void behind MOV SS, not behind STI', () => {
    const behind = (insn: string): number => {
      const guest = debugged(`mov ecx,ss\n${setUp('there', 1)}${insn}\nthere: nop`);
      expect(guest.run()).toBe('hlt');
      return guest.R[EBX]!;
    };
    expect([behind('mov ss,cx'), behind('push ecx\npop ss'), behind('sti'), behind('nop')]).toEqual([0, 0, 1, 1]);
  });

  it('wait behind MOV SS', () => {
    const guest = debugged(`${setUp('0x8004', 2 | 3 << 16)}mov ecx,ss\nmov [0x8004],ecx\na: mov ss,[0x8004]\nb: inc ecx\nc: inc ecx`);
    expect(guest.run()).toBe('hlt');
    expect(events(guest)).toEqual([[1, guest.label('a')], [1, guest.label('c')]]);
  });

  it('cost nothing when they are gone', () => {
    const guest = debugged(`${setUp('0x8004', 2 | 1 << 16)}xor eax,eax\nmov dr7,eax\nmov [0x8004],eax`);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EBX], guest.R[DR + 7]]).toEqual([0, 0x400]);
  });
});
