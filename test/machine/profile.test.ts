/** `--profile` and `--symbols`: the counts add up to what retired, and addresses get their names. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SymbolTable, parseSymbols } from '../../src/machine/symbols.ts';
import { scratchFolder } from '../boot/images.ts';
import { protectedGuest } from '../cpu/guest/guest.ts';
import { PROGRAMS } from '../cpu/guest/programs.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** An ELF32 file with a symbol table of these functions. */
function elf(symbols: readonly { name: string; address: number; type?: number; section?: number }[]): Uint8Array {
  const names = `\0${symbols.map(({ name }) => `${name}\0`).join('')}`;
  const table = 52, strings = table + 16 * symbols.length, sections = strings + names.length;
  const file = new Uint8Array(sections + 3 * 40), view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint32(32, sections, true);
  view.setUint16(48, 3, true);
  file.set(bytes(names), strings);
  let name = 1;
  symbols.forEach((symbol, index) => {
    const at = table + 16 * index;
    view.setUint32(at, name, true);
    view.setUint32(at + 4, symbol.address, true);
    view.setUint8(at + 12, symbol.type ?? 2);
    view.setUint16(at + 14, symbol.section ?? 1, true);
    name += symbol.name.length + 1;
  });
  const section = (index: number, type: number, offset: number, size: number, link: number): void =>
    [0, type, 0, 0, offset, size, link].forEach((word, i) => view.setUint32(sections + index * 40 + i * 4, word, true));
  section(1, 2, table, 16 * symbols.length, 2);
  section(2, 3, strings, names.length, 0);
  return file;
}

describe('symbols', () => {
  it('come from a System.map', () => {
    const table = new SymbolTable();
    table.add(parseSymbols(bytes('c0100000 T _stext\nc0100040 t idle\n         \nffffffffc0200000 D data\n')));
    expect(['c00fffff', 'c0100000', 'c0100041', 'c0200004', 'd0000000'].map((at) => table.nameOf(parseInt(at, 16)))).toEqual(['', '_stext', 'idle+0x1', 'data+0x4', '']);
  });

  it('come from an ELF file, without sections, files and what is undefined', () => {
    const file = elf([{ name: 'main', address: 0x1000 }, { name: 'text', address: 0x1001, type: 3 }, { name: 'printf', address: 0x1002, section: 0 }, { name: 'label', address: 0x1010, type: 0 }]);
    expect(parseSymbols(file)).toEqual([{ address: 0x1000, name: 'main' }, { address: 0x1010, name: 'label' }]);
  });

  it('of several files come together, moved to where they were loaded', () => {
    const table = new SymbolTable();
    table.add(parseSymbols(bytes('00000000 T start\n')), 0x400000);
    table.add(parseSymbols(bytes('00400010 T next\n')));
    expect([0x400008, 0x400018].map((at) => table.nameOf(at))).toEqual(['start+0x8', 'next+0x8']);
  });

  it('are refused in a line', () => {
    expect(() => parseSymbols(bytes('hello\n'))).toThrow("line 1 is not 'address type name', and it is no ELF file");
    expect(() => parseSymbols(bytes('\n'))).toThrow('no symbols in it');
    const file = elf([{ name: 'main', address: 1 }]);
    expect(() => parseSymbols(file.subarray(0, 80))).toThrow('a damaged ELF file');
    expect(() => parseSymbols(file.with(4, 2))).toThrow('not a 32-bit little-endian ELF file');
  });
});

describe('profile', () => {
  it.each(PROGRAMS.map(({ name, source }) => [name, source] as const))('counts what retired in regions: %s', (_name, source) => {
    const guest = protectedGuest(source, { profile: true, jitThreshold: 0 });
    guest.run(2_000_000);
    const regions = guest.cpu.exec.profile!.regions();
    expect(regions.reduce((sum, { instructions }) => sum + instructions, 0)).toBe(guest.cpu.exec.regionRetired);
    for (const { entries, exits } of regions) expect([...exits.values()].reduce((sum, count) => sum + count, 0)).toBe(entries);
  });

  it('counts blocks in the op interpreter', () => {
    const guest = protectedGuest('mov ecx,1000\nl: add eax,ecx\nloop l\nhlt', { profile: true, jit: false });
    guest.run();
    const { profile, cache } = guest.cpu.exec;
    expect(profile!.blocks(cache)[0]).toMatchObject({ pc: 0x10005, executions: 999, instructions: 1998 });
    expect(profile!.blocks(cache)[0]).toMatchObject({ executions: 999 });
  });

  it('is not there when it is off', () => {
    expect(protectedGuest('hlt').cpu.exec.profile).toBeNull();
  });
});

describe('--profile and --symbols', () => {
  let folder: string;
  beforeAll(() => { folder = scratchFolder(); });
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../../dist/tcg86.js'), ...args], { encoding: 'utf8', input: '', timeout: 100_000 });

  it('write the hottest code with its names', () => {
    // The demo's programs run in user mode from 4 MiB on.
    const map = join(folder, 'map'), program = join(folder, 'elf'), file = join(folder, 'profile');
    writeFileSync(map, '00007c00 T boot_sector\n000f0000 T firmware\n');
    writeFileSync(program, elf([{ name: 'program', address: 0 }]));
    expect(run('--profile', file, '--symbols', map, '--symbols', `${program},offset=0x400000`)).toMatchObject({ status: 0, stderr: '' });
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^Guest instructions: \d+; compiled \d+\.\d\d %, interpreted \d+\.\d\d %\n\nRegions, hottest first/);
    expect(text).toMatch(/^ *\d+\.\d\d % .* 0x00400[0-9a-f]{3}  program\+0x[0-9a-f]+; (event|lookup|budget) /m);
    expect(text).toMatch(/ 0x000f[0-9a-f]{4}  firmware\+0x/);
    expect(text).toMatch(/^Exits of regions: .*lookup \d+/m);
    expect(text).toMatch(/^Exits to the run loop: .*event \d+/m);
  }, 120_000);

  it('refuse files that are no such thing', () => {
    expect(run('--symbols', join(folder, 'missing'))).toMatchObject({ status: 1, stderr: `tcg86: --symbols ${join(folder, 'missing')}: no such file or directory\n` });
    writeFileSync(join(folder, 'text'), 'hello\n');
    expect(run('--symbols', join(folder, 'text')).stderr).toMatch(/^tcg86: --symbols .*: line 1 is not 'address type name', and it is no ELF file\n$/);
    expect(run('--profile', join(folder, 'no/such/folder'))).toMatchObject({ status: 1, stderr: `tcg86: --profile ${join(folder, 'no/such/folder')}: no such file or directory\n` });
  }, 60_000);
});
