/** What is printed when both sides differ. */
import { formatState } from '../../src/cpu/log.ts';
import type { SymbolTable } from '../../src/machine/symbols.ts';
import { FLAG_BITS } from './registers.ts';
import type { Difference } from './registers.ts';
import type { Found, Pair, Ran } from './pair.ts';

/** Bytes in memory that are shown. */
const SHOWN = 16;

const hex = (words: readonly number[]): string => [...words].reverse().map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');

const line = ({ linear, text }: Ran, symbols: SymbolTable): string => {
  const name = symbols.nameOf(linear >>> 0);
  return text.split('\n').map((part, i) => `    ${part}${i === 0 && name !== '' ? `    ; ${name}` : ''}`).join('\n');
};

function registerLine({ register: { name }, ours, theirs }: Difference): string {
  const flags = name === 'eflags' ? ` (${Object.entries(FLAG_BITS).filter(([, bit]) => ((ours[0]! ^ theirs[0]!) & bit) !== 0).map(([flag]) => flag).join(' ')})` : '';
  return `    ${name.padEnd(8)} tcg86 ${hex(ours)}  QEMU ${hex(theirs)}${flags}`;
}

/** @param theirs QEMU's `info registers` */
export function report(pair: Pair, { at, registers, stores }: Found, theirs: string, symbols: SymbolTable): string {
  return [
    `different after ${pair.steps} instructions, at`, line(at, symbols), '', 'What differs:',
    ...registers.map(registerLine),
    ...stores.slice(0, SHOWN).map(({ address, ours, theirs: other }) => `    memory ${(address >>> 0).toString(16).padStart(8, '0')}: tcg86 ${ours.toString(16).padStart(2, '0')}  QEMU ${other.toString(16).padStart(2, '0')}`),
    ...(stores.length > SHOWN ? [`    and ${stores.length - SHOWN} more bytes`] : []),
    '', `The last ${pair.last.length} instructions:`, ...pair.last.map((ran) => line(ran, symbols)),
    '', 'tcg86 before it:', formatState(pair.guest.before), 'tcg86 after it:', formatState(pair.guest.cpu.R), 'QEMU after it:', theirs.trim(), '',
  ].join('\n');
}
