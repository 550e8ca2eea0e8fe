/**
 * What an instruction needs in front of it so that it does more than fault: selectors, counts, pointers, frames on the stack. By
 * mnemonic; the others are emitted as they come.
 */
import type { Row } from '../../src/cpu/decode/insn.ts';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { CR0_AM, CR0_CD, CR0_EM, CR0_ET, CR0_MP, CR0_NE, CR0_NW, CR0_PE, CR0_PG, CR0_TS, CR0_WP, CR4_OSFXSR, CR4_OSXMMEXCPT, CS, EAX, EBP, EBX, ECX, EDI, EDX, ES, ESI, ESP, SS } from '../../src/cpu/state.ts';
import type { Instructions, Shape } from './instruction.ts';
import { isMemoryOnly, isSimd, mayBeMemory } from './instruction.ts';
import { mxcsr } from '../vectors/float-values.ts';
import * as L from './layout.ts';
import { SEL } from './layout.ts';
import { littleEndian } from './operands.ts';
import { GATE_286, GATE_286_TRAP, GATE_BAD_SELECTOR, GATE_BAD_TYPE, GATE_CONFORMING, GATE_NOT_PRESENT, GATE_NULL, GATE_TASK, SELECTORS } from './system.ts';

type Hint = (g: Instructions, row: Row) => void;

const A = 1 << EAX, C = 1 << ECX, D = 1 << EDX;

/** The row with these bytes; -1: no group. */
export function rowOf(map: number, opcode: number, group = -1): Row {
  const row = ROWS.find((each) => each.map === map && each.opcode === opcode && each.group === group);
  if (row === undefined) throw new Error(`no row ${map} ${opcode.toString(16)} /${group}`);
  return row;
}
const PUSH_IMMEDIATE = rowOf(0, 0x68), WRMSR = rowOf(1, 0x30), FXSAVE = rowOf(1, 0xae, 0), MOV_MEMORY = rowOf(0, 0xc7, 0), MOV_TO_SEGMENT = rowOf(0, 0x8e), CLD = 0xfc, STD = 0xfd, FNINIT = [0xdb, 0xe3];

const operandSize = (g: Instructions): 2 | 4 => (g.mode.code32 !== g.random.chance(0.2) ? 4 : 2);

/** Where the selector or pointer lists are that the data segment reaches. */
const listBase = (g: Instructions): number => (g.offsetOf(3, L.LOW_DATA, 2) >= 0 ? L.LOW_DATA : L.DATA);

export function pushImmediate(g: Instructions, opSize: 2 | 4, immediate: number, target?: number): void {
  g.emit(PUSH_IMMEDIATE, { opSize, immediate, ...(target !== undefined && { target }) });
}

/** A code selector: mostly that of the mode. */
const codeSelector = (g: Instructions): number => {
  const { random, mode } = g;
  if (random.chance(0.6)) return mode.segments[CS]!.selector;
  if (mode.selectors !== undefined) return random.pick(mode.selectors.code);
  if (mode.kind !== 'protected') return random.chance(0.7) ? L.CODE >>> 4 : random.next() & 0xffff;
  return random.pick([mode.knownCs, mode.otherCs, SEL.code32, SEL.code32User, SEL.code16, SEL.code16User, SEL.conforming, SEL.executeOnlyUser, SEL.codeNotPresent, SEL.callGate, SEL.callGate, SEL.callGate16,
    SEL.callGateArgs, SEL.taskGate, SEL.tssTask, SEL.tss16, SEL.tss, SEL.data, SEL.ldtCodeUser, SEL.interruptGate, 0, 0x108, 0x24]);
};
const dataSelector = (g: Instructions): number => (g.mode.kind === 'protected' ? g.random.pick(g.mode.selectors?.data ?? SELECTORS) : g.random.pick([L.DATA >>> 4, L.DATA >>> 4, L.CODE >>> 4, L.LOW_DATA >>> 4, g.random.next() & 0xffff]));

/** MOV AX, selector; MOV segment, AX. */
export function restoreSegment(g: Instructions, segment: number): void {
  const { selector } = g.segment(segment);
  g.setRegister(EAX, selector, g.random.chance(0.5) ? 2 : 4);
  g.emit(MOV_TO_SEGMENT, { memory: false, middle: segment, rm: EAX, opSize: g.mode.code32 ? 4 : 2 });
  if (segment === SS) restoreStack(g);
}
export function restoreStack(g: Instructions): void {
  g.setRegister(ESP, g.mode.stackBase + 0x1f00 - 4 * g.random.below(64), g.mode.stack32 || g.random.chance(0.3) ? 4 : 2);
}

