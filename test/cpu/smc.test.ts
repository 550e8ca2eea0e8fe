/** Self-modifying code: what is written is what runs next, whoever writes it and wherever the code lies. */
import { describe, expect, it } from 'vitest';
import { EAX, EBX, ECX, EDI, EDX, EIP, ESI, ESP } from '../../src/cpu/state.ts';
import { CODE, PRESENT, USER, WRITABLE, protectedGuest, realGuest } from './guest/guest.ts';

describe('a store into the block that it is in', () => {
  it('changes the next instruction', () => {
    const guest = protectedGuest('mov byte [next],0x43\nnext: inc eax\nhlt');
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([0, 1]);
    const { counters, tbCounters } = guest.cpu.exec;
    expect(counters.singles).toBe(1);
    expect(tbCounters.invalidations).toBeGreaterThan(0);
  });

  it('changes an instruction further on, with registers and flags right at the store', () => {
    const guest = protectedGuest('mov ebx,5\nadd ebx,0xffffffff\nadc ecx,7\nsub ebx,ecx\nmov dword [later+1],0x12345678\nadc edx,0\nsetc al\nlater: mov edi,1\nhlt');
    expect(guest.run()).toBe('hlt');
    // 4 - 8 borrows.
    expect([guest.R[EBX], guest.R[ECX], guest.R[EDX], guest.R[EAX]! & 0xff, guest.R[EDI]]).toEqual([-4, 8, 1, 0, 0x12345678]);
  });

  it('changes its own instruction, from the next time on', () => {
    const guest = protectedGuest('mov ecx,3\nself: mov dword [self+6],0x55\nadd eax,[self+6]\ndec ecx\njnz self\nhlt');
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EAX]).toBe(0x55 * 3);
  });

  it('changes an instruction that was before it', () => {
    const guest = protectedGuest('mov ecx,2\nback: inc eax\nmov byte [back],0x4b\ndec ecx\njnz back\nhlt');
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([1, -1]);
  });

  it('counts as one instruction', () => {
    const guest = protectedGuest('mov byte [next],0x43\nnext: inc eax\nhlt');
    expect(guest.cpu.run(100)).toBe(3);
  });

  it('of the same value changes nothing', () => {
    const guest = protectedGuest('mov ecx,10\nl: mov byte [op],0x40\nop: inc eax\nloop l\nhlt');
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EAX]).toBe(10);
  });

  it('by a read-modify-write instruction is done once', () => {
    const guest = protectedGuest('mov ecx,5\nl: inc byte [imm+1]\nimm: mov al,0\nadd bl,al\nloop l\nhlt');
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EBX]).toBe(1 + 2 + 3 + 4 + 5);
  });

  it('in data beside the code on the same line leaves the code alone', () => {
    const guest = protectedGuest('mov ecx,10\n.l: inc dword [data]\nloop .l\nhlt\ndata: dd 0');
    expect(guest.run()).toBe('hlt');
    expect(guest.dword(guest.label('data'))).toBe(10);
    expect(guest.cpu.exec.tbCounters.invalidations).toBe(0);
  });
});

