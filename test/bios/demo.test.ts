/** The demo disk as a person uses it: its prompt, its commands, its programs in user mode, its tour; on COM1 and on QEMU too. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { scratchFolder } from '../boot/images.ts';
import { hasQemu, startQemu } from '../boot/qemu.ts';

const dist = join(import.meta.dirname, '../../dist');
const IMAGE = join(dist, 'bios/demo.img');
const PROMPT = /^tcg86> $/m;
const HOST_SECONDS = 60;
const MINUTES = 2 * HOST_SECONDS * 1000;

const open = (options: PcOptions = {}): Machine => Machine.open({ fda: IMAGE, boot: 'a', snapshot: true, memory: '16M', timeout: HOST_SECONDS, ...options });

/** The screen's lines below the last prompt but one: what a command said. */
function answer(machine: Machine): string[] {
  const lines = machine.screen().trimEnd().split('\n');
  const prompts = lines.flatMap((line, index) => (line.startsWith('tcg86>') ? [index] : []));
  return lines.slice(prompts.at(-2)! + 1, prompts.at(-1));
}

async function say(machine: Machine, command: string): Promise<string[]> {
  // While a line is edited it may look like a prompt.
  await machine.type(command);
  await machine.type('\n');
  await machine.expect(PROMPT);
  return answer(machine);
}

async function afterClear(machine: Machine, command: string): Promise<string[]> {
  await say(machine, 'clear');
  return say(machine, command);
}