/** A selector in a register or from the list. */
const selector: Hint = (g, row) => {
  const { random } = g;
  if (isMemoryOnly(row) || random.chance(0.3)) {
    g.emit(row, { memory: true, linear: listBase(g) + L.SELECTOR_LIST + 2 * random.below(L.SELECTOR_COUNT) });
    return;
  }
  const rm = g.register();
  g.setRegister(rm, dataSelector(g));
  g.emit(row, { memory: false, rm });
};

const loadSegment: Hint = (g, row) => {
  const { random } = g;
  const middle = random.pick([0, 0, 3, 3, 4, 5, 2]);
  if (random.chance(0.3)) g.emit(row, { memory: true, middle, linear: listBase(g) + L.SELECTOR_LIST + 2 * random.below(L.SELECTOR_COUNT) });
  else {
    g.setRegister(EAX, random.chance(0.5) ? g.segment(middle).selector : dataSelector(g));
    g.emit(row, { memory: false, middle, rm: EAX });
  }
  if (random.chance(0.8)) restoreSegment(g, middle);
};

const farPointer: Hint = (g, row) => {
  const { random } = g;
  const opSize = operandSize(g), index = random.below(L.FAR_COUNT);
  const linear = listBase(g) + (opSize === 4 ? L.FAR_32 + 8 * index : L.FAR_16 + 4 * index);
  g.emit(row, { opSize, memory: !random.chance(0.05), linear: random.chance(0.8) ? linear : g.linear(6) });
  const segment = row.mnemonic === 'LSS' ? SS : row.mnemonic === 'LES' ? ES : row.mnemonic === 'LDS' ? 3 : row.mnemonic === 'LFS' ? 4 : 5;
  if (random.chance(0.85)) restoreSegment(g, segment);
};

/** The index registers, the count and the direction. */
const string: Hint = (g, row) => {
  const { random } = g;
  const addrSize = operandSize(g), size = row.operands.some((operand) => operand.endsWith('b')) ? 1 : 4;
  const rep = random.chance(0.6) ? random.pick([0xf3, 0xf3, 0xf2]) : 0;
  const set = (register: number, value: number): void => g.setRegister(register, addrSize === 2 ? value & 0xffff | random.next() << 16 : value);
  if (rep !== 0 && random.chance(0.97)) set(ECX, random.chance(0.9) ? random.below(40) : random.below(3000));
  const source = g.absolute({ size, addrSize, middle: 0 });
  if (row.operands.some((operand) => operand.startsWith('X'))) set(ESI, source.offset);
  if (row.operands.some((operand) => operand.startsWith('Y'))) {
    // Also near the source, and into the code.
    const linear = random.chance(0.15) ? source.linear + random.below(17) - 8 : random.chance(0.06) ? L.CODE + random.below(0x600) : g.linear(size);
    const offset = g.offsetOf(ES, linear, addrSize);
    set(EDI, offset >= 0 ? offset : linear - g.segment(ES).base);
  }
  if (row.mnemonic === 'INS' || row.mnemonic === 'OUTS') g.setRegister(EDX, port(g));
  if (random.chance(0.25)) g.program.add([random.chance(0.5) ? CLD : STD]);
  g.emit(row, { addrSize, rep });
};

const port = (g: Instructions): number => (g.random.chance(0.1) ? g.random.next() : g.random.chance(0.2) ? L.DENIED_PORT - 4 + g.random.below(24) : g.random.below(L.PORTS));
const inOut: Hint = (g, row) => {
  if (row.operands.includes('DX')) g.setRegister(EDX, port(g), g.random.chance(0.5) ? 2 : 4);
  g.emit(row);
};

const divide: Hint = (g, row) => {
  const { random } = g;
  if (random.chance(0.7)) {
    const rm = random.pick([ECX, EBX, ESI, EDI]);
    g.setRegister(rm, random.operand(4) | 1);
    g.setRegister(EDX, random.chance(0.5) ? 0 : random.below(256));
    if (row.operands[0] === 'Eb') g.setRegister(EAX, random.below(0x4000));
    g.emit(row, { memory: false, rm: row.operands[0] === 'Eb' ? random.below(4) : rm });
  } else g.emit(row, { reserved: A | D });
};

