/**
 * What is recorded on a real processor: instructions (or short sequences) as bytes, and the inputs they run with. Used by the
 * recorder only; the tests read what it wrote.
 *
 * 32-bit flat code. Registers are numbered as in ModRM. EBX points to the data, ESP to its end.
 */

/** Flags that the manual leaves undefined after the instruction, to be left out of the comparison. */
const CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;
const ALL = CF | PF | AF | ZF | SF | OF;

export const DATA = 0x100000, DATA_SIZE = 0x1000;
/** Where EBX points, and ESP. */
export const OPERAND = DATA + 0x400, STACK = DATA + 0xc00;

export interface Case {
  name: string;
  code: number[];
  undefinedFlags: number;
  /** Registers forced to a value, by number; `counts` makes ECX small. */
  fixed: Record<number, number>;
  smallEcx?: boolean;
}

const cases: Case[] = [];
const add = (name: string, code: number[], undefinedFlags = 0, options: Partial<Case> = {}): void => {
  cases.push({ name, code, undefinedFlags, fixed: {}, ...options });
};

/** ModRM forms: EAX,ECX as registers; BH and AH for bytes; [EBX] with EAX or, as bytes, AL. */
const REGISTERS = 0xc8, HIGH_BYTES = 0xe7, MEMORY = 0x03;
const imm32 = [0x80, 0xff, 0x7f, 0x93], imm16 = [0x80, 0xff], imm8 = [0x9c];

const ALU = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'];
const LOGIC = new Set(['or', 'and', 'xor']);
ALU.forEach((name, n) => {
  const free = LOGIC.has(name) ? AF : 0;
  for (const modrm of [REGISTERS, MEMORY]) {
    for (const form of [0, 1, 2, 3]) {
      add(`${name} form ${form} ${modrm.toString(16)}`, [n * 8 + form, modrm], free);
      if ((form & 1) !== 0) add(`${name} word form ${form} ${modrm.toString(16)}`, [0x66, n * 8 + form, modrm], free);
    }
  }
  add(`${name} bh,ah`, [n * 8, HIGH_BYTES], free);
  add(`${name} al,imm`, [n * 8 + 4, ...imm8], free);
  add(`${name} eax,imm`, [n * 8 + 5, ...imm32], free);
  add(`${name} ax,imm`, [0x66, n * 8 + 5, ...imm16], free);
  const group = n << 3;
  add(`${name} group 80`, [0x80, 0xc5 | group, ...imm8], free);
  add(`${name} group 81`, [0x81, 0x03 | group, ...imm32], free);
  add(`${name} group 83`, [0x83, 0xc1 | group, ...imm8], free);
  add(`${name} group 83 word`, [0x66, 0x83, 0x03 | group, 0x7f], free);
  add(`lock ${name}`, name === 'cmp' ? [0x39, MEMORY] : [0xf0, n * 8 + 1, MEMORY], free);
  add(`${name} same register`, [n * 8 + 1, 0xc0], free);
});

for (const [name, opcode] of [['inc', 0xc0], ['dec', 0xc8]] as const) {
  add(`${name} eax`, [0xff, opcode]);
  add(`${name} short`, [name === 'inc' ? 0x41 : 0x49]);
  add(`${name} ax`, [0x66, 0xff, opcode]);
  add(`${name} ah`, [0xfe, opcode | 4]);
  add(`${name} [ebx]`, [0xff, opcode & 0x38 | 3]);
  add(`${name} byte [ebx]`, [0xfe, opcode & 0x38 | 3]);
  add(`${name} twice, adc`, [0x66, 0xff, opcode, 0x66, 0xff, opcode, 0x11, 0xc8]);
}

