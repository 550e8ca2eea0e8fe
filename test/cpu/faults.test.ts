/** Faults as programs see them: segments, double and triple faults, virtual-8086 mode, breakpoints, restart. Intel SDM vol. 3, 5 and 6. */
import { describe, expect, it } from 'vitest';
import { CR0, CR0_AM, CR2, CR4, CR4_OSFXSR, CS, EAX, EBX, ECX, EDI, EDX, EFLAGS, EIP, ESI, ESP, FS, GDT_LIMIT, HFLAGS, HF_CPL_MASK, HF_PE, SEG_SEL, VM } from '../../src/cpu/state.ts';
import {
  CODE, CODE16, GDT, IDT, PRESENT, SMALL_DATA, TSS_SELECTOR, WRITABLE, protectedGuest, realGuest,
} from './guest/guest.ts';

describe('segments', () => {
  it.each<[string, string, string, number]>([
    ['a byte beyond the limit', 'mov al,[fs:0x20000]', '#d', 0],
    ['a dword whose last byte is beyond', 'mov eax,[fs:0x1fffd]', '#d', 0],
    ['the last dword', 'mov eax,[fs:0x1fffc]\nhlt', 'hlt', 0],
    ['an offset that wraps', 'mov eax,[fs:0xffffffff]', '#d', 0],
    ['a null segment', 'xor ecx,ecx\nmov gs,cx\nmov al,[gs:0]', '#d', 0],
    ['writing to code', 'mov [cs:0x20000],al', '#d', 0],
    ['the stack segment: #SS', `mov ax,${SMALL_DATA}\nmov ss,ax\nmov esp,0x20002\npop eax`, '#c', 0],
    ['loading a selector beyond the table', 'mov ax,0x100\nmov ds,ax', '#d', 0x100],
    ['loading the TSS into a data segment', `mov ax,${TSS_SELECTOR}\nmov es,ax`, '#d', TSS_SELECTOR],
    ['loading null into SS', 'xor eax,eax\nmov ss,ax', '#d', 0],
    ['a far jump to data', `jmp ${SMALL_DATA}:0`, '#d', SMALL_DATA],
    ['a jump beyond the limit of CS', 'jmp 0x38:far16\nbits 16\nfar16: mov eax,0x10000\ndb 0x66,0xff,0xe0', '#d', 0],
  ])('%s', (_, source, outcome, error) => {
    const guest = protectedGuest(`mov ax,${SMALL_DATA}\nmov fs,ax\n${source}`);
    if (outcome === '#c') guest.setGate(12, 0x4800 + 12, 0x8500, 0x28);
    const got = guest.run();
    if (outcome === '#c') {
      // The fault's own frame does not fit the bad stack either, and the task gate leads to the busy TSS: reset.
      expect(got).toBe('reset');
      return;
    }
    expect(got).toBe(outcome);
    if (outcome !== 'hlt') expect(guest.frame.error).toBe(error);
  });

  it('#SS of the user is taken on the kernel\'s stack', () => {
    const guest = protectedGuest('mov ax,0x43\nmov ss,ax\nmov esp,0x1ffff\nadc:\npop eax', { cpl: 3 });
    guest.setDword(GDT + 0x40, 0xffff);
    guest.setDword(GDT + 0x44, 0x41f300);
    guest.R[GDT_LIMIT] = 0x47;
    expect(guest.run()).toBe('#c');
    expect(guest.frame).toMatchObject({ error: 0, ss: 0x43, esp: 0x1ffff, cs: 0x1b });
  });

  it('descriptors that are not present: #NP with the selector', () => {
    const guest = protectedGuest(`mov ax,${SMALL_DATA}\nmov gs,ax`);
    guest.setByte(GDT + SMALL_DATA + 5, 0x13);
    expect(guest.run()).toBe('#b');
    expect(guest.frame.error).toBe(SMALL_DATA);
  });

  it('real mode: a word at FFFF is #GP, in the stack #SS, and nothing is changed', () => {
    const guest = realGuest('mov ax,0x1234\nmov bx,0xffff\nfault: mov [bx],ax\nhlt');
    expect(guest.run()).toBe('#d');
    expect([guest.frame.eip, guest.byte(0xffff)]).toEqual([guest.label('fault'), 0]);
    const stack = realGuest('mov bp,0xffff\nfault: add [bp],ax\nhlt');
    expect(stack.run()).toBe('#c');
    expect(stack.frame.eip).toBe(stack.label('fault'));
    const last = realGuest('mov si,0xfffe\nmov di,0x2000\nmov cx,4\nrep movsw\nhlt');
    expect(last.run()).toBe('hlt');
  });

  it('real mode: REP MOVSW that reaches FFFF stops there', () => {
    const guest = realGuest('mov si,0xfffb\nmov di,0x2000\nmov cx,4\nfault: rep movsw');
    expect(guest.run()).toBe('#d');
    expect([guest.frame.eip, guest.R[ECX], guest.R[ESI], guest.R[EDI]]).toEqual([guest.label('fault'), 2, 0xffff, 0x2004]);
  });

  it('real mode keeps limits that protected mode has loaded', () => {
    const at = 0x8000;
    const guest = protectedGuest('').code(`
        mov ax,${SMALL_DATA}
        mov fs,ax
        jmp ${CODE16}:small
        bits 16
small:  mov eax,cr0
        and al,0xfe
        mov cr0,eax
        jmp 0:real
real:   mov ebx,[dword fs:0x1fff0]
        hlt`, at);
    guest.setDword(0x1fff0, 0x5a5a5a5a);
    expect(guest.restart(at)).toBe('hlt');
    expect([guest.R[EBX], guest.R[HFLAGS]! & HF_PE]).toEqual([0x5a5a5a5a, 0]);
  });
});

