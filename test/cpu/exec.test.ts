/** The run loop: chaining, jump cache, exact budget, size of the code buffer, passes switched off, where code may lie. */
import { describe, expect, it } from 'vitest';
import { EAX, EBX, ECX, EDI, EDX, EFLAGS, EIP, ESI, HALTED, IF, STATUS_FLAGS } from '../../src/cpu/state.ts';
import { PASS_NAMES } from '../../src/tcg/passes/pipeline.ts';
import { CODE, REAL_CODE, protectedGuest, realGuest } from './guest/guest.ts';
import type { Guest } from './guest/guest.ts';
import { PROGRAMS } from './guest/programs.ts';

describe('chaining', () => {
  it('links the blocks of a loop, which then runs without the run loop', () => {
    const guest = protectedGuest('mov ecx,1000\n.l: test ecx,1\njz .even\ninc eax\njmp .next\n.even: inc ebx\n.next: dec ecx\njnz .l\nhlt');
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([500, 500]);
    const { entries, links, chained, executions, lookups } = guest.cpu.exec.tbCounters;
    expect(executions).toBeGreaterThan(2500);
    expect(entries).toBeLessThan(20);
    expect(lookups).toBeLessThan(20);
    expect(links).toBeGreaterThanOrEqual(5);
    expect(chained).toBeGreaterThan(executions - 20);
  });

  it('goes by the jump cache where a target is computed or lies in another page', () => {
    const guest = protectedGuest('mov ecx,100\n.l: call f\ndec ecx\njnz .l\nhlt\ntimes 4096 nop\nf: inc eax\nret');
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EAX]).toBe(100);
    const { entries, jumpCacheHits } = guest.cpu.exec.tbCounters;
    expect(jumpCacheHits).toBeGreaterThan(190);
    expect(entries).toBeLessThan(10);
  });

  it('does not enter a block of other assumptions: the same code at another privilege', () => {
    // The same subroutine is called at CPL 0 and, after IRET, at CPL 3, where CLI faults.
    const guest = protectedGuest('call f\npush 0x23\npush 0x7000\npush 2\npush 0x1b\npush user\niret\nf: inc eax\ncli\nret\nuser: call f\nhlt');
    expect(guest.run()).toBe('#d');
    expect(guest.R[EAX]).toBe(2);
    expect(guest.frame).toMatchObject({ error: 0, eip: guest.label('f') + 1, cs: 0x1b });
  });

  it('counts what left the op code', () => {
    const guest = protectedGuest('mov ecx,10\n.l: dec ecx\njnz .l\nhlt');
    guest.run();
    const { exits } = guest.cpu.exec.counters;
    expect(exits.reduce((sum, count) => sum + count, 0)).toBe(guest.cpu.exec.tbCounters.entries);
  });
});

describe('work', () => {
  it('of translating ends a run, which the next one continues', () => {
    const source = Array.from({ length: 40 }, () => 'inc eax\njmp $+2\n').join('') + 'hlt';
    const guest = protectedGuest(source);
    let runs = 0, retired = 0;
    while (guest.R[HALTED] === 0) {
      const some = guest.cpu.run(1000, 8);
      expect(some).toBeGreaterThan(0);
      expect(some).toBeLessThanOrEqual(9);
      retired += some;
      runs++;
    }
    expect([guest.R[EAX], retired]).toEqual([40, 81]);
    expect(runs).toBeGreaterThan(9);
    // The same without a limit.
    expect(protectedGuest(source).cpu.run(1000)).toBe(81);
  });

  it('of compiling does too', () => {
    const guest = protectedGuest('mov ecx,1000\n.l: dec ecx\njnz .l\nhlt', { jitThreshold: 40 });
    expect(guest.cpu.run(20)).toBe(20);
    const second = guest.cpu.run(10_000, 2);
    expect(second).toBeLessThan(100);
    expect(guest.cpu.exec.regions.size).toBe(1);
    expect(20 + second + guest.cpu.run(10_000)).toBe(2002);
  });
});

