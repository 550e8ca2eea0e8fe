/** `-accel`, `-icount` and `-rtc`: what they take, and one line for what they do not. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/cli/config.ts';
import { Information, UsageError } from '../../src/cli/errors.ts';
import { parseArguments } from '../../src/cli/options.ts';
import { rtcDate } from '../../src/cli/time.ts';

/** The one line that the arguments are refused with. */
function refusal(...args: string[]): string {
  try {
    parseArguments(args);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    return message;
  }
  throw new Error(`${args.join(' ')} was taken`);
}

const accelerator = (...values: string[]): Config['accelerator'] => parseArguments(values.flatMap((value) => ['-accel', value])).accelerator;

describe('-accel', () => {
  it('takes each property', () => {
    expect(accelerator('tcg')).toEqual({ jit: true, jitThreshold: null, lockstep: false, oneInsnPerTb: false, tbSize: null, disabledPasses: [], speed: null });
    expect(accelerator('tcg,jit=off').jit).toBe(false);
    expect(accelerator('tcg,jit-threshold=0').jitThreshold).toBe(0);
    for (const [text, speed] of [['0.3', 0.3], ['.5', 0.5], ['8', 8], ['10000', 10_000]] as const) expect(accelerator(`tcg,speed=${text}`).speed).toBe(speed);
    expect(accelerator('tcg,lockstep=on,jit-threshold=5000,one-insn-per-tb=on,tb-size=8,passes-off=dead-code+merge-moves')).toEqual({
      jit: true, jitThreshold: 5000, lockstep: true, oneInsnPerTb: true, tbSize: 8, disabledPasses: ['dead-code', 'merge-moves'], speed: null,
    });
  });

  it('adds up over several options, and -machine has it too', () => {
    expect(accelerator('tcg,lockstep=on', 'tcg,jit-threshold=0')).toMatchObject({ lockstep: true, jitThreshold: 0 });
    expect(parseArguments(['-M', 'pc,accel=tcg']).accelerator.jit).toBe(true);
  });

  it.each([
    ['kvm', /invalid accelerator 'kvm' \(tcg\)/],
    ['tcg,jit=maybe', /'jit' expects 'on' or 'off', not 'maybe'/],
    ['tcg,jit-threshold=-1', /'-1' is not a number/],
    ['tcg,jit-threshold=soon', /'soon' is not a number/],
    ['tcg,jit-threshold=99999999999', /is not between 0 and 2147483647/],
    ['tcg,tb-size=0', /0 is not between 1 and 1024/],
    ['tcg,thread=multi', /invalid parameter 'thread' \(known: accel, jit, /],
    ['tcg,passes-off=nothing', /no pass 'nothing' \(constant-folding, /],
    ['tcg,jit=off,lockstep=on', /lockstep=on checks compiled code, and jit=off compiles none/],
    ['tcg,jit=off,jit-threshold=0', /jit-threshold has no meaning with jit=off/],
    ['tcg,', /empty property/],
    ['tcg,speed=0', /^-accel: speed='0' is no number from 0.01 to 10000 \(million instructions a second\)$/],
    ['tcg,speed=-1', /speed='-1' is no number/],
    ['tcg,speed=fast', /speed='fast' is no number/],
    ['tcg,speed=', /speed='' is no number/],
    ['tcg,speed', /speed='on' is no number/],
    ['tcg,speed=1e3', /speed='1e3' is no number/],
    ['tcg,speed=20000', /speed='20000' is no number/],
  ])('refuses %s', (value, message) => {
    expect(refusal('-accel', value)).toMatch(message);
  });

  it('has one speed at most', () => {
    expect(refusal('-icount', '3', '-accel', 'tcg,speed=8')).toBe('-accel speed= and -icount exclude each other: a shift is a speed');
  });

  it('lists its properties', () => {
    expect(() => accelerator('help')).toThrow(Information);
    try {
      accelerator('tcg,help');
    } catch (error) {
      expect((error as Information).text).toMatch(/^tcg-accel options:\n {2}jit=<bool> [^]*\n {2}speed=<number> +- Million instructions a second/);
      return;
    }
    throw new Error('-accel tcg,help was taken');
  });
});

describe('-icount', () => {
  it.each([
    ['7', { shift: 7, align: false, sleep: true }],
    ['auto', { shift: 'auto', align: false, sleep: true }],
    ['shift=0', { shift: 0, align: false, sleep: true }],
    ['shift=10,sleep=off', { shift: 10, align: false, sleep: false }],
    ['shift=3,align=on', { shift: 3, align: true, sleep: true }],
  ])('takes %s', (value, expected) => {
    expect(parseArguments(['-icount', value]).icount).toEqual(expected);
  });

  it('is off without', () => {
    expect(parseArguments([]).icount).toBeNull();
  });

  it.each([
    ['11', /11 is not between 0 and 10/],
    ['shift=fast', /'fast' is not a number/],
    ['sleep=off', /shift: '' is not a number|shift is missing/],
    ['auto,sleep=off', /shift=auto and sleep=off exclude each other/],
    ['auto,align=on', /shift=auto and align=on exclude each other/],
    ['1,align=on,sleep=off', /align=on and sleep=off exclude each other/],
    ['shift=1,rr=record,rrfile=x', /rr=record is not supported/],
    ['shift=1,speed=2', /invalid parameter 'speed' \(known: shift, align, sleep\)/],
  ])('refuses %s', (value, message) => {
    expect(refusal('-icount', value)).toMatch(message);
  });
});

describe('-rtc', () => {
  it('takes base and clock', () => {
    expect(parseArguments([]).rtc).toEqual({ base: 'utc', clock: 'host' });
    expect(parseArguments(['-rtc', 'base=2026-01-01,clock=vm']).rtc).toEqual({ base: '2026-01-01', clock: 'vm' });
    expect(parseArguments(['-rtc', 'clock=rt', '-rtc', 'base=localtime,driftfix=none']).rtc).toEqual({ base: 'localtime', clock: 'rt' });
    expect(rtcDate('2026-01-01T12:34:56').toISOString()).toBe('2026-01-01T12:34:56.000Z');
  });

  it.each([
    ['base=2026-02-30', /expected utc, localtime or a date like/],
    ['base=tomorrow', /expected utc, localtime or a date like/],
    ['clock=sun', /clock=sun: expected host, rt or vm/],
    ['driftfix=slew', /driftfix=slew: not supported/],
    ['zone=utc', /invalid parameter 'zone' \(known: base, clock, driftfix\)/],
  ])('refuses %s', (value, message) => {
    expect(refusal('-rtc', value)).toMatch(message);
  });
});
