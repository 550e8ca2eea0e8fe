import { describe, expect, test } from 'vitest';
import { Decoder } from '../../../src/cpu/decode/decoder.ts';
import { DECODE_GP, DECODE_OK, DECODE_UD } from '../../../src/cpu/decode/insn.ts';
import { ROWS, opcodeBytes } from '../../../src/cpu/decode/table.ts';
import { decode, hex, insn, sampleModrm } from './bytes.ts';

const ES = 0, CS = 1, SS = 2, DS = 3, FS = 4, GS = 5;

function decoded(text: string, mode32 = false): typeof insn {
  expect(decode(hex(text), mode32), text).toBe(DECODE_OK);
  return insn;
}

describe('prefixes', () => {
  test.each([['26', ES], ['2e', CS], ['36', SS], ['3e', DS], ['64', FS], ['65', GS]])('%s overrides the segment', (prefix, segment) => {
    expect(decoded(`${prefix} 8b 07`)).toMatchObject({ override: segment, seg: segment, length: 3 });
  });

  test('the last segment override and the last repeat prefix win', () => {
    expect(decoded('2e 26 64 8b 07')).toMatchObject({ override: FS, seg: FS });
    expect(decoded('f2 f3 a4').rep).toBe(0xF3);
    expect(decoded('f3 f2 a4').rep).toBe(0xF2);
  });

  test('66 and 67 select the other size, however often they come', () => {
    expect(decoded('66 66 b8 78 56 34 12')).toMatchObject({ opSize: 4, imm: 0x12345678, length: 7 });
    expect(decoded('66 b8 34 12', true)).toMatchObject({ opSize: 2, imm: 0x1234, length: 4 });
    expect(decoded('67 67 8b 00')).toMatchObject({ addrSize: 4, base: 0 });
    expect(decoded('67 8b 00', true)).toMatchObject({ addrSize: 2, base: 3, index: 6 });
  });

  test('any order, and nothing of them stays for the next instruction', () => {
    const [a, b] = ['67 f0 66 2e 01 03', '2e 66 67 f0 01 03'].map((text) => {
      const { opSize, addrSize, lock, override, length } = decoded(text);
      return { opSize, addrSize, lock, override, length };
    });
    expect(a).toEqual({ opSize: 4, addrSize: 4, lock: true, override: CS, length: 6 });
    expect(b).toEqual(a);
    expect(decoded('01 03')).toMatchObject({ opSize: 2, addrSize: 2, lock: false, override: -1, rep: 0, length: 2, seg: SS });
  });
});

describe('16-bit addressing', () => {
  test.each([
    ['00', 3, 6, DS], ['01', 3, 7, DS], ['02', 5, 6, SS], ['03', 5, 7, SS], ['04', 6, -1, DS], ['05', 7, -1, DS], ['07', 3, -1, DS],
  ])('8B %s', (modrm, base, index, seg) => {
    expect(decoded(`8b ${modrm}`)).toMatchObject({ base, index, seg, disp: 0, scale: 0, length: 2 });
  });

  test('displacements are sign-extended', () => {
    expect(decoded('8b 46 fe')).toMatchObject({ base: 5, index: -1, seg: SS, disp: -2, length: 3 });
    expect(decoded('8b 86 00 80')).toMatchObject({ base: 5, seg: SS, disp: -0x8000, length: 4 });
    expect(decoded('8b 06 34 92')).toMatchObject({ base: -1, index: -1, seg: DS, disp: 0x9234 - 0x10000, length: 4 });
  });

  test('offsets without ModRM', () => {
    expect(decoded('a0 34 12')).toMatchObject({ base: -1, index: -1, disp: 0x1234, seg: DS, modrm: -1, length: 3 });
    expect(decoded('67 65 a3 78 56 34 12')).toMatchObject({ disp: 0x12345678, seg: GS, length: 7 });
  });
});

describe('32-bit addressing', () => {
  test.each([
    ['8b 00', 0, -1, 0, 0, DS], ['8b 45 10', 5, -1, 0, 0x10, SS], ['8b 05 00 00 00 80', -1, -1, 0, -0x80000000, DS],
    ['8b 85 ff ff ff ff', 5, -1, 0, -1, SS], ['8b 44 24 04', 4, -1, 0, 4, SS], ['8b 04 24', 4, -1, 0, 0, SS],
    ['8b 04 b3', 3, 6, 2, 0, DS], ['8b 04 ed 10 00 00 00', -1, 5, 3, 0x10, DS], ['8b 44 ad 00', 5, 5, 2, 0, SS],
    ['8b 04 63', 3, -1, 0, 0, DS], ['8b 84 88 00 10 00 00', 0, 1, 2, 0x1000, DS],
  ])('%s', (text, base, index, scale, disp, seg) => {
    expect(decoded(text, true)).toMatchObject({ base, index, scale, disp, seg, length: hex(text).length });
  });
});

