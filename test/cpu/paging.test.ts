/** Paging as programs see it: page faults and their restart, accessed and dirty bits, the TLB, code pages. Intel SDM vol. 3, chapter 4. */
import { describe, expect, it } from 'vitest';
import { CR2, CR3, EAX, EBX, ECX, EDI, EDX, ESI, ESP } from '../../src/cpu/state.ts';
import {
  ACCESSED, CODE, DIRECTORY, DIRTY, PRESENT, STACK, TABLE, USER, USER_STACK, WRITABLE, protectedGuest,
} from './guest/guest.ts';
import type { Guest, ProtectedOptions } from './guest/guest.ts';

const PAGE = 0x30000;
const ALL = PRESENT | WRITABLE | USER;

function paged(source: string, options: ProtectedOptions = {}): Guest {
  return protectedGuest(source, { paging: true, ...options });
}

/** Sets the entry of a page and forgets what was cached. */
function map(guest: Guest, va: number, entry: number): void {
  guest.mapPage(va, entry);
  guest.cpu.flushTlb();
}

describe('page faults', () => {
  const P = 1, W = 2, U = 4;
  it.each<[string, string, number, 0 | 3, boolean, number, number]>([
    // name, instruction, entry's low bits, CPL, CR0.WP, error code, CR2
    ['read of a page that is not present', 'mov eax,[0x30010]', 0, 0, false, 0, 0x30010],
    ['write', 'mov [0x30010],eax', 0, 0, false, W, 0x30010],
    ['user read', 'mov eax,[0x30010]', 0, 3, false, U, 0x30010],
    ['user write', 'mov [0x30010],al', 0, 3, false, U | W, 0x30010],
    ['user read of a supervisor page', 'mov eax,[0x30010]', PRESENT | WRITABLE, 3, false, U | P, 0x30010],
    ['user write to a read-only page', 'mov [0x30010],eax', PRESENT | USER, 3, false, U | W | P, 0x30010],
    ['supervisor write to a read-only page with WP', 'mov [0x30010],eax', PRESENT | USER, 0, true, W | P, 0x30010],
    ['read-modify-write: a write', 'add [0x30010],eax', PRESENT | USER, 3, false, U | W | P, 0x30010],
    ['XCHG', 'xchg [0x30010],eax', PRESENT | USER, 3, false, U | W | P, 0x30010],
    ['CMPXCHG that would not write', 'cmpxchg [0x30010],ecx', PRESENT | USER, 3, false, U | W | P, 0x30010],
    ['PUSH', 'mov esp,0x30014\npush eax', 0, 3, false, U | W, 0x30010],
    ['POP', 'mov esp,0x30010\npop eax', 0, 3, false, U, 0x30010],
    ['CALL', 'mov esp,0x30014\ncall 0x31000', 0, 3, false, U | W, 0x30010],
    ['MOVS from', 'mov esi,0x30010\nmov edi,0x31000\nmovsd', 0, 0, false, 0, 0x30010],
    ['MOVS to', 'mov esi,0x31000\nmov edi,0x30010\nmovsd', 0, 0, false, W, 0x30010],
    ['FLD', 'fld qword [0x30010]', 0, 3, false, U, 0x30010],
    ['FLD of 80 bits', 'fld tword [0x30010]', 0, 3, false, U, 0x30010],
    ['fetch', 'mov eax,0x30010\njmp eax', 0, 0, false, 0, 0x30010],
    ['user fetch', 'mov eax,0x30010\njmp eax', 0, 3, false, U, 0x30010],
    ['user fetch from a supervisor page', 'mov eax,0x30010\njmp eax', PRESENT | WRITABLE, 3, false, U | P, 0x30010],
  ])('%s', (_, source, bits, cpl, writeProtect, error, cr2) => {
    const guest = paged(source, { cpl, writeProtect });
    map(guest, PAGE, PAGE | bits);
    expect(guest.run()).toBe('#e');
    expect([guest.frame.error, guest.R[CR2]]).toEqual([error, cr2]);
  });

  it.each(['mov eax,[eax]', 'movzx eax,byte [eax]', 'movsx eax,word [eax]', 'imul eax,[eax],3'])('%s leaves its register alone, also in compiled code that was left there too often', (load) => {
    const guest = paged(`
      mov ecx,1000
      mov edx,0x30010
      mov esi,0x32010
      again: mov ebx,cr3
      mov cr3,ebx
      cmp ecx,1
      cmove edx,esi
      mov eax,edx
      fault: ${load}
      dec ecx
      jnz again
      hlt`, { jitThreshold: 0 });
    map(guest, 0x32000, 0);
    guest.setDword(0x30010, 5);
    expect(guest.run()).toBe('#e');
    expect([guest.R[EAX], guest.R[CR2], guest.frame.eip]).toEqual([0x32010, 0x32010, guest.label('fault')]);
    expect(guest.cpu.exec.regions.counters.recompiledForMisses).toBeGreaterThan(0);
  });

  it('supervisor code may write to read-only pages without WP', () => {
    const guest = paged('mov dword [0x30010],0x1234\nhlt');
    map(guest, PAGE, PAGE | PRESENT);
    expect(guest.run()).toBe('hlt');
    expect(guest.dword(0x30010)).toBe(0x1234);
  });

  it('descriptor tables, TSS and the inner stack are read as supervisor', () => {
    const guest = paged('int 0x40', { cpl: 3 });
    for (const page of [0x3000, 0x4000, 0x5000]) map(guest, page, page | PRESENT | WRITABLE);
    guest.setGate(0x40, 0x4840, 0xee00);
    expect(guest.run()).toBe('#40');
    expect(guest.frame).toMatchObject({ cs: 0x1b, ss: 0x23, esp: USER_STACK });
  });

  it('a directory entry that is absent, read-only, or not for the user', () => {
    for (const [bits, error] of [[0, 6], [PRESENT | USER, 7], [PRESENT | WRITABLE, 7]] as const) {
      const guest = paged('mov [0x400000],eax', { cpl: 3 });
      guest.setDword(DIRECTORY + 4, TABLE | bits);
      expect(guest.run()).toBe('#e');
      expect([guest.frame.error, guest.R[CR2]]).toEqual([error, 0x400000]);
    }
  });

  it('can be repaired: the instruction starts anew', () => {
    const guest = paged('mov ecx,3\nmov esi,0x30ff8\n.l: add eax,[esi]\nadd esi,4\nloop .l\nhlt\nhandler: inc ebx\nmov edx,cr2\nor dword [0x101000+0x31*4],1\nadd esp,4\niret');
    map(guest, 0x31000, 0x31000);
    guest.setGate(14, guest.label('handler'));
    for (const at of [0x30ff8, 0x30ffc, 0x31000]) guest.setDword(at, 7);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX], guest.R[EDX]]).toEqual([21, 1, 0x31000]);
  });

  it('leave no trace: registers, flags and memory are as before the instruction', () => {
    const guest = paged('stc\nmov eax,0x1234\nmov esp,0x30002\npush dword [0x20000]', { cpl: 3 });
    map(guest, 0x2f000, 0x2f000);
    guest.setDword(0x20000, -1);
    guest.setDword(0x30000, 0x5555);
    expect(guest.run()).toBe('#e');
    expect(guest.frame).toMatchObject({ esp: 0x30002, error: 6, eip: CODE + 11 });
    expect(guest.frame.eflags & 1).toBe(1);
    expect(guest.dword(0x30000)).toBe(0x5555);
  });
});

