/** A difference as a ready test, with the guest code, its ops, and the JavaScript of the regions that were compiled. */
import { Decoder } from '../../src/cpu/decode/decoder.ts';
import { disassemble } from '../../src/cpu/decode/disasm.ts';
import { Log } from '../../src/cpu/log.ts';
import * as L from './layout.ts';
import type { Contestant, Difference } from './lockstep.ts';
import { FuzzMachine, modeOf, offsetsOf } from './machine.ts';
import type { FuzzCase } from './machine.ts';
import { outcomeOf, play } from './replay.ts';

const MAX_DUMP = 20_000;
const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');

/** One line an instruction. */
export function listing(fuzzCase: FuzzCase): string {
  const { code32 } = modeOf(fuzzCase), decoder = new Decoder();
  const offsets = offsetsOf(fuzzCase);
  return fuzzCase.code.map((text, i) => {
    const bytes = Buffer.from(text, 'hex'), at = offsets[i]!;
    const decoded = decoder.decode({ byte: (eip) => bytes[eip - at] ?? 0 }, at, code32) === 0;
    return `  ${hex(L.CODE + at, 5)}  ${text.padEnd(24)} ${decoded ? disassemble(decoder.insn, 0) : '(bad)'}`;
  }).join('\n');
}

function dump(fuzzCase: FuzzCase, { options }: Contestant): string {
  const ops: string[] = [], sources: string[] = [];
  const machine = new FuzzMachine({ ...options, log: new Log(['in_asm', 'op_opt'], (text) => ops.push(text), [{ first: L.CODE, last: L.CODE + L.CODE_SIZE }]) });
  machine.cpu.exec.regions.onCompiled = ({ source, entries }) => {
    if (entries.some(({ pc }) => pc >= L.CODE && pc < L.CODE + L.CODE_SIZE)) sources.push(source);
  };
  try {
    play(machine, fuzzCase);
  } catch (thrown) {
    sources.push(`thrown: ${String(thrown)}`);
  }
  return `${ops.join('').slice(-MAX_DUMP)}\n${sources.join('\n\n').slice(-MAX_DUMP)}`;
}

/** What the reference makes of the case, as JavaScript. */
function expectation(fuzzCase: FuzzCase): string {
  const machine = new FuzzMachine({ jit: false });
  try {
    play(machine, fuzzCase);
    return JSON.stringify(outcomeOf(machine, fuzzCase), null, 2);
  } catch (thrown) {
    return `'the reference throws ${String(thrown)}'`;
  }
}

export function testOf(title: string, fuzzCase: FuzzCase, { options }: Contestant): string {
  const indent = (text: string): string => text.replaceAll('\n', '\n  ');
  return [
    "import { expect, it } from 'vitest';", "import { replay } from './replay.ts';", '', `it('${title}', () => {`,
    `  const fuzzCase = ${indent(JSON.stringify(fuzzCase, null, 1).replace(/\n +/g, ' '))};`,
    `  expect(replay(fuzzCase, ${JSON.stringify(options)})).toEqual(${indent(expectation(fuzzCase))});`, '});', '',
  ].join('\n');
}

export function report(title: string, fuzzCase: FuzzCase, difference: Difference): string {
  const { contestant, lines } = difference;
  return [
    `${title}: ${contestant.name} differs from tier 1 in the slice after ${difference.retired} instructions`, ...lines.map((line) => `  ${line}`), '', `mode: ${fuzzCase.mode}`, listing(fuzzCase), '',
    testOf(title, fuzzCase, contestant), dump(fuzzCase, contestant),
  ].join('\n');
}
