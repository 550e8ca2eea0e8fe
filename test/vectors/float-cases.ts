/** Cases of x87, MMX and SSE: instructions, operands in memory, and the seed of a state. */
import type { Row } from '../../src/cpu/decode/insn.ts';
import { Draft } from './draft.ts';
import type { Variant } from './draft.ts';
import { isDefined, prepareOperand } from './float-scenarios.ts';
import { stateOfSeed } from './float-values.ts';
import type { Case } from './case.ts';
import { formOf } from './forms.ts';
import type { Random } from './random.ts';
import { SCENARIOS } from './scenarios.ts';
import { TRANSCENDENTAL, piecesOf, undefinedStatus } from './undefined-floats.ts';
import { x87Forms } from './x87-forms.ts';

/** Cases of a form, and of a transcendental instruction as many times more. */
const REGISTER_CASES = 150, MEMORY_CASES = 190, X87_REGISTER_CASES = 130, X87_MEMORY_CASES = 500, PLAIN_CASES = 60, WEIGHT_OF_TRANSCENDENTALS = 10;
/** Environments, whose size depends on the operand size. */
const SIZED = ['fldenv', 'fnstenv', 'frstor', 'fnsave'];

/** Seeds of states: each case has the next that is good for it. */
export class Seeds {
  private last = 0;

  /** For the next file. */
  restart(): void {
    this.last = 0;
  }

  next(isGood: (state: Int32Array) => boolean): number {
    do this.last++; while (!isGood(stateOfSeed(this.last)));
    return this.last;
  }
}

interface Form {
  readonly variant: Variant;
  readonly form: string;
  readonly name: string;
}

function makeCase({ variant, form, name }: Form, random: Random, seeds: Seeds): Case {
  const draft = new Draft(variant, random, SCENARIOS[name]?.reserved ?? 0);
  if (variant.memory) draft.override = random.chance(0.12);
  draft.lock = random.chance(0.01);
  draft.operands.forEach((operand, i) => {
    if (operand.kind !== 'other') draft.setOperand(i, random.operand(operand.size));
  });
  prepareOperand(draft, name);
  const area = draft.operands.find(({ kind }) => kind === 'vector');
  return {
    form, undefinedFlags: 0, undefinedStatus: undefinedStatus(name), undefinedMemory: area?.kind === 'vector' ? piecesOf(name, variant.opSize === 4, area.address) : [],
    input: { code: draft.encode(), registers: draft.registers, memory: draft.memory, floats: seeds.next((state) => isDefined(name, state)) },
  };
}

function* repeat(form: Form, count: number, random: Random, seeds: Seeds): Generator<Case> {
  for (let i = 0; i < count; i++) yield makeCase({ ...form, variant: { ...form.variant, addrSize: form.variant.memory && random.chance(0.25) ? 2 : 4 } }, random, seeds);
}

export function* x87Cases(row: Row, random: Random, seeds: Seeds): Generator<Case> {
  if (row.mnemonic === 'WAIT') yield* repeat({ variant: { row, opSize: 4, addrSize: 4, memory: false }, form: formOf(row), name: 'fwait' }, 2 * PLAIN_CASES, random, seeds);
  else {
    for (const { row: one, form, name, memory, size } of x87Forms(row)) {
      for (const opSize of SIZED.includes(name) ? [4, 2] : [4]) {
        const count = memory ? X87_MEMORY_CASES : X87_REGISTER_CASES * (TRANSCENDENTAL.includes(name) ? WEIGHT_OF_TRANSCENDENTALS : 1);
        yield* repeat({ variant: { row: one, opSize, addrSize: 4, memory, ...(memory && { size: size(opSize === 4) }) }, form, name }, count, random, seeds);
      }
    }
  }
}

export function* simdCases(row: Row, random: Random, seeds: Seeds): Generator<Case> {
  const name = row.mnemonic, form = formOf(row), variant = { row, opSize: 4, addrSize: 4 };
  const indirect = row.operands.find((operand) => /^[EMQWNU]|^Rv/.test(operand));
  if (indirect === undefined || indirect === 'Rv') yield* repeat({ variant: { ...variant, memory: false }, form, name }, PLAIN_CASES, random, seeds);
  else {
    if (!indirect.startsWith('M')) yield* repeat({ variant: { ...variant, memory: false }, form, name }, REGISTER_CASES, random, seeds);
    if (!/^[NU]/.test(indirect)) yield* repeat({ variant: { ...variant, memory: true }, form, name }, indirect === 'M' ? PLAIN_CASES * 2 : MEMORY_CASES, random, seeds);
  }
}