describe('accesses across pages', () => {
  const writers: readonly (readonly [name: string, source: string, cr2: number])[] = [
    ['MOV', 'mov dword [0x30ffe],-1', 0x31000],
    ['word', 'mov word [0x30fff],-1', 0x31000],
    ['ADD', 'add dword [0x30ffd],-1', 0x31000],
    ['PUSH', 'mov esp,0x31002\npush -1', 0x31000],
    ['STOSD', 'mov edi,0x30ffe\nmov eax,-1\nstosd', 0x31000],
    // The first register that it pushes.
    ['PUSHA', 'mov esp,0x31010\npusha', 0x3100c],
    ['FST', 'fld1\nfst qword [0x30ffc]', 0x31000],
    ['FSTP of 80 bits', 'fld1\nfstp tword [0x30ff8]', 0x31000],
    ['SGDT', 'sgdt [0x30ffc]', 0x31000],
    ['FNSAVE', 'fnsave [0x30fc0]', 0x31000],
    ['BTS', 'mov eax,0x1f\nbts [0x30ffd],eax', 0x31000],
    ['XADD', 'mov eax,1\nxadd [0x30ffe],eax', 0x31000],
    ['SHLD', 'shld [0x30ffe],eax,4', 0x31000],
    ['CALL', 'mov esp,0x31003\ncall $+5', 0x31000],
    ['ENTER', 'mov ebp,0\nmov esp,0x31002\nenter 8,0', 0x31000],
  ];

  it.each(writers)('%s: the second page faults, nothing is written', (_, source, cr2) => {
    const guest = paged(source, { cpl: 3 });
    map(guest, 0x31000, 0x31000 | PRESENT | USER);
    guest.space.memory.bytes.fill(0x77, 0x30f00, 0x31100);
    expect(guest.run()).toBe('#e');
    expect([guest.frame.error, guest.R[CR2]]).toEqual([7, cr2]);
    expect(guest.space.memory.bytes.subarray(0x30f00, 0x31100).every((byte) => byte === 0x77)).toBe(true);
  });

  it.each(writers)('%s: the first page faults', (_, source) => {
    const guest = paged(source, { cpl: 3 });
    map(guest, 0x30000, 0x30000 | PRESENT | USER);
    guest.space.memory.bytes.fill(0x77, 0x30f00, 0x31100);
    expect(guest.run()).toBe('#e');
    expect(guest.frame.error).toBe(7);
    expect(guest.R[CR2]! >>> 12).toBe(0x30);
    expect(guest.space.memory.bytes.subarray(0x30f00, 0x31100).every((byte) => byte === 0x77)).toBe(true);
  });

  it('reads: the second page faults, the destination keeps its value', () => {
    const guest = paged('mov eax,0x1111\nmov eax,[0x30fff]');
    map(guest, 0x31000, 0);
    expect(guest.run()).toBe('#e');
    expect([guest.R[EAX], guest.frame.error, guest.R[CR2]]).toEqual([0x1111, 0, 0x31000]);
  });

  it('go to wherever the pages are mapped', () => {
    const guest = paged('mov dword [0x30ffe],0x44332211\nmov eax,[0x30ffe]\nmov bx,[0x30fff]\nhlt');
    guest.mapPage(0x30000, 0x50000 | ALL);
    map(guest, 0x31000, 0x40000 | ALL);
    expect(guest.run()).toBe('hlt');
    expect([guest.word(0x50ffe), guest.word(0x40000), guest.R[EAX], guest.R[EBX]]).toEqual([0x2211, 0x4433, 0x44332211, 0x3322]);
  });

  it('REP MOVS stops at the page that faults, and goes on from there', () => {
    const source = 'mov esi,0x20ff0\nmov edi,0x30fe0\nmov ecx,32\ncld\nrep movsd\nhlt\nhandler: mov ebp,ecx\nmov eax,edi\nor dword [0x101000+0x31*4],1\nadd esp,4\niret';
    const guest = paged(source);
    map(guest, 0x31000, 0x31000 | WRITABLE);
    guest.setGate(14, guest.label('handler'));
    for (let i = 0; i < 128; i++) guest.setByte(0x20ff0 + i, i + 1);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[5], guest.R[EAX], guest.R[ECX], guest.R[ESI], guest.R[EDI]]).toEqual([24, 0x31000, 0, 0x21070, 0x31060]);
    expect([...guest.space.memory.bytes.subarray(0x30fe0, 0x30fe0 + 128)]).toEqual(Array.from({ length: 128 }, (_, i) => i + 1));
  });
});

