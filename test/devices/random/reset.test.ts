/** A reset, whatever a guest has done before: every device and the maps are as after power on, and nothing that was under way goes on. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Random } from '../../vectors/random.ts';
import { access, targetsOf } from './accesses.ts';
import { RAM_SIZE, fullBoard } from './board.ts';
import type { FullBoard } from './board.ts';

/** What a battery keeps, and what shows at which time a reset was. */
const KEPT = new Map([
  ['mc146818', ['ram', 'nextUpdate', 'periodsTo']], ['i8254', ['start']], ['i8042', ['arrival']], ['piix4-pm', ['halves']],
]);

/** A number, or an array as a short word: some hold megabytes. */
const short = (value: number | ArrayBufferView): string => (typeof value === 'number' ? `${value}` : createHash('sha1').update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)).digest('hex'));
const statesOf = ({ pc }: FullBoard): string[] => pc.devices.flatMap(({ name, state }) =>
  Object.entries(state.fields).filter(([field]) => KEPT.get(name)?.includes(field) !== true).map(([field, value]) => `${name} ${field} ${short(value)}`));
/** Without the serial ports: what the other end has sent and the port has had no room for comes after a reset, too. */
const settled = (board: FullBoard): string[] => statesOf(board).filter((line) => !line.startsWith('com'));
const memoryOf = ({ pc }: FullBoard): string => pc.space.ranges.map(({ start, readMa, writeMa, readIo, writeIo }) => [start, readMa, writeMa, readIo?.name, writeIo?.name].join(' ')).join('\n');
const portsOf = ({ pc }: FullBoard): string => pc.io.mappings().map(({ base, length, region }) => [base, length, region.name].join(' ')).sort().join('\n');

describe('a reset', () => {
  const fresh = fullBoard();
  fresh.pc.reset();
  const states = statesOf(fresh), memory = memoryOf(fresh), ports = portsOf(fresh);
  fresh.advance(2e9);
  const later = settled(fresh);

  it.each([1, 2, 3, 4])('ends all that came before (%i)', (seed) => {
    const board = fullBoard(), random = new Random(seed), targets = targetsOf(board);
    for (let i = 0; i < 10_000; i++) access(board, random, random.pick(targets), targets);
    board.pc.reset();
    expect(statesOf(board)).toEqual(states);
    expect(memoryOf(board)).toBe(memory);
    expect(portsOf(board)).toBe(ports);
    const ram = Buffer.from(board.pc.space.memory.bytes.subarray(0, RAM_SIZE));
    board.advance(2e9);
    expect(ram.equals(board.pc.space.memory.bytes.subarray(0, RAM_SIZE))).toBe(true);
    expect(settled(board)).toEqual(later);
  });
});