describe('the prompt', () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = open({ rtcBase: new Date('2026-11-25T23:59:58Z') });
    await machine.expect(PROMPT);
  }, MINUTES);
  afterAll(() => machine.close());

  it('greets', () => {
    expect(machine.screen()).toMatch(/^tcg86 \S+ demo: .*\nCPU +GenuineIntel family [^]*^Memory +16 MB\nDisks +A: 1\.44 MB[^]*help[^]*^tcg86>$/m);
  });

  it('shows the machine', async () => {
    expect((await say(machine, 'cpu')).join('\n')).toMatch(/^CPU .*\n[^]* fpu .*tsc.*\n +time-stamp counter: \d+ MHz$/);
    expect((await say(machine, 'mem')).join('\n')).toMatch(/^Memory +000000000-00009fbff RAM +639 KB\n[^]*000100000-000ffffff RAM +15360 KB\n[^]*^Kernel .*paging on/m);
    expect((await say(machine, 'lspci'))[0]).toBe('PCI     00:00.0 8086:1237 host bridge');
    expect(await say(machine, 'disks')).toEqual(['Disks   A: 1.44 MB']);
  }, MINUTES);

  it('helps with every command', async () => {
    const names = (await say(machine, 'help')).slice(0, -1).map((line) => line.split(' ')[0]);
    expect(names).toEqual(['help', 'cpu', 'mem', 'lspci', 'disks', 'clock', 'bench', 'primes', 'pi', 'mandel', 'picture', 'fire', 'crash', 'echo', 'clear', 'tour', 'reboot', 'halt']);
  }, MINUTES);

  it('answers what it does not know, and odd input', async () => {
    expect(await say(machine, 'frobnicate the disk')).toEqual(['frobnicate: no such command; "help" lists those that there are']);
    expect(await say(machine, '   ')).toEqual([]);
    expect(await say(machine, '  ECHO   Hello,  World! ')).toEqual(['Hello,  World!']);
    expect(await say(machine, 'ech')).toEqual(['ech: no such command; "help" lists those that there are']);
    expect(await say(machine, 'echoo')).toEqual(['echoo: no such command; "help" lists those that there are']);
    // Longer than the line: what does not fit is not taken.
    expect(await say(machine, `echo ${'0123456789'.repeat(12)}`)).toEqual(['0123456789'.repeat(7).slice(0, 63)]);
    await machine.type('abc{ctrl-c}');
    await machine.expect(/^tcg86> abc\^C\ntcg86> $/m);
    await machine.type('{f1}{f12}{esc}{insert}{pgup}{pgdn}{alt-x}{ctrl-z}{print}');
    expect(await say(machine, 'echo still here')).toEqual(['still here']);
  }, MINUTES);

  it('edits lines', async () => {
    expect(await say(machine, 'eco one{left}{left}{left}{left}{left}h{end}!{home}{right}{right}{delete}h')).toEqual(['one!']);
    expect(await say(machine, 'nonsense{ctrl-u}echo a b c{ctrl-w}{backspace}{backspace}d{ctrl-a}{ctrl-f}{ctrl-e}e')).toEqual(['a de']);
    expect(await say(machine, 'echo 12345{left}{left}{left}{ctrl-k}{left}x')).toEqual(['1x2']);
    expect(await say(machine, '{up}')).toEqual(['1x2']);
    expect(await say(machine, '{up}{up}!')).toEqual(['a de!']);
    expect(await say(machine, '{up}{up}{down}{down}{down}echo new')).toEqual(['new']);
    expect(await say(machine, `${'{up}'.repeat(30)}`)).toHaveLength(1);
  }, MINUTES);

  it('completes commands', async () => {
    expect(await say(machine, 'ec\\tdone')).toEqual(['done']);
    await machine.type('c\\t');
    await machine.expect(/^cpu clock crash clear \ntcg86> c$/m);
    await machine.type('{ctrl-u}xyz\\t{ctrl-u}\\t');
    expect(await say(machine, 'echo all well')).toEqual(['all well']);
  }, MINUTES);

  it('keeps its history when the lines are more than it holds', async () => {
    for (let line = 0; line < 12; line++) await say(machine, `echo ${line}`);
    expect(await say(machine, '{up}{up}{up}{up}{up}{up}{up}{up}{up}{up}')).toEqual(['4']);
  }, MINUTES);

  it('computes in user mode', async () => {
    expect(await say(machine, 'primes')).toEqual(['Primes  78498 below 1000000, the last is 999983', '20!     2432902008176640000', 'Fib(90) 2880067194370816120']);
    expect(await say(machine, 'pi')).toEqual(['Pi      3.1415926535897932384626433832795028841971693993751058209749445923078']);
    const rates = await say(machine, 'bench');
    expect(rates).toHaveLength(9);
    for (const rate of rates) expect(rate).toMatch(/^[A-Z x]\w[\w ]+ +\d+\.\d (MIPS|MB\/s|per ms)$/);
  }, MINUTES);

  it('draws the Mandelbrot set', async () => {
    const rows = (await afterClear(machine, 'mandel')).map((row) => row.padEnd(76));
    expect(rows).toHaveLength(23);
    // It is its own image in the real axis, but for points so near the edge that fixed point decides.
    const flipped = rows.toReversed();
    const differing = rows.flatMap((row, y) => [...row].filter((character, x) => character !== flipped[y]![x]));
    expect(differing.length).toBeLessThan(10);
    expect(rows.join('').replaceAll(' ', '').length).toBeGreaterThan(1200);
  }, MINUTES);

  it('survives programs that do what they may not', async () => {
    expect((await afterClear(machine, 'crash')).map((line) => line.replace(/ at .*/, ''))).toEqual([
      'A program reads memory of the kernel.', 'The program was ended: page fault',
      'A program turns interrupts off.', 'The program was ended: general protection fault',
      'A program divides by zero.', 'The program was ended: division error', 'The kernel goes on.',
    ]);
  }, MINUTES);

  it('shows a picture, and the text is there again afterwards', async () => {
    await afterClear(machine, 'echo before');
    const text = machine.screen().trimEnd();
    await machine.type('picture\n');
    await machine.wait(2);
    expect(machine.screen()).toBe('');
    const { width, height, rgba } = machine.board.picture();
    expect([width, height]).toEqual([640, 400]);
    const colors = new Set<number>();
    for (let at = 0; at < rgba.length; at += 4) colors.add(rgba[at]! << 16 | rgba[at + 1]! << 8 | rgba[at + 2]!);
    expect(colors.size).toBeGreaterThan(100);
    await machine.type('x');
    await machine.expect(PROMPT);
    expect(machine.screen().trimEnd()).toBe(`${text} picture\ntcg86>`);
    expect(await say(machine, 'echo after')).toEqual(['after']);
  }, MINUTES);

  it('ends programs with Ctrl-C', async () => {
    await machine.type('fire\n');
    await machine.wait(1);
    await machine.key('ctrl-c');
    await machine.expect(/\^C\ntcg86> $/m);
    await machine.type('bench\n');
    await machine.expect(/Integer/);
    await machine.key('ctrl-c');
    await machine.expect(/\^C\ntcg86> $/m);
    expect(await say(machine, 'echo after')).toEqual(['after']);
  }, MINUTES);

  it('has a clock that ticks over midnight', async () => {
    await say(machine, 'clear');
    await machine.type('clock\n');
    await machine.expect(/^2026-11-2[56] \d\d:\d\d:\d\d$/m);
    const shown = (): string => machine.screen().trimEnd().split('\n').at(-1)!;
    const before = shown();
    await machine.wait(2);
    expect(shown()).not.toBe(before);
    expect(shown()).toMatch(/^2026-11-26 00:\d\d:\d\d$/);
    await machine.type(' ');
    await machine.expect(PROMPT);
    expect(answer(machine)).toHaveLength(1);
  }, MINUTES);

  it('restarts', async () => {
    await machine.type('reboot\n');
    await machine.expect(/^tcg86 \S+ demo[^]*^tcg86> $/m);
    await machine.key('ctrl-alt-delete');
    await machine.expect(/^tcg86 \S+ demo[^]*^tcg86> $/m);
    expect(await machine.run([{ kind: 'type', chords: [['h'], ['a'], ['l'], ['t'], ['ret']], text: 'halt\n' }, { kind: 'wait', seconds: 5 }])).toEqual({ reason: 'poweroff' });
  }, MINUTES);
});