describe('accessed and dirty bits', () => {
  const bits = (guest: Guest): number => guest.pageEntry(PAGE) & (ACCESSED | DIRTY);

  it('are set by reads and writes, in table and directory', () => {
    const guest = paged('mov eax,[0x30000]\nmov [0x30000],eax\nhlt');
    expect([bits(guest), guest.dword(DIRECTORY) & (ACCESSED | DIRTY)]).toEqual([0, 0]);
    guest.run(1);
    expect([bits(guest), guest.dword(DIRECTORY) & (ACCESSED | DIRTY)]).toEqual([ACCESSED, ACCESSED]);
    guest.run(1);
    expect([bits(guest), guest.dword(DIRECTORY) & (ACCESSED | DIRTY)]).toEqual([ACCESSED | DIRTY, ACCESSED]);
  });

  it('are set by fetches and by read-modify-write', () => {
    const guest = paged('jmp 0x30000');
    guest.code('add byte [0x31000],1\nhlt', PAGE);
    expect(guest.run()).toBe('hlt');
    expect([bits(guest), guest.pageEntry(0x31000) & (ACCESSED | DIRTY)]).toEqual([ACCESSED, ACCESSED | DIRTY]);
  });

  it('are not set by an access that faults', () => {
    const guest = paged('mov [0x30000],eax', { cpl: 3 });
    map(guest, PAGE, PAGE | PRESENT | USER);
    expect(guest.run()).toBe('#e');
    expect(bits(guest)).toBe(0);
  });

  it('are set again after the guest clears them and flushes', () => {
    const guest = paged('mov [0x30000],eax\nand dword [0x101000+0x30*4],~0x60\ninvlpg [0x30000]\nmov ebx,[0x30000]\nhlt');
    expect(guest.run()).toBe('hlt');
    expect(bits(guest)).toBe(ACCESSED);
  });
});

