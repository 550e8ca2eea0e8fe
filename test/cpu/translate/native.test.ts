/** What sequences of instructions do, compared with a real processor: native/vectors.json.gz, recorded by native/record.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readEflags, writeEflags } from '../../../src/cpu/flags.ts';
import { MXCSR, MXCSR_RESET } from '../../../src/cpu/simd/state.ts';
import { CR4, CR4_OSFXSR, CR4_OSXMMEXCPT, EIP } from '../../../src/cpu/state.ts';
import { protectedCpu } from './machine.ts';
import { DATA } from './native/cases.ts';
import { CODE, COMPARED_FLAGS, fillData } from './native/format.ts';
import type { NativeCase, NativeTest } from './native/format.ts';

const HLT = 0xf4;
const cases = JSON.parse(gunzipSync(readFileSync(join(import.meta.dirname, 'native/vectors.json.gz'))).toString()) as NativeCase[];
const cpu = protectedCpu();

function outcome({ code, undefinedFlags }: NativeCase, { registers, flags, seed }: NativeTest): unknown {
  const { R, bytes } = cpu;
  const before = fillData(seed);
  bytes.set(before, DATA);
  bytes.set([...Buffer.from(code, 'hex'), HLT], CODE);
  R.set(registers);
  R[EIP] = CODE;
  R[CR4] = CR4_OSFXSR | CR4_OSXMMEXCPT;
  R[MXCSR] = MXCSR_RESET;
  writeEflags(R, flags | 0x202, -1);
  cpu.updateHflags();
  const how = cpu.run(100);
  const memory: number[] = [];
  for (let i = 0; i < before.length; i++) if (bytes[DATA + i] !== before[i]) memory.push(i, bytes[DATA + i]!);
  const changed = registers.flatMap((value, n) => (R[n] === value ? [] : [n, R[n]!]));
  return { how, registers: changed, flags: readEflags(R) & COMPARED_FLAGS & ~undefinedFlags, memory };
}

/** Cases by the instruction that their name begins with. */
const groups = new Map<string, NativeCase[]>();
for (const item of cases) {
  const name = item.name.split(' ')[0]!;
  groups.set(name, [...(groups.get(name) ?? []), item]);
}

describe('against a real processor', () => {
  it.each([...groups])('%s', (_, items) => {
    for (const item of items) {
      for (const test of item.tests) {
        const expected = { how: 'hlt', registers: test.registersOut, flags: test.flagsOut & ~item.undefinedFlags, memory: test.memoryOut };
        expect(outcome(item, test), `${item.name}: ${item.code} ${JSON.stringify({ ...test, memoryOut: [] })}`).toEqual(expected);
      }
    }
  });
});
