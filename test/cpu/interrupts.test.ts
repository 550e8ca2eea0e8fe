/** When interrupts, NMIs and single-step traps are taken. Intel SDM vol. 3, chapter 6; 17.3.1.4 (single step). */
import { describe, expect, it } from 'vitest';
import { CR0, CS, DR, EAX, EBX, ECX, EDI, EDX, EFLAGS, EIP, ESP, HALTED, IDT_LIMIT, IF, NMI_BLOCKED, RESET_INIT, RESET_REQUEST, SEG_SEL, SS, TF } from '../../src/cpu/state.ts';
import { XMM } from '../../src/cpu/simd/state.ts';
import { CODE, protectedGuest, realGuest } from './guest/guest.ts';
import type { Guest, GuestOptions } from './guest/guest.ts';

/** INTR is raised; a handler at vector 20h counts in EDX and takes it back. */
function interruptible(source: string, options: GuestOptions = {}): Guest {
  const guest = protectedGuest(`${source}\nhandler: inc edx\nout 0x20,al\niret`, options);
  guest.setGate(0x20, guest.label('handler'));
  guest.port(0x20, () => guest.cpu.setIntr(false));
  return guest;
}

/** Runs instruction by instruction with INTR up, until the interrupt is taken: EIP to which it returns. */
function takenAt(guest: Guest): number {
  guest.cpu.setIntr(true);
  for (let i = 0; i < 100; i++) {
    guest.cpu.run(1);
    if (guest.R[EDX] !== 0) return guest.dword(guest.R[ESP]!);
  }
  return -1;
}

describe('INTR', () => {
  it('waits for IF, and is taken at once when it is set', () => {
    const guest = interruptible('inc eax\ninc eax\npush 0x202\npopf\ninc eax\nhlt');
    expect(takenAt(guest) - CODE).toBe(8);
    expect(guest.R[EAX]).toBe(2);
  });

  it('waits for one more instruction after STI', () => {
    const guest = interruptible('inc eax\nsti\ninc eax\ninc eax\nhlt');
    expect(takenAt(guest) - CODE).toBe(3);
    expect(guest.R[EAX]).toBe(2);
  });

  it('is not taken between STI and CLI', () => {
    const guest = interruptible('sti\ncli\nsti\ncli\ninc eax\nhlt');
    guest.cpu.setIntr(true);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EDX], guest.R[EAX]]).toEqual([0, 1]);
  });

  it('does not wait after an STI that changes nothing', () => {
    const guest = interruptible('sti\nnop\nsti\ninc eax\nhlt');
    guest.cpu.run(2);
    expect(takenAt(guest) - CODE).toBe(2);
  });

  it('waits for the instruction after MOV SS and POP SS', () => {
    for (const load of ['mov ss,cx', 'pop ss']) {
      const guest = interruptible(`push ss\nmov ecx,ss\nsti\nnop\n${load}\ninc eax\ninc eax\nhlt`);
      guest.cpu.run(5);
      expect(guest.R[EIP]).toBeGreaterThan(CODE + 5);
      const next = guest.R[EIP]!;
      expect(takenAt(guest)).toBe(next + 1);
      expect(guest.R[EAX]).toBe(1);
    }
  });

  it('is taken between two of several MOV SS', () => {
    const guest = interruptible('mov ecx,ss\nsti\nnop\nmov ss,cx\nmov ss,cx\nmov ss,cx\ninc eax\nhlt');
    guest.cpu.run(3);
    guest.cpu.setIntr(true);
    guest.run();
    expect([guest.R[EDX], guest.R[EAX]]).toEqual([1, 1]);
  });

  it('wakes HLT and returns behind it; STI HLT does not lose it', () => {
    const guest = interruptible('sti\nhlt\ninc eax\ncli\nhlt');
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[HALTED]]).toEqual([0, 1]);
    guest.cpu.setIntr(true);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EDX]]).toEqual([1, 1]);
    const early = interruptible('sti\nhlt\ninc eax\ncli\nhlt');
    early.cpu.setIntr(true);
    expect(early.run()).toBe('hlt');
    expect([early.R[EAX], early.R[EDX]]).toEqual([1, 1]);
  });

  it('does not wake HLT without IF; an NMI does', () => {
    const guest = interruptible('cli\nhlt\ninc eax\nhlt');
    guest.run();
    guest.cpu.setIntr(true);
    expect(guest.cpu.run(100)).toBe(0);
    expect(guest.R[HALTED]).toBe(1);
    guest.setGate(2, guest.label('handler'));
    guest.cpu.raiseNmi();
    guest.run();
    expect([guest.R[EAX], guest.R[EDX]]).toEqual([1, 1]);
  });

  it('raised by a device is seen behind the instruction that caused it', () => {
    const guest = interruptible('sti\nnop\ninc eax\nout 0x30,al\ninc eax\ncli\nhlt');
    guest.port(0x30, () => guest.cpu.setIntr(true));
    guest.setByte(guest.label('handler'), 0x43);
    // INC EBX in place of INC EDX; EBP keeps what EAX was.
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([2, 1]);
    expect(guest.dword(guest.R[ESP]! - 12)).toBe(guest.label('handler') - 3);
  });

  it('breaks chains: a loop that never leaves the op code is interrupted', () => {
    let ticks = 0;
    const guest = interruptible('sti\n.l: inc eax\nmov ebx,[0x800000]\njmp .l');
    guest.space.add({ kind: 'mmio', io: { name: 'test', size: 0x1000, minAccess: 1, maxAccess: 4, write: () => {}, read: () => { if (++ticks % 100 === 0) guest.cpu.setIntr(true); return 0; } } }, 0x80_0000);
    guest.cpu.run(10_000);
    expect(guest.R[EDX]).toBe(33);
  });

  it('comes between two iterations of a REP, which then goes on', () => {
    const guest = interruptible('sti\nmov edi,0x20000\nmov ecx,1000\nmov al,7\nrep: rep stosb\ncli\nhlt');
    guest.cpu.run(4 + 300);
    guest.cpu.setIntr(true);
    guest.cpu.run(1);
    expect([guest.R[ECX], guest.R[EDI], guest.dword(guest.R[ESP]!)]).toEqual([700, 0x20000 + 300, guest.label('rep')]);
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EDX], guest.R[ECX], guest.R[EDI], guest.byte(0x20000 + 999)]).toEqual([1, 0, 0x20000 + 1000, 7]);
  });

  it('comes between two iterations of REP INS when the port asks for it', () => {
    const guest = interruptible('sti\nmov edi,0x20000\nmov ecx,10\nmov dx,0x40\nrep insb\ncli\nhlt');
    let reads = 0;
    guest.setByte(guest.label('handler'), 0x43);
    guest.port(0x40, () => {}, () => { if (++reads === 4) guest.cpu.setIntr(true); return reads; });
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EBX], guest.R[ECX], guest.R[EDI], guest.dword(0x20004)]).toEqual([1, 0, 0x2000a, 0x08070605]);
    // The return address that the handler saw: the REP INS itself.
    expect(guest.dword(guest.R[ESP]! - 12)).toBe(CODE + 15);
  });
});