describe('budget', () => {
  it('is used exactly, for straight code', () => {
    for (const budget of [1, 2, 7, 127, 128, 129, 200]) {
      const guest = protectedGuest('times 300 inc eax\nhlt');
      expect(guest.cpu.run(budget)).toBe(budget);
      expect([guest.R[EAX], guest.R[EIP]]).toEqual([budget, CODE + budget]);
      expect(guest.cpu.run(300 - budget)).toBe(300 - budget);
      expect(guest.R[EAX]).toBe(300);
      expect(guest.cpu.run(10)).toBe(1);
      expect(guest.R[HALTED]).toBe(1);
      expect(guest.cpu.run(10)).toBe(0);
    }
  });

  it('is used exactly, for loops, in slices of any size', () => {
    for (const slice of [1, 2, 3, 5, 11, 64, 1000]) {
      const guest = protectedGuest('mov ecx,50\n.l: add eax,ecx\ntest ecx,3\njnz .n\ninc ebx\n.n: dec ecx\njnz .l\nhlt');
      let retired = 0;
      for (;;) {
        const done = guest.cpu.run(slice);
        retired += done;
        if (guest.R[HALTED] === 1) break;
        expect(done).toBe(slice);
      }
      expect([guest.R[EAX], guest.R[EBX], retired]).toEqual([1275, 12, 1 + 50 * 5 + 12 + 1]);
    }
  });

  it('counts each iteration of a REP as an instruction, and stops between any two', () => {
    for (const slice of [1, 2, 3, 7, 19, 5000]) {
      const guest = protectedGuest('mov edi,0x20000\nmov ecx,600\nmov al,0x5a\nrep stosb\nmov esi,0x20000\nmov ecx,100\nrep movsd\nmov edi,0x20000\nmov ecx,1000\nrepe scasb\nhlt');
      for (let i = 0; i < 600; i++) guest.setByte(0x20000 + i, 1);
      let retired = 0;
      while (guest.R[HALTED] === 0) {
        const done = guest.cpu.run(slice);
        retired += done;
        if (guest.R[HALTED] === 0) expect(done).toBe(slice);
      }
      expect(retired).toBe(3 + 600 + 2 + 100 + 2 + 1000 + 1);
      expect([guest.R[ECX], guest.R[EDI]]).toEqual([0, 0x20000 + 1000]);
    }
  });

  it('shows the registers of a REP as they are in its middle', () => {
    const guest = protectedGuest('mov esi,0x20000\nmov edi,0x21000\nmov ecx,100\nrep: rep movsw\nhlt');
    expect(guest.cpu.run(3 + 40)).toBe(43);
    expect([guest.R[ESI], guest.R[EDI], guest.R[ECX], guest.R[EIP]]).toEqual([0x20050, 0x21050, 60, guest.label('rep')]);
    expect(guest.cpu.run(60)).toBe(60);
    expect(guest.R[EIP]).toBe(guest.label('rep') + 3);
  });

  it('costs a REP without iterations one instruction', () => {
    const guest = protectedGuest('xor ecx,ecx\nrep stosb\nhlt');
    expect(guest.cpu.run(100)).toBe(3);
  });

  it('ends in the same place where the guest faults for ever, however long the slices are', () => {
    const exceptions = (slice: number): number => {
      // The single-step trap leads to a handler that faults at its first instruction.
      const guest = protectedGuest('mov esp,0x30000\npushf\nor dword [esp],0x100\npopf\nnop\nhandler: ud2');
      for (const vector of [1, 6]) guest.setGate(vector, guest.label('handler'));
      while (guest.cpu.run(slice) > 0);
      return guest.cpu.exec.counters.exceptions;
    };
    const once = exceptions(1);
    expect(once).toBeGreaterThan(1000);
    expect(exceptions(20)).toBe(once * 2 - 1);
  });

  it('does not count an instruction that faults', () => {
    const guest = protectedGuest('inc eax\nud2\n');
    expect(guest.run()).toBe('#6');
    const again = protectedGuest('inc eax\nud2\n');
    // INC, the handler's HLT.
    expect(again.cpu.run(100)).toBe(2);
  });

  it('is not charged for what stands behind an INTO that traps', () => {
    const guest = protectedGuest('mov eax,0x7fffffff\ninc eax\ninto\ninc eax\ninc eax\nhlt');
    // MOV, INC, INTO, the handler's HLT.
    expect(guest.run()).toBe('#4');
    expect(protectedGuest('mov eax,0x7fffffff\ninc eax\ninto\ninc eax\ninc eax\nhlt').cpu.run(100)).toBe(4);
    expect(protectedGuest('xor eax,eax\ninto\ninc eax\nhlt').cpu.run(100)).toBe(4);
  });

  it('ends early where a device asks for attention, without losing count', () => {
    const guest = protectedGuest('mov ecx,100\n.l: out 0x80,al\ndec ecx\njnz .l\nhlt');
    guest.port(0x80, () => guest.cpu.kick());
    expect(guest.cpu.run(1000)).toBe(302);
  });
});