describe('the TLB', () => {
  /** Maps 0x30000 elsewhere, by what is given, and reads it before and after. */
  const remap = (how: string, { before = '' } = {}): Guest => {
    const guest = paged(`${before}\nmov eax,[0x30000]\nmov dword [0x101000+0x30*4],0x32007\n${how}\nmov ebx,[0x30000]\nmov dword [0x30000],0x99\nhlt`);
    guest.setDword(0x30000, 1);
    guest.setDword(0x32000, 2);
    expect(guest.run()).toBe('hlt');
    return guest;
  };

  it.each([
    ['INVLPG', 'invlpg [0x30000]'], ['INVLPG in the page', 'invlpg [0x30fff]'], ['CR3', 'mov ecx,cr3\nmov cr3,ecx'],
    ['CR0.PG off and on', 'mov ecx,cr0\nand ecx,0x7fffffff\nmov cr0,ecx\nor ecx,0x80000000\nmov cr0,ecx'],
  ])('forgets by %s', (_, how) => {
    const guest = remap(how);
    expect([guest.R[EAX], guest.R[EBX], guest.dword(0x30000), guest.dword(0x32000)]).toEqual([1, 2, 1, 0x99]);
  });

  it('INVLPG of another page keeps this one, as do later walks', () => {
    // The processor may keep a stale entry; ours does, unless something flushes it.
    const guest = remap('invlpg [0x40000]\nmov ecx,[0x41000]');
    expect(guest.R[EAX]).toBe(1);
    expect([1, 2]).toContain(guest.R[EBX]);
  });

  it('another directory by CR3: same addresses, other memory', () => {
    const guest = paged('mov eax,[0x30000]\nmov ecx,0x110000\nmov cr3,ecx\nmov ebx,[0x30000]\nmov ecx,0x100000\nmov cr3,ecx\nmov edx,[0x30000]\nhlt');
    guest.setDword(0x110000, 0x111000 | ALL);
    for (let page = 0; page < 1024; page++) guest.setDword(0x111000 + 4 * page, page << 12 | ALL);
    guest.setDword(0x111000 + 4 * 0x30, 0x32000 | ALL);
    guest.setDword(0x30000, 1);
    guest.setDword(0x32000, 2);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX], guest.R[EDX], guest.R[CR3]]).toEqual([1, 2, 1, 0x100000]);
  });

  it('a page made read-only faults after INVLPG, although it was written before', () => {
    const guest = paged('mov [0x30000],eax\nmov dword [0x101000+0x30*4],0x30005\ninvlpg [0x30000]\nmov eax,[0x30000]\nmov [0x30000],eax', { writeProtect: true });
    expect(guest.run()).toBe('#e');
    expect([guest.frame.error, guest.R[CR2]]).toEqual([3, PAGE]);
  });

  it('CR0.WP takes effect at once', () => {
    const guest = paged('mov [0x30000],eax\nmov ecx,cr0\nor ecx,0x10000\nmov cr0,ecx\nmov [0x30000],eax');
    map(guest, PAGE, PAGE | PRESENT);
    expect(guest.run()).toBe('#e');
    expect(guest.frame.error).toBe(3);
  });

  it('keeps the views of user and supervisor apart', () => {
    const guest = paged('int 0x40\nmov eax,[0x30000]', { cpl: 3 }).code('handler: mov ebx,[0x30000]\niret', 0x12000);
    map(guest, PAGE, PAGE | PRESENT | WRITABLE);
    guest.setGate(0x40, guest.label('handler'), 0xee00);
    guest.setDword(PAGE, 0x77);
    expect(guest.run()).toBe('#e');
    expect([guest.R[EBX], guest.frame.error]).toEqual([0x77, 5]);
  });
});

