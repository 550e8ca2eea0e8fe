/**
 * Runs both sides instruction by instruction and compares. Ours goes first, so that it reads memory as the other side still has it; if the other
 * side then took an interrupt instead, ours is put back and takes the same.
 */
import { Decoder } from '../../src/cpu/decode/decoder.ts';
import { disassemble, formatInAsm } from '../../src/cpu/decode/disasm.ts';
import { DECODE_OK } from '../../src/cpu/decode/insn.ts';
import type { Insn } from '../../src/cpu/decode/insn.ts';
import { writeEflags } from '../../src/cpu/flags.ts';
import { FPU_SW } from '../../src/cpu/fpu/state.ts';
import { CR0, CR0_PE, CS, ECX, EFLAGS, HALTED, HF_CS32, HFLAGS, IF, RESET_REQUEST, SEG_BASE, SEG_SEL, SYSENTER } from '../../src/cpu/state.ts';
import { GdbError } from '../../src/gdb/client.ts';
import { acceptedAt } from './accept.ts';
import type { Guest } from './guest.ts';
import type { Qemu } from './qemu.ts';
import type { Comparison, Difference } from './registers.ts';
import { takeOver } from './take-over.ts';

/** An instruction that ran. */
export interface Ran {
  readonly linear: number;
  readonly text: string;
}

export interface Found {
  readonly at: Ran;
  readonly registers: readonly Difference[];
  readonly stores: readonly { readonly address: number; readonly ours: number; readonly theirs: number }[];
}

/** What a step came to. */
export type Outcome = { readonly kind: 'same' } | { readonly kind: 'different'; readonly found: Found } | { readonly kind: 'ended'; readonly why: string };

/** The host bridge's PAM and SMRAM registers; the VGA's command and base addresses. */
const HOST_BRIDGE = 0x80000000, VGA = 0x80001000, CONFIGURATION = [[HOST_BRIDGE, [0x58, 0x5c, 0x70]], [VGA, [0x10, 0x18, 0x30, 0x04]]] as const;
const CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc;
/** Vectors below are the processor's. */
const FIRST_FREE_VECTOR = 32;

const isPause = ({ row: { mnemonic }, rep }: Insn): boolean => mnemonic === 'NOP' && rep === 0xf3;

export class Pair {
  readonly guest: Guest;
  readonly qemu: Qemu;
  /** Instructions that both have run. */
  steps = 0;
  interrupts = 0;
  /** The last instructions, the newest at the end. */
  readonly last: Ran[] = [];
  /** What `g` gave last. */
  data = '';
  readonly #comparison: Comparison;
  readonly #keep: number;
  readonly #decoder = new Decoder();
  /** SYSENTER's registers are not known after takeOver(), until it is first met. */
  #sysenterKnown = false;

  /** @param keep how many of the last instructions are kept */
  constructor(guest: Guest, qemu: Qemu, comparison: Comparison, keep: number) {
    this.guest = guest;
    this.qemu = qemu;
    this.#comparison = comparison;
    this.#keep = keep;
  }

  /** Our side becomes what QEMU is now: processor, memory, and where the chipset shows what. */
  async takeOver(): Promise<void> {
    const { guest, qemu } = this;
    const address = await qemu.port(CONFIG_ADDRESS);
    for (const [func, registers] of CONFIGURATION) {
      for (const register of registers) {
        await qemu.setPort(CONFIG_ADDRESS, func + register);
        guest.setPciConfig(func + register | 0, await qemu.port(CONFIG_DATA));
      }
    }
    await qemu.setPort(CONFIG_ADDRESS, address);
    guest.pc.io.write(CONFIG_ADDRESS, address, 4);
    guest.copyMemory();
    takeOver(guest.cpu, await qemu.gdb.monitor('info registers'));
  }