describe('code buffer', () => {
  const COUNT = 1500;

  it('drops all blocks when it is full, and goes on', () => {
    const functions = Array.from({ length: COUNT }, (_, i) => `f${i}: add eax,${i}\nxor ebx,eax\nrol ebx,3\nadc edx,ebx\nret\n`).join('');
    const calls = Array.from({ length: COUNT }, (_, i) => `call f${i}\n`).join('');
    const source = `mov ecx,5\n.l:\n${calls}dec ecx\njnz .l\nhlt\n${functions}`;
    const results = [64 << 10, 32 << 20].map((tbBytes) => {
      const guest = protectedGuest(source, { tbBytes });
      expect(guest.run()).toBe('hlt');
      return { guest, flushes: guest.cpu.exec.tbCounters.flushes, registers: [guest.R[EAX], guest.R[EBX], guest.R[EDX]] };
    });
    expect(results[0]!.flushes).toBeGreaterThan(2);
    expect(results[1]!.flushes).toBe(0);
    expect(results[0]!.registers).toEqual(results[1]!.registers);
    expect(results[0]!.guest.cpu.exec.cache.size).toBeLessThan(results[1]!.guest.cpu.exec.cache.size);
  });
});

describe('passes', () => {
  const outcome = (guest: Guest): unknown => [guest.run(1_000_000), [...guest.R.subarray(0, 8)], guest.eflags, [...guest.space.memory.bytes.subarray(0x2_0000, 0x2_0400)]];

  it.each(PROGRAMS.map(({ name, source }) => [name, source] as const))('switched off one by one, %s gives the same', (_, source) => {
    const reference = outcome(protectedGuest(source));
    for (const pass of PASS_NAMES) expect([pass, outcome(protectedGuest(source, { disabledPasses: [pass] }))]).toEqual([pass, reference]);
    expect(outcome(protectedGuest(source, { disabledPasses: PASS_NAMES }))).toEqual(reference);
  });

  it.each(PROGRAMS.map(({ name, source, registers }) => [name, source, registers] as const))('%s is right', (_, source, registers) => {
    const guest = protectedGuest(source);
    expect(guest.run(1_000_000)).toBe('hlt');
    for (const [register, value] of registers) expect(guest.R[register]! >>> 0).toBe(value);
  });
});

describe('slices and interrupts', () => {
  const results = (guest: Guest): unknown => [[...guest.R.subarray(0, 8)], guest.eflags & STATUS_FLAGS, [...guest.space.memory.bytes.subarray(0x2_0000, 0x2_0400)]];

  it.each(PROGRAMS.map(({ name, source }) => [name, source] as const))('do not show in what %s computes', (_, source) => {
    const reference = protectedGuest(source);
    const retired = reference.cpu.run(1_000_000);
    const sliced = protectedGuest(source), interrupted = protectedGuest(`${source}\nhandler: push eax\nxor eax,eax\nout 0x20,al\npop eax\niret`);
    interrupted.setGate(0x20, interrupted.label('handler'));
    interrupted.port(0x20, () => interrupted.cpu.setIntr(false));
    interrupted.R[EFLAGS] = interrupted.R[EFLAGS]! | IF;
    let total = 0, interrupts = 0;
    for (let slice = 1; sliced.R[HALTED] === 0; slice = slice % 23 + 1) total += sliced.cpu.run(slice);
    for (let slice = 7; interrupted.R[HALTED] === 0 && interrupts < 10_000; slice = slice % 31 + 7) {
      interrupted.cpu.run(slice);
      if (interrupted.R[HALTED] !== 0) break;
      interrupted.cpu.setIntr(true);
      interrupts++;
    }
    interrupted.run(1_000_000);
    expect([total, results(sliced)]).toEqual([retired, results(reference)]);
    expect(results(interrupted)).toEqual(results(reference));
    expect(interrupts).toBeGreaterThan(20);
  });
});