/** Control registers: values that keep the guest going, with some bits changed. */
function controlValue(g: Instructions, number: number): number {
  const { random, mode, cr0 } = g;
  if (number === 3) return random.chance(0.5) ? L.PAGE_DIRECTORY : L.OTHER_DIRECTORY;
  if (number === 4) return random.pick([0, 0x10, 0, 0x10, 4, 8, 0x18, 0x40]) | (random.chance(0.9) ? CR4_OSFXSR | CR4_OSXMMEXCPT : 0);
  if (number !== 0) return random.next();
  let value = CR0_ET | cr0 | (mode.kind === 'real' ? 0 : CR0_PE) | (mode.paging ? CR0_PG : 0);
  for (const bit of [CR0_WP, CR0_NE, CR0_AM, CR0_MP]) if (random.chance(0.3)) value ^= bit;
  for (const bit of [CR0_TS, CR0_EM, CR0_CD, CR0_NW]) if (random.chance(0.05)) value ^= bit;
  if (random.chance(0.05)) value ^= CR0_PG;
  return random.chance(0.02) ? value ^ CR0_PE : value;
}

const control: Hint = (g, row) => {
  const { random } = g;
  const middle = random.chance(0.97) ? random.pick([0, 0, 2, 3, 3, 4]) : random.below(8), rm = g.register();
  if (row.operands[0] === 'Cd') g.setRegister(rm, controlValue(g, middle));
  g.emit(row, { middle, rm });
};
const lmsw: Hint = (g, row) => {
  const { random } = g;
  g.setRegister(EAX, (g.mode.kind === 'real' ? 0 : CR0_PE) | (random.chance(0.3) ? CR0_MP : 0) | (random.chance(0.1) ? random.below(16) : 0));
  g.emit(row, { memory: false, rm: EAX });
};
const loadTable: Hint = (g, row) => {
  const { random, mode } = g;
  const idt = mode.kind === 'real' ? L.REAL_IDT_POINTER : L.IDT_POINTER;
  const good = row.mnemonic === 'LGDT' ? L.GDT_POINTER : idt, short = row.mnemonic === 'LGDT' ? L.SHORT_GDT_POINTER : mode.kind === 'real' ? idt : L.SHORT_IDT_POINTER;
  g.emit(row, random.chance(0.9) ? { memory: true, linear: listBase(g) + (random.chance(0.85) ? good : short), opSize: 4 } : {});
};

const farJump: Hint = (g, row) => {
  const { random } = g;
  const target = g.target(), opSize = operandSize(g), code = codeSelector(g);
  if (row.operands[0] === 'Ap') {
    g.emit(row, { opSize, target, second: code });
    return;
  }
  // The pointer is pushed, and used from there.
  pushImmediate(g, opSize, code);
  pushImmediate(g, opSize, 0, target);
  if (opSize === 2 || g.mode.stack32) {
    const prefixes = opSize === (g.mode.code32 ? 4 : 2) ? [] : [0x66];
    if (g.mode.stack32) g.program.add([...prefixes, ...(g.mode.code32 ? [] : [0x67]), row.opcode, row.group << 3 | 4, 0x24]);
    else {
      // MOV BP, SP; [BP + 0]
      g.program.add([...(g.mode.code32 ? [0x66] : []), 0x89, 0xe5]);
      g.forget(EBP);
      g.program.add([...prefixes, ...(g.mode.code32 ? [0x67] : []), row.opcode, 1 << 6 | row.group << 3 | 6, 0]);
    }
  } else g.emit(row, { opSize });
  if (random.chance(0.3)) restoreStack(g);
};

/** Frames for returns. A frame for another level holds SS:ESP too. */
function pushOuter(g: Instructions, opSize: 2 | 4): void {
  pushImmediate(g, opSize, g.random.chance(0.9) ? SEL.dataUser : dataSelector(g));
  pushImmediate(g, opSize, g.mode.stackBase + 0x1e00);
}
const flagsFor = (g: Instructions): number => g.random.next() & (0xcd5 | 0x200) | 2 | (g.random.chance(0.05) ? 0x100 : 0) | (g.random.chance(0.1) ? 0x3000 : 0) | (g.random.chance(0.1) ? 0x4000 : 0)
  | (g.random.chance(0.1) ? 0x5_0000 : 0) | (g.random.chance(0.05) ? 0x20_0000 : 0);