describe('instructions with several stores', () => {
  /** The writer turns the three INC EAX of its own block's page into INC EBX. */
  const cases: readonly (readonly [name: string, writer: string])[] = [
    ['REP STOSB', 'mov edi,target\nmov ecx,3\nmov al,0x43\nrep stosb'],
    ['REP STOSD', 'mov edi,target-5\nmov ecx,2\nmov eax,0x43434343\nrep stosd'],
    ['REP MOVSB', 'mov esi,source\nmov edi,target\nmov ecx,3\nrep movsb'],
    ['REP MOVSB backward', 'std\nmov esi,source+2\nmov edi,target+2\nmov ecx,3\nrep movsb\ncld'],
    ['STOSB', 'mov edi,target\nmov al,0x43\nstosb\nstosb\nstosb'],
    ['MOVSD', 'mov esi,source\nmov edi,target\nmovsd'],
    ['PUSH', 'mov ebp,esp\nlea esp,[target+4]\npush dword [source]\nmov esp,ebp'],
    ['PUSHA', 'mov ebp,esp\nlea esp,[target+4]\nmov eax,[source]\npusha\nmov esp,ebp'],
    ['XCHG', 'mov eax,[source]\nxchg [target],eax'],
    ['ADD', 'add dword [target],0x00030303'],
  ];

  it.each(cases)('%s', (_, writer) => {
    const guest = protectedGuest(`${writer}\nxor eax,eax\nxor ebx,ebx\njmp short target\ntimes 32 nop\ntarget: inc eax\ninc eax\ninc eax\nhlt\nsource: db 0x43,0x43,0x43,0xf4`);
    const run = guest.run();
    expect([run, guest.R[EAX], guest.R[EBX]]).toEqual(['hlt', 0, 3]);
  });

  it('SMSW, FNSTENV and SGDT', () => {
    const guest = protectedGuest('sgdt [target]\ncmp dword [target],0x3000003f\nsetne al\ntarget: times 6 nop\nhlt\ntimes 16 nop');
    // 3F 00 00 30 00 00: AAS, ADD [EAX],AL; ... a store below 1 MB that harms nothing.
    guest.R[EAX] = 0x30000;
    guest.run(5);
    expect([...guest.space.memory.bytes.subarray(guest.label('target'), guest.label('target') + 6)]).toEqual([0x3f, 0, 0, 0x30, 0, 0]);
    expect(guest.R[EAX]! >>> 16).toBe(3);
    const fpu = protectedGuest('fninit\nfnstenv [target]\ntarget: times 28 inc eax\nhlt');
    fpu.run(2);
    expect(fpu.R[EIP]).toBe(fpu.label('target'));
    expect(fpu.word(fpu.label('target'))).toBe(0x37f);
    fpu.setDword(fpu.label('target'), 0xf4f4f4f4 | 0);
    expect(fpu.run()).toBe('hlt');
    expect([fpu.R[EAX], fpu.R[EIP]]).toEqual([0, fpu.label('target') + 1]);
  });

  it('CALL, whose return address becomes code', () => {
    // The stack lies on the code to come: CALL writes the address of `back` there: 000100xx, ADD [EAX],EAX; ... as data it is read back.
    const guest = protectedGuest('lea esp,[target+4]\ncall next\nback: nop\nnext: mov eax,[target]\njmp short over\ntarget: inc ebx\ninc ebx\ninc ebx\ninc ebx\nover: hlt');
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX], guest.R[ESP]]).toEqual([guest.label('back'), 0, guest.label('target')]);
  });

  it('an interrupt, whose frame becomes code', () => {
    const guest = protectedGuest('lea esp,[target+12]\nint 0x40\ntimes 20 nop\nhandler: mov eax,[target]\nmov ebx,[target+4]\nhlt\ntimes 20 nop\ntarget: times 16 inc ecx\nhlt');
    guest.setGate(0x40, guest.label('handler'));
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([guest.label('handler') - 20, 8]);
  });

  it('REP STOS over the code of its own block and far beyond, counted exactly', () => {
    const guest = protectedGuest('mov edi,after\nmov ecx,5000\nmov al,0x43\nrep stosb\nafter: times 64 inc eax');
    expect(guest.cpu.run(3 + 5000)).toBe(5003);
    expect([guest.R[EIP], guest.R[ECX], guest.R[EDI]]).toEqual([guest.label('after'), 0, guest.label('after') + 5000]);
    guest.R[EBX] = 0;
    expect(guest.cpu.run(5000)).toBe(5000);
    expect([guest.R[EBX], guest.R[EAX]! & ~0xff]).toEqual([5000, 0]);
  });

  it('REP MOVS that overwrites itself runs to its end, as processors do', () => {
    const guest = protectedGuest('mov esi,source\nmov edi,own\nmov ecx,4\nown: rep movsb\nnop\nnop\nhlt\nsource: db 0x90,0x90,0x43,0x43');
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EBX]).toBe(2);
    expect(guest.dword(guest.label('own'))).toBe(0x43439090);
  });
});

describe('other blocks', () => {
  it('are dropped, and linked anew', () => {
    const source = 'mov ecx,6\n.l: call f\nxor byte [f],3\ndec ecx\njnz .l\nhlt\ntimes 128 nop\nf: inc eax\nret';
    const guest = protectedGuest(source);
    expect(guest.run()).toBe('hlt');
    // INC EAX and INC EBX in turn.
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([3, 3]);
    expect(guest.cpu.exec.tbCounters.invalidations).toBeGreaterThanOrEqual(5);
  });

  it('that cross into the page written to', () => {
    const at = 0x1_2ffe;
    const guest = protectedGuest(`mov ecx,4\n.l: call ${at}\ninc dword [${at + 1}]\ndec ecx\njnz .l\nhlt`);
    guest.code('mov ebx,1\nadd eax,ebx\nret', at);
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EAX]).toBe(1 + 2 + 3 + 4);
    guest.setDword(at + 1, 10);
    guest.R[EAX] = 0;
    expect(guest.restart(CODE)).toBe('hlt');
    expect(guest.R[EAX]).toBe(10 + 11 + 12 + 13);
  });

  it('that cross, written in their first page only', () => {
    const at = 0x1_2ffc;
    const guest = protectedGuest(`call ${at}\nmov byte [${at}],0x43\ncall ${at}\nhlt`);
    guest.code('inc eax\nnop\nmov edx,0x1234\nret', at);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX], guest.R[EDX]]).toEqual([1, 1, 0x1234]);
  });

  it('written by a store across two pages of code', () => {
    const at = 0x1_2ffe;
    const guest = protectedGuest(`call ${at}\nmov dword [${at}],0x43434343\ncall ${at}\nhlt`);
    guest.code('inc eax\ninc eax\ninc eax\ninc eax\nret', at);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([4, 4]);
  });
});