describe('where code lies', () => {
  it('in ROM', () => {
    const guest = realGuest('jmp 0xf000:0');
    guest.rom(0xf0000, Uint8Array.of(0xb9, 5, 0, 0x40, 0xe2, 0xfd, 0xc6, 0x06, 0, 0, 1, 0xf4));
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EAX]).toBe(5);
  });

  it('in ROM, which a store does not change', () => {
    const guest = realGuest('mov ax,0xf000\nmov ds,ax\njmp 0xf000:0');
    // mov byte [9],43h (INC BX in place of INC AX); the code is fetched as it was.
    guest.rom(0xf0000, Uint8Array.of(0xb8, 0, 0, 0xc6, 0x06, 8, 0, 0x43, 0x40, 0xf4));
    expect(guest.run()).toBe('hlt');
    expect([guest.R[EAX], guest.R[EBX]]).toEqual([1, 0]);
  });

  it('in a device\'s memory: fetched anew each time', () => {
    const guest = protectedGuest('mov ecx,3\n.l: call 0x800000\ndec ecx\njnz .l\nhlt');
    const bytes = [0x40, 0xc3];
    let reads = 0;
    guest.space.add({ kind: 'mmio', io: { name: 'test', size: 0x1000, minAccess: 1, maxAccess: 1, read: (offset) => { reads++; return bytes[offset] ?? 0; }, write: () => {} } }, 0x80_0000);
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EAX]).toBe(3);
    expect(reads).toBeGreaterThanOrEqual(6);
  });

  it('at the end of a 64 KB segment: running past it is #GP, a jump wraps', () => {
    const past = realGuest('jmp 0xfffe').code('inc ax\ninc ax', 0xfffe);
    expect(past.run()).toBe('#d');
    expect([past.R[EAX], past.frame.eip]).toEqual([2, 0]);
    const wraps = realGuest('jmp 0xfffd');
    // INC AX, JMP SHORT $+12h, HLT.
    wraps.space.writeBytes(0xfffd, Uint8Array.of(0x40, 0xeb, 0x10));
    wraps.space.writeBytes(0x0010, Uint8Array.of(0xf4));
    expect(wraps.run()).toBe('hlt');
    expect([wraps.R[EAX], wraps.R[EIP]]).toEqual([1, 0x11]);
  });

  it('beyond 1 MB with A20 open, at 0 with A20 closed', () => {
    for (const [open, register] of [[true, EAX], [false, EBX], [true, EAX]] as const) {
      const guest = realGuest('jmp 0xffff:0x2010');
      guest.code('inc ax\nhlt', 0x10_2000).code('inc bx\nhlt', 0x2000);
      guest.cpu.setA20(open);
      expect(guest.run()).toBe('hlt');
      expect(guest.R[register]).toBe(1);
    }
  });
});

describe('A20', () => {
  it('closed, wraps data at 1 MB, also within an access; a change takes effect at once', () => {
    const guest = realGuest('mov ax,0xffff\nmov ds,ax\n.l: mov ax,[0x0f]\nmov bx,[0x500]\nout 0x92,al\njmp .l');
    guest.setByte(0xfffff, 0x11);
    guest.setByte(0x100000, 0x22);
    guest.setByte(0, 0x33);
    guest.setWord(0x1004f0, 0x4444);
    guest.setWord(0x4f0, 0x5555);
    let open = true;
    guest.port(0x92, () => guest.cpu.setA20(open = !open));
    guest.cpu.run(4);
    expect([guest.R[EAX]! & 0xffff, guest.R[EBX]! & 0xffff]).toEqual([0x2211, 0x4444]);
    guest.cpu.run(4);
    expect([guest.R[EAX]! & 0xffff, guest.R[EBX]! & 0xffff]).toEqual([0x3311, 0x5555]);
    guest.cpu.run(4);
    expect([guest.R[EAX]! & 0xffff, guest.R[EBX]! & 0xffff]).toEqual([0x2211, 0x4444]);
  });
});

it('goes on after a reset', () => {
  const guest = realGuest('inc ax\nout 0x64,al\ninc bx\nhlt');
  guest.port(0x64, () => guest.cpu.requestReset());
  expect(guest.run()).toBe('reset');
  expect([guest.R[EAX], guest.R[EBX]]).toEqual([1, 0]);
  guest.cpu.reset();
  expect([guest.R[EIP], guest.R[EDX]]).toEqual([0xfff0, 0x663]);
  guest.rom(0xffff0000, Uint8Array.from({ length: 0x10000 }, (_, i) => (i === 0xfff0 ? 0x40 : 0xf4)));
  expect(guest.run()).toBe('hlt');
  expect([guest.R[EAX], guest.R[EIP]]).toEqual([1, 0xfff2]);
  expect(REAL_CODE).toBe(0x1000);
});
