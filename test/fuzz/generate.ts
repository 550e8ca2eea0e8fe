/** Random cases: a mode, registers, and code in loops, functions and straight lines that also writes to itself and to page tables. */
import type { Row } from '../../src/cpu/decode/insn.ts';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { CR0_AM, CR0_EM, CR0_MP, CR0_NE, CR0_TS, CR0_WP, CR4_OSFXSR, CR4_OSXMMEXCPT, CR4_PSE, EAX, EBX, ECX, EDI, EDX, ESI } from '../../src/cpu/state.ts';
import { Random } from '../vectors/random.ts';
import { emitRow, restoreSegment, restoreStack, rowOf } from './hints.ts';
import { Instructions } from './instruction.ts';
import * as L from './layout.ts';
import { EVENT_INTR, EVENT_NMI, EVENT_NONE } from './machine.ts';
import type { FuzzCase } from './machine.ts';
import { MODES } from './modes.ts';
import type { Mode } from './modes.ts';
import { littleEndian } from './operands.ts';

const DEC_MEMORY = rowOf(0, 0xff, 1), DEC_REGISTER = 0x48, JNZ_SHORT = 0x75, JNZ = [0x0f, 0x85], LOOP = 0xe2, JMP = rowOf(0, 0xe9), CALL = rowOf(0, 0xe8), RET = rowOf(0, 0xc3), INVLPG = rowOf(1, 0x01, 7);
const MOV_MEMORY_IMMEDIATE = rowOf(0, 0xc7, 0), ADD_MEMORY = rowOf(0, 0x81, 0), BTC_MEMORY = rowOf(1, 0xba, 7), MOV_BYTE = rowOf(0, 0xc6, 0), MOV_CR3 = [0x0f, 0x22, 0xd8], ALU = rowOf(0, 0x81, 0);

export interface CaseOptions {
  readonly modes?: readonly Mode[];
  /** What the code is made of. */
  readonly rows?: readonly Row[];
  /** The code goes round until the limit. */
  readonly endless?: boolean;
}

/** The case of a seed. */
export function makeCase(seed: number, { modes = MODES, rows = ROWS, endless = true }: CaseOptions = {}): FuzzCase {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x2545f491);
  for (let i = 0; i < 4; i++) random.next();
  const mode = random.pick(modes);
  const cr0 = [CR0_NE, CR0_WP, CR0_AM, CR0_MP].reduce((bits, bit) => (random.chance(bit === CR0_NE ? 0.9 : 0.5) ? bits | bit : bits), 0) | (random.chance(0.04) ? CR0_TS : 0) | (random.chance(0.02) ? CR0_EM : 0);
  const generator = new CaseGenerator(random, mode, cr0, rows);
  const registers = Array.from({ length: 8 }, () => generator.startValue());
  registers[4] = mode.stackBase + 0x1f00 - random.below(0x40) * (random.chance(0.9) ? 4 : 1);
  // A few short programs run long, so that their sites miss often.
  const long = random.chance(0.06), size = long ? 4 + random.below(12) : 8 + random.below(50);
  generator.fill(size);
  if (endless) generator.emit(JMP, { target: 0 });
  const offset = random.chance(0.5) ? random.below(0x800) : 0x1000 - random.below(300);
  const eflags = random.next() & 0xcd5 | 2 | (random.chance(0.5) ? 0x200 : 0) | (random.chance(0.03) ? 0x100 : 0) | (mode.kind === 'v86' ? (random.chance(0.7) ? 0x3000 : 0) : random.chance(0.4) ? 0x3000 : 0)
    | (random.chance(0.1) ? 0x4_0000 : 0);
  return {
    mode: mode.name, memorySeed: random.next(), doubleFaultTask: random.chance(0.5),
    start: { registers: registers.map((value) => value | 0), eflags, cr0, cr4: generator.cr4(), floats: random.chance(0.9) ? random.next() : 0 },
    offset, code: generator.program.layOut(offset), schedule: makeSchedule(random), limit: size * (2 + random.below(long ? 1500 : random.chance(0.3) ? 200 : 40)),
  };
}

