import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadMoo, parseMoo } from './moo.ts';

const u16 = (value: number): number[] => [value & 0xFF, value >> 8];
const u32 = (value: number): number[] => [...u16(value & 0xFFFF), ...u16(value >>> 16)];
const text = (value: string): number[] => [...value].map((letter) => letter.charCodeAt(0));
const chunk = (name: string, ...data: number[]): number[] => [...text(name), ...u32(data.length), ...data];
const counted = (data: number[]): number[] => [...u32(data.length), ...data];
const ram = (...cells: [number, number][]): number[] => chunk('RAM ', ...u32(cells.length), ...cells.flatMap(([at, value]) => [...u32(at), value]));

const header = (cpu: string, count: number): number[] => chunk('MOO ', 1, 1, 0, 0, ...u32(count), ...text(cpu));

const TEST_286 = chunk('TEST', ...u32(7),
  ...chunk('GMET', 1, 2, 3),
  ...chunk('NAME', ...counted(text('inc ax'))),
  ...chunk('BYTS', ...counted([0x40, 0xF4])),
  ...chunk('INIT',
    ...chunk('REGS', ...u16(0x3FFF), ...Array.from({ length: 14 }, (_, i) => u16(0x100 + i)).flat()),
    ...ram([0xFFFF0, 0x40], [0xFFFF1, 0xF4]),
    ...chunk('QUEU', ...u32(0))),
  ...chunk('FINA', ...chunk('REGS', ...u16(0x3001), ...u16(0x101), ...u16(0x10E), ...u16(0x8002)), ...ram()),
  ...chunk('EXCP', 13, ...u32(0x12345)),
  ...chunk('HASH', ...new Array<number>(20).fill(0xAB)));

const TEST_386 = chunk('TEST', ...u32(0),
  ...chunk('NAME', ...counted(text('bsf eax,eax'))),
  ...chunk('BYTS', ...counted([0x66, 0x0F, 0xBC, 0xC0, 0xF4])),
  ...chunk('INIT', ...chunk('RG32', ...u32(0xFFFFF), ...Array.from({ length: 20 }, (_, i) => u32(0x80000000 + i)).flat()), ...ram()),
  ...chunk('FINA', ...chunk('RG32', ...u32(1 << 2 | 1 << 17), ...u32(5), ...u32(0xFFFC0002)), ...chunk('RM32', ...u32(1 << 17), ...u32(0x40)), ...ram()));

describe('MOO files', () => {
  test('80286: REGS', () => {
    const { cpu, tests, masks } = parseMoo(Uint8Array.from([...header('C286', 1), ...TEST_286]));
    expect(cpu).toBe('C286');
    expect(masks).toEqual({});
    expect(tests).toHaveLength(1);
    expect(tests[0]).toMatchObject({
      index: 7, name: 'inc ax', exception: { vector: 13, flagsAddress: 0x12345 }, hash: 'ab'.repeat(20),
      final: { registers: { ax: 0x101, ip: 0x10E, flags: 0x8002 }, ram: [] },
    });
    expect([...tests[0].bytes]).toEqual([0x40, 0xF4]);
    expect(tests[0].initial.registers).toEqual({
      ax: 0x100, bx: 0x101, cx: 0x102, dx: 0x103, cs: 0x104, ss: 0x105, ds: 0x106, es: 0x107, sp: 0x108, bp: 0x109, si: 0x10A, di: 0x10B,
      ip: 0x10C, flags: 0x10D,
    });
    expect(tests[0].initial.ram).toEqual([[0xFFFF0, 0x40], [0xFFFF1, 0xF4]]);
  });

  test('80386: RG32 and masks', () => {
    const fileMasks = chunk('RM32', ...u32(1 << 17), ...u32(0xFFFFF7FF));
    const { cpu, tests, masks } = parseMoo(Uint8Array.from([...header('386E', 1), ...fileMasks, ...TEST_386]));
    expect(cpu).toBe('386E');
    expect(masks).toEqual({ eflags: 0xFFFFF7FF });
    const [{ initial, final, exception }] = tests;
    expect(initial.registers).toMatchObject({ cr0: 0x80000000, cr3: 0x80000001, eax: 0x80000002, ss: 0x8000000F, eip: 0x80000010, dr7: 0x80000013 });
    expect(final).toEqual({ registers: { eax: 5, eflags: 0xFFFC0002 }, masks: { eflags: 0x40 }, ram: [] });
    expect(exception).toBeUndefined();
  });

  test('damaged files are refused', () => {
    const file = Uint8Array.from([...header('C286', 1), ...TEST_286]);
    expect(() => parseMoo(file.subarray(0, file.length - 3))).toThrow(/MOO: a chunk ends too early/);
    expect(() => parseMoo(new Uint8Array())).toThrow('MOO: no header');
  });

  test('gzip by name', () => {
    const folder = mkdtempSync(join(tmpdir(), 'moo-'));
    try {
      const path = join(folder, '40.MOO.gz');
      writeFileSync(path, gzipSync(Uint8Array.from([...header('C286', 1), ...TEST_286])));
      expect(loadMoo(path).tests[0].name).toBe('inc ax');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
