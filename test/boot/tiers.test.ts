/**
 * The guests boot and work alike in both tiers: Linux 0.11 compiles a program, FreeDOS lists its floppy, with the compiler off, on,
 * compiling everything at once, and checked by the interpreter. Virtual time is made of instructions, so all of them retire
 * the same instructions and show the same screens.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { image, missing, titled, unpacked } from './images.ts';

const HOST_SECONDS = 280;
const SWITCHES: readonly (readonly [name: string, options: PcOptions])[] = [
  ['jit=off', { jit: false }], ['jit=on', {}], ['jit-threshold=0', { jitThreshold: 0 }], ['lockstep=on', { lockstep: true }],
];
/** Nothing comes from the host. Slow instructions: less of them are spent waiting for a key. */
const REPEATABLE: PcOptions = { icount: { shift: 6 }, rtcBase: new Date('2026-01-01'), rtcClock: 'vm', boot: 'a', snapshot: true, timeout: HOST_SECONDS };

interface Run {
  readonly screen: string;
  readonly retired: number;
  readonly time: number;
  readonly share: number;
}

function result(machine: Machine): Run {
  const { tiers } = machine.stats() as { tiers: { compiledShare: number } };
  machine.close();
  return { screen: machine.screen(), retired: machine.retired, time: machine.board.clock.now(), share: tiers.compiledShare };
}

/** The same test for each switch, and that all did the same. */
function compare(boot: (options: PcOptions) => Promise<Run>, shows: RegExp): void {
  let expected: Run;
  it.each(SWITCHES)('%s', async (name, options) => {
    const run = await boot({ ...REPEATABLE, ...options });
    expected ??= run;
    expect(run.screen).toMatch(shows);
    expect({ ...run, share: 0 }).toEqual({ ...expected, share: 0 });
    if (name === 'jit=off') expect(run.share).toBe(0);
    if (name === 'jit-threshold=0') expect(run.share).toBeGreaterThan(0.9);
  }, HOST_SECONDS * 1000);
}

const KERNEL = 'linux-0.11/bootimage-0.11-hd', DISK = 'linux-0.11/hdc-0.11.img.gz';
const lackingLinux = missing(KERNEL, DISK);
describe.skipIf(lackingLinux.length > 0)(titled('Linux 0.11 compiles a program', lackingLinux), () => {
  let disk: string;
  beforeAll(async () => { disk = await unpacked(DISK); }, HOST_SECONDS * 1000);
  compare(async (options) => {
    const machine = Machine.open({ memory: '16M', fda: image(KERNEL), hda: disk, ...options });
    await machine.expect(/\[\/usr\/root\]# $/m);
    await machine.type('echo "main(){int i,s=0;for(i=1;i<=1000;i++)s+=i*i;printf(\\"sum %d\\n\\",s);}">a.c\n');
    await machine.expect(/# $/m);
    await machine.type('gcc a.c && ./a.out; date\n');
    await machine.expect(/2026[^]*# $/m);
    return result(machine);
  }, /^sum 333833500$/m);
});

const FLOPPY = 'freedos722.img';
const lackingDos = missing(FLOPPY);
describe.skipIf(lackingDos.length > 0)(titled('FreeDOS lists its floppy', lackingDos), () => {
  compare(async (options) => {
    const machine = Machine.open({ fda: image(FLOPPY), ...options });
    await machine.expect(/A:\\>$/m);
    await machine.type('dir\n');
    await machine.expect(/bytes free[^]*A:\\>$/m);
    return result(machine);
  }, /18 file\(s\) +401,541 bytes/);
});