/** Slices: short ones, long ones, or any; with interrupts now and then. */
function makeSchedule(random: Random): FuzzCase['schedule'] {
  const longest = random.pick([3, 20, 300, 300, 3000, 3000, 3000]);
  const events = random.chance(0.4);
  return Array.from({ length: 1 + random.below(8) }, () => [1 + random.below(longest), !events ? EVENT_NONE : random.chance(0.3) ? EVENT_INTR : random.chance(0.1) ? EVENT_NMI : EVENT_NONE] as const);
}

class CaseGenerator extends Instructions {
  private depth = 0;
  private loops = 0;
  private readonly rows: readonly Row[];

  constructor(random: Random, mode: Mode, cr0: number, rows: readonly Row[]) {
    super(random, mode, cr0);
    this.rows = rows;
  }

  /** PSE at times, and mostly SSE with its exceptions. */
  cr4(): number {
    const { random } = this;
    return (random.chance(0.5) ? CR4_PSE : 0) | (random.chance(0.9) ? CR4_OSFXSR : 0) | (random.chance(0.9) ? CR4_OSXMMEXCPT : 0);
  }

  startValue(): number {
    const { random } = this;
    return random.chance(0.4) ? this.linear(4) - (random.chance(0.5) ? this.segment(3).base : 0) | 0 : random.operand(4);
  }

  /** Adds about `count` instructions. */
  fill(count: number): void {
    const { random, program } = this;
    for (const end = program.next + count; program.next < end; ) {
      const left = end - program.next;
      switch (random.below(30)) {
        case 0: case 1:
          if (this.depth < 3 && left > 4) this.loop(3 + random.below(Math.min(left, 16)));
          break;
        case 2:
          if (this.depth < 2 && left > 6) this.procedure(2 + random.below(Math.min(left, 8)));
          break;
        case 3: this.selfModify(); break;
        case 4:
          if (random.chance(0.5)) this.changePage();
          break;
        case 5:
          if (random.chance(0.5)) restoreSegment(this, random.pick([0, 3, 3, 4]));
          else restoreStack(this);
          break;
        default: emitRow(this, random.pick(this.rows));
      }
    }
  }

  /** A loop that counts in memory, in ECX, or in another register. */
  private loop(size: number): void {
    const { random, mode, program } = this;
    const count = random.pick([2, 3, 5, 10, 60, 200]);
    const kept = this.kept;
    this.depth++;
    const kind = random.below(3), counter = this.counter(), register = kind === 1 ? ECX : random.pick([EBX, ESI, EDI, EDX]);
    if (kind === 0 && counter >= 0) this.emit(MOV_MEMORY_IMMEDIATE, { memory: true, linear: counter, immediate: count, opSize: 4 });
    else {
      this.setRegister(register, count);
      this.kept |= 1 << register;
    }
    const head = program.next;
    this.forgetAll();
    this.fill(size);
    if (kind === 0 && counter >= 0) this.emit(DEC_MEMORY, { memory: true, linear: counter, opSize: 4 });
    else if (kind === 1) {
      if (random.chance(0.5)) {
        program.add([LOOP, 0], { at: 1, size: 1, relative: true, target: head, offset: 0 });
        this.endLoop(kept);
        return;
      }
      program.add([DEC_REGISTER | ECX]);
    } else program.add([...(mode.code32 ? [] : [0x66]), DEC_REGISTER | register]);
    const size4 = mode.code32 ? 4 : 2;
    if (random.chance(0.3)) program.add([JNZ_SHORT, 0], { at: 1, size: 1, relative: true, target: head, offset: 0 });
    else program.add([...JNZ, ...littleEndian(0, size4)], { at: 2, size: size4, relative: true, target: head, offset: 0 });
    this.endLoop(kept);
  }

  private endLoop(kept: number): void {
    this.kept = kept;
    this.depth--;
    this.forgetAll();
  }

  /** Address of a counter that the data segment reaches, or -1. */
  private counter(): number {
    const at = L.COUNTERS + 4 * (this.loops++ & 15);
    return [L.LOW_DATA + at, L.DATA + at].find((linear) => this.offsetOf(3, linear, 2) >= 0) ?? -1;
  }