describe('NMI', () => {
  it('is blocked from its delivery to IRET, and one more is kept', () => {
    const guest = protectedGuest('nop\nnop\nhlt\nhandler: inc eax\nmov ebx,esp\ninc ecx\niret');
    guest.setGate(2, guest.label('handler'));
    guest.cpu.raiseNmi();
    guest.cpu.run(1);
    expect([guest.R[EAX], guest.R[NMI_BLOCKED]]).toEqual([1, 1]);
    guest.cpu.raiseNmi();
    guest.cpu.run(2);
    expect([guest.R[EAX], guest.R[ECX]]).toEqual([1, 1]);
    guest.run();
    expect([guest.R[EAX], guest.R[NMI_BLOCKED]]).toEqual([2, 0]);
  });

  it('ignores IF', () => {
    const guest = protectedGuest('cli\nnop\nhlt');
    guest.cpu.raiseNmi();
    expect(guest.run()).toBe('#2');
  });

  it('whose delivery ends in a triple fault: nothing runs after it', () => {
    const guest = protectedGuest('nop\ninc eax\nhlt');
    guest.R[IDT_LIMIT] = 0;
    guest.cpu.run(1);
    guest.cpu.raiseNmi();
    expect([guest.cpu.run(1), guest.R[EAX], guest.R[RESET_REQUEST]]).toEqual([0, 0, 1]);
  });
});