describe('double and triple faults', () => {
  it('a contributory exception during a contributory one', () => {
    const guest = protectedGuest('fault: mov al,[cs:bx]\nmov [cs:0],al');
    guest.setDword(IDT + 8 * 13 + 4, 0);
    expect(guest.run()).toBe('#8');
    expect([guest.frame.error, guest.frame.eip]).toEqual([0, guest.label('fault') + 4]);
  });

  it('a page fault whose handler\'s gate cannot be read', () => {
    const guest = protectedGuest('lidt [table]\nmov eax,[0x400000]\ntable: dw 0x7ff\ndd 0x3ff800', { paging: true });
    guest.mapPage(0x3ff000, 0);
    guest.mapPage(0x400000 - 0x1000, 0);
    guest.cpu.flushTlb();
    // Neither gate of #PF nor of #DF can be read.
    expect(guest.run()).toBe('reset');
    expect(guest.R[CR2]).toBe(0x3ff800 + 8 * 8);
  });

  it('a page fault on the kernel\'s stack while a page fault is delivered: #DF', () => {
    const guest = protectedGuest('mov esp,0x30010\nmov eax,[0x31000]', { paging: true });
    guest.mapPage(0x2f000, 0);
    guest.mapPage(0x30000, 0);
    guest.mapPage(0x31000, 0);
    guest.cpu.flushTlb();
    // #DF by a task gate, which brings a stack of its own.
    guest.setDword(GDT + 0x30, 0x4100 << 16 | 0x67);
    guest.setDword(GDT + 0x34, 0x8900);
    guest.setGate(8, 0, 0x8500, 0x30);
    const tss = 0x4100;
    for (const [offset, value] of [[0x1c, 0x100000], [0x20, 0x4808], [0x24, 2], [0x38, 0x6000], [0x48, 0x10], [0x4c, 8], [0x50, 0x10], [0x54, 0x10]] as const) guest.setDword(tss + offset, value);
    expect(guest.run()).toBe('#8');
    expect([guest.dword(guest.R[ESP]!), guest.R[CR2]]).toEqual([0, 0x3000c]);
    // The faulted task's EIP is the access that started it.
    expect(guest.dword(0x4000 + 0x20)).toBe(CODE + 5);
  });

  it('a page fault during a contributory exception is just that', () => {
    // The gate of #GP lies in a page that is not present, the gate of #PF in the next one.
    const guest = protectedGuest('lidt [table]\nfault: mov al,[cs:0]\nmov [cs:0],al\ntable: dw 0x7ff\ndd 0x3ff90', { paging: true });
    guest.setDword(0x40000, 8 << 16 | 0x480e);
    guest.setDword(0x40004, 0x8e00);
    guest.mapPage(0x3f000, 0);
    guest.cpu.flushTlb();
    expect(guest.run()).toBe('#e');
    expect([guest.R[CR2], guest.frame.error, guest.frame.eip]).toEqual([0x3ff90 + 13 * 8, 0, guest.label('fault') + 6]);
  });

  it('without any gate: the reset pin', () => {
    const guest = protectedGuest('lidt [table]\nud2\ntable: dw 0\ndd 0');
    expect(guest.run()).toBe('reset');
  });

  it('whose handler faults at its first instruction, for ever: run() ends all the same', () => {
    const guest = realGuest('xor sp,sp\nfault: ud2');
    guest.setVector(6, guest.label('fault'));
    expect(guest.cpu.run(100)).toBe(1);
    expect(guest.cpu.run(100)).toBe(0);
    expect(guest.R[EIP]).toBe(guest.label('fault'));
  });

  it('in real mode with the table out of reach', () => {
    const guest = realGuest('lidt [table]\nint 0x40\ntable: dw 3\ndd 0');
    expect(guest.run()).toBe('reset');
  });
});