const UNARY = [['not', 2, 0], ['neg', 3, 0], ['mul', 4, PF | AF | ZF | SF], ['imul', 5, PF | AF | ZF | SF], ['div', 6, ALL], ['idiv', 7, ALL]] as const;
for (const [name, group, free] of UNARY) {
  for (const [prefix, opcode] of [[[], 0xf6], [[0x66], 0xf7], [[], 0xf7]] as const) {
    add(`${name} ${opcode.toString(16)} register`, [...prefix, opcode, 0xc1 | group << 3], free);
    add(`${name} ${opcode.toString(16)} memory`, [...prefix, opcode, 0x03 | group << 3], free);
  }
  // Divisions whose quotient fits.
  if (group >= 6) {
    add(`${name} small`, [0xf6, 0xc1 | group << 3], free, { fixed: { 0: 0x1234, 1: 0x71 } });
    add(`${name} small word`, [0x66, 0xf7, 0xc1 | group << 3], free, { fixed: { 0: 0x8765, 1: -0x1234, 2: 0x0321 } });
    add(`${name} small dword`, [0xf7, 0xc1 | group << 3], free, { fixed: { 0: -0x789abcde, 1: 0x12345678, 2: 0x01020304 } });
    add(`${name} negative`, [0x99, 0xf7, 0xc1 | group << 3], free, { fixed: { 0: -100000, 1: 333 } });
  }
}
add('imul r,r', [0x0f, 0xaf, 0xc1], PF | AF | ZF | SF);
add('imul r16,[m]', [0x66, 0x0f, 0xaf, 0x03], PF | AF | ZF | SF);
add('imul r,r,imm8', [0x6b, 0xc1, 0xf3], PF | AF | ZF | SF);
add('imul r,[m],imm', [0x69, 0x03, ...imm32], PF | AF | ZF | SF);
add('imul r16,r16,imm', [0x66, 0x69, 0xc1, ...imm16], PF | AF | ZF | SF);
add('imul r,small', [0x6b, 0xc1, 0x03], PF | AF | ZF | SF, { smallEcx: true });

// Shifts and rotates, by every kind of count.
const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar'];
SHIFTS.forEach((name, group) => {
  const free = group < 4 ? 0 : AF;
  for (const rm of [0xc2, 0xc6, 0x03]) {
    const modrm = rm | group << 3;
    add(`${name} b,1 ${modrm.toString(16)}`, [0xd0, modrm], free);
    add(`${name} w,1 ${modrm.toString(16)}`, [0x66, 0xd1, modrm], free);
    add(`${name} d,1 ${modrm.toString(16)}`, [0xd1, modrm], free);
    for (let variant = 0; variant < 3; variant++) {
      const name2 = `${name} cl ${modrm.toString(16)} #${variant}`;
      add(`${name2} b`, [0xd2, modrm], free, { smallEcx: true });
      add(`${name2} w`, [0x66, 0xd3, modrm], free, { smallEcx: true });
      add(`${name2} d`, [0xd3, modrm], free, { smallEcx: true });
    }
    for (const count of [0, 1, 3, 7, 8, 9, 13, 15, 16, 17, 18, 24, 27, 31, 32, 33]) {
      add(`${name} b,${count} ${modrm.toString(16)}`, [0xc0, modrm, count], free);
      add(`${name} w,${count} ${modrm.toString(16)}`, [0x66, 0xc1, modrm, count], free);
      add(`${name} d,${count} ${modrm.toString(16)}`, [0xc1, modrm, count], free);
    }
  }
});
for (const [name, opcode] of [['shld', 0xa4], ['shrd', 0xac]] as const) {
  for (const modrm of [0xc2, 0x13]) {
    for (const count of [0, 1, 4, 15, 16, 31, 33]) {
      add(`${name} d,${count}`, [0x0f, opcode, modrm, count], (count & 31) === 1 ? AF : AF | OF);
      if ((count & 31) <= 16) add(`${name} w,${count}`, [0x66, 0x0f, opcode, modrm, count], (count & 31) === 1 ? AF : AF | OF);
    }
    add(`${name} cl`, [0x0f, opcode | 1, modrm], AF | OF, { smallEcx: true });
    add(`${name} cl again`, [0x0f, opcode | 1, modrm], AF | OF, { smallEcx: true });
  }
}