describe('writes by others', () => {
  it('through the address space: DMA, loaders', () => {
    const guest = protectedGuest('f: inc eax\nhlt');
    guest.run();
    guest.space.writeBytes(CODE, Uint8Array.of(0x43));
    expect(guest.restart(CODE)).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([1, 1]);
  });

  it('by a device while the block runs that waits for it', () => {
    const guest = protectedGuest('mov ecx,3\nl: out 0x80,al\nop: inc eax\nloop l\nhlt');
    const code = [0x43, 0x42, 0x46];
    guest.port(0x80, () => guest.space.writeBytes(guest.label('op'), Uint8Array.of(code.shift()!)));
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX], guest.R[EDX], guest.R[ESI]]).toEqual([0, 1, 1, 1]);
  });

  it('through another virtual address', () => {
    const guest = protectedGuest('mov ecx,2\n.l: inc eax\nmov byte [0x200000+.l-0x10000],0x43\nloop .l\nhlt', { paging: true });
    guest.mapPage(0x200000, CODE | PRESENT | WRITABLE);
    guest.cpu.flushTlb();
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([1, 1]);
  });

  it('through another virtual address that was writable before the page became code', () => {
    const guest = protectedGuest('mov byte [0x200000],0x90\ncall 0x30000\nmov byte [0x200000],0x43\ncall 0x30000\nhlt', { paging: true });
    guest.mapPage(0x200000, 0x30000 | PRESENT | WRITABLE | USER);
    guest.cpu.flushTlb();
    guest.space.writeBytes(0x30000, Uint8Array.of(0x40, 0xc3));
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([0, 1]);
  });

  it('in real mode through another segment', () => {
    const guest = realGuest('mov ax,0x100\nmov ds,ax\nmov cx,2\n.l: inc bx\nmov byte [.l-0x1000],0x42\nloop .l\nhlt');
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EBX], guest.R[EDX]]).toEqual([1, 1]);
  });
});

describe('for long', () => {
  it('a loop that changes itself does not fill memory', () => {
    const guest = protectedGuest('mov ecx,10000\nl: inc dword [imm+1]\nimm: mov eax,0\nadd ebx,eax\ndec ecx\njnz l\nhlt', { tbBytes: 256 << 10 });
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EAX]).toBe(10000);
    expect(guest.R[EBX]).toBe(10000 * 10001 / 2);
    const { cache, tbCounters } = guest.cpu.exec;
    expect(cache.size).toBeLessThan(20);
    expect(cache.bytesUsed).toBeLessThanOrEqual(256 << 10);
    expect(tbCounters.invalidations).toBeGreaterThan(10000);
    // The room of dropped blocks is used again: nothing has to be flushed.
    expect(tbCounters.flushes).toBe(0);
  });

  it('dropped blocks that are not the last ones do not fill memory either', () => {
    // Routines in two pages that are written in turn: the room of the one cannot be given back while the other's block is the last.
    const guest = protectedGuest('mov ecx,5000\nl: mov [0x30001],ecx\nmov edx,0x30000\ncall edx\nmov [0x31001],ecx\nmov edx,0x31000\ncall edx\ndec ecx\njnz l\nhlt', { tbBytes: 256 << 10 });
    for (const page of [0x30000, 0x31000]) guest.space.writeBytes(page, Uint8Array.of(0xb8, 0, 0, 0, 0, 0x01, 0xc3, 0xc3));
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EBX]).toBe(5000 * 5001);
    const { cache, tbCounters } = guest.cpu.exec;
    expect(cache.bytesUsed).toBeLessThan(64 << 10);
    expect(tbCounters.flushes).toBeGreaterThan(2);
  });

  it('code that is copied and run again and again', () => {
    const guest = protectedGuest(`
        mov edx,500
.again: mov esi,one
        test edx,1
        jz .even
        mov esi,two
.even:  mov edi,0x30000
        mov ecx,16
        rep movsb
        call 0x30000
        dec edx
        jnz .again
        hlt
one:    add eax,3
        ret
        times 16 nop
two:    add ebx,5
        ret
        times 16 nop`);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([750, 1250]);
    expect(guest.cpu.exec.cache.size).toBeLessThan(20);
  });
});