  async step(): Promise<Outcome> {
    const { guest } = this, { R } = guest.cpu;
    const insn = this.#decode(), ran: Ran = { linear: guest.linear, text: this.#text(insn) };
    this.last.push(ran);
    if (this.last.length > this.#keep) this.last.shift();
    if (insn?.row.mnemonic === 'SYSENTER' && !this.#sysenterKnown) return this.#learnSysenter();
    guest.step();
    if (R[RESET_REQUEST] !== 0) return { kind: 'ended', why: 'the guest resets the machine' };
    const halts = R[HALTED] !== 0;
    if (halts && (R[EFLAGS]! & IF) === 0) return { kind: 'ended', why: 'the guest halts with interrupts off' };
    const ended = await this.#stepOther();
    if (ended !== null) return { kind: 'ended', why: ended };
    if (insn !== null && insn.rep !== 0) await this.#finishRepetition(insn);
    const mayInterrupt = halts || (guest.before[EFLAGS]! & IF) !== 0;
    const interrupted = mayInterrupt && this.#isElsewhere() && await this.#takeInterrupt(halts);
    if (!interrupted && insn !== null && isPause(insn) && this.#isElsewhere()) return this.#again();
    this.steps++;
    return this.#compare(ran, interrupted ? null : insn);
  }

  /** QEMU leaves its loop at PAUSE, and a step goes on to the instruction behind. */
  #again(): Outcome {
    const { guest } = this, insn = this.#decode(), ran: Ran = { linear: guest.linear, text: this.#text(insn) };
    this.last.push(ran);
    guest.step();
    this.steps += 2;
    return this.#compare(ran, insn);
  }

  /** Takes over all registers that differ, so that both can go on. False if one of them cannot be. */
  resolve(found: Found): boolean {
    if (found.registers.some(({ register }) => register.write === null)) return false;
    for (const { register, theirs } of found.registers) register.write!(this.guest.cpu.R, theirs);
    this.guest.takeStores();
    this.guest.cpu.updateHflags();
    return true;
  }

  #compare(ran: Ran, insn: Insn | null): Outcome {
    const { guest } = this, { R } = guest.cpu, accepted = acceptedAt(insn, guest.before, guest.touched);
    if (accepted.flags !== 0) writeEflags(R, this.#comparison.value('eflags', this.data), accepted.flags);
    R[FPU_SW] = R[FPU_SW]! & ~accepted.status | this.#comparison.value('fstat', this.data) & accepted.status;
    if (accepted.stores) guest.takeStores();
    let registers = this.#comparison.differences(R, this.data);
    const others = registers.filter(({ register: { name, group } }) => !accepted.registers.includes(name) && !accepted.registers.includes(group));
    for (const { register, theirs } of registers) {
      if (!others.some((other) => other.register === register)) register.write?.(R, theirs);
    }
    registers = others;
    const stores = guest.storeDifferences();
    if (registers.length === 0 && stores.length === 0) return { kind: 'same' };
    return { kind: 'different', found: { at: ran, registers, stores } };
  }

  /** Null, or why there is no more. */
  async #stepOther(): Promise<string | null> {
    try {
      const stop = await this.qemu.gdb.step();
      if (stop.kind === 'exited') return `QEMU ended with code ${stop.code}`;
      this.data = await this.qemu.gdb.registers();
      return null;
    } catch (error) {
      if (!(error instanceof GdbError)) throw error;
      return 'QEMU is gone: it ended, or the time is over';
    }
  }

  /** With -icount QEMU comes back to a repeated instruction once more when its count is 0. */
  async #finishRepetition(insn: Insn): Promise<void> {
    const count = this.#comparison.value('ecx', this.data), { R } = this.guest.cpu;
    if (this.#comparison.value('eip', this.data) !== insn.eip || (insn.addrSize === 4 ? count : count & 0xffff) !== 0) return;
    if ((insn.addrSize === 4 ? R[ECX]! : R[ECX]! & 0xffff) === 0 && this.guest.linear !== this.last.at(-1)!.linear) await this.#stepOther();
  }

  #isElsewhere(): boolean {
    const { R } = this.guest.cpu, linear = this.#comparison.value('eip', this.data);
    return R[HALTED] !== 0 || linear !== this.#ownEip() || (this.#comparison.value('cs', this.data) & 0xffff) !== R[SEG_SEL + CS]!;
  }

  #ownEip(): number {
    return this.guest.linear - this.guest.cpu.R[SEG_BASE + CS]! | 0;
  }

  /** If QEMU stands at the gate of an interrupt, ours takes that interrupt: instead of the instruction, or out of HLT. */
  async #takeInterrupt(halts: boolean): Promise<boolean> {
    const { guest } = this, state = halts ? guest.cpu.R : guest.before;
    const protectedMode = (state[CR0]! & CR0_PE) !== 0;
    const selector = this.#comparison.value('cs', this.data), offset = this.#comparison.value('eip', this.data);
    const isHere = (vector: number): boolean => {
      const gate = guest.gate(vector, protectedMode);
      return gate !== null && (gate.selector ^ selector & 0xffff) >>> 2 === 0 && (gate.offset | 0) === offset;
    };
    const vector = (await this.#interruptVectors()).find(isHere);
    if (vector === undefined) return false;
    if (!halts) guest.rollBack();
    guest.interrupt(vector);
    this.interrupts++;
    return true;
  }

  /** Those of the 8259s, those in service first, and what an APIC may use. */
  async #interruptVectors(): Promise<number[]> {
    const text = await this.qemu.gdb.monitor('info pic'), vectors: number[] = [], others: number[] = [];
    for (const [, inService, base] of text.matchAll(/isr=([0-9a-f]{2}).*?irq_base=([0-9a-f]{2})/g)) {
      for (let irq = 0; irq < 8; irq++) ((Number.parseInt(inService!, 16) >> irq & 1) !== 0 ? vectors : others).push(Number.parseInt(base!, 16) + irq);
    }
    const apic = Array.from({ length: 256 - FIRST_FREE_VECTOR }, (_, i) => i + FIRST_FREE_VECTOR);
    return [...vectors, ...others, ...(/ioapic/.test(text) ? apic : [])];
  }

  /** SYSENTER goes where QEMU's registers say. */
  async #learnSysenter(): Promise<Outcome> {
    const { R } = this.guest.cpu, ended = await this.#stepOther();
    if (ended !== null) return { kind: 'ended', why: ended };
    R[SYSENTER] = this.#comparison.value('cs', this.data) & ~3;
    R[SYSENTER + 1] = this.#comparison.value('esp', this.data);
    R[SYSENTER + 2] = this.#comparison.value('eip', this.data);
    this.#sysenterKnown = true;
    this.guest.step();
    this.steps++;
    return this.#compare(this.last.at(-1)!, null);
  }

  /** The next instruction; null if its bytes are none. */
  #decode(): Insn | null {
    const { guest } = this, { R } = guest.cpu, code = guest.code(), eip = this.#ownEip();
    const outcome = this.#decoder.decode({ byte: (at) => code[at - eip] ?? 0 }, eip, (R[HFLAGS]! & HF_CS32) !== 0);
    return outcome === DECODE_OK ? this.#decoder.insn : null;
  }

  #text(insn: Insn | null): string {
    const { guest } = this;
    if (insn === null) return formatInAsm(guest.linear, guest.code().subarray(0, 1), '(bad)');
    return formatInAsm(guest.linear, insn.bytes.subarray(0, insn.length), disassemble(insn, guest.cpu.R[SEG_BASE + CS]!));
  }
}
