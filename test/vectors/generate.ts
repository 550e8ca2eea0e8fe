/**
 * `node build.mjs --run test/vectors/generate.ts [--seed=N] [--output=FOLDER]`: makes instructions from the rows of the opcode tables,
 * runs them on the processor of this machine (recorder.ts) and writes integer.bin.gz, x87.bin.gz and simd.bin.gz to test/vectors or FOLDER.
 * Linux on x86-64 only.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Row } from '../../src/cpu/decode/insn.ts';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { EDI, ESI } from '../../src/cpu/state.ts';
import type { Case } from './case.ts';
import { Draft } from './draft.ts';
import type { Variant } from './draft.ts';
import { encodeCorpus } from './format.ts';
import type { Vector, VectorOutput } from './format.ts';
import { Seeds, simdCases, x87Cases } from './float-cases.ts';
import { stateOfSeed } from './float-values.ts';
import { LENGTH_ENCODINGS, LENGTH_FORM, UNDEFINED_ENCODINGS, UNDEFINED_FORM, formOf, isFloatRow } from './forms.ts';
import { AREAS, DEFAULT_REGISTERS, EFLAGS_INDEX, ENTRY, initialMemory } from './layout.ts';
import { Random } from './random.ts';
import { Recorder } from './recorder.ts';
import { SCENARIOS, isExcluded } from './scenarios.ts';
import { UNDEFINED_FLAGS } from './undefined-flags.ts';
import { undefinedFlagsAfter } from './undefined-floats.ts';

const FOLDER = import.meta.dirname;
const PAGE_FAULT = 14;
/** Vectors of a variant of a row, before its scenario's weight. */
const REGISTER_VECTORS = 28, MEMORY_VECTORS = 40, PLAIN_VECTORS = 28, VECTORS_OF_EIGHT_REGISTERS = 10;
/** Rows that depend on the operand size though no operand says so. */
const SIZED = new Set(['CALLF', 'CBW', 'CWD', 'ENTER', 'IRET', 'JMPF', 'LEAVE', 'POPA', 'POPF', 'PUSHA', 'PUSHF', 'RET', 'RETF']);
/** LOCK before MOV CR is an extension of AMD's, and VERW, which flushes buffers today, runs with it there. */
const isNeverLocked = ({ mnemonic, operands }: Row): boolean => mnemonic === 'VERW' || operands.some((operand) => /^[RCD]d$/.test(operand));

const dependsOnSize = ({ mnemonic, operands }: Row): boolean =>
  SIZED.has(mnemonic) || operands.some((operand) => /^(?:[A-Z]+[vzap]|M|eAX|sIb|J.|[C-GS]S|Rv\/Mw)$/.test(operand));

const dependsOnAddressSize = ({ mnemonic, operands }: Row): boolean => /^(?:XLAT|LOOP|JCXZ)/.test(mnemonic) || operands.some((operand) => /^[OXY][bvz]$/.test(operand));

/** The kinds of operand that a row has: without ModRM, register, memory. */
function* kinds(row: Row): Generator<{ memory: boolean; count: number }> {
  const indirect = row.operands.find((operand) => /^[EM]|^Rv/.test(operand));
  if (indirect === undefined) yield { memory: false, count: row.operands.some((operand) => operand.startsWith('Z')) ? VECTORS_OF_EIGHT_REGISTERS : PLAIN_VECTORS };
  else {
    if (!indirect.startsWith('M')) yield { memory: false, count: REGISTER_VECTORS };
    yield { memory: true, count: MEMORY_VECTORS };
  }
}

const NOTHING_UNDEFINED = { undefinedFlags: 0, undefinedStatus: 0, undefinedMemory: [] };

function makeCase(variant: Variant, random: Random): Case | undefined {
  const { row, memory } = variant;
  const { reserved = 0, stack, prepare } = SCENARIOS[row.mnemonic] ?? {};
  const draft = new Draft(variant, random, reserved, stack);
  draft.undefinedFlags = UNDEFINED_FLAGS[row.mnemonic] ?? 0;
  if (memory || dependsOnAddressSize(row)) draft.override = random.chance(0.12);
  if (!isNeverLocked(row)) draft.lock = random.chance(row.lock && memory ? 0.12 : 0.01);
  draft.operands.forEach((operand, i) => {
    if (operand.kind !== 'other') draft.setOperand(i, random.operand(operand.size));
  });
  if (prepare?.(draft) === false) return undefined;
  const code = draft.encode();
  return { ...NOTHING_UNDEFINED, form: formOf(row), undefinedFlags: draft.undefinedFlags, input: { code, registers: draft.registers, memory: draft.memory, floats: 0 } };
}

function* casesOf(row: Row, random: Random): Generator<Case> {
  const weight = SCENARIOS[row.mnemonic]?.weight ?? 1;
  for (const opSize of dependsOnSize(row) ? [4, 2] : [4]) {
    // BSWAP of 16 bits is undefined.
    if (row.mnemonic === 'BSWAP' && opSize === 2) continue;
    for (const { memory, count } of kinds(row)) {
      for (let left = Math.round(count * weight); left > 0; ) {
        const addrSize = (memory || dependsOnAddressSize(row)) && random.chance(0.25) ? 2 : 4;
        const made = makeCase({ row, opSize, addrSize, memory }, random);
        if (made === undefined) continue;
        yield made;
        left--;
      }
    }
  }
}

