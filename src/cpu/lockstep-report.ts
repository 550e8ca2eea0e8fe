/** What lockstep says when a region and the op interpreter differ. */
import type { TranslationBlock } from '../tcg/tb-cache.ts';
import { formatState } from './log.ts';
import type { Region } from './regions.ts';
import * as state from './state.ts';

/** Ends the machine; the message is the whole report. */
export class LockstepError extends Error {
  override readonly name = 'LockstepError';
}

interface Difference {
  readonly region: Region;
  readonly head: TranslationBlock;
  readonly retired: number;
  readonly different: readonly string[];
  /** States when the region was entered, after it, and after the interpreter. */
  readonly before: Int32Array;
  readonly after: Int32Array;
  readonly interpreter: Int32Array;
  /** Guest code, ops and JavaScript. */
  readonly code: string;
}

/** Slots that the state file names, and the first of those that are arrays. */
const NAMES = new Map<number, string>();
for (const [name, value] of Object.entries(state)) {
  if (typeof value === 'number' && value < state.TEMPS && /^(E[A-Z]{2}|EFLAGS|HFLAGS|DF|[A-Z0-9]+_(SEL|BASE|LIMIT|ATTR|RLO|RHI|WLO|WHI|MASK|VECTOR|ERROR)|CR\d|DR|HALTED|INTR|NMI_\w+|RESET_REQUEST|FPU|MSRS)$/.test(name)) {
    if (!NAMES.has(value)) NAMES.set(value, name);
  }
}

/** `EAX`, `SEG_BASE+2`. */
export function nameOfSlot(slot: number): string {
  let first = slot;
  while (first > 0 && !NAMES.has(first)) first--;
  return `${NAMES.get(first) ?? 'slot'}${first === slot ? '' : `+${slot - first}`}`;
}

export function report({ region, head, retired, different, before, after, interpreter, code }: Difference): string {
  const name = `tb_${(head.pc >>> 0).toString(16).padStart(8, '0')}`;
  return [
    `lockstep: ${name} (region ${region.number}) differs from the op interpreter after ${retired} instructions:`,
    ...different.map((line) => `    ${line}`),
    '', 'State before:', formatState(before), 'State after the region:', formatState(after), 'State after the interpreter:', formatState(interpreter),
    code,
  ].join('\n');
}
