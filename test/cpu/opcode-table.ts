/** docs/opcodes.md: each row of the opcode tables with its emitter, its tests and the first processor model that has it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../../src/cpu/decode/insn.ts';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { MODEL_NAMES, parseCpuModel } from '../../src/cpu/models.ts';
import { familyOf } from '../../src/cpu/translate/emitters.ts';
import { decodeCorpus } from '../vectors/format.ts';
import { formOf } from '../vectors/forms.ts';
import { x87Forms } from '../vectors/x87-forms.ts';

const TESTS = join(import.meta.dirname, '../cpu'), VECTORS = join(import.meta.dirname, '../vectors');
const CORPORA = ['integer', 'x87', 'simd'];
/** What ends a case if nothing else does. */
const BREAKPOINT = 3;

const MODELS = MODEL_NAMES.map((name) => ({ name, features: parseCpuModel(name).features }));
const firstModel = (feature: string): string => MODELS.find(({ features }) => feature === '' || features.has(feature))!.name;

interface Recorded {
  cases: number;
  /** One that was no exception. */
  completed: boolean;
}
const NONE: Recorded = { cases: 0, completed: false };

/** By form. */
function recordings(): Map<string, Recorded> {
  const all = new Map<string, Recorded>();
  for (const corpus of CORPORA) {
    const { header, vectors } = decodeCorpus(readFileSync(join(VECTORS, `${corpus}.bin.gz`)));
    for (const { form, output: { exception } } of vectors) {
      const { cases, completed } = all.get(header.forms[form]!) ?? NONE;
      all.set(header.forms[form]!, { cases: cases + 1, completed: completed || exception === BREAKPOINT });
    }
  }
  return all;
}

/** What user mode does not show is tested by files in test/cpu. */
const TESTED_IN: Readonly<Record<string, readonly string[]>> = {
  'helpers/string': ['INS', 'OUTS'], 'helpers/interrupt': ['INT1'],
  'translate/system': [
    'CLAC', 'CLI', 'CLTS', 'CPUID', 'HLT', 'IN', 'INVD', 'INVLPG', 'LGDT', 'LIDT', 'LLDT', 'LMSW', 'LTR', 'MOV CR', 'MOV DR', 'OUT', 'RDMSR', 'RDPMC', 'RDRAND', 'RDSEED', 'RDTSC', 'RDTSCP', 'SGDT', 'SIDT', 'SLDT',
    'SMSW', 'STAC', 'STI', 'STR', 'SYSENTER', 'SYSEXIT', 'UD2', 'WBINVD', 'WRMSR',
  ],
};

/** @throws Error if the file does not name the instruction any more */
function testOf({ mnemonic, operands }: Row): string {
  const name = operands.includes('Cd') ? 'MOV CR' : operands.includes('Dd') ? 'MOV DR' : mnemonic;
  const [file] = Object.entries(TESTED_IN).find(([, names]) => names.includes(name)) ?? [];
  if (file === undefined) return '';
  if (!readFileSync(join(TESTS, `${file}.test.ts`), 'utf8').includes(name)) throw new Error(`${file}.test.ts does not name ${name}`);
  return file;
}

interface Line {
  readonly map: number;
  readonly prefix: string;
  readonly opcode: number;
  readonly last: number;
  readonly rest: readonly string[];
  cases: number;
}

const FEATURES_OF_X87: readonly (readonly [name: RegExp, feature: string])[] = [[/fcmov|fu?compi|fu?comi/, 'cmov'], [/fisttp/, 'sse3']];

/** One instruction: what comes behind its opcode, and its cases. */
function linesOf(row: Row, all: ReadonlyMap<string, Recorded>): Line[] {
  const { map, prefix, opcode, group, modrm, mnemonic, operands, feature } = row;
  const family = familyOf(row);
  if (!mnemonic.startsWith('ESC')) {
    const which = modrm >= 0 ? ` ${modrm.toString(16).toUpperCase()}` : group >= 0 ? ` /${group}` : '';
    const { cases, completed } = all.get(formOf(row)) ?? NONE;
    return [{ map, prefix, opcode, last: opcode, rest: [which, [mnemonic, operands.join(',')].join(' ').trim(), family, completed ? '' : testOf(row), firstModel(feature)], cases }];
  }
  // One line for each name: `D8 /0 fadds m`, `D8 /0 fadd %st(i)`, `D9 FA fsqrt`.
  const forms = x87Forms(row), names = [...new Set(forms.map(({ form }) => form))];
  return names.map((form) => {
    const same = forms.filter((each) => each.form === form), [{ row: { group: reg, modrm: byte }, name, memory }] = same as [(typeof forms)[0]];
    const which = memory || same.length > 1 ? ` /${reg}` : ` ${byte.toString(16).toUpperCase()}`;
    const needs = FEATURES_OF_X87.find(([pattern]) => pattern.test(name))?.[1] ?? feature;
    return { map, prefix, opcode, last: opcode, rest: [which, form.slice(3), family, '', firstModel(needs)], cases: (all.get(form) ?? NONE).cases };
  });
}

/** Rows that differ in the opcode only are one. */
function merged(lines: readonly Line[]): Line[] {
  const result: Line[] = [];
  for (const line of lines) {
    const before = result.at(-1);
    if (before !== undefined && before.map === line.map && before.prefix === line.prefix && before.last + 1 === line.opcode && before.rest.join() === line.rest.join()) {
      result[result.length - 1] = { ...before, last: line.last, cases: before.cases + line.cases };
    } else result.push(line);
  }
  return result;
}

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

/** The document. @throws Error if a row has neither a recorded case nor a test that names it */
export function opcodeTable(): string {
  const all = recordings();
  const lines = merged(ROWS.flatMap((row) => linesOf(row, all)));
  const text = lines.map(({ map, prefix, opcode, last, rest: [which, instruction, family, tests, model], cases }) => {
    if (cases === 0 && tests === '') throw new Error(`${instruction} has no test`);
    const bytes = `${prefix === '' ? '' : `${prefix}.`}${map === 1 ? '0F ' : ''}${hex(opcode)}${last === opcode ? '' : `-${hex(last)}`}${which}`;
    return `| ${bytes} | ${instruction} | ${family} | ${[...(cases > 0 ? [`${cases} cases`] : []), ...(tests === '' ? [] : [tests])].join('; ')} | ${model} |`;
  });
  return [
    '# Instructions', '',
    'Each row of the opcode tables (notation: `src/cpu/decode/rows.ts`; x87 in AT&T names), made by `TCG86_UPDATE=1 npx vitest run test/cpu/opcode-table.test.ts`.',
    'Emitter: a file in `src/cpu/translate`. Tests: recorded cases in `test/vectors`, and where user mode does not show all of the instruction a test file in',
    '`test/cpu`; the fuzzer runs all of them. Model: the first of `-cpu` that has it.', '',
    '| opcode | instruction | emitter | tests | model |', '|---|---|---|---|---|', ...text, '',
  ].join('\n');
}
