/** A difference from a real processor, made small, as a ready test. */
import { EFLAGS_INDEX } from '../vectors/layout.ts';
import type { Recording } from '../vectors/recorder.ts';
import { UserMachine } from '../suites/user-machine.ts';
import type { FuzzCase } from './machine.ts';
import { minimize } from './minimize.ts';
import { check } from './native-campaign.ts';
import type { NativeContestant, NativeDifference, NativeRunner } from './native-campaign.ts';
import type { Judgement } from './native-judge.ts';
import { NATIVE_AREAS, nativeAreas } from './native-world.ts';
import { listing } from './report.ts';

/** What a real processor made of a case: numbers in hexadecimal. */
export interface NativeRecord {
  /** Exception, error code, CR2; EAX ECX EDX EBX ESP EBP ESI EDI EFLAGS EIP; ES CS SS DS FS GS; undefined flags; x87, MMX and SSE (float-state.ts). */
  readonly stops: readonly string[];
  /** Address and bytes. */
  readonly memory: readonly string[];
}

const words = (values: Iterable<number>): string => Array.from(values, (value) => (value >>> 0).toString(16)).join(' ');

function recordOf({ undefinedFlags }: Judgement, { stops, memory }: Recording): NativeRecord {
  return {
    stops: stops.map(({ exception, errorCode, cr2, registers, segments, floats = [] }, i) => words([exception, errorCode, cr2, ...registers, ...segments, undefinedFlags[i] ?? 0, ...floats])),
    memory: memory.map(({ address, bytes }) => `${words([address])}: ${Buffer.from(bytes).toString('hex')}`),
  };
}

/** Runs a case and compares it with a record: one line for everything that differs. For tests. */
export function replayNative(fuzzCase: FuzzCase, { stops, memory }: NativeRecord, options: NativeContestant['options']): string[] {
  const undefinedFlags: number[] = [];
  const recording: Recording = {
    stops: stops.map((line) => {
      const [exception, errorCode, cr2, ...rest] = line.split(' ').map((word) => Number.parseInt(word, 16) | 0) as [number, number, number, ...number[]];
      undefinedFlags.push(rest[16]!);
      return { exception, errorCode, cr2, registers: Int32Array.from(rest.slice(0, EFLAGS_INDEX + 2)), segments: Int32Array.from(rest.slice(10, 16)), ...(rest.length > 17 && { floats: Int32Array.from(rest.slice(17)) }) };
    }),
    memory: memory.map((line) => {
      const [address, bytes] = line.split(': ') as [string, string];
      return { address: Number.parseInt(address, 16), bytes: Buffer.from(bytes, 'hex') };
    }),
  };
  return check(new UserMachine(NATIVE_AREAS, options), nativeAreas(), { fuzzCase, stops: [], undefinedFlags, retired: 0 }, recording);
}

/** The difference of the smallest case that shows one; the given one, if it cannot be reproduced. */
export function reduce(runner: NativeRunner, difference: NativeDifference): NativeDifference {
  const differs = (fuzzCase: FuzzCase): NativeDifference | undefined => {
    const judgement = runner.judge.judge(fuzzCase);
    return typeof judgement === 'number' ? undefined : runner.compare([judgement])[0];
  };
  return differs(minimize(difference.judgement.fuzzCase, (fuzzCase) => differs(fuzzCase)?.judgement.retired)) ?? difference;
}

export function nativeReport(title: string, { contestant, judgement, recording, lines }: NativeDifference): string {
  const json = (value: unknown): string => JSON.stringify(value, null, 1).replace(/\n */g, ' ');
  return [
    `${title}: ${contestant.name} differs from the processor of this machine`, ...lines.map((line) => `  ${line}`), '', listing(judgement.fuzzCase), '',
    "import { expect, it } from 'vitest';", "import { replayNative } from './native-report.ts';", '', `it('${title}', () => {`,
    `  const fuzzCase = ${json(judgement.fuzzCase)};`, `  const record = ${json(recordOf(judgement, recording))};`,
    `  expect(replayNative(fuzzCase, record, ${JSON.stringify(contestant.options)})).toEqual([]);`, '});', '',
  ].join('\n');
}