// Bits. A memory operand's bit offset reaches beyond it, so ECX is small there.
for (const [name, opcode, group] of [['bt', 0xa3, 4], ['bts', 0xab, 5], ['btr', 0xb3, 6], ['btc', 0xbb, 7]] as const) {
  add(`${name} r,r`, [0x0f, opcode, 0xca], OF | SF | AF | PF);
  add(`${name} r16,r16`, [0x66, 0x0f, opcode, 0xca], OF | SF | AF | PF);
  add(`${name} r,imm`, [0x0f, 0xba, 0xc2 | group << 3, 45], OF | SF | AF | PF);
  for (const ecx of [0, 13, 31, 32, 75, -1, -33, 1000]) {
    add(`${name} m,r ${ecx}`, [0x0f, opcode, 0x0b], OF | SF | AF | PF, { fixed: { 1: ecx } });
    add(`${name} m16,r16 ${ecx}`, [0x66, 0x0f, opcode, 0x0b], OF | SF | AF | PF, { fixed: { 1: ecx } });
  }
  add(`${name} m,imm`, [0x0f, 0xba, 0x03 | group << 3, 77], OF | SF | AF | PF);
}
for (const [name, opcode] of [['bsf', 0xbc], ['bsr', 0xbd]] as const) {
  add(`${name} r,r`, [0x0f, opcode, 0xd0], ALL & ~ZF);
  add(`${name} r16,[m]`, [0x66, 0x0f, opcode, 0x13], ALL & ~ZF);
  add(`${name} zero`, [0x0f, opcode, 0xd0], ALL & ~ZF, { fixed: { 0: 0 } });
  add(`${name} zero word`, [0x66, 0x0f, opcode, 0xd0], ALL & ~ZF, { fixed: { 0: 0x50000 } });
}

// Every condition after every kind of flags: the translator has its own way for each.
const SETTERS: [string, number[]][] = [
  ['eflags', []], ['add b', [0x00, 0xc8]], ['add w', [0x66, 0x01, 0xc8]], ['add d', [0x01, 0xc8]], ['adc b', [0x10, 0xc8]], ['adc d', [0x11, 0xc8]],
  ['sub b', [0x28, 0xc8]], ['sub w', [0x66, 0x29, 0xc8]], ['sub d', [0x29, 0xc8]], ['cmp b', [0x38, 0xc8]], ['cmp w', [0x66, 0x39, 0xc8]],
  ['cmp d', [0x39, 0xc8]], ['cmp imm', [0x83, 0xf8, 0xff]], ['sbb b', [0x18, 0xc8]], ['sbb w', [0x66, 0x19, 0xc8]], ['sbb d', [0x19, 0xc8]],
  ['and b', [0x20, 0xc8]], ['and w', [0x66, 0x21, 0xc8]], ['test d', [0x85, 0xc8]], ['inc b', [0xfe, 0xc0]], ['inc w', [0x66, 0x40]], ['inc d', [0x40]],
  ['dec b', [0xfe, 0xc8]], ['dec w', [0x66, 0x48]], ['dec d', [0x48]], ['shl b', [0xc0, 0xe0, 3]], ['shl d', [0xd1, 0xe0]], ['shr w', [0x66, 0xd1, 0xe8]],
  ['sar d', [0xc1, 0xf8, 7]], ['neg d', [0xf7, 0xd8]], ['neg b', [0xf6, 0xd8]], ['rol d', [0xd1, 0xc0]], ['cmp and change', [0x39, 0xc8, 0x89, 0xd0]],
  ['shl cl', [0xd3, 0xe0]],
];
const EXTREMES: Record<number, number>[] = [{}, { 0: -0x80000000, 1: 1 }, { 0: 0x7fffffff, 1: -1 }, { 0: 0, 1: 0 }, { 0: -1, 1: 1 }, { 0: 0x7f7f, 1: 0x7f7f }];
for (const [name, code] of SETTERS) {
  EXTREMES.forEach((fixed, i) => {
    // All sixteen conditions at once, into sixteen bytes of memory.
    const sets = Array.from({ length: 16 }, (_, condition) => [0x0f, 0x90 | condition, 0x43, condition]).flat();
    const shifts = name.startsWith('sh') || name.startsWith('sar');
    const logic = name.startsWith('and') || name.startsWith('test');
    add(`setcc after ${name} #${i}`, [...code, ...sets], shifts || logic ? AF : 0, { fixed, smallEcx: name === 'shl cl' });
    // The same through jumps: ESI counts the conditions that hold.
    const jumps = Array.from({ length: 16 }, (_, condition) => {
      const weight = 1 << condition;
      return [0x70 | condition ^ 1, 6, 0x8d, 0xb6, weight & 255, weight >> 8, 0, 0];
    }).flat();
    add(`jcc after ${name} #${i}`, [...code, ...jumps], shifts || logic ? AF : 0, { fixed, smallEcx: name === 'shl cl' });
  });
}

