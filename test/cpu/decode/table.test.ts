import { describe, expect, test } from 'vitest';
import { OPCODE_FORM, OPCODE_MODRM, ROW_AT, ROW_EXACT, ROWS } from '../../../src/cpu/decode/table.ts';

const mnemonics = (map: number): Set<string> => new Set(ROWS.filter((row) => row.map === map).map((row) => row.mnemonic));

describe('opcode tables', () => {
  test('rows per map', () => {
    const count = (map: number): number => ROWS.filter((row) => row.map === map).length;
    expect({ oneByte: count(0), twoByte: count(1) }).toEqual({ oneByte: 335, twoByte: 410 });
  });

  test('mnemonics per map', () => {
    expect({ oneByte: mnemonics(0).size, twoByte: mnemonics(1).size }).toEqual({ oneByte: 94, twoByte: 244 });
  });

  test('indexes are dense and the lookup leads back to each row', () => {
    const reachable = new Set([...ROW_AT, ...ROW_EXACT]);
    ROWS.forEach((row, index) => {
      expect(row.index).toBe(index);
      expect(reachable).toContain(index);
    });
  });

  test('a group shares one opcode form, with ModRM', () => {
    for (const row of ROWS) {
      if (row.group >= 0) expect(OPCODE_FORM[row.map << 8 | row.opcode], row.mnemonic).toBe(OPCODE_MODRM);
    }
  });

  test('LOCK is allowed on the instructions that the manual lists (LOCK, vol. 2A)', () => {
    const lockable = new Set(ROWS.filter((row) => row.lock).map((row) => row.mnemonic));
    expect([...lockable].sort()).toEqual([
      'ADC', 'ADD', 'AND', 'BTC', 'BTR', 'BTS', 'CMPXCHG', 'CMPXCHG8B', 'DEC', 'INC', 'NEG', 'NOT', 'OR', 'SBB', 'SUB', 'XADD', 'XCHG', 'XOR',
    ]);
    for (const row of ROWS) if (row.lock) expect(row.operands[0][0], row.mnemonic).toMatch(/[EM]/);
  });

  test('every row with a memory destination of a lockable instruction has the flag', () => {
    const lockable = new Set(ROWS.filter((row) => row.lock).map((row) => row.mnemonic));
    for (const row of ROWS) {
      if (lockable.has(row.mnemonic) && row.operands[0][0] === 'E') expect(row.lock, `${row.mnemonic} ${row.operands}`).toBe(true);
    }
  });
});
