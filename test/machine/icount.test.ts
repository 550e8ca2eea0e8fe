/** Virtual time made of instructions: exact, and the same whatever the host does meanwhile. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { Machine } from '../../src/index.ts';
import type { Host, PcOptions } from '../../src/index.ts';
import { InstructionTime, icountProblem } from '../../src/machine/icount.ts';
import { scratchFolder } from '../boot/images.ts';

/** A boot sector: for each key it shows the key, reads a floppy sector, works for a while, and shows when each of these was over. */
const PROGRAM = `
    bits 16
    org 0x7c00
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    sti
next: mov al, '>'
    call put
    mov ah, 0                   ; waits in HLT
    int 0x16
    call put
    call stamp
    mov ax, 0x0201
    mov bx, 0x8000
    mov cx, 2
    mov dx, 0
    int 0x13
    call stamp
    mov ecx, 300000
work: imul edi, edi, 69069
    inc edi
    loop work, ecx
    mov ah, 2                   ; the RTC
    int 0x1a
    mov ax, dx
    mov al, ah
    call both
    call stamp
    mov al, 13
    call put
    mov al, 10
    call put
    jmp next
stamp: rdtsc
    push eax
    mov al, ' '
    call put
    pop eax
    mov cx, 8
digit: rol eax, 4
    push ax
    and al, 15
    call nibble
    pop ax
    loop digit
    ret
both: push ax
    shr al, 4
    call nibble
    pop ax
    and al, 15
nibble: cmp al, 10
    jb low
    add al, 7
low: add al, '0'
put: push ax
    mov ah, 0xe
    mov bx, 7
    int 0x10
    pop ax
    ret
    times 510 - ($ - $$) db 0
    dw 0xaa55
    times 1440 * 1024 - ($ - $$) db 0
`;
const STEPS = [
  (machine: Machine): Promise<void> => machine.expect(/^>$/m),
  (machine: Machine): Promise<void> => machine.type('ab'),
  (machine: Machine): Promise<void> => machine.expect(/^>b.*\n>$/m),
  (machine: Machine): Promise<void> => machine.wait(0.123),
  (machine: Machine): Promise<void> => machine.type('x\ny'),
  (machine: Machine): Promise<void> => machine.key('spc'),
  (machine: Machine): Promise<void> => machine.expect(/^>y[^]*\n>$/m),
];

const TIMEOUT = 240_000;

/** A host whose clock jumps: busy, suspended, woken early and late, and always differently. */
function restlessHost(seed: number): Host {
  let time = 0, state = seed;
  const random = (): number => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32;
  // Mostly little, now and then much.
  const pass = (most: number): void => { time += random() ** 8 * most; };
  return {
    now: () => (pass(3e6), time),
    yield: () => (pass(1e8), Promise.resolve()),
    sleep: (milliseconds) => (time += milliseconds * 1e6 * random() * 2, Promise.resolve()),
    wake: () => {},
  };
}