describe('immediates', () => {
  test('are zero-extended, sIb is sign-extended', () => {
    expect(decoded('04 ff').imm).toBe(0xFF);
    expect(decoded('05 ff ff').imm).toBe(0xFFFF);
    expect(decoded('05 ff ff ff ff', true).imm).toBe(-1);
    expect(decoded('83 c0 fe').imm).toBe(-2);
    expect(decoded('6a 80').imm).toBe(-0x80);
    expect(decoded('c1 e0 ff').imm).toBe(0xFF);
    expect(decoded('ca fe ff').imm).toBe(0xFFFE);
  });

  test('follow the displacement', () => {
    expect(decoded('c7 87 10 00 34 12')).toMatchObject({ disp: 0x10, imm: 0x1234, length: 6 });
    expect(decoded('69 40 05 78 56 34 12', true)).toMatchObject({ disp: 5, imm: 0x12345678, length: 7 });
  });

  test('relative jumps', () => {
    expect(decoded('eb fe')).toMatchObject({ imm: -2, length: 2 });
    expect(decoded('e8 fe ff')).toMatchObject({ imm: -2, length: 3 });
    expect(decoded('0f 84 00 00 00 80', true)).toMatchObject({ imm: -0x80000000, length: 6 });
  });

  test('two of them', () => {
    expect(decoded('c8 34 12 03')).toMatchObject({ imm: 0x1234, imm2: 3, length: 4 });
    expect(decoded('ea 5b e0 00 f0')).toMatchObject({ imm: 0xE05B, imm2: 0xF000, length: 5 });
    expect(decoded('9a 78 56 34 12 08 00', true)).toMatchObject({ imm: 0x12345678, imm2: 8, length: 7 });
  });
});

describe('undefined encodings', () => {
  test.each([
    ['8e c8', 'MOV to CS'], ['8e f0', 'MOV to segment register 6'], ['8c f8', 'MOV from segment register 7'], ['8d c0', 'LEA of a register'],
    ['c4 c0', 'LES of a register'], ['62 c0', 'BOUND of a register'], ['0f 01 d0', 'LGDT of a register'], ['ff d8', 'far CALL of a register'],
    ['ff e8', 'far JMP of a register'], ['0f 20 c8', 'CR1'], ['0f 22 e8', 'CR5'], ['0f 04', '0F 04'], ['0f b8 c0', 'POPCNT without F3'], ['0f c7 30', 'RDRAND to memory'], ['0f 05', 'SYSCALL'],
    ['0f 24 c0', 'MOV TR'], ['8f c8', 'POP /1'],
  ])('%s: %s', (text) => {
    expect(decode(hex(text))).toBe(DECODE_UD);
  });

  test('MOV CR takes a register whatever ModRM.mod says', () => {
    expect(decoded('0f 20 03')).toMatchObject({ mod: 3, reg: 0, rm: 3, length: 3 });
    expect(decoded('0f 22 9d', true)).toMatchObject({ mod: 3, reg: 3, rm: 5, length: 3 });
  });
});

describe('LOCK', () => {
  test('is legal for rows with the flag and a memory operand only', () => {
    for (const row of ROWS) {
      expect(decode([0xF0, ...opcodeBytes(row), sampleModrm(row)]), `lock ${row.mnemonic} memory`).toBe(row.lock ? DECODE_OK : DECODE_UD);
      expect(decode([0xF0, ...opcodeBytes(row), sampleModrm(row, true)]), `lock ${row.mnemonic} register`).toBe(DECODE_UD);
    }
  });
});

describe('length limit', () => {
  const nop = (prefixes: number): number[] => [...new Array<number>(prefixes).fill(0x66), 0x90];

  test('15 bytes are allowed, 16 are not', () => {
    expect(decode(nop(14))).toBe(DECODE_OK);
    expect(insn.length).toBe(15);
    expect(decode(nop(15))).toBe(DECODE_GP);
    expect(insn.length).toBe(15);
  });

  test('counts displacement and immediate', () => {
    const mov = hex('67 c7 84 88 44 33 22 11 02 01');
    expect(decode([...new Array<number>(5).fill(0x26), ...mov])).toBe(DECODE_OK);
    expect(decode([...new Array<number>(6).fill(0x26), ...mov])).toBe(DECODE_GP);
  });

  test('the 16th byte is not fetched', () => {
    const fetched: number[] = [];
    const decoder = new Decoder();
    expect(decoder.decode({ byte: (eip) => { fetched.push(eip); return 0xF3; } }, 0, false)).toBe(DECODE_GP);
    expect(fetched).toHaveLength(15);
  });
});

describe('fetching', () => {
  test('reads each byte once, in order, and no byte too many', () => {
    const fetched: number[] = [];
    const bytes = hex('66 67 81 84 88 01 02 03 04 05 06 07 08');
    const decoder = new Decoder();
    decoder.decode({ byte: (eip) => { fetched.push(eip); return bytes[eip - 0xFFFC]; } }, 0xFFFC, false);
    expect(fetched).toEqual(bytes.map((_, at) => 0xFFFC + at));
    expect(Array.from(decoder.insn.bytes.subarray(0, decoder.insn.length))).toEqual(bytes);
  });

  test('a fault of the fetch passes through, also where the instruction would be #UD', () => {
    const decoder = new Decoder();
    const fetch = { byte: (eip: number): number => { if (eip === 3) throw new Error('page fault'); return [0xF0, 0x81, 0xC0][eip]; } };
    expect(() => decoder.decode(fetch, 0, false)).toThrow('page fault');
  });
});
