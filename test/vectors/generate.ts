/**
 * `node build.mjs --run test/vectors/generate.ts [--seed=N] [--output=FILE]`: makes instructions from the rows of the opcode tables,
 * runs them on the processor of this machine (recorder.ts) and writes test/vectors/integer.bin.gz or FILE.
 * Linux on x86-64 only.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Row } from '../../src/cpu/decode/insn.ts';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { Draft } from './draft.ts';
import type { Variant } from './draft.ts';
import { encodeCorpus } from './format.ts';
import type { Vector, VectorInput, VectorOutput } from './format.ts';
import { LENGTH_ENCODINGS, LENGTH_FORM, UNDEFINED_ENCODINGS, UNDEFINED_FORM, formOf } from './forms.ts';
import { AREAS, DEFAULT_REGISTERS, EFLAGS_INDEX, ENTRY, initialMemory } from './layout.ts';
import { Random } from './random.ts';
import { Recorder } from './recorder.ts';
import { SCENARIOS, isExcluded } from './scenarios.ts';
import { UNDEFINED_FLAGS } from './undefined-flags.ts';

const FOLDER = import.meta.dirname;
const OUTPUT = join(FOLDER, 'integer.bin.gz');
const PAGE_FAULT = 14;
/** Vectors of a variant of a row, before its scenario's weight. */
const REGISTER_VECTORS = 8, MEMORY_VECTORS = 12, PLAIN_VECTORS = 8, VECTORS_OF_EIGHT_REGISTERS = 3;
/** Rows that depend on the operand size though no operand says so. */
const SIZED = new Set(['CALLF', 'CBW', 'CWD', 'ENTER', 'IRET', 'JMPF', 'LEAVE', 'POPA', 'POPF', 'PUSHA', 'PUSHF', 'RET', 'RETF']);
/** LOCK before MOV CR is an extension of AMD's. */
const NEVER_LOCKED = /^[RCD]d$/;

interface Case {
  readonly form: string;
  readonly undefinedFlags: number;
  readonly input: VectorInput;
}

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

function makeCase(variant: Variant, random: Random): Case | undefined {
  const { row, memory } = variant;
  const { reserved = 0, stack, prepare } = SCENARIOS[row.mnemonic] ?? {};
  const draft = new Draft(variant, random, reserved, stack);
  draft.undefinedFlags = UNDEFINED_FLAGS[row.mnemonic] ?? 0;
  if (memory || dependsOnAddressSize(row)) draft.override = random.chance(0.12);
  if (!row.operands.some((operand) => NEVER_LOCKED.test(operand))) draft.lock = random.chance(row.lock && memory ? 0.12 : 0.01);
  draft.operands.forEach((operand, i) => {
    if (operand.kind !== 'other') draft.setOperand(i, random.operand(operand.size));
  });
  if (prepare?.(draft) === false) return undefined;
  const code = draft.encode();
  return { form: formOf(row), undefinedFlags: draft.undefinedFlags, input: { code, registers: draft.registers, memory: draft.memory } };
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
  encodings.map((bytes) => ({ form, undefinedFlags: 0, input: { code: Uint8Array.from(bytes), registers: Int32Array.from(DEFAULT_REGISTERS), memory: [] } }));

const NO_NEXT = new Int32Array();

/** Runs the cases on this processor. @throws Error with what gcc or the recorder says. */
function record(cases: readonly Case[]): VectorOutput[] {
  const recorder = new Recorder(AREAS.map((area) => ({ ...area, bytes: initialMemory(area) })));
  try {
    const inputs = cases.map(({ input: { code, registers, memory } }) =>
      ({ registers: Int32Array.of(...registers, ENTRY), first: 0, next: NO_NEXT, memory: [...memory, { address: ENTRY, bytes: code }] }));
    return recorder.record(inputs).map(({ stops: [stop], memory }) => ({ ...stop!, memory }));
  } finally {
    recorder.close();
  }
}

/**
 * PUSHA, POPA and ENTER may have done a part when they fault, and far transfers choose which end of the stack they look at first: not
 * architectural, so not recorded. Strings are.
 */
function isArchitectural({ form, input, output }: Case & { readonly output: VectorOutput }): boolean {
  if (output.exception !== PAGE_FAULT || /MOVS|CMPS|STOS|LODS|SCAS/.test(form)) return true;
  if (/CALLF|RETF|IRET/.test(form)) return false;
  const partial = output.memory.length > 0 || input.registers.some((value, i) => i < EFLAGS_INDEX && value !== output.registers[i]);
  return !partial;
}

function processorName(): string {
  return /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
}

function main(): number {
  const { values } = parseArgs({ options: { seed: { type: 'string', default: '86' }, output: { type: 'string', default: OUTPUT } } });
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.error('vectors are recorded on Linux on an x86-64 processor only');
    return 2;
  }
  const seed = Number(values.seed);
  const random = new Random(seed);
  const rows = ROWS.filter((row) => !isExcluded(row));
  const cases = [
    ...rows.flatMap((row) => [...casesOf(row, random)]),
    ...fixedCases(UNDEFINED_FORM, UNDEFINED_ENCODINGS), ...fixedCases(LENGTH_FORM, LENGTH_ENCODINGS),
  ];
  try {
    const outputs = record(cases);
    const recorded = cases.map((made, i) => ({ ...made, output: outputs[i] })).filter(isArchitectural);
    const forms = [...new Set(recorded.map(({ form }) => form))];
    const vectors = recorded.map(({ form, undefinedFlags, input, output }): Vector => ({ form: forms.indexOf(form), undefinedFlags, input, output }));
    const file = encodeCorpus({ processor: processorName(), seed, count: vectors.length, forms }, vectors);
    writeFileSync(values.output, file);
    console.log(`${vectors.length} vectors of ${rows.length} rows, ${file.length} bytes`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

process.exitCode = main();