describe('code', () => {
  it('in a page that is mapped elsewhere: the new code runs', () => {
    const guest = paged('call 0x30000\nmov dword [0x101000+0x30*4],0x32007\ninvlpg [0x30000]\ncall 0x30000\nmov dword [0x101000+0x30*4],0x30007\nmov ecx,cr3\nmov cr3,ecx\ncall 0x30000\nhlt');
    guest.code('inc eax\nret', 0x30000).code('inc ebx\nret', 0x32000);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([2, 1]);
    // The first block was found again, not translated anew.
    expect(guest.cpu.exec.tbCounters.invalidations).toBe(0);
  });

  it('across two pages of which the second is mapped elsewhere', () => {
    const guest = paged('call 0x30ffe\nmov dword [0x101000+0x31*4],0x33007\ninvlpg [0x31000]\ncall 0x30ffe\nmov dword [0x101000+0x31*4],0x31007\ninvlpg [0x31000]\ncall 0x30ffe\nhlt');
    // ADD EAX,1 and RET; ADD EAX,101h as the other page has it.
    guest.space.writeBytes(0x30ffe, Uint8Array.of(0x05, 1, 0, 0, 0, 0xc3));
    guest.space.writeBytes(0x33000, Uint8Array.of(1, 0, 0, 0xc3));
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EAX]).toBe(1 + 0x101 + 1);
  });

  it('across two pages of which the second is not present: fault there, restart at the instruction', () => {
    const guest = paged('jmp 0x30ffe\nhandler: mov edx,cr2\nmov ebx,[esp+4]\npop edi\nor dword [0x101000+0x31*4],1\niret');
    guest.code('mov eax,0x12345678\nhlt', 0x30ffe);
    map(guest, 0x31000, 0x31000 | WRITABLE);
    guest.setGate(14, guest.label('handler'));
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EDX], guest.R[EBX], guest.R[EDI]]).toEqual([0x12345678, 0x31000, 0x30ffe, 0]);
  });

  it('that runs on into a page that is not present', () => {
    const guest = paged('jmp 0x30ffe');
    guest.code('inc eax\ninc eax', 0x30ffe);
    map(guest, 0x31000, 0);
    expect(guest.run()).toBe('#e');
    expect([guest.R[EAX], guest.R[CR2], guest.frame.eip]).toEqual([2, 0x31000, 0x31000]);
  });

  it('of the user in a page taken away from the user', () => {
    const guest = paged('call 0x30000\nint 0x40\ncall 0x30000', { cpl: 3 }).code('inc eax\nret', 0x30000);
    guest.code('handler: mov dword [0x101000+0x30*4],0x30003\ninvlpg [0x30000]\niret', 0x12000);
    guest.setGate(0x40, guest.label('handler'), 0xee00);
    expect(guest.run()).toBe('#e');
    expect([guest.R[EAX], guest.R[CR2], guest.frame.error, guest.frame.eip]).toEqual([1, 0x30000, 5, 0x30000]);
  });

  it('goes on when paging is switched on and off under it', () => {
    const guest = protectedGuest('mov ecx,cr0\nor ecx,0x80000000\nmov cr0,ecx\ninc eax\nmov ebx,[0x30000]\nand ecx,0x7fffffff\nmov cr0,ecx\nmov edx,[0x30000]\nhlt');
    guest.mapPage(0x30000, 0x31000 | ALL);
    guest.setDword(0x30000, 1);
    guest.setDword(0x31000, 2);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX], guest.R[EDX]]).toEqual([1, 2, 1]);
  });

  it('that takes the page behind it away faults there', () => {
    const guest = paged('jmp 0x30fe0');
    guest.code('mov dword [0x101000+0x31*4],0\nmov eax,cr3\nmov cr3,eax\ntimes 32 nop', 0x30fe0);
    expect(guest.run()).toBe('#e');
    expect(guest.R[CR2]).toBe(0x31000);
  });
});

it('4 MB pages with CR4.PSE', () => {
  const guest = paged('mov eax,cr4\nor eax,0x10\nmov cr4,eax\nmov dword [0x100004],0x87\nmov ebx,[0x400000+0x30000]\nmov dword [0x400000+0x30004],5\ninvlpg [0x400000]\nmov ecx,esp\nhlt');
  guest.setDword(0x30000, 0x1234);
  expect(guest.run()).toBe('hlt');
  expect([guest.R[EBX], guest.dword(0x30004), guest.R[ECX], guest.R[ESP]]).toEqual([0x1234, 5, STACK, STACK]);
  expect(guest.dword(DIRECTORY + 4) & (ACCESSED | DIRTY)).toBe(ACCESSED | DIRTY);
});