/** Bytes that are no row's. */
const fixedCases = (form: string, encodings: readonly (readonly number[])[]): Case[] =>
  encodings.map((bytes) => ({ ...NOTHING_UNDEFINED, form, input: { code: Uint8Array.from(bytes), registers: Int32Array.from(DEFAULT_REGISTERS), memory: [], floats: 0 } }));

const changesOf = (before: Int32Array | undefined, after: Int32Array | undefined): [number, number][] =>
  (before === undefined || after === undefined ? [] : [...after].flatMap((value, word) => (value === before[word] ? [] : [[word, value]])));

const NO_NEXT = new Int32Array();

/** Runs the cases on this processor. @throws Error with what gcc or the recorder says. */
function record(cases: readonly Case[]): VectorOutput[] {
  const recorder = new Recorder(AREAS.map((area) => ({ ...area, bytes: initialMemory(area) })));
  try {
    const inputs = cases.map(({ input: { code, registers, memory, floats } }) =>
      ({ registers: Int32Array.of(...registers, ENTRY), first: 0, next: NO_NEXT, memory: [...memory, { address: ENTRY, bytes: code }], floats: floats === 0 ? undefined : stateOfSeed(floats) }));
    return recorder.record(inputs).map(({ stops: [stop], memory }, i) => ({ ...stop!, memory, floats: changesOf(inputs[i]!.floats, stop!.floats) }));
  } finally {
    recorder.close();
  }
}

/**
 * PUSHA, POPA and ENTER may have done a part when they fault, far transfers choose which end of the stack they look at first, and x87 and SSE
 * state is loaded and stored, and bytes chosen by a mask are written, in any order: not architectural, so not recorded. Strings are, but
 * for CMPS where both operands are in the page that is missing.
 */
function isArchitectural({ form, input, output }: Case & { readonly output: VectorOutput }): boolean {
  if (output.exception !== PAGE_FAULT) return true;
  if (/fldenv|fnstenv|frstor|fnsave|FXSAVE|FXRSTOR|MASKMOV/.test(form)) return false;
  if (/CMPS [XY]/.test(form) && [ESI, EDI].every((index) => ((output.registers[index]! ^ output.cr2) & 0xf000) === 0)) return false;
  if ( /MOVS [XY]|CMPS [XY]|STOS|LODS|SCAS/.test(form)) return true;
  if (/CALLF|RETF|IRET/.test(form)) return false;
  const partial = output.memory.length > 0 || output.floats.length > 0 || input.registers.some((value, i) => i < EFLAGS_INDEX && value !== output.registers[i]);
  return !partial;
}

function processorName(): string {
  return /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
}

function leftOpen({ form, input: { floats } }: Case, output: VectorOutput): number {
  if (floats === 0) return 0;
  const before = stateOfSeed(floats), after = before.slice();
  for (const [word, value] of output.floats) after[word] = value;
  return undefinedFlagsAfter(form.split(' ')[1]!, before, after);
}

/** Records cases and writes them. */
function write(file: string, seed: number, floats: boolean, cases: readonly Case[]): void {
  const outputs = record(cases);
  const recorded = cases.map((made, i) => ({ ...made, undefinedFlags: made.undefinedFlags | leftOpen(made, outputs[i]!), output: outputs[i]! })).filter(isArchitectural);
  const forms = [...new Set(recorded.map(({ form }) => form))];
  const vectors = recorded.map(({ form, ...rest }): Vector => ({ form: forms.indexOf(form), ...rest }));
  const bytes = encodeCorpus({ processor: processorName(), seed, count: vectors.length, floats, forms }, vectors);
  writeFileSync(file, bytes);
  console.log(`${file}: ${vectors.length} vectors of ${forms.length} forms, ${bytes.length} bytes`);
}

function main(): number {
  const { values } = parseArgs({ options: { seed: { type: 'string', default: '86' }, output: { type: 'string', default: FOLDER } } });
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.error('vectors are recorded on Linux on an x86-64 processor only');
    return 2;
  }
  const seed = Number(values.seed);
  const rows = ROWS.filter((row) => !isExcluded(row));
  const integers = new Random(seed), floats = new Random(seed), seeds = new Seeds();
  const isX87 = ({ mnemonic }: Row): boolean => mnemonic === 'WAIT' || mnemonic.startsWith('ESC');
  try {
    write(join(values.output, 'integer.bin.gz'), seed, false, [
      ...rows.filter((row) => !isFloatRow(row)).flatMap((row) => [...casesOf(row, integers)]),
      ...fixedCases(UNDEFINED_FORM, UNDEFINED_ENCODINGS), ...fixedCases(LENGTH_FORM, LENGTH_ENCODINGS),
    ]);
    write(join(values.output, 'x87.bin.gz'), seed, true, rows.filter(isX87).flatMap((row) => [...x87Cases(row, floats, seeds)]));
    seeds.restart();
    write(join(values.output, 'simd.bin.gz'), seed, true, rows.filter((row) => isFloatRow(row) && !isX87(row)).flatMap((row) => [...simdCases(row, floats, seeds)]));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

process.exitCode = main();
