/** Compares our processor with a recorded instruction. */

import type { Vector } from '../vectors/format.ts';
import { AREAS, EFLAGS_INDEX, ENTRY, initialMemory } from '../vectors/layout.ts';
import type { Stop } from '../vectors/recorder.ts';
import { compareFloats } from './float-check.ts';
import type { Share } from './float-check.ts';
import type { VectorMachine } from './vectors-machine.ts';

const REGISTERS: readonly string[] = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI', 'EFLAGS', 'EIP'];
const SEGMENTS: readonly string[] = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];
const PAGE_FAULT = 14;
/** Page-fault error code: "instruction fetch" came with no-execute pages. */
const FETCH = 0x10;

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');

const INITIAL: readonly Uint8Array[] = AREAS.map(initialMemory);

/** What the areas must hold afterwards. */
function expectedAreas({ input, output }: Vector): Uint8Array[] {
  return AREAS.map(({ base, size }, i) => {
    const bytes = INITIAL[i].slice();
    for (const { address, bytes: piece } of [...input.memory, { address: ENTRY, bytes: input.code }, ...output.memory]) {
      if (address >= base && address < base + size) bytes.set(piece, address - base);
    }
    return bytes;
  });
}

/** Runs a vector of a form; one line for everything that differs. */
export function check(machine: VectorMachine, vector: Vector, form: string, share: Share = { equal: 0, all: 0 }): string[] {
  const got = machine.run(vector.input, form);
  if (got === undefined) return ['did not reach an exception'];
  const differences = compareOutcome(got, vector);
  if (vector.input.floats !== 0) differences.push(...compareFloats(machine.floats, vector, form, share));
  expectedAreas(vector).forEach((expected, i) => {
    const actual = machine.area(i);
    const { base } = AREAS[i]!;
    for (const { address, length } of vector.undefinedMemory) {
      if (address >= base && address - base < actual.length) expected.set(actual.subarray(address - base, address - base + length), address - base);
    }
    if (Buffer.compare(expected, actual) === 0) return;
    const at = expected.findIndex((byte, offset) => byte !== actual[offset]);
    differences.push(`[${hex(AREAS[i].base + at, 6)}] is ${hex(actual[at], 2)}, not ${hex(expected[at], 2)}`);
  });
  return differences;
}

function compareOutcome(got: Stop, { output, undefinedFlags }: Vector): string[] {
  const differences: string[] = [];
  const expect = (name: string, actual: number, wanted: number, mask = -1): void => {
    if (((actual ^ wanted) & mask) !== 0) differences.push(`${name} is ${hex(actual)}, not ${hex(wanted)}${mask === -1 ? '' : ` (mask ${hex(mask)})`}`);
  };
  expect('exception', got.exception, output.exception);
  if (differences.length === 0) expect('error code', got.errorCode, output.errorCode, output.exception === PAGE_FAULT ? ~FETCH : -1);
  expect('CR2', got.cr2, output.cr2);
  REGISTERS.forEach((name, i) => expect(name, got.registers[i], output.registers[i], i === EFLAGS_INDEX ? ~undefinedFlags : -1));
  SEGMENTS.forEach((name, i) => expect(name, got.segments[i], output.segments[i]));
  return differences;
}