  /** A procedure and calls of it. */
  private procedure(size: number): void {
    const { random, mode, program } = this;
    this.depth++;
    const jump = program.next;
    this.emit(JMP, { target: 0, opSize: mode.code32 ? 4 : 2 });
    this.forgetAll();
    this.fill(size);
    this.emit(RET, { opSize: mode.code32 ? 4 : 2 });
    // The jump leads over it.
    const { bytes, references } = program.pieces[jump]!;
    program.pieces[jump] = { bytes, references: references.map((reference) => ({ ...reference, target: program.next })) };
    this.forgetAll();
    for (let calls = 1 + random.below(3); calls > 0; calls--) this.emit(CALL, { target: jump + 1, opSize: mode.code32 ? 4 : 2 });
    this.depth--;
  }

  /** Puts a MOV of a random value in place of another instruction's bytes: its last ones, mostly an immediate; or any. */
  private selfModify(): void {
    const { random, mode, program } = this;
    const target = Math.max(0, program.next + random.below(14) - 9);
    const segment = [3, 0, 1, 4, 5].find((each) => this.offsetOf(each, L.CODE, mode.code32 ? 4 : 2) >= 0);
    if (segment === undefined) return;
    if (random.chance(0.4)) {
      // An instruction made to be changed: ALU EAX.., imm. Its ModRM or its immediate is changed in a loop or before it is run.
      const spot = program.next + (random.chance(0.5) ? 1 : 0);
      const write = (): void => this.write(segment, spot, random.chance(0.5) ? 1 : 2 + random.below(2));
      const change = (): void => this.emit(ALU, { memory: false, rm: this.register(), middle: random.below(8), opSize: mode.code32 ? 4 : 2 });
      if (spot !== program.next) {
        write();
        change();
      } else {
        change();
        write();
      }
      return;
    }
    this.write(segment, target, random.chance(0.7) ? -1 - random.below(2) : random.below(6));
  }

  /** A store to a byte of an instruction; `at` < 0: from its end. */
  private write(segment: number, target: number, at: number): void {
    const { random, mode, program } = this;
    const row = random.pick([MOV_BYTE, MOV_BYTE, MOV_MEMORY_IMMEDIATE, ADD_MEMORY, BTC_MEMORY]);
    const addrSize = mode.code32 ? 4 : 2, size = row === MOV_BYTE || row === BTC_MEMORY ? 1 : addrSize;
    const value = at === 1 ? 0xc0 | random.below(8) << 3 | this.register() : random.chance(0.8) ? random.next() : random.pick([0x90, 0x40, 0xf8, 0xcc, 0xc3]);
    const base = L.CODE - this.segment(segment).base;
    const prefix = segment === 3 ? [] : [[0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65][segment]!];
    const modrm = row.group << 3 | (mode.code32 ? 5 : 6);
    const map = row.map === 1 ? [0x0f] : [];
    program.add([...prefix, ...map, row.opcode, modrm, ...littleEndian(0, addrSize), ...littleEndian(value, size)],
      { at: prefix.length + map.length + 2, size: addrSize, relative: false, target: at < 0 ? target + 1 : target, offset: base + at });
  }

  /** Changes the entry of a data page, and tells the TLB. */
  private changePage(): void {
    const { random, mode, program } = this;
    if (!mode.paging || mode.user || mode.kind !== 'protected') return;
    const page = random.chance(0.8) ? L.DATA + 0x1000 * random.below(6) : L.STACK;
    const frame = random.chance(0.7) ? page : random.chance(0.7) ? L.DATA + 0x1000 * random.below(4) : L.CODE;
    const bits = random.pick([0x27, 0x27, 0x27, 0x67, 0x25, 0x23, 0x21, 0x26]);
    const entry = L.PAGE_TABLES_VA + 0x1000 + (page >>> 10);
    if (this.offsetOf(3, entry, 4) < 0) return;
    this.emit(MOV_MEMORY_IMMEDIATE, { memory: true, linear: entry, immediate: frame | bits, opSize: 4, addrSize: 4 });
    if (random.chance(0.5)) this.emit(INVLPG, { memory: true, linear: page + random.below(0x1000), addrSize: 4 });
    else {
      this.setRegister(EAX, L.PAGE_DIRECTORY);
      program.add(MOV_CR3);
    }
  }
}

/** Mode names, for the count of what was met. */
export const modeNames = (): readonly string[] => MODES.map(({ name }: Mode) => name);