const farReturn: Hint = (g, row) => {
  const { random, mode } = g;
  const opSize = operandSize(g), outer = mode.kind === 'protected' && !mode.user && random.chance(0.15), target = g.target();
  const extra = row.operands.length > 0 ? 4 * random.below(3) : 0;
  if (outer) pushOuter(g, opSize);
  for (let i = 0; i < extra; i += opSize) pushImmediate(g, opSize, random.next());
  pushImmediate(g, opSize, outer ? mode.otherCs : codeSelector(g));
  pushImmediate(g, opSize, 0, target);
  g.emit(row, { opSize, immediate: extra });
};
const interruptReturn: Hint = (g, row) => {
  const { random, mode } = g;
  const opSize = operandSize(g), target = g.target();
  const outer = mode.kind === 'protected' && !mode.user && random.chance(0.15), v86 = mode.kind === 'protected' && !mode.user && opSize === 4 && random.chance(0.1);
  if (v86) {
    for (const segment of [L.DATA, L.DATA, L.DATA, L.CODE, L.DATA]) pushImmediate(g, 4, segment >>> 4);
    pushImmediate(g, 4, L.STACK - L.DATA + 0x1e00);
  } else if (outer) pushOuter(g, opSize);
  pushImmediate(g, opSize, v86 ? flagsFor(g) | 0x2_0000 : flagsFor(g));
  pushImmediate(g, opSize, v86 ? L.CODE >>> 4 : outer ? mode.otherCs : codeSelector(g));
  pushImmediate(g, opSize, 0, target);
  g.emit(row, { opSize });
};
const nearReturn: Hint = (g, row) => {
  const { random, mode } = g;
  const opSize = mode.code32 ? 4 : operandSize(g), extra = row.operands.length > 0 ? 4 * random.below(3) : 0, target = g.target();
  for (let i = 0; i < extra; i += opSize) pushImmediate(g, opSize, random.next());
  if (random.chance(0.95)) pushImmediate(g, opSize, 0, target);
  g.emit(row, { opSize, immediate: extra });
};
const popFlags: Hint = (g, row) => {
  const opSize = operandSize(g);
  if (g.random.chance(0.9)) pushImmediate(g, opSize, flagsFor(g));
  g.emit(row, { opSize });
};

/** Indirect jumps: through a register or a slot of memory that holds an EIP of the code. */
const indirect: Hint = (g, row) => {
  const { random, mode } = g;
  const opSize = mode.code32 ? 4 : operandSize(g), target = g.target(), rm = g.register();
  const prefixes = opSize === (mode.code32 ? 4 : 2) ? [] : [0x66];
  g.program.add([...prefixes, 0xb8 | rm, ...littleEndian(0, opSize)], { at: prefixes.length + 1, size: opSize, relative: false, target, offset: mode.codeEip });
  g.forget(rm);
  g.emit(row, { opSize, memory: false, rm });
  if (random.chance(0.2)) restoreStack(g);
};

const softInterrupt: Hint = (g, row) => {
  const { random } = g;
  g.emit(row, { immediate: random.pick([3, 4, 0x20, 0x21, 0x22, 0x2f, GATE_286, GATE_286_TRAP, GATE_TASK, GATE_NOT_PRESENT, GATE_BAD_TYPE, GATE_BAD_SELECTOR, GATE_NULL, GATE_CONFORMING, random.below(256)]) });
};
const popSegment: Hint = (g, row) => {
  const { random } = g;
  const name = row.operands[0]!, segment = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'].indexOf(name), opSize = operandSize(g);
  pushImmediate(g, opSize, random.chance(0.5) ? g.segment(segment).selector : dataSelector(g));
  g.emit(row, { opSize });
  if (random.chance(0.8)) restoreSegment(g, segment);
};
const pop: Hint = (g, row) => (/^[DEFGS]S$/.test(row.operands[0]!) ? popSegment(g, row) : g.emit(row, { rm: g.register() }));