// Data transfer.
add('mov bl,ah', [0x88, 0xe2]);
add('mov [m],ecx', [0x89, 0x0b]);
add('mov [m],cx', [0x66, 0x89, 0x0b]);
add('mov dh,[m]', [0x8a, 0x33]);
add('mov imm', [0xb8, ...imm32, 0x66, 0xb9, ...imm16, 0xb6, 0x77, 0xc7, 0x03, ...imm32, 0x66, 0xc7, 0x43, 8, ...imm16, 0xc6, 0x43, 12, 0x5a]);
add('mov moffs', [0xa1, 0x00, 0x04, 0x10, 0x00, 0x66, 0xa3, 0x08, 0x04, 0x10, 0x00, 0xa2, 0x0c, 0x04, 0x10, 0x00]);
add('movzx', [0x0f, 0xb6, 0xc4, 0x0f, 0xb7, 0x13, 0x66, 0x0f, 0xb6, 0xf1]);
add('movsx', [0x0f, 0xbe, 0xc4, 0x0f, 0xbf, 0x13, 0x66, 0x0f, 0xbe, 0xf1]);
add('cbw cwd', [0x66, 0x98, 0x66, 0x99]);
add('cwde cdq', [0x98, 0x99]);
add('xchg', [0x91, 0x66, 0x92, 0x86, 0xe0, 0x87, 0x13, 0x87, 0xf7, 0x86, 0x33]);
add('bswap', [0x0f, 0xc8, 0x0f, 0xca]);
add('xadd d', [0x0f, 0xc1, 0xc8]);
add('xadd same', [0x0f, 0xc1, 0xc0]);
add('xadd b high', [0x0f, 0xc0, 0xe0]);
add('xadd m', [0x66, 0x0f, 0xc1, 0x03]);
for (const [name, fixed] of [['differs', {}], ['equal', { 0: 0x12345678, 1: 0x12345678 }]] as const) {
  add(`cmpxchg d ${name}`, [0x0f, 0xb1, 0xd1], 0, { fixed });
  add(`cmpxchg w ${name}`, [0x66, 0x0f, 0xb1, 0xd1], 0, { fixed });
  add(`cmpxchg b ${name}`, [0x0f, 0xb0, 0xf1], 0, { fixed });
  add(`cmpxchg m ${name}`, [0x89, 0x03, 0xf0, 0x0f, 0xb1, 0x13], 0, { fixed });
  add(`cmpxchg m other ${name}`, [0xf0, 0x0f, 0xb1, 0x13], 0, { fixed });
}
add('cmpxchg eax', [0x0f, 0xb1, 0xc8]);
add('lea', [0x8d, 0x44, 0x8b, 0x12, 0x8d, 0x14, 0xcd, ...imm32, 0x66, 0x8d, 0x34, 0x24, 0x67, 0x8d, 0x79, 0x33, 0x67, 0x66, 0x8d, 0xaa, ...imm16]);
add('sib', [0x83, 0xe1, 0x0f, 0x8b, 0x04, 0x8b, 0x8a, 0x14, 0x0b, 0x89, 0x7c, 0x4b, 0x04]);
add('push pop', [0x50, 0x66, 0x51, 0x6a, 0xf0, 0x68, ...imm32, 0xff, 0x33, 0x66, 0x6a, 0xf0, 0x66, 0x58, 0x8f, 0x43, 8, 0x5a]);
add('push esp pop esp', [0x54, 0x58, 0x89, 0x5c, 0x24, 0xf0, 0x83, 0xec, 0x10, 0x5c]);
add('pop [esp+x]', [0x50, 0x51, 0x52, 0x8f, 0x44, 0x24, 0x04, 0x66, 0x8f, 0x44, 0x24, 0x02]);
add('push [esp+x]', [0xff, 0x74, 0x24, 0x08, 0x66, 0xff, 0x74, 0x24, 0x02]);
add('pusha popa', [0x60, 0x83, 0x04, 0x24, 0x05, 0x66, 0x60, 0x66, 0x61, 0x61], AF);
add('enter leave', [0xc8, 0x10, 0, 0, 0x55, 0xc9]);
add('enter nested', [0x89, 0xe5, 0xc8, 0x08, 0, 3]);
add('enter word', [0x66, 0xc8, 0x08, 0, 0]);
add('leave', [0x8d, 0x6b, 0x20, 0xc9]);
add('leave word', [0x8d, 0x6b, 0x20, 0x66, 0xc9]);
add('xlat', [0xd7], 0, { fixed: { 0: 0x33 } });
add('lahf sahf', [0x9f, 0x80, 0xf4, 0x51, 0x9e, 0xd6]);
add('salc', [0xd6]);
add('flags', [0xf5, 0x19, 0xc0, 0xf9, 0x11, 0xd1, 0xf8, 0x83, 0xd2, 0, 0xf5]);
add('cmc after add', [0x01, 0xc8, 0xf5, 0x0f, 0x97, 0xc2]);
add('clc after sub', [0x29, 0xc8, 0xf8, 0x0f, 0x97, 0xc2]);
add('stc after inc', [0x40, 0xf9]);
add('pushf', [0x9c, 0x59, 0x81, 0xe1, 0xd5, 0x08, 0, 0], AF);