describe('virtual-8086 mode', () => {
  /** Enters V86 mode at 0200:0000 with IOPL 0, and counts #GP of CLI in EBX, emulating it by skipping. */
  const KERNEL = `
        mov esp,0x6000
        push 0x500      ; GS FS DS ES
        push 0x400
        push 0x300
        push 0x300
        push 0x100      ; SS ESP
        push 0x800
        push 0x20002    ; EFLAGS: VM
        push 0x200      ; CS EIP
        push 0
        iret
handler:
        add esp,4       ; error code
        inc ebx
        mov ecx,[esp+8]
        mov edx,ds
        cmp ebx,2
        je stop
        inc dword [esp]
        iret
stop:   hlt`;

  it('goes there by IRET, faults on CLI, is entered again', () => {
    const guest = protectedGuest(KERNEL);
    guest.setGate(13, guest.label('handler'));
    guest.space.writeBytes(0x2000, Uint8Array.of(0xb8, 0x34, 0x12, 0xfa, 0x8c, 0xd8, 0xfa));
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EBX]).toBe(2);
    // DS was read as a number by MOV AX,DS; in the handler it is null.
    expect([guest.R[EAX]! & 0xffff, guest.R[EDX], guest.R[ECX]! & VM]).toEqual([0x300, 0, VM]);
    expect(guest.dword(guest.R[ESP]!)).toBe(6);
    expect([0x0c, 0x10, 0x14, 0x18, 0x1c, 0x20].map((offset) => guest.dword(guest.R[ESP]! + offset))).toEqual([0x800, 0x100, 0x300, 0x300, 0x400, 0x500]);
    expect([guest.R[EFLAGS]! & VM, guest.R[HFLAGS]! & HF_CPL_MASK, guest.R[SEG_SEL + CS]]).toEqual([0, 0, 8]);
  });

  it('is user mode for paging, and limits are 64 KB', () => {
    const guest = protectedGuest(KERNEL, { paging: true });
    guest.mapPage(0x3000, 0x3000 | PRESENT | WRITABLE);
    guest.cpu.flushTlb();
    guest.space.writeBytes(0x2000, Uint8Array.of(0xa1, 0x10, 0));
    expect(guest.run()).toBe('#e');
    expect([guest.frame.error, guest.R[CR2], guest.frame.eflags & VM]).toEqual([5, 0x3010, VM]);
    const limit = protectedGuest(KERNEL, { paging: true });
    // MOV AX,[FFFFh]
    limit.space.writeBytes(0x2000, Uint8Array.of(0xa1, 0xff, 0xff));
    expect(limit.run()).toBe('#d');
  });

  it('interrupts go through the IDT to ring 0', () => {
    const guest = protectedGuest(KERNEL);
    // INT 21h with IOPL 0 is #GP; INT3 is not.
    guest.space.writeBytes(0x2000, Uint8Array.of(0xcd, 0x21));
    expect(guest.run()).toBe('#d');
    const breakpoint = protectedGuest(KERNEL);
    breakpoint.setGate(3, 0x4803, 0xee00);
    breakpoint.space.writeBytes(0x2000, Uint8Array.of(0xcc));
    expect(breakpoint.run()).toBe('#3');
    expect(breakpoint.frame).toMatchObject({ eip: 1, cs: 0x200, ss: 0x100, esp: 0x800 });
    const hardware = protectedGuest(KERNEL.replace('0x20002', '0x20202'));
    hardware.space.writeBytes(0x2000, Uint8Array.of(0x40, 0xeb, 0xfd));
    hardware.cpu.run(1000);
    hardware.cpu.setIntr(true);
    expect(hardware.run()).toBe('#20');
    expect([0, 1]).toContain(hardware.frame.eip);
  });
});