const enter: Hint = (g, row) => {
  const { random, mode } = g;
  if (random.chance(0.8)) g.setRegister(EBP, mode.stackBase + 0x1800 + random.below(0x600));
  g.emit(row, { immediate: random.chance(0.9) ? random.below(64) : random.next(), second: random.pick([0, 0, 0, 1, 1, 2, 3, 8, 31, 255]) });
  if (random.chance(0.5)) restoreStack(g);
};
const leave: Hint = (g, row) => {
  const { random, mode } = g;
  if (random.chance(0.9)) g.setRegister(EBP, mode.stackBase + (random.chance(0.05) ? 0x1ffe : 0x1800 + random.below(0x600)));
  g.emit(row);
  if (random.chance(0.2)) restoreStack(g);
};
const bound: Hint = (g, row) => {
  const { random } = g;
  const opSize = operandSize(g), middle = g.register();
  if (random.chance(0.8)) g.setRegister(middle, random.below(220) - 110);
  g.emit(row, { opSize, middle, reserved: 1 << middle, memory: true, linear: listBase(g) + (opSize === 4 ? L.BOUNDS_32 : L.BOUNDS_16) });
};
const translate: Hint = (g, row) => {
  const addrSize = operandSize(g);
  if (g.random.chance(0.8)) g.setRegister(EBX, g.absolute({ size: 1, addrSize, middle: 0 }).offset);
  g.emit(row, { addrSize });
};
const counted: Hint = (g, row) => {
  if (g.random.chance(0.5)) g.setRegister(ECX, g.random.pick([0, 1, 2, 3, 0x10000, 0x10001]));
  g.emit(row);
};
const shift: Hint = (g, row) => {
  const shape: Shape = { reserved: C };
  if (row.operands.at(-1) === 'CL' && g.random.chance(0.3)) g.setRegister(ECX, g.random.next() & 63);
  g.emit(row, row.operands.at(-1) === 'Ib' ? { ...shape, immediate: g.random.chance(0.8) ? g.random.below(34) : g.random.next() } : shape);
};
const bitTest: Hint = (g, row) => {
  const middle = g.register();
  if (row.operands[1] === 'Gv' && g.random.chance(0.7)) g.setRegister(middle, g.random.below(0x2000) - 0x1000);
  g.emit(row, row.operands[1] === 'Gv' ? { middle, reserved: 1 << middle } : {});
};
const x87: Hint = (g, row) => {
  if (g.random.chance(0.1)) g.program.add(FNINIT);
  g.emit(row, { memory: g.random.chance(0.6) });
};
/** Operands of 16 bytes are mostly aligned; MASKMOV writes to the address in EDI. */
const vectorUnit: Hint = (g, row) => {
  const { random } = g;
  const size = g.sizeInMemory(row, 4), linear = g.linear(size);
  if (row.mnemonic.startsWith('MASKMOV')) g.setRegister(EDI, g.absolute({ size: 16, addrSize: g.mode.code32 ? 4 : 2, middle: 0 }).offset);
  g.emit(row, mayBeMemory(row) && size >= 16 && random.chance(0.9) ? { linear: linear & -16 } : {});
};
/** A place of 512 bytes where the next FXRSTOR finds what FXSAVE left; some of it is changed. */
const restoreVectors: Hint = (g, row) => {
  const { random } = g;
  const linear = random.pick([L.LOW_DATA, L.DATA]) + L.STRUCTURES_SIZE + 16 * random.below(0x80);
  if (random.chance(0.8)) g.emit(FXSAVE, { memory: true, linear });
  for (let changes = random.below(4); changes > 0; changes--) g.emit(MOV_MEMORY, { memory: true, opSize: 4, linear: linear + 32 + 4 * random.below(0x50) });
  g.emit(row, { memory: true, linear });
};
const loadMxcsr: Hint = (g, row) => {
  const linear = g.linear(4);
  if (g.random.chance(0.9)) g.emit(MOV_MEMORY, { memory: true, opSize: 4, linear, immediate: mxcsr(g.random) });
  g.emit(row, { memory: true, linear });
};
const MSRS: readonly number[] = [0x10, 0x1b, 0x174, 0x175, 0x176, 0x277, 0xc000_0080, 0xc000_0100, 0xc000_0101];
/** Reads and writes of model-specific registers; those of SYSENTER get values that work. */
const modelRegister: Hint = (g, row) => {
  const register = g.random.chance(0.9) ? g.random.pick(MSRS) : g.random.next();
  g.setRegister(ECX, register);
  if (row.mnemonic === 'WRMSR' && g.random.chance(0.8)) setMsrValue(g, register);
  g.emit(row);
};
function setMsrValue(g: Instructions, register: number): void {
  g.setRegister(EDX, 0);
  if (register === 0x176) g.program.add([...(g.mode.code32 ? [] : [0x66]), 0xb8, 0, 0, 0, 0], { at: g.mode.code32 ? 1 : 2, size: 4, relative: false, target: g.target(), offset: L.CODE });
  else g.setRegister(EAX, register === 0x174 ? SEL.code32 : register === 0x175 ? L.STACK + 0x1e00 : 0);
  g.forget(EAX);
}
/** The registers that SYSENTER takes its target from are written in front of it, and so are those of SYSEXIT. */
const fastCall: Hint = (g, row) => {
  for (const register of row.mnemonic === 'SYSENTER' ? [0x174, 0x175, 0x176] : [0x174]) {
    g.setRegister(ECX, register);
    setMsrValue(g, register);
    g.emit(WRMSR);
  }
  if (row.mnemonic === 'SYSEXIT') {
    g.program.add([...(g.mode.code32 ? [] : [0x66]), 0xb8 | EDX, 0, 0, 0, 0], { at: g.mode.code32 ? 1 : 2, size: 4, relative: false, target: g.target(), offset: L.CODE });
    g.forget(EDX);
    g.setRegister(ECX, L.STACK + 0x1e00);
  }
  g.emit(row);
};
const counter: Hint = (g, row) => {
  g.setRegister(ECX, g.random.below(3));
  g.emit(row);
};
const taskRegister: Hint = (g, row) => {
  g.setRegister(EAX, row.mnemonic === 'LTR' ? g.random.pick([SEL.tssTask, SEL.tss16, SEL.tssTask, SEL.tss, 0, SEL.data, SEL.tssTask | 4]) : g.random.pick([SEL.ldt, SEL.ldt, SEL.ldt, 0, SEL.data, SEL.ldt | 4]));
  g.emit(row, { memory: false, rm: EAX });
};
const MOV_HINTS = (g: Instructions, row: Row): void => {
  if (row.operands[0] === 'Sw') loadSegment(g, row);
  else if (row.operands.some((operand) => operand === 'Cd')) control(g, row);
  else g.emit(row);
};
/** A write to ESP or SS often ends in lost stacks. */
const stackUser: Hint = (g, row) => {
  g.emit(row);
  if (g.random.chance(0.1)) restoreStack(g);
};