// Decimal.
for (const [name, code, free] of [['daa', [0x27], OF], ['das', [0x2f], OF], ['aaa', [0x37], OF | SF | ZF | PF], ['aas', [0x3f], OF | SF | ZF | PF],
  ['aam', [0xd4, 10], OF | AF | CF], ['aam 7', [0xd4, 7], OF | AF | CF], ['aad', [0xd5, 10], OF | AF | CF], ['aad 99', [0xd5, 99], OF | AF | CF]] as const) {
  for (let i = 0; i < 4; i++) add(`${name} #${i}`, [...code], free);
  add(`add, ${name}`, [0x00, 0xc8, ...code], free);
}

// Strings: ESI and EDI point into the data.
const strings = { 6: OPERAND + 0x40, 7: OPERAND + 0x80, 1: 5 };
for (const direction of [0xfc, 0xfd]) {
  for (const [name, opcode] of [['movs', 0xa4], ['cmps', 0xa6], ['stos', 0xaa], ['lods', 0xac], ['scas', 0xae]] as const) {
    for (const prefix of [[], [0xf3], ...(opcode === 0xa6 || opcode === 0xae ? [[0xf2]] : [])]) {
      add(`${name} ${prefix} b`, [direction, ...prefix, opcode, 0xfc], 0, { fixed: strings });
      add(`${name} ${prefix} w`, [direction, 0x66, ...prefix, opcode | 1, 0xfc], 0, { fixed: strings });
      add(`${name} ${prefix} d`, [direction, ...prefix, opcode | 1, 0xfc], 0, { fixed: strings });
    }
  }
}
add('rep movs ecx 0', [0xf3, 0xa4], 0, { fixed: { ...strings, 1: 0 } });
add('rep cmps ecx 0', [0x01, 0xd0, 0xf3, 0xa6], 0, { fixed: { ...strings, 1: 0 } });

// Control transfer within the code.
add('loop', [0x42, 0xe2, 0xfd], 0, { fixed: { 1: 7 } });
add('loope', [0x42, 0x83, 0xfa, 0x03, 0xe1, 0xfa], 0, { fixed: { 1: 7, 2: 2 } });
add('loopne', [0x42, 0x83, 0xfa, 0x03, 0xe0, 0xfa], 0, { fixed: { 1: 7, 2: 0 } });
add('loop cx', [0x42, 0x67, 0xe2, 0xfc], 0, { fixed: { 1: 0x50003 } });
add('jecxz', [0xe3, 0x02, 0xb2, 0x11, 0x67, 0xe3, 0x02, 0xb6, 0x22], 0, { fixed: { 1: 0x50000 } });
add('jecxz zero', [0xe3, 0x02, 0xb2, 0x11, 0x67, 0xe3, 0x02, 0xb6, 0x22], 0, { fixed: { 1: 0 } });
add('jmp', [0xeb, 0x02, 0xb2, 0x11, 0xe9, 0x02, 0, 0, 0, 0xb6, 0x22, 0x90]);
add('call ret', [0xe8, 0x02, 0, 0, 0, 0xeb, 0x04, 0xb2, 0x11, 0xc3, 0x90]);
add('call ret imm', [0x50, 0x51, 0xe8, 0x02, 0, 0, 0, 0xeb, 0x04, 0xc2, 0x04, 0x00, 0x90]);
add('jmp and call register', [0xe8, 0, 0, 0, 0, 0x59, 0x8d, 0x49, 0x08, 0xff, 0xe1, 0x0f, 0x0b, 0x8d, 0x49, 0x09, 0xff, 0xd1, 0xeb, 0x03, 0x0f, 0x0b, 0xc3, 0x31, 0xc9], AF);
add('arpl', [0x63, 0xc8]);
add('bound within', [0x62, 0x13], 0, { fixed: { 2: 0 } });

export const CASES: readonly Case[] = cases;
