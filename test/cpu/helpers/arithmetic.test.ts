import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { aaa, aad, aam, aas, daa, das } from '../../../src/cpu/helpers/decimal.ts';
import { divb, divl, divw, idivb, idivl, idivw } from '../../../src/cpu/helpers/divide.ts';
import { AF, CF, EAX, EDX, STATUS_FLAGS } from '../../../src/cpu/state.ts';
import { FakeCpu } from './fake-cpu.ts';

/** Lines recorded on a real processor by data/record.c. */
const recorded = (name: string): string[][] =>
  readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8').trim().split('\n').map((line) => line.split(' '));
const hex = (text: string): number => Number.parseInt(text, 16);

describe('decimal adjustment is that of a real processor, undefined flags included', () => {
  const lines = recorded('decimal.txt');
  it.each([['daa', daa], ['das', das], ['aaa', aaa], ['aas', aas]] as const)('%s', (name, run) => {
    const cpu = new FakeCpu();
    let cases = 0;
    for (const [, high, carry, auxiliary, results] of lines.filter(([op]) => op === name)) {
      for (let al = 0; al < 256; al++) {
        cpu.R[EAX] = 0x55aa0000 | hex(high!) << 8 | al;
        cpu.eflags = 2 | (carry === '1' ? CF : 0) | (auxiliary === '1' ? AF : 0);
        run(cpu);
        const result = (cpu.R[EAX]! & 0xffff).toString(16).padStart(4, '0') + (cpu.eflags & STATUS_FLAGS).toString(16).padStart(3, '0');
        if (result !== results!.slice(al * 7, al * 7 + 7)) expect.fail(`${name} AH=${high} AL=${al.toString(16)} CF=${carry} AF=${auxiliary}: ${result}`);
        cases++;
      }
      expect(cpu.R[EAX]! >>> 16).toBe(0x55aa);
    }
    expect(cases).toBe(name === 'daa' || name === 'das' ? 1024 : 3072);
  });

  it.each([['aam', aam], ['aad', aad]] as const)('%s', (name, run) => {
    const cpu = new FakeCpu();
    for (const [, base, before, after, flags] of lines.filter(([op]) => op === name)) {
      cpu.R[EAX] = hex(before!);
      cpu.eflags = STATUS_FLAGS;
      run(cpu, hex(base!));
      expect([base, before, cpu.R[EAX], cpu.eflags & STATUS_FLAGS]).toEqual([base, before, hex(after!), hex(flags!)]);
    }
  });

  it('AAM with base 0 is #DE', () => {
    const cpu = new FakeCpu();
    expect(cpu.cleanFault(() => aam(cpu, 0))).toBe('0');
  });
});

describe('division is that of a real processor', () => {
  const lines = recorded('division.txt');
  it.each([['divb', divb], ['idivb', idivb], ['divw', divw], ['idivw', idivw], ['divl', divl], ['idivl', idivl]] as const)('%s', (name, run) => {
    const cpu = new FakeCpu();
    const own = lines.filter(([op]) => op === name);
    expect(own.length).toBe(240);
    for (const [, eax, edx, by, quotient, remainder] of own) {
      cpu.R[EAX] = hex(eax!);
      cpu.R[EDX] = hex(edx!);
      const divide = (): void => run(cpu, hex(by!) | 0);
      if (quotient === '#DE') expect([eax, edx, by, cpu.cleanFault(divide)]).toEqual([eax, edx, by, '0']);
      else {
        divide();
        expect([eax, edx, by, cpu.R[EAX], cpu.R[EDX]]).toEqual([eax, edx, by, hex(quotient!) | 0, hex(remainder!) | 0]);
      }
    }
  });

  it('agrees with exact integers for random 64-bit dividends', () => {
    const cpu = new FakeCpu();
    let seed = 99;
    const random = (): number => {
      seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
      return (seed ^ seed >>> 13) >> (seed & 31);
    };
    for (let i = 0; i < 5000; i++) {
      const low = random(), high = random(), by = random();
      const check = (signed: boolean): void => {
        const dividend = signed ? BigInt(high) << 32n | BigInt(low >>> 0) : BigInt(high >>> 0) << 32n | BigInt(low >>> 0);
        const divisor = signed ? BigInt(by) : BigInt(by >>> 0);
        const fits = divisor !== 0n && (signed ? BigInt.asIntN(32, dividend / divisor) : BigInt.asUintN(32, dividend / divisor)) === dividend / divisor;
        cpu.R[EAX] = low;
        cpu.R[EDX] = high;
        const fault = cpu.fault(() => (signed ? idivl : divl)(cpu, by));
        if (!fits) expect([high, low, by, fault]).toEqual([high, low, by, '0']);
        else {
          const expected = [dividend / divisor, dividend % divisor].map((value) => Number(BigInt.asIntN(32, value)));
          expect([high, low, by, fault, cpu.R[EAX], cpu.R[EDX]]).toEqual([high, low, by, 'none', ...expected]);
        }
      };
      check(false);
      check(true);
    }
  });
});
