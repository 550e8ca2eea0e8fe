/** Which rows of the decode tables were executed, in which modes, and which faulted. */
import { Decoder } from '../../src/cpu/decode/decoder.ts';
import type { CodeFetch } from '../../src/cpu/decode/decoder.ts';
import { DECODE_OK } from '../../src/cpu/decode/insn.ts';
import type { Row } from '../../src/cpu/decode/insn.ts';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { CS, EIP, HF_CPL_MASK, HF_CS32, HF_PE, HF_PG, HF_VM, HFLAGS, SEG_BASE } from '../../src/cpu/state.ts';
import type { FuzzMachine, Observer } from './machine.ts';

/** Real, virtual-8086, protected 16 and 32 bits at levels 0 and 3; each without and with paging. */
const MODE_COUNT = 12;

const UNREACHABLE = Symbol('no byte there');
/** Always an exception. */
const FAULTS_ALWAYS: readonly string[] = ['UD0', 'UD1', 'UD2'];

function modeNumber(flags: number): number {
  const paging = (flags & HF_PG) !== 0 ? 6 : 0;
  if ((flags & HF_PE) === 0) return 0;
  if ((flags & HF_VM) !== 0) return 1 + paging;
  return 2 + ((flags & HF_CS32) !== 0 ? 1 : 0) + ((flags & HF_CPL_MASK) === 3 ? 2 : 0) + paging;
}

export class Coverage implements Observer {
  /** By row: executions that were completed, and that faulted. */
  readonly completed = new Float64Array(ROWS.length);
  readonly faulted = new Float64Array(ROWS.length);
  /** By row: in which modes it was completed, a mask. */
  private readonly modes = new Int32Array(ROWS.length);
  private readonly decoder = new Decoder();
  private readonly fetch: CodeFetch;
  private machine!: FuzzMachine;
  private row = -1;
  private mode = 0;
  private exceptions = 0;
  private interrupts = 0;

  constructor() {
    this.fetch = {
      byte: (eip) => {
        const { cpu, R, bytes } = this.machine;
        const pa = cpu.peek(R[SEG_BASE + CS]! + eip | 0);
        if (pa < 0 || pa >= bytes.length) throw UNREACHABLE;
        return bytes[pa]!;
      },
    };
  }

  before(machine: FuzzMachine): void {
    const { R, cpu } = machine;
    const flags = R[HFLAGS]!;
    this.machine = machine;
    this.mode = modeNumber(flags);
    this.exceptions = cpu.exec.counters.exceptions;
    this.interrupts = cpu.exec.counters.interrupts;
    this.row = -1;
    try {
      if (this.decoder.decode(this.fetch, R[EIP]!, (flags & HF_CS32) !== 0) === DECODE_OK) this.row = this.decoder.insn.row.index;
    } catch (thrown) {
      if (thrown !== UNREACHABLE) throw thrown;
    }
  }

  after({ cpu: { exec: { counters } } }: FuzzMachine): void {
    const { row } = this;
    if (row < 0 || counters.interrupts !== this.interrupts) return;
    if (counters.exceptions !== this.exceptions) this.faulted[row]!++;
    else {
      this.completed[row]!++;
      this.modes[row]! |= 1 << this.mode;
    }
  }

  isMet(row: Row): boolean {
    return this.completed[row.index]! > 0 || (FAULTS_ALWAYS.includes(row.mnemonic) && this.faulted[row.index]! > 0);
  }

  get notMet(): readonly Row[] {
    return ROWS.filter((row) => !this.isMet(row));
  }

  /** Pairs of row and mode that were completed. */
  get pairs(): number {
    let pairs = 0;
    for (let mask of this.modes) for (; mask !== 0; mask &= mask - 1) pairs++;
    return pairs;
  }

  get faults(): number {
    return this.faulted.reduce((sum, count) => sum + count, 0);
  }

  static readonly pairCount = ROWS.length * MODE_COUNT;
}

/** As the tables write it. */
export const rowName = ({ map, opcode, group, mnemonic, operands }: Row): string =>
  `${map === 1 ? '0F ' : ''}${opcode.toString(16).toUpperCase().padStart(2, '0')}${group < 0 ? '' : ` /${group}`} ${[mnemonic, operands.join(',')].join(' ').trim()}`;