describe('a machine whose time is made of instructions', () => {
  let folder: string, floppy: string, usual: Promise<string>;
  beforeAll(() => {
    folder = scratchFolder();
    floppy = join(folder, 'keys.img');
    writeFileSync(floppy, assemble(PROGRAM, { file: 'keys.asm' }).bytes);
    usual = record({});
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** After each step: instructions, virtual time, the screen. */
  async function record(options: PcOptions): Promise<string> {
    const machine = Machine.open({
      memory: 2, fda: floppy, boot: 'a', snapshot: true, rtcBase: new Date('2026-01-01'), rtcClock: 'vm', icount: { shift: 6 }, ...options,
    });
    const seen: string[] = [];
    for (const step of STEPS) {
      await step(machine);
      seen.push(`${machine.retired} ${machine.board.clock.now()}\n${machine.screen()}`);
    }
    machine.close();
    return seen.join('\n');
  }

  it('does the same on any host', async () => {
    expect(await usual).toMatch(/^>y( [0-9A-F]{8}){2}\d\d [0-9A-F]{8}$/m);
    for (const seed of [1, 2]) expect(await record({ host: restlessHost(seed) }), `seed ${seed}`).toBe(await usual);
  }, TIMEOUT);

  it('does the same in both tiers', async () => {
    for (const options of [{ jit: false }, { jitThreshold: 0 }, { lockstep: true }]) {
      expect(await record({ ...options, host: restlessHost(99) }), JSON.stringify(options)).toBe(await usual);
    }
  }, TIMEOUT);

  it('does the same where time jumps while the processor halts, and where it waits for the host', async () => {
    for (const icount of [{ shift: 5, sleep: false }, { shift: 8, align: true }]) {
      expect(await record({ icount, host: restlessHost(11) }), JSON.stringify(icount)).toBe(await record({ icount }));
    }
  }, TIMEOUT);
});

describe('InstructionTime', () => {
  it('says what options are wrong', () => {
    expect(icountProblem({ shift: 0 })).toBeNull();
    expect(icountProblem({ shift: 10, sleep: false })).toBeNull();
    expect(icountProblem({ shift: 'auto' })).toBeNull();
    expect(icountProblem({ shift: 11 })).toBe('shift=11 is neither auto nor 0 to 10');
    expect(icountProblem({ shift: 1.5 })).toMatch('1.5');
    expect(icountProblem({ shift: 'auto', sleep: false })).toBe('shift=auto and sleep=off exclude each other');
    expect(icountProblem({ shift: 'auto', align: true })).toBe('shift=auto and align=on exclude each other');
    expect(icountProblem({ shift: 1, align: true, sleep: false })).toBe('align=on and sleep=off exclude each other');
    expect(() => new InstructionTime({ shift: -1 }, () => 0, () => 0)).toThrow(RangeError);
  });

  it('counts 2^shift ns an instruction', () => {
    let retired = 0;
    const time = new InstructionTime({ shift: 4 }, () => retired, () => 0);
    retired = 1000;
    expect(time.now()).toBe(16_000);
    expect(time.duration(3)).toBe(48);
    expect(time.until(16_001, 100)).toBe(1);
    expect(time.until(16_033, 100)).toBe(3);
    expect(time.until(99_000_000, 100)).toBe(100);
    expect(time.until(5, 100)).toBe(1);
  });

  it('stands at a deadline exactly when the host has slept long enough', () => {
    let host = 0;
    const time = new InstructionTime({ shift: 0 }, () => 0, () => host);
    time.start();
    expect(time.idle(1000)).toBe(1000);
    host = 400;
    expect(time.idle(1000)).toBe(600);
    expect(time.now()).toBe(400);
    host = 5000;
    expect(time.idle(1000)).toBe(0);
    expect(time.now()).toBe(1000);
  });

  it('jumps there with sleep off', () => {
    const time = new InstructionTime({ shift: 0, sleep: false }, () => 0, () => 0);
    expect(time.idle(1000)).toBe(0);
    expect(time.now()).toBe(1000);
    expect(time.idle(Infinity)).toBe(Infinity);
  });

  it('lets a host that is ahead wait with align on', () => {
    let retired = 0, host = 0;
    const time = new InstructionTime({ shift: 10, align: true }, () => retired, () => host);
    time.start();
    retired = 1000;
    expect(time.early()).toBe(0);
    retired = 10_000;
    expect(time.early()).toBe(10_240_000);
    host = 10_000_000;
    expect(time.early()).toBe(0);
  });

  it('comes nearer to the host by itself with shift=auto', () => {
    let retired = 0, host = 0;
    const time = new InstructionTime({ shift: 'auto' }, () => retired, () => host);
    time.start();
    // A host that does 20 million instructions a second.
    for (let i = 0; i < 1000; i++) {
      host += 10_000_000;
      retired += 200_000;
      time.adapt();
    }
    const before = time.now(), behind = host - before;
    expect(Math.abs(behind)).toBeLessThan(1e9);
    expect(time.duration(1)).toBeGreaterThanOrEqual(32);
  });
});
