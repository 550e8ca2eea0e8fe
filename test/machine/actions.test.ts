/** What follows when a guest panics (pvpanic), resets or switches off: -action, in the library and in the command. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { Pvpanic } from '../../src/devices/pvpanic.ts';
import { parseArguments } from '../../src/cli/options.ts';
import type { Actions } from '../../src/machine/actions.ts';
import { startGuest } from '../bios/guest.ts';

const write = (port: number, value: number, size: 8 | 16): string => `mov dx, ${port}\nmov ax, ${value}\nout dx, ${size === 8 ? 'al' : 'ax'}`;
/** Says a letter, does something to the machine, and says another and ends if that let it go on. */
const guest = (deed: string): string => `mov al, 'a'\ncall say\n${deed}\nmov al, 'b'\ncall say\n${write(0x501, 20, 8)}\ncli\nhlt`;
const PANIC = guest(write(0x505, 1, 8)), CRASH_LOADED = guest(write(0x505, 2, 8)), RESET = guest(write(0xcf9, 6, 8)), OFF = guest(write(0x604, 0x2000, 16));

describe('pvpanic', () => {
  it('shows the events that it knows, and tells of those only', () => {
    const events: string[] = [], all = new Pvpanic(3, (event) => events.push(event)), one = new Pvpanic(1, (event) => events.push(event));
    expect([all.io.read(0, 1), one.io.read(0, 1)]).toEqual([3, 1]);
    for (const value of [0, 4, 1, 2, 3]) all.io.write(0, value, 1);
    expect(events.splice(0)).toEqual(['panicked', 'crash-loaded', 'panicked']);
    one.io.write(0, 2, 1);
    expect(events).toEqual([]);
  });
});

describe('actions', () => {
  it.each<[string, string, Partial<Actions>, string, object]>([
    ['a panic ends the machine', PANIC, {}, 'a', { reason: 'panic', failure: false }],
    ['as a failure', PANIC, { panic: 'exit-failure' }, 'a', { reason: 'panic', failure: true }],
    ['or pauses it', PANIC, { panic: 'pause' }, 'a', { reason: 'paused', by: 'panic' }],
    ['also where shutting down does', PANIC, { shutdown: 'pause', panic: 'exit-failure' }, 'a', { reason: 'paused', by: 'panic' }],
    ['or does nothing', PANIC, { panic: 'none' }, 'ab', { reason: 'exit', code: 41 }],
    ['a crash kernel is no reason to end', CRASH_LOADED, {}, 'ab', { reason: 'exit', code: 41 }],
    ['a reset ends it', RESET, { reboot: 'shutdown' }, 'a', { reason: 'reset' }],
    ['or pauses it', RESET, { reboot: 'shutdown', shutdown: 'pause' }, 'a', { reason: 'paused', by: 'reset' }],
    ['switching off ends it', OFF, {}, 'a', { reason: 'poweroff' }],
    ['or pauses it', OFF, { shutdown: 'pause' }, 'a', { reason: 'paused', by: 'poweroff' }],
  ])('%s', async (_name, source, actions, said, reason) => {
    const told: string[] = [];
    const { machine, close } = startGuest(source, { pvpanic: {}, debugExit: { iobase: 0x501, iosize: 1 }, actions, notify: (message) => message.includes('panicked') && told.push(message) });
    const spoken = (): string => /a?b?$/.exec(machine.transcript.text)![0];
    try {
      expect([await machine.run(), spoken()]).toEqual([reason, said]);
      expect(told).toEqual(source === PANIC ? ['the guest panicked'] : source === CRASH_LOADED ? ['the guest panicked, and its crash kernel takes over'] : []);
      if (actions.panic !== 'pause') return;
      setImmediate(() => machine.stop());
      expect([await machine.hold(), spoken()]).toEqual([{ reason: 'stopped' }, 'a']);
      // It goes on where it was.
      await machine.run();
      expect(spoken()).toBe('ab');
    } finally {
      close();
    }
  });
});

describe('the command', () => {
  const command = join(import.meta.dirname, '../../dist/tcg86.js');
  let folder: string, disk: string;
  const words = (...args: string[]): string[] => [command, '-drive', `file=${disk},if=floppy,format=raw`, '-boot', 'a', '-display', 'none', '-device', 'pvpanic', ...args];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tcg86-test-'));
    disk = join(folder, 'panic.img');
    const image = Buffer.alloc(1440 * 1024);
    image.set(assemble(`org 0x7c00\n${write(0x505, 1, 8)}\ncli\nhlt\ntimes 510 - ($ - $$) db 0\ndw 0xaa55`, { file: 'panic' }).bytes);
    writeFileSync(disk, image);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    [0, ['the guest panicked'], []], [1, ['the guest panicked'], ['-action', 'panic=exit-failure']],
    [3, ['the guest panicked', "tcg86: --expect 'x': the guest panicked, and the machine is paused"], ['-action', 'panic=pause', '--expect', 'x']],
  ])('exit code %i: %j', (code, lines, args) => {
    const { status, stderr } = spawnSync(process.execPath, words(...args), { encoding: 'utf8' });
    expect([stderr.trim().split('\n'), status]).toEqual([lines, code]);
  });

  it('a paused machine stands still until it is left', async () => {
    const child = spawn(process.execPath, words('-no-shutdown'));
    let told = '';
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (told.endsWith('is paused\n')) child.kill('SIGTERM');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([told, code]).toEqual(['the guest panicked\nthe guest panicked, and the machine is paused\ntcg86: terminating on signal SIGTERM\n', 0]);
  });

  it('-no-reboot and -no-shutdown are actions; the last word holds', () => {
    const actions = (...args: string[]): object => parseArguments(args).actions;
    expect(actions('-no-reboot', '-no-shutdown')).toEqual({ reboot: 'shutdown', shutdown: 'pause' });
    expect(actions('-no-reboot', '-action', 'reboot=reset,panic=none')).toEqual({ reboot: 'reset', panic: 'none' });
  });

  it.each([
    ["-action panic=explode: parameter 'panic' does not accept value 'explode' (shutdown, pause, exit-failure, none)", ['-action', 'panic=explode']],
    ['-action watchdog=reset: there is no watchdog', ['-action', 'watchdog=reset']], ["-action: invalid parameter 'fire'", ['-action', 'fire=pause']],
    ['-device pvpanic: the board takes one such device', ['-device', 'pvpanic', '-device', 'pvpanic']],
  ])('says: %s', (message, args) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});
