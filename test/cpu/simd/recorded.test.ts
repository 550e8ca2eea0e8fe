/** MMX and SSE helpers against a real processor: recorded.bin.gz, written by record.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FPU_LOW } from '../../../src/cpu/fpu/state.ts';
import type { SimdContext } from '../../../src/cpu/simd/fxsave.ts';
import { createSimdHelpers, packedName } from '../../../src/cpu/simd/helpers.ts';
import { MXCSR, SIMD_BYTES, XMM } from '../../../src/cpu/simd/state.ts';
import { STATE_SIZE } from '../../../src/cpu/state.ts';
import { INPUT_WORDS, OPERATIONS, RESULT_WORDS, makeInputs } from './cases.ts';
import type { Operation } from './cases.ts';

const STATUS_FLAGS = 0x8d5;
const R = new Int32Array(STATE_SIZE);
const helpers = new Map(createSimdHelpers({ R } as SimdContext).map(({ name, fn }) => [name, fn]));
const bytes = gunzipSync(readFileSync(join(import.meta.dirname, 'recorded.bin.gz')));
const recorded = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const inputs = makeInputs();

const hex = (words: readonly number[]): string => words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(' ');

/** The register, then EAX and MXCSR as far as the operation gives them. */
function run({ mnemonic, kind, imm, counted }: Operation, input: Int32Array): number[] {
  const mmx = kind === 'mmx', d = mmx ? FPU_LOW : XMM, s = d + (mmx ? 2 : 4), count = mmx ? 2 : 4;
  R.set(input.subarray(1, 1 + count), d);
  R.set(input.subarray(5, 5 + count), s);
  R[MXCSR] = input[9]!;
  const name = kind === 'xmm' || mmx ? packedName(mnemonic, mmx, counted) : mnemonic.toLowerCase(), call = helpers.get(name)!;
  const register = (): number[] => [...R.subarray(d, d + count)];
  switch (kind) {
    case 'float': case 'from-integer': call(d, s, imm); return [...register(), R[MXCSR]!];
    case 'xmm': case 'mmx': call(d, counted ? d : s, imm); return register();
    case 'flags': return [call(d, s) as number, R[MXCSR]!];
    case 'integer': call(SIMD_BYTES, s); return [R[SIMD_BYTES]!, R[MXCSR]!];
    case 'mask': return [call(s, 16) as number];
  }
}

function expected({ kind }: Operation, result: Int32Array): number[] {
  const [eax, mxcsr] = [result[4]!, result[5]!];
  switch (kind) {
    case 'float': case 'from-integer': return [...result.subarray(0, 4), mxcsr];
    case 'xmm': return [...result.subarray(0, 4)];
    case 'mmx': return [...result.subarray(0, 2)];
    case 'flags': return [eax & STATUS_FLAGS, mxcsr];
    case 'integer': return [eax, mxcsr];
    case 'mask': return [eax];
  }
}

describe('MMX and SSE as recorded', () => {
  it.each([...new Set(OPERATIONS.map(({ mnemonic }) => mnemonic))])('%s', (mnemonic) => {
    for (let at = 0; at * INPUT_WORDS < inputs.length; at++) {
      const input = inputs.subarray(at * INPUT_WORDS, (at + 1) * INPUT_WORDS), operation = OPERATIONS[input[0]!]!;
      if (operation.mnemonic !== mnemonic) continue;
      const wanted = expected(operation, recorded.subarray(at * RESULT_WORDS, (at + 1) * RESULT_WORDS));
      expect(hex(run(operation, input)), `${mnemonic} ${operation.kind} ${operation.imm} of ${hex([...input.subarray(1)])}`).toBe(hex(wanted));
    }
  });
});
