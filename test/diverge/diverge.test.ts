/** diverge: what it compares, takes over and tells, against a stub with a script; and QEMU itself, where it is installed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { UsageError } from '../../src/cli/errors.ts';
import { parseCpuModel } from '../../src/cpu/models.ts';
import { EAX, EBX, ESP } from '../../src/cpu/state.ts';
import { SymbolTable } from '../../src/machine/symbols.ts';
import { hasQemu } from '../boot/qemu.ts';
import { START, STACK, fakePair } from './fake.ts';
import type { Scripted } from './fake.ts';
import { Guest } from './guest.ts';
import { parseDiverge } from './options.ts';
import { Pair } from './pair.ts';
import type { Found } from './pair.ts';
import { Qemu } from './qemu.ts';
import { Comparison, parseIgnored } from './registers.ts';
import { report } from './report.ts';

const code = (source: string): number[] => [...assemble(`bits 16\norg ${START}\n${source}`, { file: 'code.asm' }).bytes];
const NONE = { registers: new Set<string>(), flags: 0 };

describe('beside a scripted stub', () => {
  const closers: (() => void)[] = [];
  afterEach(() => closers.splice(0).forEach((close) => close()));
  const pairOf = async (source: string, script: readonly Scripted[], options: Parameters<typeof fakePair>[2] = {}): Promise<Pair> => {
    const { pair, close } = await fakePair(code(source), script, options);
    closers.push(close);
    return pair;
  };
  const found = async (pair: Pair): Promise<Found> => {
    const outcome = await pair.step();
    if (outcome.kind !== 'different') throw new Error(`no difference: ${outcome.kind}`);
    return outcome.found;
  };

  it('goes on while both do the same', async () => {
    const pair = await pairOf('mov ax, 0x1234\npush ax', [{ registers: { eax: 0x1234, eip: START + 3 } }, { registers: { esp: STACK - 2, eip: START + 4 }, memory: { [STACK - 2]: [0x34, 0x12] } }]);
    expect([await pair.step(), await pair.step()]).toEqual([{ kind: 'same' }, { kind: 'same' }]);
  });

  it('stops at a register, tells it, and can take it over', async () => {
    const pair = await pairOf('mov ax, 0x1234\nmov bx, ax', [{ registers: { eax: 0x1235, eip: START + 3 } }, { registers: { ebx: 0x1235, eip: START + 5 } }]);
    const difference = await found(pair), text = report(pair, difference, 'EAX=00001235', new SymbolTable());
    expect(text).toMatch(/different after 1 instructions, at\n +0x00007c00: {2}b8 34 12 +movw +\$0x1234, %ax\n\nWhat differs:\n {4}eax +tcg86 00001234 {2}QEMU 00001235\n/);
    expect(pair.resolve(difference)).toBe(true);
    expect(await pair.step()).toEqual({ kind: 'same' });
  });

  it('stops at what is stored', async () => {
    const pair = await pairOf('push ax', [{ registers: { esp: STACK - 2, eip: START + 1 }, memory: { [STACK - 2]: [1, 0] } }]);
    expect((await found(pair)).stores).toEqual([{ address: STACK - 2, ours: 0, theirs: 1 }]);
  });

  it('takes over undefined flags, and what comes from devices', async () => {
    const pair = await pairOf('and ax, bx\nin al, 0x61\nrdtsc\nxor cx, cx', [
      { registers: { eip: START + 2, eflags: 2 | 0x44 | 0x10 } }, { registers: { eip: START + 4, eax: 0x33 } }, { registers: { eip: START + 6, eax: 7, edx: 9 } }, { registers: { eip: START + 8, eflags: 2 | 0x44 | 1 } },
    ]);
    expect([await pair.step(), await pair.step(), await pair.step()]).toEqual([{ kind: 'same' }, { kind: 'same' }, { kind: 'same' }]);
    expect(pair.guest.cpu.R[EAX]).toBe(7);
    // CF is defined.
    expect((await found(pair)).registers.map(({ register }) => register.name)).toEqual(['eflags']);
  });

  it('sees what devices wrote before it reads that, code included', async () => {
    const pair = await pairOf('nop\nmov ax, [0x500]\nnop', [
      { registers: { eip: START + 1 }, memory: { 0x500: [0xcd, 0xab], [START + 4]: code('mov bl, 7') } }, { registers: { eip: START + 4, eax: 0xabcd } }, { registers: { eip: START + 6, ebx: 7 } },
    ]);
    expect([await pair.step(), await pair.step(), await pair.step()]).toEqual([{ kind: 'same' }, { kind: 'same' }, { kind: 'same' }]);
    expect(pair.guest.cpu.R[EBX]).toBe(7);
    expect(pair.guest.taken).toBeGreaterThan(0);
  });

  it('takes an interrupt where QEMU does, instead of an instruction, and out of HLT', async () => {
    const handler = 0x600, infoPic = 'pic1: irr=00 imr=00 isr=00 hprio=0 irq_base=70\r\npic0: irr=00 imr=00 isr=01 hprio=0 irq_base=08\r\n';
    const frame = (at: number, ip: number): Record<number, number[]> => ({ [at - 6]: [ip & 0xff, ip >> 8, 0, 0, 2, 2] });
    const pair = await pairOf('hlt\npush ax\nnop', [
      { registers: { eip: handler, esp: STACK - 6, eflags: 2 }, memory: { ...frame(STACK, START + 1), 0x20: [0, 6, 0, 0], [handler]: [0xfb, 0x90] } },
      { registers: { eip: handler + 1, eflags: 0x202 } }, { registers: { eip: handler + 2 } },
      { registers: { eip: handler, esp: STACK - 12, eflags: 2 }, memory: frame(STACK - 6, handler + 2) },
    ], { infoPic, start: { eflags: 0x202 } });
    for (let i = 0; i < 4; i++) expect(await pair.step()).toEqual({ kind: 'same' });
    expect([pair.interrupts, pair.guest.cpu.R[ESP]]).toEqual([2, STACK - 12]);
  });

  it('ends where the guest does', async () => {
    expect(await (await pairOf('cli\nhlt', [{ registers: { eip: START + 1 } }])).step()).toEqual({ kind: 'same' });
    const pair = await pairOf('hlt', []);
    expect(await pair.step()).toEqual({ kind: 'ended', why: 'the guest halts with interrupts off' });
  });

  it('leaves out what is ignored', async () => {
    const script = [{ registers: { eax: 5, eip: START + 2, eflags: 2 | 1 } }];
    expect(await (await pairOf('mov al, 4', script, { ignored: parseIgnored('EAX,eflags.cf') })).step()).toEqual({ kind: 'same' });
    expect(() => parseIgnored('ebx,foo')).toThrow("no register 'foo'");
  });
});

describe('options', () => {
  it('hands the machine over, and keeps its own', () => {
    const { words, from, steps, program } = parseDiverge(['-fda', '--steps', '-m', '16M', '--from', '0x7c00,3', '--steps', '100', '-accel', 'tcg,jit=off', '--qemu', 'other', '--', '-usb']);
    expect([from, steps, program]).toEqual([{ place: '0x7c00', count: 3 }, 100, 'other']);
    expect(words.slice(0, 2)).toEqual(['-fda', '--steps']);
    expect(words.join(' ')).toMatch(/ -m 16M .* -snapshot .*-usb$/);
    expect(words).not.toContain('-accel');
  });

  it('gives QEMU the features of ours', () => {
    const cpu = parseDiverge(['-cpu', 'max,-sse3']).words.join(' ');
    expect(cpu).toMatch(/-cpu qemu32,\+fpu,\S*\+popcnt\S*,-sse3/);
    expect(parseDiverge(['-cpu', 'pentium3,+nopl']).words).toContain('pentium3');
  });

  it.each([['--steps'], ['--steps', '0'], ['--from', '0x7c00,x'], ['--ignore', 'foo'], ['--type', 'x'], ['-nonsense']])('refuses %s %s', (...args) => {
    expect(() => parseDiverge(args)).toThrow(UsageError);
  });

  it('says in one line that QEMU is missing', async () => {
    await expect(Qemu.start({ program: 'no-such-qemu', memory: 1 << 20, args: [] })).rejects.toThrow(/^no-such-qemu is not installed.*$/);
  });
});

describe.skipIf(!hasQemu)('beside QEMU', () => {
  it('runs a program from its boot sector on, with interrupts, and finds what a wrong instruction does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tcg86-diverge-test-')), bios = join(folder, 'bios');
    // A firmware that sets up nothing, with the program in it.
    const image = assemble(`
      bits 16
      org 0
      start: xor ax, ax
      mov ds, ax
      mov ss, ax
      mov sp, 0x7000
      mov cx, 5
      again: mov ax, cx
      mul cx
      push ax
      in al, 0x61
      rep nop
      loop again
      fninit
      fldpi
      fsqrt
      fstp qword [0x500]
      mov si, 0x500
      mov di, 0x600
      mov es, cx
      mov cx, 8
      rep movsb
      mov eax, [0x600]
      cpuid
      wrong: mov dx, 0x1234
      cli
      hlt
      times 0xfff0 - ($ - $$) db 0x90
      jmp 0xf000:start
      times 0x10000 - ($ - $$) db 0`, { file: 'bios.asm' }).bytes;
    writeFileSync(bios, image);
    try {
      const run = async (bytes: Uint8Array): Promise<{ steps: number; outcome: string }> => {
        const qemu = await Qemu.start({ program: 'qemu-system-i386', memory: 1 << 20, args: ['-bios', bios, '-m', '1M', '-display', 'none', '-serial', 'none', '-monitor', 'none', '-nic', 'none', '-icount', 'shift=10'] });
        try {
          await qemu.setStepping(true);
          const guest = new Guest({ memory: 1 << 20, bios: bytes, model: parseCpuModel('qemu32'), file: qemu.file });
          const pair = new Pair(guest, qemu, new Comparison(await qemu.gdb.describe(), NONE), 4);
          await pair.takeOver();
          for (;;) {
            const outcome = await pair.step();
            if (outcome.kind === 'different') return { steps: pair.steps, outcome: `${outcome.found.registers.map(({ register }) => register.name)} at ${outcome.found.at.text}` };
            if (outcome.kind === 'ended') return { steps: pair.steps, outcome: outcome.why };
          }
        } finally {
          await qemu.close();
        }
      };
      const right = await run(image);
      expect(right.outcome).toBe('the guest halts with interrupts off');
      expect(right.steps).toBeGreaterThan(50);
      // Ours has another instruction in its ROM: 1235h.
      const at = image.findIndex((byte, i) => byte === 0xba && image[i + 1] === 0x34 && image[i + 2] === 0x12), wrong = image.slice();
      wrong[at + 1] = 0x35;
      expect((await run(wrong)).outcome).toMatch(/^edx at 0x.*: +ba 35 12 +movw +\$0x1235, %dx$/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  it('is a command', () => {
    const { status, stderr } = spawnSync(process.execPath, ['build.mjs', '--run', 'test/diverge/main.ts', '--qemu', 'no-such-qemu'], { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' });
    expect(stderr).toMatch(/^diverge: .*\n$/);
    expect(status).toBe(2);
  });
});