describe('exceptions', () => {
  it.each<[string, string, string, number]>([
    ['divide error points to the instruction', 'xor ecx,ecx\nfault: div ecx', '#0', 0],
    ['INT3 points behind it', 'int3\nfault: nop', '#3', 0],
    ['INTO, behind it', 'mov al,0x7f\ninc al\ninto\nfault: nop', '#4', 0],
    ['BOUND points to it', 'mov eax,5\nfault: bound eax,[limits]\nlimits: dd 0,4', '#5', 0],
    ['an undefined opcode', 'fault: ud2', '#6', 0],
    ['LOCK where it may not be', 'fault: lock\nmov [0x20000],eax', '#6', 0],
    ['x87 with CR0.EM', 'mov eax,cr0\nor al,4\nmov cr0,eax\nfault: fld1', '#7', 0],
    ['WAIT with MP and TS', 'mov eax,cr0\nor al,10\nmov cr0,eax\nfault: wait', '#7', 0],
    ['16 bytes of prefixes', 'fault: times 15 ds\nnop', '#d', 0],
    ['INT through a gate that is not there', 'fault: int 0x41', '#d', 0x41 * 8 + 2],
  ])('%s', (_, source, outcome, error) => {
    const guest = protectedGuest(source);
    guest.setDword(IDT + 0x41 * 8 + 4, 0);
    expect(guest.run()).toBe(outcome);
    expect([guest.frame.eip, guest.frame.error]).toEqual([guest.label('fault'), error]);
  });

  it('alignment check: at CPL 3 with AM and AC', () => {
    const source = 'pushf\nor dword [esp],0x40000\npopf\nmov eax,[0x20004]\nfault: mov eax,[0x20002]';
    const guest = protectedGuest(source, { cpl: 3 });
    guest.R[CR0] = guest.R[CR0]! | CR0_AM;
    guest.cpu.updateHflags();
    expect(guest.run()).toBe('#11');
    expect([guest.frame.eip, guest.frame.error]).toEqual([guest.label('fault'), 0]);
    const kernel = protectedGuest(`${source}\nhlt`);
    kernel.R[CR0] = kernel.R[CR0]! | CR0_AM;
    kernel.cpu.updateHflags();
    expect(kernel.run()).toBe('hlt');
  });

  it.each(['rep movsd', 'pusha', 'iret', 'retf', 'enter 4,0', 'popa'])('alignment: %s', (instruction) => {
    const guest = protectedGuest(`mov esi,0x20000\nmov edi,0x20002\nmov ecx,2\nmov esp,0x6ffe\npush dword 0x40202\npush dword 0x40202\npopf\nfault: ${instruction}`, { cpl: 3 });
    guest.R[CR0] = guest.R[CR0]! | CR0_AM;
    guest.cpu.updateHflags();
    expect(guest.run()).toBe('#11');
    expect(guest.frame.eip).toBe(guest.label('fault'));
  });

  // As an AMD EPYC does: which offsets from a boundary of 16 are #AC.
  it.each<[instruction: string, first: number, second: number]>([
    ['fld dword [esi]', 2, 4], ['fld qword [esi]', 4, 8], ['fld tword [esi]', 4, 8], ['fldz\nfstp tword [esi]', 4, 8], ['fldz\nfst qword [esi]', 4, 8],
    ['fild qword [esi]', 4, 8], ['fbld [esi]', 4, 8], ['fild word [esi]', 1, 2], ['fnstenv [esi]', 2, 4], ['fnsave [esi]', 2, 4], ['o16 fnsave [esi]', 1, 2],
    ['cmpxchg8b [esi]', 4, 8], ['les eax,[esi]', 2, 4], ['bound eax,[esi]', 2, 4], ['movups xmm0,[esi]', 8, 16], ['movsd xmm0,[esi]', 4, 8], ['cvtsi2sd xmm0,[esi]', 2, 4],
  ])('alignment: %s at +%i, but not at +%i', (instruction, wrong, right) => {
    for (const [offset, outcome] of [[wrong, '#11'], [right, 'hlt']] as const) {
      const guest = protectedGuest(`fninit\nmov esi,${0x20000 + offset}\nxor eax,eax\npush dword 0x40202\npopf\n${instruction}\nint 0x80`, { cpl: 3 });
      guest.code('system: hlt', 0x12000);
      guest.setGate(0x80, guest.label('system'), 0xee00);
      guest.R[CR0] = guest.R[CR0]! | CR0_AM;
      guest.R[CR4] = guest.R[CR4]! | CR4_OSFXSR;
      guest.cpu.updateHflags();
      expect(guest.run(), `+${offset}`).toBe(outcome);
    }
  });

  it('faults push RF, traps and interrupts do not; IRET with RF runs on', () => {
    const guest = protectedGuest('fault: div ecx\nmov ebx,7\nhlt\nhandler: mov esi,[esp+8]\nmov ecx,3\niret');
    guest.setGate(0, guest.label('handler'));
    guest.R[EAX] = 21;
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX], guest.R[ESI]! & 0x10000]).toEqual([7, 7, 0x10000]);
    const trap = protectedGuest('int3');
    trap.run();
    expect(trap.frame.eflags & 0x10000).toBe(0);
  });

  it('lazy flags are right in the frame of a fault in mid-block', () => {
    const guest = protectedGuest('mov eax,0x7fffffff\nadd eax,1\nmov ebx,[fs:0]\nsub ecx,ecx');
    guest.cpu.setSegment(FS, 0, 0, 0, 0);
    guest.cpu.updateHflags();
    expect(guest.run()).toBe('#d');
    // OF SF AF PF.
    expect(guest.frame.eflags & 0x8d5).toBe(0x894);
  });

  it('of a user program: registers, and the way back', () => {
    const guest = protectedGuest('mov eax,1\nint 0x80\nadd eax,10\nint 0x80\nfault: cli\n', { cpl: 3 });
    guest.code('system: inc eax\niret', 0x12000);
    guest.setGate(0x80, guest.label('system'), 0xee00);
    expect(guest.run()).toBe('#d');
    expect(guest.frame).toMatchObject({ eip: guest.label('fault'), cs: 0x1b, ss: 0x23, esp: 0x7000 });
    expect([guest.R[EAX], guest.R[EIP]]).toEqual([13, 0x480e]);
  });
});
