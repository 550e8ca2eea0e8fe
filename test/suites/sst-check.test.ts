import { describe, expect, test } from 'vitest';
import type { MooState, MooTest, RegisterName } from './moo.ts';
import { compare, definedFlags } from './sst-check.ts';
import type { MachineView } from './sst-check.ts';
import { DIFFERENCES_286, differenceOf, withoutLock } from './sst-differences.ts';
import type { Instead } from './sst-differences.ts';

const state = (registers: MooState['registers'], ram: MooState['ram'] = []): MooState => ({ registers, ram, masks: {} });

function recorded(overrides: Partial<MooTest>): MooTest {
  return { index: 0, name: '', bytes: Uint8Array.of(0x90, 0xF4), initial: state({}), final: state({}), hash: '', ...overrides };
}

function machine(registers: MooState['registers'], ram: MooState['ram'] = []): MachineView {
  const bytes = new Map(ram);
  return { register: (name: RegisterName) => registers[name] ?? 0, byte: (address) => bytes.get(address) ?? 0 };
}

describe('compare', () => {
  const inc = recorded({ initial: state({ ax: 1, bx: 2, flags: 0xF002 }, [[0x500, 0x40]]), final: state({ ax: 2, flags: 0x12 }, [[0x600, 7]]) });

  test('the final state overlays the initial one', () => {
    expect(compare(machine({ ax: 2, bx: 2, flags: 0x12 }, [[0x500, 0x40], [0x600, 7]]), inc, 0xFFFF, {})).toEqual([]);
    expect(compare(machine({ ax: 2, bx: 3, flags: 0x12 }, [[0x500, 0x41], [0x600, 6]]), inc, 0xFFFF, {})).toEqual([
      'bx is 0003, not 0002 (mask ffff)', '[000500] is 41, not 40', '[000600] is 06, not 07',
    ]);
  });

  test('undefined flags and the top four do not count', () => {
    const got = machine({ ax: 2, bx: 2, flags: 0xF002 }, [[0x500, 0x40], [0x600, 7]]);
    expect(compare(got, inc, 0xFFEF, {})).toEqual([]);
    expect(compare(got, inc, 0xFFFF, {})).toHaveLength(1);
  });

  test('nor do they in the flags that an exception pushed', () => {
    const divide = recorded({ final: state({}, [[0x700, 0xD5], [0x701, 0x08]]), exception: { vector: 0, flagsAddress: 0x700 } });
    const got = machine({}, [[0x700, 0x01], [0x701, 0x00]]);
    expect(compare(got, divide, 0xF72B, {})).toEqual([]);
    expect(compare(got, divide, 0xFFFF, {})).toHaveLength(2);
  });

  test('which lie one byte on, where the stack pointer is odd', () => {
    const divide = recorded({ initial: state({ sp: 0x103 }), final: state({ sp: 0xFD }, [[0x701, 0xD5]]), exception: { vector: 0, flagsAddress: 0x700 } });
    expect(compare(machine({ sp: 0xFD }, [[0x701, 0x01]]), divide, 0xF72B, {})).toEqual([]);
    expect(compare(machine({ sp: 0xFD }, [[0x701, 0x01]]), divide, 0xFFFF, {})).toHaveLength(1);
  });

  test('masks of the file and of the test', () => {
    const bsf = recorded({ final: { registers: { eax: 5, eflags: 0x41 }, ram: [], masks: { eax: 0 } } });
    expect(compare(machine({ eax: 9, eflags: 0x40 }), bsf, 0xFFFF, { eflags: 0xFFFFFFFE })).toEqual([]);
  });
});

test('flags of a form come from its opcode and group, whatever its size prefixes', () => {
  const metadata = { cpu: '386', opcodes: { '01': { 'flags-mask': 1 }, '0FBA': { reg: { '4': { 'flags-mask': 2 } } }, 68: {} } };
  expect(definedFlags(metadata, '01')).toBe(1);
  expect(definedFlags(metadata, '6701')).toBe(1);
  expect(definedFlags(metadata, '676601')).toBe(1);
  expect(definedFlags(metadata, '660FBA.4')).toBe(2);
  expect(definedFlags(metadata, '6668')).toBe(0xFFFF);
});