describe('single step', () => {
  const DR6_BS = 0x4000;
  /** The trap handler keeps the return addresses at 0x20000 (ESI is its pointer), clears DR6, and returns. */
  function traced(source: string): { guest: Guest; trace: (string | number)[] } {
    const guest = protectedGuest(`mov esi,0x20000\npush 0x102\npopf\n${source}\nhandler: push eax\nmov eax,[esp+4]\nmov [esi],eax\nadd esi,4\nmov eax,dr6\nor ebp,eax\npop eax\niret`);
    guest.setGate(1, guest.label('handler'));
    guest.run();
    const trace: (string | number)[] = [];
    const names = new Map([...guest.symbols].map(([name, value]) => [value, name]));
    for (let at = 0x20000; guest.dword(at) !== 0; at += 4) trace.push(names.get(guest.dword(at)) ?? guest.dword(at));
    return { guest, trace };
  }

  it('traps behind each instruction, from the one after POPF on, jumps included', () => {
    const { guest, trace } = traced('nop\na: jmp b\nnop\nb: call c\nd: and dword [esp],~0x100\npush 2\ne: popf\nf: hlt\nc: ret');
    expect(trace).toEqual(['a', 'b', 'c', 'd', guest.label('d') + 7, 'e', 'f']);
    expect(guest.R[5]! & DR6_BS).toBe(DR6_BS);
  });

  it('traps behind the POPF that clears TF, but no more', () => {
    const { trace } = traced('a: push 2\nb: popf\nc: inc eax\nd: hlt');
    expect(trace).toEqual(['b', 'c']);
  });

  it('traps after each iteration of a REP, with the REP as return address', () => {
    const { guest, trace } = traced('mov edi,0x30000\na: mov ecx,3\nb: rep stosb\nc: push 2\nd: popf\nf: hlt');
    expect(trace).toEqual(['a', 'b', 'b', 'b', 'c', 'd', 'f']);
    expect(guest.R[EDI]).toBe(0x30003);
  });

  it('starts behind the instruction to which IRET returns', () => {
    const guest = protectedGuest('push 0x102\npush 8\npush a\niret\na: inc eax\nb: inc eax\nhlt');
    expect(guest.run()).toBe('#1');
    expect([guest.frame.eip, guest.R[EAX]]).toEqual([guest.label('b'), 1]);
  });

  it('is off in handlers, and INT n does not trap', () => {
    const { guest, trace } = traced('a: int 0x40\nb: nop\nc: push 2\nd: popf\nf: hlt');
    expect(guest.R[HALTED]).toBe(1);
    expect(trace).toEqual([]);
    const again = protectedGuest('push 0x102\npopf\nint 0x40\nb: nop\nc: nop\nhlt\nquiet: inc ebx\ninc ebx\niret');
    again.setGate(0x40, again.label('quiet'));
    expect(again.run()).toBe('#1');
    expect([again.R[EBX], again.frame.eip]).toEqual([2, again.label('c')]);
  });

  it('skips the instruction behind MOV SS', () => {
    const { guest, trace } = traced('mov ecx,ss\na: mov ss,cx\nb: nop\nc: push 2\nd: popf\nf: hlt');
    expect(trace).toEqual(['a', 'c', 'd', 'f']);
    expect(guest.R[SEG_SEL + SS]).toBe(0x10);
  });

  it('of an instruction that faults: the fault, then nothing', () => {
    const guest = protectedGuest('push 0x102\npopf\nud2');
    expect(guest.run()).toBe('#6');
    expect(guest.frame.eflags & TF).toBe(TF);
    expect(guest.R[DR + 6]! & DR6_BS).toBe(0);
  });

  it('ends HLT', () => {
    const guest = protectedGuest('push 0x102\npopf\nhlt\na: inc eax\nhlt');
    expect(guest.run()).toBe('#1');
    expect(guest.frame.eip).toBe(guest.label('a'));
    const { trace } = traced('hlt\na: push 2\nb: popf\nc: hlt');
    expect(trace).toEqual(['a', 'b', 'c']);
  });

  it('comes before an interrupt that waits, whose handler is then the first to run', () => {
    // The trap is delivered first; then, at its handler's start, IF is clear.
    const guest = interruptible('push 0x302\npopf\nnop\nhlt');
    guest.cpu.setIntr(true);
    guest.cpu.run(3);
    expect(guest.R[EFLAGS]! & IF).toBe(0);
  });

  it('in real mode', () => {
    const guest = realGuest('push 0x102\npopf\nnop\na: nop\nhlt');
    expect(guest.run()).toBe('#1');
    expect([guest.frame.eip, guest.frame.eflags & TF]).toEqual([guest.label('a'), TF]);
  });
});

describe('INIT', () => {
  it('ends run(), halted or not, and starts anew with x87, SSE and MSRs kept', () => {
    const guest = protectedGuest('hlt'), { cpu, R } = guest;
    cpu.run(10);
    cpu.msrs.set(0x277, 6, 0);
    R[XMM] = 0x12345678;
    cpu.requestInit();
    expect([cpu.run(10), R[RESET_REQUEST]]).toEqual([0, RESET_INIT]);
    cpu.init();
    expect([R[RESET_REQUEST], R[HALTED], R[EIP], R[SEG_SEL + CS], R[EFLAGS], R[CR0]! & 1]).toEqual([0, 0, 0xfff0, 0xf000, 2, 0]);
    expect([R[XMM], cpu.msrs.low(0x277)]).toEqual([0x12345678, 6]);
  });
});