it('speaks and listens on COM1, as a terminal does', async () => {
  let said = '';
  const line = { receive: null as ((byte: number) => void) | null, write: (byte: number) => { said += String.fromCharCode(byte); } };
  const machine = open({ serials: [line] });
  await machine.expect(PROMPT);
  expect(said).toMatch(/^tcg86 .*\r\n[^]*\r\ntcg86> $/);
  for (const byte of Buffer.from('xecho ac\x1b[D\x1b[D\x1b[Cb\x1bOH\x1b[3~é\x1b[4~\x7fc d\r\n')) line.receive?.(byte);
  await machine.expect(/^abc d\n+tcg86> $/m);
  for (const byte of Buffer.from('\x1b[A\x1b[15~\x1b[1;5C!\n')) line.receive?.(byte);
  await machine.expect(/^abc d!\n+tcg86> $/m);
  machine.close();
}, MINUTES);

it.each<[string, PcOptions]>([['without a JIT', { jit: false }], ['with everything compiled, in lockstep', { jitThreshold: 0, lockstep: true }], ['an instruction a block', { oneInsnPerTb: true }]])('works %s', async (_, options) => {
  const machine = open(options);
  await machine.expect(PROMPT);
  expect((await say(machine, 'pi'))[0]).toContain('3.14159');
  expect(await say(machine, 'crash')).toHaveLength(7);
  machine.close();
}, MINUTES);

it.each([['1M'], ['1024M']])('runs in %s', async (memory) => {
  const machine = open({ memory });
  await machine.expect(PROMPT);
  expect((await say(machine, 'pi'))[0]).toContain('3.14159');
  machine.close();
}, MINUTES);

it('boots from a hard disk too', async () => {
  const machine = Machine.open({ hda: IMAGE, snapshot: true, timeout: HOST_SECONDS });
  await machine.expect(PROMPT);
  expect((await say(machine, 'disks')).join('\n')).toMatch(/disk 0: \d+ cylinders, \d+ heads, \d+ sectors, 1 MB/);
  machine.close();
}, MINUTES);

describe('npm start', () => {
  const tcg86 = (...args: string[]): ReturnType<typeof spawnSync> => spawnSync(process.execPath, [join(dist, 'tcg86.js'), ...args], { encoding: 'utf8', timeout: HOST_SECONDS * 1000, stdio: ['ignore', 'pipe', 'pipe'] });

  it('without a terminal gives the tour and ends', () => {
    const { status, stdout, stderr } = tcg86();
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(String(stdout).replaceAll('\r', '')).toMatch(/^tcg86 .* demo: [^]*^CPU [^]*^Memory [^]*^PCI [^]*^Primes +78498[^]*^Pi +3\.14159[^]* MIPS$[^]*^The kernel goes on\.\n\nDone\.$/m);
  }, MINUTES);

  it('with steps waits for them', () => {
    const { status, stderr } = tcg86('--expect', 'tcg86> $', '--type', 'lspci\\n', '--expect', 'VGA adapter\\ntcg86> $');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }, MINUTES);
});

it('ends the emulator at halt, where it is shown how', async () => {
  const machine = open({ debugExit: { iobase: 0x502, iosize: 1 } });
  await machine.expect(PROMPT);
  machine.keyboard.type([...'halt'].map((key) => [key]).concat([['ret']]));
  expect(await machine.run()).toEqual({ reason: 'exit', code: 1 });
  machine.close();
}, MINUTES);

describe.skipIf(!hasQemu)(hasQemu ? 'on QEMU' : 'on QEMU (not installed: qemu-system-i386)', () => {
  it.each<[string, string[]]>([['its firmware', []], ['ours', ['-bios', join(dist, 'bios/firmware.bin')]]])('with %s', async (_, args) => {
    const scratch = scratchFolder();
    const qemu = startQemu(['-drive', `if=floppy,format=raw,file=${IMAGE}`, '-snapshot', '-boot', 'a', ...args], scratch);
    try {
      await qemu.expect(/^tcg86>$/m, HOST_SECONDS);
      for (const key of ['c', 'r', 'a', 's', 'h', 'ret']) await qemu.key(key);
      await qemu.expect(/division error at \w+\nThe kernel goes on\.\ntcg86>$/, HOST_SECONDS);
      for (const key of ['p', 'i', 'c', 't', 'u', 'r', 'e', 'ret']) await qemu.key(key);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      for (const key of ['x', 'p', 'i', 'ret']) await qemu.key(key);
      await qemu.expect(/^Pi +3\.14159.*\ntcg86>$/m, HOST_SECONDS);
    } finally {
      await qemu.close();
      rmSync(scratch, { recursive: true });
    }
  }, 2 * MINUTES);
});