describe('differences by design', () => {
  test('are few, and every one has a reason', () => {
    expect(DIFFERENCES_286.length).toBeLessThanOrEqual(40);
    for (const { reason } of DIFFERENCES_286) expect(reason.length).toBeGreaterThan(20);
  });

  const faulting = (bytes: number[], vector: number): MooTest => recorded({ bytes: Uint8Array.from([...bytes, 0xF4]), exception: { vector, flagsAddress: 0 } });
  const running = (bytes: number[]): MooTest => recorded({ bytes: Uint8Array.from([...bytes, 0xF4]) });

  test.each<[string, MooTest, Instead | undefined]>([
    ['LOCK INC AX', running([0xF0, 0x40]), { refusesLock: true }],
    ['LOCK MOV [BX],AX', running([0xF0, 0x89, 0x07]), { refusesLock: true }],
    ['LOCK ADD AX,[BX]', running([0xF0, 0x03, 0x07]), { refusesLock: true }],
    ['LOCK CMP [BX],AX', running([0xF0, 0x39, 0x07]), { refusesLock: true }],
    ['LOCK TEST BYTE [BX],1', running([0xF0, 0xF6, 0x07, 0x01]), { refusesLock: true }],
    ['LOCK ADD [BX],AX', running([0xF0, 0x01, 0x07]), undefined],
    ['LOCK NOT BYTE [BX]', running([0xF0, 0xF6, 0x17]), undefined],
    ['LOCK XCHG [BX],AX', running([0xF0, 0x87, 0x07]), undefined],
    ['MOV FS,BP', faulting([0x8E, 0xE5], 6), { completes: true }],
    ['MOV CS,BP', faulting([0x8E, 0xCD], 6), undefined],
    ['MOV segment 7,BP', faulting([0x8E, 0xFD], 6), undefined],
    ['11 bytes', faulting([0x26, 0x26, 0x26, 0x26, 0x26, 0x81, 0x80, 0x34, 0x12, 0x78, 0x56], 13), { completes: true }],
    ['10 bytes', faulting([0x26, 0x26, 0x26, 0x26, 0x81, 0x80, 0x34, 0x12, 0x78, 0x56], 13), undefined],
    ['POP SS', faulting([0x17], 13), { fault: 12 }],
    ['MOV AX,[BP]', faulting([0x8B, 0x46, 0x00], 13), { fault: 12 }],
    ['MOV AX,[BX]', faulting([0x8B, 0x07], 13), undefined],
    ['REPE SCASW', faulting([0xF3, 0xAF], 13), { restartsElement: true }],
  ])('%s', (_, test, instead) => {
    expect(differenceOf(DIFFERENCES_286, test)?.instead).toEqual(instead);
  });
});

describe('a test without its LOCK prefix', () => {
  test.each<[string, number[], number[]]>([
    ['has the DS prefix that changes nothing', [0xF0, 0x40], [0x3E, 0x40]],
    ['has the SS prefix where SS is used', [0xF0, 0x8B, 0x46, 0x00], [0x36, 0x8B, 0x46, 0x00]],
    ['repeats the first of its other prefixes', [0x26, 0xF0, 0xF3, 0xA4], [0x26, 0x26, 0xF3, 0xA4]],
  ])('%s', (_, bytes, expected) => {
    const ram = [...bytes, 0xF4].map((byte, index): [number, number] => [0x1_0100 + index, byte]);
    const changed = withoutLock(recorded({ bytes: Uint8Array.from([...bytes, 0xF4]), initial: state({ cs: 0x1000, ip: 0x100 }, ram) }));
    expect([...changed.bytes]).toEqual([...expected, 0xF4]);
    expect(changed.initial.ram.map(([, byte]) => byte)).toEqual([...expected, 0xF4]);
  });
});