const HINTS: Readonly<Record<string, Hint>> = {
  ARPL: selector, BOUND: bound, BT: bitTest, BTC: bitTest, BTR: bitTest, BTS: bitTest, CALL: (g, row) => (row.operands[0] === 'Ev' ? indirect : stackUser)(g, row), CALLF: farJump, CMPS: string,
  DIV: divide, ENTER: enter, ESC0: x87, ESC1: x87, ESC2: x87, ESC3: x87, ESC4: x87, ESC5: x87, ESC6: x87, ESC7: x87, IDIV: divide, IN: inOut, INS: string, INT: softInterrupt, IRET: interruptReturn,
  JCXZ: counted, JMP: (g, row) => (row.operands[0] === 'Ev' ? indirect(g, row) : g.emit(row)), JMPF: farJump, LAR: selector, LDS: farPointer, LEAVE: leave, LES: farPointer, LFS: farPointer, LGDT: loadTable,
  LGS: farPointer, LIDT: loadTable, LLDT: taskRegister, LMSW: lmsw, LODS: string, LOOP: counted, LOOPE: counted, LOOPNE: counted, LSL: selector, LSS: farPointer, LTR: taskRegister, MOV: MOV_HINTS,
  MOVS: string, OUT: inOut, OUTS: string, POP: pop, POPA: stackUser, POPF: popFlags, PUSH: stackUser, PUSHA: stackUser, RCL: shift, RCR: shift, RET: nearReturn, RETF: farReturn, ROL: shift, ROR: shift, SAR: shift,
  FXRSTOR: restoreVectors, LDMXCSR: loadMxcsr, RDMSR: modelRegister, RDPMC: counter, SYSENTER: fastCall, SYSEXIT: fastCall, WRMSR: modelRegister, SCAS: string, SHL: shift, SHLD: shift, SHR: shift, SHRD: shift, STOS: string, VERR: selector, VERW: selector, XLAT: translate,
};

/** Adds an instruction of a row, and what it needs. */
export function emitRow(g: Instructions, row: Row): void {
  (HINTS[row.mnemonic] ?? (isSimd(row) ? vectorUnit : (each, one) => each.emit(one)))(g, row);
}
